# SPDX-License-Identifier: Apache-2.0

"""Evidence packs: one signed ZIP that an auditor can check, and test again, without trusting anybody.

In:  an evaluated period, the ledger it rests on, a signing identity.
Out: the pack, and a line in the register.
It must never put a raw record or a secret into a pack, nor write one that says more than its parts.

    model.py       what a report is made from                                            pure
    layout.py      what lies where; content manifest and statement                       pure
    container.py   the ZIP archive, of which there is one spelling                       pure
    sampling.py    draw a sample that nobody could steer                                 pure
    evidence.py    the ledger's files                                                    pure
    values.py, listings.py, deviations.py, rows.py   tables for people, from Parquet
    guide.py       README.md and VERIFY.md                                               pure
    report.py      derive all of it; the verifier derives it again
    pdf.py         render the report
    assemble.py    gather, digest, sign, write
    times.py       ask time-stamp authorities, and record what each answered             pure
    authorities.py fetch their tokens: the only part that uses the network
    sign_off.py    what somebody else signs about a pack
    tables.py, repository.py, service.py   the register, and the verbs

docs/verification.md explains what is checked.
"""
