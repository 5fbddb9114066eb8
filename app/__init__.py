# SPDX-License-Identifier: Apache-2.0

"""Proofroom: privileged-access records in, evidence an auditor can check out.

Data moves right, imports point left:

    connectors -> collection -> ledger -> records -> trails -> evaluation -> gaps -> packs -> verification

docs/architecture.md draws the flow and lists the layers; the import contracts in pyproject.toml hold them.
"""

__version__ = "0.1.0"
