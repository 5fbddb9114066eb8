# SPDX-License-Identifier: Apache-2.0

"""Which fields can be withheld from a pack, and where each of them stands in the populations.

Only texts about people and their words: names, logins, addresses, what somebody typed or wrote as a reason. Never what
a pack needs to hold together: ids (they are in every item's id and in the ledger's keys, so withholding them would
hide nothing), instants, states, kinds, numbers, flags, and digests but the one of a withheld text. Pure.
"""

from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

import msgspec

from app.controls.paths import fields as fields_of
from app.controls.paths import unwrap
from app.errors import UsageError
from app.trails.populations import (
    POPULATIONS,
    AccessEventView,
    AccountView,
    AlertView,
    ApprovalView,
    EventRef,
    EventView,
    GrantView,
    IdentityView,
    LegalHoldView,
    ReviewItemView,
    SessionRef,
    SessionView,
    TargetView,
    WaiverRef,
    WaiverView,
    WorkflowView,
)

_Place = tuple[type[msgspec.Struct], str]


def _same(field: str, *views: type[msgspec.Struct]) -> tuple[_Place, ...]:
    return tuple((view, field) for view in views)


_DIGESTS = _same("text_sha256", EventRef, EventView)
"""A digest without salt lets everybody try out what the text may have been, so it goes with the text."""

FIELDS: dict[str, tuple[_Place, ...]] = {
    "access_event.account": _same("account", AccessEventView),
    "access_event.client_address": _same("client_address", AccessEventView),
    "account.name": _same("name", AccountView),
    "alert.acknowledged_by": _same("acknowledged_by", AlertView),
    "approval.approver": _same("approver", ApprovalView),
    "event.text": (*_same("text", EventView), *_DIGESTS),
    "grant.purpose": _same("purpose", GrantView),
    "grant.requester": _same("requester", GrantView),
    "grant.subject": _same("subject", GrantView),
    "identity.contract_ref": _same("contract_ref", IdentityView),
    "identity.display": _same("display", IdentityView),
    "identity.employer": _same("employer", IdentityView),
    "identity.purpose": _same("purpose", IdentityView),
    "legal_hold.matter_ref": _same("matter_ref", LegalHoldView),
    "review_item.subject": _same("subject", ReviewItemView),
    "session.client_address": _same("client_address", SessionView, SessionRef),
    "session.delegator": _same("delegator", SessionView),
    "session.run_as": _same("run_as", SessionView, SessionRef),
    "session.subject": _same("subject", SessionView),
    "target.name": _same("name", TargetView),
    "waiver.approved_by": _same("approved_by", WaiverView, WaiverRef),
    "waiver.reason": _same("reason", WaiverView),
    "waiver.requested_by": _same("requested_by", WaiverView),
    "workflow.name": _same("name", WorkflowView),
}
"""What can be withheld: a name for it, and every kind of record that shows it."""


def check_names(names: Sequence[str], *, where: str = "--withhold") -> tuple[str, ...]:
    """Return the names, sorted, each once.

    Raises:
        UsageError: one of them cannot be withheld.
    """
    for name in names:
        if name not in FIELDS:
            raise UsageError(
                f"'{name[:60]}' cannot be withheld; these can: {', '.join(FIELDS)}",
                where=where,
                hint="Ids, instants, states, numbers and digests hold a pack together and stay",
            )
    return tuple(sorted(set(names)))


@cache
def paths_of(name: str, population: str) -> tuple[str, ...]:
    """Return the dotted paths at which a population shows a field; through lists as if they were one element."""
    wanted = FIELDS[name]
    return tuple(path for path, place in _texts(POPULATIONS[population], "") if place in wanted)


@cache
def all_paths(population: str) -> dict[str, str]:
    """Return the path of everything in a population that could be withheld, and the name of its field."""
    return {path: name for name in FIELDS for path in paths_of(name, population)}


@cache
def text_paths(population: str) -> tuple[str, ...]:
    """Return the path of every text in a population."""
    return tuple(path for path, _ in _texts(POPULATIONS[population], ""))


def _texts(struct: type[msgspec.Struct], prefix: str) -> Iterator[tuple[str, _Place]]:
    for name, hint in fields_of(struct).items():
        inner: Any = unwrap(hint)[0]
        if inner is str:
            yield prefix + name, (struct, name)
        elif fields_of(inner):
            yield from _texts(inner, f"{prefix}{name}.")
