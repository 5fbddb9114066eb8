# SPDX-License-Identifier: Apache-2.0

"""Verify an evidence pack: needs the pack and a trust anchor; no database, no network, no configuration.

In:  a ZIP file from anybody.
Out: a report of numbered steps, each ok, FAILED or not done, and why.
It must never believe a pack before a step has shown it, and never parse bytes that differ from the signed statement.

    verifier.py        run the steps, give the verdict
    steps.py           the list: number, name, rule, source
    memory.py          bound what hostile files may ask for
    step.py, outcome.py, case.py, report.py   how a step is written, run and shown
    reader.py, anchors.py                     what the reader brings along
    form.py, signatures.py, pdf_text.py       container, statement, signatures, PDF
    timing.py, sign_offs.py                   time stamps; who else signed
    ledger.py          checkpoint, proofs, completeness
    content.py         controls, populations, everything derived
    reperformance.py   every test again, by both engines
    withheld.py, disclosed.py                 what the pack does not show, and what was shown later

docs/verification.md explains each step.
"""
