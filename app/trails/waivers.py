# SPDX-License-Identifier: Apache-2.0

"""Which waivers cover an item: approved, dated, reasoned, owned, in force at its instant, and scoped to it.

In:  waiver records. Out: references to those in order that cover an item.
A waiver that is not in order covers nothing; it stays in the population ``waiver``, where it is tested itself.
"""

from collections.abc import Iterable

import msgspec

from app.records.folding import FoldedRecord
from app.records.model import Waiver
from app.trails.identities import IdentityIndex, Person
from app.trails.populations import WaiverRef
from app.trails.targets import TargetIndex


class Scope(msgspec.Struct, frozen=True, kw_only=True):
    """What of an item a waiver can name: keys of its people, and keys of all its targets."""

    item_id: str
    subjects: frozenset[str] = frozenset()
    targets: frozenset[str] = frozenset()


class InOrder(msgspec.Struct, frozen=True, kw_only=True):
    """A waiver that is in order: what it says, what it rests on, and what it is restricted to (empty: to nothing)."""

    ref: WaiverRef
    ledger: tuple[int, ...]
    items: frozenset[str]
    subjects: frozenset[str]
    targets: frozenset[str]
    item_id: str

    def covers(self, at: int, scope: Scope) -> bool:
        """Every part of the scope that the waiver restricts must fit; several targets must all be named."""
        return (
            self.ref.approved_at <= at < self.ref.expires_at
            and (not self.items or scope.item_id in self.items)
            and (not self.subjects or not self.subjects.isdisjoint(scope.subjects))
            and (not self.targets or (bool(scope.targets) and scope.targets <= self.targets))
        )


class WaiverIndex:
    """All waivers in order, found by their narrowest restriction, so that many waivers do not slow many items."""

    def __init__(
        self, waivers: Iterable[FoldedRecord[Waiver]], identities: IdentityIndex, targets: TargetIndex
    ) -> None:
        self._identities = identities
        self._targets = targets
        self._by_key: dict[tuple[str, str], list[InOrder]] = {}
        for waiver in waivers:
            ready = self._in_order(waiver)
            if ready is not None:
                for key in _keys(ready.items, ready.subjects, ready.targets):
                    self._by_key.setdefault(key, []).append(ready)

    @property
    def in_order(self) -> list[InOrder]:
        """Return all waivers in order, by item id."""
        found = {each.item_id: each for waivers in self._by_key.values() for each in waivers}
        return [found[item_id] for item_id in sorted(found)]

    def covering(self, at: int, scope: Scope) -> tuple[list[WaiverRef], set[int]]:
        """Return the waivers that cover an item at an instant, sorted by id, and the ledger entries behind them."""
        if not self._by_key:
            return [], set()
        keys = {
            ("any", ""),
            ("item", scope.item_id),
            *(("subject", each) for each in scope.subjects),
            *(("target", each) for each in scope.targets),
        }
        found = {ready.item_id: ready for key in keys for ready in self._by_key.get(key, ()) if ready.covers(at, scope)}
        chosen = [found[item_id] for item_id in sorted(found)]
        return [each.ref for each in chosen], {index for each in chosen for index in each.ledger}

    def subjects(self, source: str, subject: str | None) -> frozenset[str]:
        """Return the keys under which a waiver may name a login: its identity and person, else its own spelling."""
        if subject is None:
            return frozenset()
        identity = self._identities.resolve(source, subject).identity
        if identity is None:
            return frozenset({f"login:{subject}"})
        return self.person(identity)

    def person(self, identity: Person) -> frozenset[str]:
        """Return the keys under which a waiver may name somebody known."""
        return frozenset({f"identity:{identity.item_id}", self._identities.person_key(identity)})

    def _in_order(self, waiver: FoldedRecord[Waiver]) -> InOrder | None:
        said = waiver.record
        if not (said.test_ids and said.reason and said.risk_owner and said.approved_by):
            return None
        if said.approved_at is None or said.expires_at is None or self._same_person(waiver):
            return None
        return InOrder(
            ref=WaiverRef(
                id=said.id,
                test_ids=sorted(set(said.test_ids)),
                approved_by=said.approved_by,
                approved_at=said.approved_at,
                expires_at=said.expires_at,
            ),
            ledger=waiver.ledger,
            items=frozenset(said.items or ()),
            subjects=frozenset(self._subject(waiver.source, each) for each in said.subjects or ()),
            targets=frozenset(
                key for each in said.targets or () if (key := self._targets.key(waiver.source, each)) is not None
            ),
            item_id=waiver.item_id,
        )

    def _subject(self, source: str, text: str) -> str:
        """A login stands for its identity only; a person id stands for all identities of the person."""
        login = self._identities.resolve(source, text).identity
        if login is not None:
            return f"identity:{login.item_id}"
        person = self._identities.named(source, text).identity
        return f"login:{text}" if person is None else self._identities.person_key(person)

    def _same_person(self, waiver: FoldedRecord[Waiver]) -> bool:
        asked, approved = waiver.record.requested_by, waiver.record.approved_by
        if asked is None or approved is None:
            return False
        people = [self._identities.named(waiver.source, each).identity for each in (asked, approved)]
        keys = [None if each is None else self._identities.person_key(each) for each in people]
        return asked.lower() == approved.lower() or (keys[0] is not None and keys[0] == keys[1])


def _keys(items: frozenset[str], subjects: frozenset[str], targets: frozenset[str]) -> list[tuple[str, str]]:
    for kind, names in (("item", items), ("subject", subjects), ("target", targets)):
        if names:
            return [(kind, name) for name in sorted(names)]
    return [("any", "")]
