# SPDX-License-Identifier: Apache-2.0

"""Which grant a session used: named, derived from its credential, or the only one whose window fits.

In:  grants, the approvals of each, credentials, identities and targets.
Out: for a session, its grant, how it was found, and every candidate.
Never picks one of several by luck, and never looks for another grant where the session names one that is missing.
A session that starts outside the grant it names stays linked: that is for a test to say.
"""

from collections.abc import Callable, Iterable

import msgspec

from app.records.folding import FoldedRecord
from app.records.model import Approval, Credential, Grant, Session
from app.trails.credentials import CredentialIndex
from app.trails.identities import IdentityIndex
from app.trails.lookup import Lookup
from app.trails.model import Basis, Link, shown
from app.trails.targets import TargetIndex
from app.trails.windows import GRANT_TOLERANCE_MS, WindowIndex

Right = FoldedRecord[Grant]
ApprovalsOf = Callable[[str], list[FoldedRecord[Approval]]]
"""Gives the approvals of a grant by its item id."""

_NO_RIGHT_YET = frozenset({"requested", "denied"})


class GrantMatch(msgspec.Struct, frozen=True, kw_only=True):
    """The outcome for one session.

    Attributes:
        grant: the one grant that was used, when that is known.
        grants: all grants that were used, or, when ``basis`` is ``ambiguous``, that may have been.
        links: one per grant and per name that led nowhere.
        ledger: entries of what proves a derived join, besides the session and the grant.
    """

    grant: Right | None
    grants: tuple[Right, ...]
    basis: Basis
    links: tuple[Link, ...]
    ledger: tuple[int, ...] = ()

    @property
    def used(self) -> tuple[Right, ...]:
        """Return the grants that the session is known to have used; none of an ambiguous set is."""
        return () if self.basis == "ambiguous" else self.grants


class GrantLinker:
    """Joins sessions to grants; built once over all grants, then asked per session."""

    def __init__(
        self,
        grants: Lookup[Grant],
        approvals_of: ApprovalsOf,
        credentials: Iterable[FoldedRecord[Credential]],
        identities: IdentityIndex,
        targets: TargetIndex,
    ) -> None:
        self._grants = grants
        self._identities = identities
        self._targets = targets
        self._credentials = CredentialIndex(grants, credentials)
        self._windows: WindowIndex[tuple[str, str], Right] = WindowIndex(
            ((who, target), start - GRANT_TOLERANCE_MS if start is not None else None, ends_at(grant.record), grant)
            for grant in grants
            for who, target in self._doors(grant)
            for start in _window_starts(grant.record, approvals_of(grant.item_id))
        )

    def match(self, session: FoldedRecord[Session]) -> GrantMatch:
        """Return the grant or grants of a session; the strongest basis that gives anything decides."""
        if session.record.grant_ids:
            return self._named(session)
        return self._derived(session) or self._by_window(session)

    def _named(self, session: FoldedRecord[Session]) -> GrantMatch:
        names = sorted(set(session.record.grant_ids or ()))
        found = {name: self._grants.exact(session.source, name) for name in names}
        links = tuple(
            _link(session, grant, "exact", "the session names this grant")
            if grant is not None
            else _link(session, None, "none", f"the session names grant {shown(name)}, which was not collected")
            for name, grant in found.items()
        )
        grants = tuple({each.item_id: each for each in found.values() if each is not None}.values())
        if not grants:
            return GrantMatch(grant=None, grants=(), basis="none", links=links)
        return GrantMatch(grant=_tightest(grants, session.record.started_at), grants=grants, basis="exact", links=links)

    def _derived(self, session: FoldedRecord[Session]) -> GrantMatch | None:
        found = self._credentials.grants_of(session.record)
        if len(found) > 1:  # One credential reference on several grants: the instant may still tell them apart.
            covering = [each for each in found if covers(each.grant.record, session.record.started_at)]
            found = covering if len(covering) == 1 else found
        if not found:
            return None
        if len(found) > 1:
            return _ambiguous(session, [each.grant for each in found], "have the same credential")
        issued = found[0]
        links = (_link(session, issued.grant, "derived", issued.why),)
        return GrantMatch(
            grant=issued.grant, grants=(issued.grant,), basis="derived", links=links, ledger=issued.ledger
        )

    def _by_window(self, session: FoldedRecord[Session]) -> GrantMatch:
        who = self._identities.who(session.source, session.record.subject)
        target = self._targets.key(session.source, session.record.target)
        started = session.record.started_at
        if who is None or target is None or started is None:
            why = "the session lacks a subject, a target or a start, so no grant can be looked for"
            return GrantMatch(grant=None, grants=(), basis="none", links=(_link(session, None, "none", why),))
        found = {
            each.item_id: each for each in self._windows.find((who, target), started) if not _ruled_out(session, each)
        }
        grants = [found[item_id] for item_id in sorted(found)]
        if len(grants) > 1:
            return _ambiguous(session, grants, "fit person, target and start")
        if not grants:
            why = "no grant fits person, target and start"
            return GrantMatch(grant=None, grants=(), basis="none", links=(_link(session, None, "none", why),))
        why = "the only grant of this person on this target whose window holds the session's start"
        links = (_link(session, grants[0], "window", why),)
        return GrantMatch(grant=grants[0], grants=(grants[0],), basis="window", links=links)

    def _doors(self, grant: Right) -> set[tuple[str, str]]:
        who = self._identities.who(grant.source, grant.record.subject)
        if who is None or grant.record.state in _NO_RIGHT_YET:
            return set()
        keys = {self._targets.key(grant.source, target) for target in grant.record.targets or ()}
        return {(who, key) for key in keys if key is not None}


