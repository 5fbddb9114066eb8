# SPDX-License-Identifier: Apache-2.0

"""What the names in records mean: asked of the pure indexes once per distinct name, and kept as tables to join with.

In:  the inventory (identities, targets, accounts, workflows), and the names that records use.
Out: the tables ``login``, ``responsible``, ``person``, ``identity_view``, ``system``, ``flow``, ``workflow_view``.
The views are made by ``app.trails.views`` itself. A view of somebody changes only when an employment ends, so one is
made per stretch between such ends.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise
from typing import Any, TypeVar

import msgspec
import pyarrow as pa

from app.records.folding import FoldedRecord
from app.records.model import Account, Workflow
from app.trails.arrow import arrow_schema
from app.trails.bulk.store import Store
from app.trails.bulk.tables import Tables
from app.trails.identities import Person, Resolution
from app.trails.index import TrailIndex
from app.trails.populations import AccountView, IdentityView, TargetView, WorkflowView
from app.trails.views import Use, Views

_T = TypeVar("_T")

BEGINNING, END = -(2**63), 2**63 - 1
LEDGER = pa.list_(pa.int64())
TEXTS = pa.list_(pa.string())

_LOGINS = """
SELECT source, subject FROM session UNION SELECT source, initiator FROM session
UNION SELECT source, subject FROM "grant" UNION SELECT source, requester FROM "grant"
UNION SELECT source, approver FROM approval UNION SELECT source, account FROM access_event"""
_RESPONSIBLES = """
SELECT source, reviewer FROM review UNION SELECT source, acknowledged_by FROM alert
UNION SELECT source, subject FROM review"""
_SYSTEMS = """
SELECT source, target FROM session UNION SELECT source, unnest(targets) FROM "grant"
UNION SELECT source, target FROM access_event UNION SELECT source, downstream FROM session_event"""


def put_names(store: Store, tables: Tables, index: TrailIndex, first_uses: dict[str, Use], state_at: int) -> None:
    """Make all tables of what names mean.

    Args:
        store: has the folded records.
        tables: get the tables.
        index: holds at least the inventory; nothing else of it is asked.
        first_uses: item id of an account to its first use.
        state_at: the instant at which identities are shown.
    """
    names = Names(index, store, tables)
    names.resolve()
    names.put_accounts(first_uses)
    names.put_identities(state_at)


class Names:
    """Resolves names over one inventory.

    Args:
        index: holds at least the inventory; nothing else of it is asked.
        store: has the folded records.
        tables: get what names mean.
    """

    def __init__(self, index: TrailIndex, store: Store, tables: Tables) -> None:
        self._index = index
        self._store = store
        self._tables = tables
        self._people: dict[str, Person] = {}

    def resolve(self) -> None:
        """Make all tables but that of accounts."""
        self._put_logins()
        self._put_responsibles()
        self._put_people()
        self._put_systems()
        self._put_flows()

    def put_accounts(self, first_uses: dict[str, Use]) -> None:
        """Make the tables ``door`` (what a login on a target is) and ``account_view``."""
        doors = self._store.rows("SELECT DISTINCT source, target, run_as FROM session WHERE run_as IS NOT NULL")
        found = [
            (source, target, name, account)
            for source, target, name in doors
            if (account := self._index.account(source, target, name)) is not None
        ]
        self._tables.put(
            "door",
            (
                {"source": source, "target": target, "name": name, "account": account.item_id}
                for source, target, name, account in found
            ),
            _columns(source=pa.string(), target=pa.string(), name=pa.string(), account=pa.string()),
        )
        accounts = {account.item_id: account for *_, account in found}
        self._put_views("account_view", AccountView, accounts.items(), lambda each: self._account(each, first_uses))

    def put_identities(self, state_at: int) -> None:
        """Make ``own_identity``: every identity record as it stands at an instant, not joined with others."""
        rows = []
        for each in self._index.identity_records:
            views = Views(self._index.identities, self._index.targets, state_at)
            rows.append(
                {
                    "item_id": each.item_id,
                    "source": each.source,
                    "person_key": self._index.identities.person_key(each),
                    "subjects": sorted(self._index.waivers.person(each)),
                    "view": msgspec.to_builtins(views.identity(each)),
                    "ledger": sorted(views.used),
                }
            )
        self._store.put(
            "own_identity",
            rows,
            _columns(
                item_id=pa.string(),
                source=pa.string(),
                person_key=pa.string(),
                subjects=TEXTS,
                view=pa.struct(list(arrow_schema(IdentityView))),
                ledger=LEDGER,
            ),
        )

    def _put_logins(self) -> None:
        self._tables.put(
            "login",
            (self._login(source, text) for source, text in self._names(_LOGINS)),
            _columns(
                source=pa.string(),
                text=pa.string(),
                who=pa.string(),
                rid=pa.string(),
                is_ambiguous=pa.bool_(),
                subjects=TEXTS,
            ),
        )

    def _login(self, source: str, text: str) -> dict[str, Any]:
        found = self._index.identities.resolve(source, text)
        return {
            "source": source,
            "text": text,
            "who": self._index.identities.who(source, text),
            "rid": self._rid(found),
            "is_ambiguous": found.identity is None and bool(found.candidates),
            "subjects": sorted(self._index.waivers.subjects(source, text)),
        }

    def _put_responsibles(self) -> None:
        self._tables.put(
            "responsible",
            (
                {"source": source, "text": text, "rid": self._rid(self._index.identities.named(source, text))}
                for source, text in self._names(_RESPONSIBLES)
            ),
            _columns(source=pa.string(), text=pa.string(), rid=pa.string()),
        )

    def _put_people(self) -> None:
        identities = self._index.identities
        self._tables.put(
            "person",
            (
                {
                    "rid": rid,
                    "item_id": each.item_id,
                    "key": identities.key(each),
                    "person_id": each.record.person_id,
                    "person_key": identities.person_key(each),
                    "kind": each.record.kind,
                    "status": each.record.status,
                    "end_at": each.record.employment_end_at,
                    "subjects": sorted(self._index.waivers.person(each)),
                    "ledger": each.ledger,
                }
                for rid, each in self._people.items()
            ),
            _columns(
                rid=pa.string(),
                item_id=pa.string(),
                key=pa.string(),
                person_id=pa.string(),
                person_key=pa.string(),
                kind=pa.string(),
                status=pa.string(),
                end_at=pa.int64(),
                subjects=TEXTS,
                ledger=LEDGER,
            ),
        )
        self._put_views("identity_view", IdentityView, self._people.items(), self._identity)

    def _put_systems(self) -> None:
        targets = self._index.targets
        rows = []
        for source, text in self._names(_SYSTEMS):
            found = targets.resolve(source, text)
            views = Views(self._index.identities, targets, 0)
            view = None if found is None else msgspec.to_builtins(views.target(found))
            flow = None if found is None else self._index.workflow(found.source, found.record.workflow_id)
            rows.append(
                {
                    "source": source,
                    "text": text,
                    "key": targets.key(source, text),
                    "id": targets.id(source, text),
                    "item_id": None if found is None else found.item_id,
                    "has_flow": found is not None and found.record.workflow_id is not None,
                    "flow": None if flow is None else flow.item_id,
                    "view": view,
                    "ledger": sorted(views.used),
                }
            )
        self._tables.put(
            "system",
            rows,
            _columns(
                source=pa.string(),
                text=pa.string(),
                key=pa.string(),
                id=pa.string(),
                item_id=pa.string(),
                has_flow=pa.bool_(),
                flow=pa.string(),
                view=pa.struct(list(arrow_schema(TargetView))),
                ledger=LEDGER,
            ),
        )

    def _put_flows(self) -> None:
        rows = []
        for source, text in self._names('SELECT DISTINCT source, workflow_id FROM "grant"'):
            flow = self._index.workflow(source, text)
            if flow is not None:
                rows.append({"source": source, "text": text, "flow": flow.item_id})
        self._tables.put("flow", rows, _columns(source=pa.string(), text=pa.string(), flow=pa.string()))
        workflows = ((each.item_id, each) for each in self._index.workflows)
        self._put_views("workflow_view", WorkflowView, workflows, self._workflow)

    def _put_views(
        self,
        table: str,
        view: type[msgspec.Struct],
        records: Iterable[tuple[str, _T]],
        make: Callable[[_T], tuple[Callable[[Views], msgspec.Struct], list[Resolution]]],
    ) -> None:
        """Make a table of views: ``name``, ``since``, ``until``, ``view``, ``ledger``; stretches do not overlap."""
        rows = [row for name, each in records for row in self._stretches(name, *make(each))]
        kind = pa.struct(list(arrow_schema(view)))
        self._tables.put(
            table, rows, _columns(name=pa.string(), since=pa.int64(), until=pa.int64(), view=kind, ledger=LEDGER)
        )

    def _stretches(
        self, name: str, make: Callable[[Views], msgspec.Struct], people: list[Resolution]
    ) -> Iterator[dict[str, Any]]:
        ends = {each.identity.record.employment_end_at for each in people if each.identity}
        bounds = [BEGINNING, *sorted(end for end in ends if end is not None), END]
        for since, until in pairwise(bounds):
            views = Views(self._index.identities, self._index.targets, since)
            view = msgspec.to_builtins(make(views))
            yield {"name": name, "since": since, "until": until, "view": view, "ledger": sorted(views.used)}

    def _identity(self, each: Person) -> tuple[Callable[[Views], msgspec.Struct], list[Resolution]]:
        named = self._index.identities.named
        near = [named(each.source, name) for name in (each.record.owner, each.record.sponsor)]
        return lambda views: views.identity(each), [Resolution(identity=each, explanation=""), *near]

    def _workflow(self, each: FoldedRecord[Workflow]) -> tuple[Callable[[Views], msgspec.Struct], list[Resolution]]:
        return lambda views: views.workflow(each), [
            self._index.identities.named(each.source, each.record.business_owner)
        ]

    def _account(
        self, each: FoldedRecord[Account], first_uses: dict[str, Use]
    ) -> tuple[Callable[[Views], msgspec.Struct], list[Resolution]]:
        holder = self._index.identities.resolve(each.source, each.record.subject)
        return lambda views: views.account(each, first_uses.get(each.item_id)), [holder]

    def _names(self, sql: str) -> Iterator[tuple[str, str]]:
        for source, text in self._store.rows(sql):
            if text is not None:
                yield source, text

    def _rid(self, found: Resolution) -> str | None:
        """Return a name for a resolved person; a person joined of several records is another than each alone."""
        each = found.identity
        if each is None:
            return None
        # One entry may state several records, so that the entries do not tell these persons apart.
        told = hashlib.sha256(msgspec.json.encode((each.record, each.ledger))).hexdigest()[:32]
        rid = f"{each.item_id} {told}"
        self._people[rid] = each
        return rid


def _columns(**types: pa.DataType) -> pa.Schema:
    return pa.schema([pa.field(name, kind) for name, kind in types.items()])
