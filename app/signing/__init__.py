# SPDX-License-Identifier: Apache-2.0

"""Sign and check: canonical JSON, keys, DSSE, CMS, PAdES. Knows nothing of what is signed, and no network.

    canonical.py                    one spelling of JSON                                 pure
    certificates.py, chain.py, revocation.py   whose certificate, issued by whom, revoked when   pure
    keys.py, sources.py, pkcs11.py  who signs, and where the key is
    checkpoint_key.py               the ledger's own key
    dsse.py, cms.py, timestamps.py  statements, detached signatures, time-stamp tokens: one shape of each
    pdf.py, pdf_check.py            sign a report; check one

docs/keys.md explains the keys.
"""