def ends_at(grant: Grant) -> int | None:
    """Return when a right ends: the earlier of its expiry and its actual end; None = no end is known."""
    return min((end for end in (grant.expires_at, grant.ended_at) if end is not None), default=None)


def covers(grant: Grant, instant: int | None) -> bool:
    """Tell whether a right is known to hold at an instant."""
    if instant is None or grant.starts_at is None:
        return False
    end = ends_at(grant)
    return grant.starts_at <= instant and (end is None or instant < end)


def _window_starts(grant: Grant, approvals: list[FoldedRecord[Approval]]) -> list[int | None]:
    """Return from when a grant may be joined by window: an empty list for never, None for always.

    Nobody uses a right before it starts, nor before the first approval that is known. A standing right whose start no
    record tells has always been there; any other without a start cannot be placed in time at all.
    """
    decided = [
        each.record.decided_at
        for each in approvals
        if each.record.decision == "approved" and each.record.decided_at is not None
    ]
    known = [start for start in (grant.starts_at, min(decided, default=None)) if start is not None]
    if known:
        return [max(known)]
    return [None] if grant.basis == "standing" else []


def _ruled_out(session: FoldedRecord[Session], grant: Right) -> bool:
    """A source that says "no grant was used" (an empty list) rules out all of its own but the standing ones."""
    return session.record.grant_ids == () and grant.source == session.source and grant.record.basis != "standing"


def _tightest(grants: tuple[Right, ...], started: int | None) -> Right | None:
    """Return the shortest grant that covers the start; with several named grants and no clear one, none."""
    if len(grants) == 1:
        return grants[0]
    lengths = {
        each.item_id: end - start
        for each in grants
        if covers(each.record, started)
        and (start := each.record.starts_at) is not None
        and (end := ends_at(each.record)) is not None
    }
    shortest = [each for each in grants if each.item_id in lengths and lengths[each.item_id] == min(lengths.values())]
    return shortest[0] if len(shortest) == 1 else None


def _ambiguous(session: FoldedRecord[Session], grants: list[Right], why: str) -> GrantMatch:
    candidates = tuple(sorted(each.item_id for each in grants))
    link = Link(
        from_id=session.item_id,
        to_id=None,
        relation="grant",
        basis="ambiguous",
        explanation=f"{len(grants)} grants {why}, and nothing tells which one was used",
        candidates=candidates,
    )
    ordered = tuple(sorted(grants, key=lambda each: each.item_id))
    return GrantMatch(grant=None, grants=ordered, basis="ambiguous", links=(link,))


def _link(session: FoldedRecord[Session], grant: Right | None, basis: Basis, why: str) -> Link:
    to_id = None if grant is None else grant.item_id
    return Link(from_id=session.item_id, to_id=to_id, relation="grant", basis=basis, explanation=why)
