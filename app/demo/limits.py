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
from app.demo.writers import openbao
from app.records.model import Recording

_NOT_TOLD: OutcomeWord = "no_evidence"


def limits(story: Story) -> tuple[Planted, ...]:
    """Return the limits of the sources, expanded to the items of this story."""
    return (
        _no_factor(story), _no_removal(story), _no_lease_end(story), _no_digest(story), _no_retention(story),
        _no_role(story), _no_last_use(story),
    )  # fmt: skip


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


def _no_digest(story: Story) -> Planted:
    return Planted(
        id="L04",
        what="The products that record do not tell a digest of the recording",
        background="Their logs say that a recording was stored, and not what its bytes were. The archive's monthly "
        "drill tells it for the recordings that it reads back.",
        trips=_each("REC-02", _recordings(story)),
        story=Story(),
        limit=True,
    )


def _no_retention(story: Story) -> Planted:
    return Planted(
        id="L05",
        what="The products that record do not tell how long a recording is kept, or whether it can still be read",
        background="Both are settings of the store behind them. The archive tells it for what it reads back.",
        trips=_each("GOV-02", _recordings(story)),
        story=Story(),
        limit=True,
    )


def _no_role(story: Story) -> Planted:
    people = {access.person for access in _through(story, frozenset({"hoop"})) if access.decisions}
    return Planted(
        id="L06",
        what="hoop does not name the role of a right",
        background="It knows a connection and not what the account behind it may do. Whether such a right conflicts "
        "with another one cannot be told.",
        trips=_each("GRT-06", (f"hr/identity/{key}" for key in people)),
        story=Story(),
        limit=True,
    )


def _no_last_use(story: Story) -> Planted:
    leases = [
        f"openbao/credential/{openbao.audit_hash(openbao.lease_id(access))}"
        for access in _through(story, frozenset({"openbao"}))
        if access.ended is not None
    ]
    return Planted(
        id="L07",
        what="OpenBao's audit log does not tell when a lease was last used",
        background="A leased user is used at the database, and not at OpenBao. That no session outlived its lease is "
        "seen at the sessions.",
        trips=_each("IDN-07", leases),
        story=Story(),
        limit=True,
    )


def _recordings(story: Story) -> list[str]:
    """Return the stored recordings that a product, or a gateway like one, told of."""
    stored = [
        item.replace("/session/", "/recording/", 1)
        for access in story.accesses
        for use, item in zip(access.uses, session_items(access), strict=bool(access.uses))
        if use.recording == "on" and (use.ended is not None or not access.door.startswith("teleport"))
    ]
    told = [
        f"{each.source}/recording/{each.record.id}"
        for each in story.told
        if isinstance(each.record, Recording) and each.source != "archive"
    ]
    return stored + told


def _through(story: Story, doors: frozenset[Door]) -> list[Access]:
    return [access for access in story.accesses if access.door in doors and person(access.person).kind != "service"]


def _each(test_id: str, items: Iterable[str]) -> tuple[Trip, ...]:
    return tuple(Trip(test_id, item, _NOT_TOLD) for item in sorted(set(items)))
