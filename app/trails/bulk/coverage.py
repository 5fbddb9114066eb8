# SPDX-License-Identifier: Apache-2.0

"""What evidence there is for each item, and which waivers cover it.

In:  items; what each source can speak for; waivers.
Out: ``bound`` (the instants at which it changes what evidence there is), ``evidence`` (what there is), ``waived``.
"""

import msgspec
import pyarrow as pa

from app.trails.arrow import arrow_schema
from app.trails.bulk.items import BIG
from app.trails.bulk.names import LEDGER, TEXTS
from app.trails.bulk.store import Store
from app.trails.bulk.tables import Derived, Tables
from app.trails.populations import EvidenceView, WaiverRef
from app.trails.rows import Frame


def put_bounds(tables: Tables, frame: Frame) -> None:
    """Make ``bound``."""
    bounds = ({"bound": bound} for bound in frame.evidence.bounds)
    tables.put("bound", bounds, pa.schema([pa.field("bound", pa.int64())]))


def put_evidence(store: Store, tables: Tables, frame: Frame) -> None:
    """Make ``evidence``: its view for each pair of bounds that an item has."""
    pairs = " UNION ".join(f"SELECT evidence, approved FROM {population}_item" for population in BIG)
    views = (
        {
            "first": first,
            "second": second,
            "view": msgspec.to_builtins(frame.evidence.at(first, decided=second)),
        }
        for first, second in store.rows(pairs)
    )
    kind = pa.struct(list(arrow_schema(EvidenceView)))
    tables.put(
        "evidence",
        views,
        pa.schema([pa.field("first", pa.int64()), pa.field("second", pa.int64()), pa.field("view", kind)]),
    )


def put_waivers(tables: Tables, frame: Frame) -> None:
    """Make ``waived``: the waivers that cover each item, in order; the rules are in ``app.trails.waivers``."""
    rows = [
        {
            "item_id": each.item_id,
            "ref": msgspec.to_builtins(each.ref),
            "ledger": sorted(each.ledger),
            "items": sorted(each.items),
            "subjects": sorted(each.subjects),
            "targets": sorted(each.targets),
        }
        for each in frame.index.waivers.in_order
    ]
    fields = {"item_id": pa.string(), "ref": pa.struct(list(arrow_schema(WaiverRef))), "ledger": LEDGER}
    fields |= {"items": TEXTS, "subjects": TEXTS, "targets": TEXTS}
    tables.put("waiver_in_order", rows, pa.schema([pa.field(name, kind) for name, kind in fields.items()]))
    covers = (
        "w.ref.approved_at <= b.at AND b.at < w.ref.expires_at"
        " AND (len(w.items) = 0 OR list_contains(w.items, b.item_id))"
        " AND (len(w.subjects) = 0 OR list_has_any(w.subjects, b.subjects))"
        " AND (len(w.targets) = 0 OR (len(b.targets) > 0 AND list_has_all(w.targets, b.targets)))"
    )
    parts = " UNION ALL ".join(
        f"SELECT '{population}' AS population, b.item_id, list(w.ref ORDER BY w.item_id) AS refs,"
        " flatten(list(w.ledger)) AS ledger"
        f" FROM (FROM {population}_item WHERE due(item_id)) b JOIN waiver_in_order w ON {covers} GROUP BY b.item_id"
        for population in BIG
    )
    changed = [
        query
        for population in BIG
        for query in (
            f"SELECT item_id FROM diff_{population}_item",
            f"SELECT item_id FROM {population}_item WHERE (SELECT count(*) FROM diff_waiver_in_order) > 0",
        )
    ]
    tables.derive(Derived("waived", "item_id", parts, changed))
