# SPDX-License-Identifier: Apache-2.0

"""Withhold chosen fields from a pack, and keep proof of what stood there.

In:  frozen populations, names of fields, a secret of the operator.
Out: populations in which every such value is a salted commitment; beside the pack, a file that opens them.
A salt, or the secret it comes from, must never get into a pack.

    fields.py       which fields can be withheld, and where they stand             pure
    commitments.py  salt, commitment, and how a cell shows it                      pure
    columns.py      find and change single texts in nested columns                 pure
    conceal.py      write populations without the values
    reads.py        which tests and metrics read what is withheld                  pure
    words.py        what the pack says about it                                    pure
    apply.py        all of it, for one pack
    disclosures.py  the file that opens commitments
    secret.py       the operator's secret

docs/redaction.md says what it protects and what remains to be inferred.
"""
