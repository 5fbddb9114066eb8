# SPDX-License-Identifier: Apache-2.0

"""Evidence packs: derive their files, put them together, sign them, and keep the register of them.

In:  an evaluated period and what ties it to the ledger. Out: one ZIP file. Raw records are never in it.
"""
