# SPDX-License-Identifier: Apache-2.0

"""What some sources cannot say at all, so that a test has no evidence for every item that rests on them.

In:  the whole story. Out: one ``Planted`` per limit, with a verdict for each item it touches. They are not faults of
Larkfield Health; they are listed because an honest report shows them, and a reader must be able to account for each.
"""

from collections.abc import Iterable

from app.demo.consequences import grant_item, session_items
from app.demo.directory import EMERGENCY_ACCOUNT
from app.demo.model import Access, Door, Story
from app.demo.organisation import person
from app.demo.planting import OutcomeWord, Planted, Trip

_NOT_TOLD: OutcomeWord = "no_evidence"


def limits(story: Story) -> tuple[Planted, ...]:
    """Return the limits of the sources, expanded to the items of this story."""
    return _no_factor(story), _no_removal(story), _no_lease_end(story)


def _no_factor(story: Story) -> Planted:
    doors: frozenset[Door] = frozenset({"hoop", "openbao", "sudo"})
    items = [
        item
        for access in _through(story, doors)
        for use, item in zip(access.uses, session_items(access), strict=True)
        if use.run_as != EMERGENCY_ACCOUNT  # An emergency way in is exempt: its use is judged by BRG-02 and BRG-03.
    ]
    return Planted(
        id="L01",
        what="hoop, PostgreSQL and sudo do not tell whether a second factor was used",
        background="None of the three logs carries the login that came before the session. Teleport does.",
        trips=_each("IDN-04", items),
        story=Story(),
        limit=True,
    )


def _no_removal(story: Story) -> Planted:
    grants = [
        grant_item(access) for access in _through(story, frozenset({"hoop"})) if access.decisions and not access.onetime
    ]
    return Planted(
        id="L02",
        what="hoop does not tell when a right was gone",
        background="A right through hoop lives in its gateway and ends with its window; no record says that it did. A "
        "one-time right ends with its one session.",
        trips=_each("GRT-03", grants),
        story=Story(),
        limit=True,
    )


def _no_lease_end(story: Story) -> Planted:
    grants = [grant_item(access) for access in _through(story, frozenset({"openbao", "openbao_ssh"}))]
    return Planted(
        id="L03",
        what="OpenBao's audit log does not tell how long a lease or a signed key lives",
        background="The answer that hands out a lease has its id and no time to live; a later look-up names the "
        "lease by a hash of that id only. The validity of a signed key is inside the certificate, which is hashed.",
        trips=_each("GRT-01", grants),
        story=Story(),
        limit=True,
    )


def _through(story: Story, doors: frozenset[Door]) -> list[Access]:
    return [access for access in story.accesses if access.door in doors and person(access.person).kind != "service"]


def _each(test_id: str, items: Iterable[str]) -> tuple[Trip, ...]:
    return tuple(Trip(test_id, item, _NOT_TOLD) for item in sorted(set(items)))
