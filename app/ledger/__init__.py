# SPDX-License-Identifier: Apache-2.0

"""The ledger: what the sources said, byte for byte, in an append-only Merkle log (RFC 9162 section 2.1).

In:  source records, a page at a time.
Out: ledger entries, signed checkpoints (C2SP tlog-checkpoint), and proofs of inclusion, subset and consistency.
It must never change or remove an entry, never interpret a raw byte, and never sign a root it has not computed.

    entry.py       what one entry is, and the bytes of its leaf                          pure
    ranges.py      which subtrees a root or a proof is made of                           pure
    merkle.py      hashes, roots, proofs and their verification                          pure
    note.py        signed notes and checkpoints                                          pure
    tables.py      ledger_entry, ledger_raw, ledger_node, ledger_checkpoint
    repository.py  all SQL
    service.py     Ledger: append, checkpoint, prove
    fsck.py        read everything again and say what does not fit

docs/ledger.md is the page for people.
"""
