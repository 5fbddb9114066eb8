# SPDX-License-Identifier: Apache-2.0

"""Which tickets give the reason for an access: by key where a record states one, by a key in its text otherwise.

In:  tickets of all sources, whose ids are keys such as ``CHG-17``. Out: the tickets of a grant or session, with links.
A key that two sources know is not settled; a stated key that no source knows is told, and links to nothing.
"""

import re
from collections.abc import Iterable

import msgspec

from app.records.folding import FoldedRecord
from app.records.model import Ticket
from app.trails.lookup import Lookup
from app.trails.model import Basis, Link, shown

# Bounded on all sides, so that hostile text costs linear time and no part of a longer word is taken for a key.
_KEY = re.compile(r"(?<![A-Za-z0-9])[A-Z][A-Z0-9]{1,31}-[0-9]{1,12}(?![A-Za-z0-9])")


class LinkedTicket(msgspec.Struct, frozen=True):
    """A ticket and how it was found."""

    ticket: FoldedRecord[Ticket]
    basis: Basis


def find_tickets(
    tickets: Lookup[Ticket],
    item_id: str,
    source: str,
    stated: Iterable[str],
    text: str | None,
) -> tuple[list[LinkedTicket], list[Link]]:
    """Return the tickets of one grant or session, sorted by item id, and the links to and about them.

    Args:
        tickets: all tickets.
        item_id: of the record that has the keys.
        source: of that record.
        stated: keys it states.
        text: free text that may hold more.
    """
    keys = sorted(set(stated))
    mentioned = sorted(keys_in(text).difference(keys))
    found: dict[str, LinkedTicket] = {}
    links: list[Link] = []
    for key, basis in [*((key, "exact") for key in keys), *((key, "derived") for key in mentioned)]:
        candidates = tickets.anywhere(source, key)
        if not candidates and basis == "derived":
            continue  # Not every word of this shape is a ticket: think of UTF-8.
        links.append(_link(item_id, key, candidates, "exact" if basis == "exact" else "derived"))
        if len(candidates) == 1:
            linked = LinkedTicket(candidates[0], "exact" if basis == "exact" else "derived")
            found.setdefault(candidates[0].item_id, linked)
    return [found[each] for each in sorted(found)], links


def keys_in(text: str | None) -> set[str]:
    """Return everything in a text that has the shape of a ticket's key."""
    return {match.group() for match in _KEY.finditer(text or "")}


def _link(item_id: str, key: str, candidates: list[FoldedRecord[Ticket]], basis: Basis) -> Link:
    names = tuple(sorted(each.item_id for each in candidates))
    if not names:
        why = f"it names ticket {shown(key)}, which no source knows"
        return Link(from_id=item_id, to_id=None, relation="ticket", basis="none", explanation=why)
    if len(names) > 1:
        why = f"several sources know a ticket {shown(key)}, so it is linked to none"
        return Link(
            from_id=item_id, to_id=None, relation="ticket", basis="ambiguous", explanation=why, candidates=names
        )
    why = f"it states the key {shown(key)}" if basis == "exact" else f"key {shown(key)} found in text"
    return Link(from_id=item_id, to_id=names[0], relation="ticket", basis=basis, explanation=why)
