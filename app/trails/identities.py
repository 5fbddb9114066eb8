# SPDX-License-Identifier: Apache-2.0

"""Who stands behind a login: aliases, e-mail addresses and ids, never a resemblance.

In:  identity records. Out: the identity that a source's spelling names, or the reason why none is named.
A login matches by an alias for its source or for any source, by being an identity's e-mail address (ASCII letters in
either case), or by being its id. Prefixes, display names and local parts never match: ``ana`` is not ``ana@x.example``.
"""

from bisect import bisect_right
from collections.abc import Iterable

import msgspec

from app.records.folding import FoldedRecord
from app.records.model import Identity
from app.trails.model import shown

Person = FoldedRecord[Identity]

_STRICTEST = ("terminated", "suspended", "active")


class Resolution(msgspec.Struct, frozen=True, kw_only=True):
    """What a login resolves to. ``candidates`` are item ids, more than one only where it was ambiguous."""

    identity: Person | None
    explanation: str
    candidates: tuple[str, ...] = ()


class IdentityIndex:
    """All identities, by everything that may name one."""

    def __init__(self, identities: Iterable[Person]) -> None:
        self._all: dict[str, Person] = {each.item_id: each for each in identities}
        self._named: dict[tuple[str, str, str], list[Person]] = {}
        self._ids: dict[str, int] = {}
        self._resolved: dict[tuple[str, str, bool], Resolution] = {}
        self._ends = sorted(end for each in self._all.values() if (end := each.record.employment_end_at) is not None)
        for each in self._all.values():
            self._ids[each.record.id] = self._ids.get(each.record.id, 0) + 1
            for name in _names(each.record):
                self._named.setdefault(name, []).append(each)

    def resolve(self, source: str, subject: str | None) -> Resolution:
        """Return who logs in as ``subject`` at ``source``.

        Several identity records that share one person id are one person, and become one identity. Several that do not
        are ambiguous, and the login stays unresolved.
        """
        return self._resolve(source, subject, by_person=False)

    def named(self, source: str, text: str | None) -> Resolution:
        """Return who is meant where a record names a responsible person; there a person id is good as well."""
        return self._resolve(source, text, by_person=True)

    def epoch(self, instant: int) -> int:
        """Return a number that is equal for instants between which nobody's employment ended: statuses are the same."""
        return bisect_right(self._ends, instant)

    def key(self, identity: Person) -> str:
        """Return the id used for an identity in populations: its own, or its item id where two sources share it."""
        return identity.record.id if self._ids[identity.record.id] == 1 else identity.item_id

    def who(self, source: str, subject: str | None) -> str | None:
        """Return a key that is equal for the logins of one person; a login nobody is known for stands for itself."""
        if subject is None:
            return None
        identity = self.resolve(source, subject).identity
        return f"login:{source}/{subject}" if identity is None else self.person_key(identity)

    def person_key(self, identity: Person) -> str:
        """Return the key of the person behind an identity; without a person id, the identity stands for itself."""
        person = identity.record.person_id
        return f"person:{person}" if person is not None else f"identity:{identity.item_id}"

    def person_id(self, source: str, subject: str | None) -> str | None:
        """Return the person id behind a login, when it is known."""
        identity = self.resolve(source, subject).identity
        return None if identity is None else identity.record.person_id

    def _resolve(self, source: str, text: str | None, *, by_person: bool) -> Resolution:
        if not text:
            return Resolution(identity=None, explanation="the record names nobody")
        key = (source, text, by_person)
        if key not in self._resolved:
            self._resolved[key] = self._search(source, text, by_person=by_person)
        return self._resolved[key]

    def _search(self, source: str, text: str, *, by_person: bool) -> Resolution:
        ways = [("alias", source, text), ("alias", "*", text), ("email", "", _folded(text)), ("id", "", text)]
        found = {each.item_id: (each, way[0]) for way in reversed(ways) for each in self._named.get(way, ())}
        if not found and by_person:
            found = {each.item_id: (each, "person id") for each in self._named.get(("person", "", text), ())}
        matches = [found[item_id][0] for item_id in sorted(found)]
        if not matches:
            return Resolution(identity=None, explanation=f"no identity is known for {shown(text)} at {source}")
        persons = {each.record.person_id for each in matches}
        candidates = tuple(sorted(found))
        if len(matches) > 1 and (len(persons) > 1 or None in persons):
            why = f"{shown(text)} at {source} matches {len(matches)} identities, so it is resolved to none of them"
            return Resolution(identity=None, explanation=why, candidates=candidates)
        way = found[candidates[0]][1]
        return Resolution(
            identity=_one_person(matches),
            explanation=f"{shown(text)} at {source} matches by {way}",
            candidates=candidates,
        )


def status_at(identity: Identity, instant: int | None) -> str | None:
    """Return a person's status at an instant, as far as the records can tell; None = not known.

    The end of an employment is dated, so before it somebody who has left since was still active. A suspension is not
    dated, so it is taken to have held already. Without an instant only a status that cannot have changed is given.
    """
    end = identity.employment_end_at
    if end is None:
        return identity.status
    if instant is None:
        return None
    if instant >= end:
        return "terminated"
    return "suspended" if identity.status == "suspended" else "active"


def _names(identity: Identity) -> set[tuple[str, str, str]]:
    names = {("alias", alias.source, alias.subject) for alias in identity.aliases} | {("id", "", identity.id)}
    if identity.email:
        names.add(("email", "", _folded(identity.email)))
    if identity.person_id:
        names.add(("person", "", identity.person_id))
    return names


def _folded(text: str) -> str:
    """Fold ASCII only: Unicode folding would let look-alikes such as the Kelvin sign match an ordinary letter."""
    return text.lower() if text.isascii() else text


def _one_person(matches: list[Person]) -> Person:
    """Join several records of one person: first word wins, but the earliest end and the strictest status count."""
    first = matches[0]
    if len(matches) == 1:
        return first
    filled = {
        name: next((value for each in matches if (value := getattr(each.record, name)) is not None), None)
        for name in Identity.__struct_fields__
    }
    ends = [each.record.employment_end_at for each in matches if each.record.employment_end_at is not None]
    statuses = [each.record.status for each in matches if each.record.status is not None]
    filled["employment_end_at"] = min(ends, default=None)
    filled["status"] = min(statuses, key=_STRICTEST.index, default=None)
    record = msgspec.structs.replace(first.record, **filled)
    ledger = tuple(sorted({index for each in matches for index in each.ledger}))
    return msgspec.structs.replace(first, record=record, ledger=ledger)
