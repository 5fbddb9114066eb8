# SPDX-License-Identifier: Apache-2.0

"""From records to the views that rows are made of, with logins, people and targets resolved.

In:  folded records. Out: views, and, in ``used``, the ledger entries that all of them rest on.
"""

from app.trails.evidence_views import EvidenceViews
from app.trails.right_views import RightViews, Use

__all__ = ["Use", "Views"]


class Views(RightViews, EvidenceViews):
    """Makes the views of one row: of people and rights, and of events and evidence."""
