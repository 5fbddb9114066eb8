# SPDX-License-Identifier: Apache-2.0

"""Links and access trails: what belongs to one privileged access, and why we say so."""

from typing import Literal, Protocol

import msgspec

from app.trails.populations import GrantRow, SessionRow

Basis = Literal["exact", "derived", "window", "ambiguous", "none"]
"""Why two records are joined, from strongest to weakest.

- ``exact``: one names the other's id.
- ``derived``: a value computed from one names the other, such as an audit hash or a key found in text.
- ``window``: same person, same target, and the instant lies inside; exactly one candidate.
- ``ambiguous``: several candidates, none of them chosen.
- ``none``: nothing was found for what should have been linked.
"""

_SHOWN = 80
_STRENGTH: tuple[Basis, ...] = ("exact", "derived", "window", "ambiguous", "none")


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """One join between two records, or the lack of one.

    Attributes:
        from_id, to_id: item ids ``source/type/id``; ``to_id`` is None where nothing was joined.
        relation: what ``to_id`` is to ``from_id``: ``grant``, ``approval``, ``ticket``, ``identity`` ...
        explanation: one sentence a reader can check against the two records.
        candidates: item ids that were possible, sorted, when there were several.
    """

    from_id: str
    to_id: str | None
    relation: str
    basis: Basis
    explanation: str
    candidates: tuple[str, ...] = ()


class AccessTrail(msgspec.Struct, frozen=True, kw_only=True):
    """One privileged access, from request to review.

    Attributes:
        item_id: the session the trail tells of, or the grant, where the trail is of a right.
        row: everything that was linked, exactly as control tests see it.
        links: why each part is there, and what could not be linked; in a fixed order.
        steps: what happened, in the order of time.
    """

    item_id: str
    row: SessionRow | GrantRow
    links: tuple[Link, ...]
    steps: tuple["TrailStep", ...]


class TrailStep(msgspec.Struct, frozen=True, kw_only=True):
    """One dated thing that happened: ``what`` in a few words, and the id of the record that says so."""

    at: int
    what: str
    record: str


class PeriodLike(Protocol):
    """An audit period: ``start`` inclusive, ``end`` exclusive, epoch milliseconds."""

    @property
    def start(self) -> int:
        """Return its first instant."""
        ...

    @property
    def end(self) -> int:
        """Return the first instant after it."""
        ...


def shown(text: str) -> str:
    """Return a short, printable excerpt of a record's text: whoever is under audit may have written it."""
    excerpt = "".join(letter if letter.isprintable() else "?" for letter in text[:_SHOWN])
    return f"'{excerpt}…'" if len(text) > _SHOWN else f"'{excerpt}'"


def weakest(*bases: Basis) -> Basis:
    """Return the weakest basis of a chain of links: a chain is as good as its worst link."""
    return max(bases, key=_STRENGTH.index)
