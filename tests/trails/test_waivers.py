# SPDX-License-Identifier: Apache-2.0

"""Only a waiver that is in order, in force and scoped to the item is listed with it."""

from typing import Any

import pytest

from app.records.model import Account, Grant, Identity, Session, Target, Waiver

IN_ORDER = {
    "id": "w",
    "test_ids": ("APR-01",),
    "reason": "legacy",
    "risk_owner": "cfo@x.example",
    "requested_by": "ana@x.example",
    "approved_by": "bo@x.example",
    "approved_at": 100,
    "expires_at": 200,
}


@pytest.mark.parametrize(
    ("changes", "at", "covers"),
    [
        ({}, 150, True),
        ({}, 100, True),
        ({}, 99, False),
        ({}, 200, False),
        ({"test_ids": None}, 150, False),
        ({"test_ids": ()}, 150, False),
        ({"reason": None}, 150, False),
        ({"risk_owner": None}, 150, False),
        ({"approved_by": None}, 150, False),
        ({"approved_at": None}, 150, False),
        ({"expires_at": None}, 150, False),
        ({"approved_by": "ana@x.example"}, 150, False),
        ({"approved_by": "ANA@x.example"}, 150, False),
        ({"approved_by": "adm-ana"}, 150, False),  # Her other login.
        ({"requested_by": None}, 150, True),
        ({"items": ("tp/session/s",)}, 150, True),
        ({"items": ("tp/session/other",)}, 150, False),
        ({"targets": ("db",)}, 150, True),
        ({"targets": ("alias-of-db",)}, 150, True),
        ({"targets": ("other",)}, 150, False),
        ({"subjects": ("ana@x.example",)}, 150, True),
        ({"subjects": ("ana",)}, 150, True),
        ({"subjects": ("P-ana",)}, 150, True),
        ({"subjects": ("bo@x.example",)}, 150, False),
        ({"subjects": ("nobody",)}, 150, False),
        ({"subjects": ("ana",), "targets": ("other",)}, 150, False),  # Every restriction must fit.
    ],
)
def test_a_waiver_covers_what_it_says_and_no_more(world: Any, changes: dict[str, Any], at: int, covers: bool) -> None:
    world.person("ana", tp="ana-tp", gov="adm-ana")
    world.person("bo")
    world.tell("cmdb", Target(id="db", aliases=("alias-of-db",)))
    world.tell("gov", Waiver(**{**IN_ORDER, **changes}))
    world.tell("tp", Session(id="s", subject="ana-tp", target="db", started_at=at))
    row = world.row("tp/session/s")
    assert [each.id for each in row.waivers] == (["w"] if covers else [])
    assert (3 in row.ledger) is covers  # The waiver's own entry.


def test_a_grant_on_several_targets_is_covered_only_if_all_are_named(world: Any) -> None:
    world.tell("gov", Waiver(**{**IN_ORDER, "id": "one", "targets": ("a",)}))
    world.tell("gov", Waiver(**{**IN_ORDER, "id": "both", "targets": ("a", "b")}))
    world.tell("tp", Grant(id="g", subject="x", targets=("a", "b"), starts_at=150), Grant(id="all", starts_at=150))
    assert [each.id for each in world.row("tp/grant/g").waivers] == ["both"]
    assert not world.row("tp/grant/all").waivers


def test_an_inventory_is_waived_as_of_the_end_of_the_period(world: Any) -> None:
    end = world.period.end
    world.tell("gov", Waiver(**{**IN_ORDER, "id": "over", "expires_at": end - 1}))
    world.tell("gov", Waiver(**{**IN_ORDER, "id": "on", "expires_at": end}))
    world.tell("hr", Identity(id="u"), Account(id="a"))
    assert [each.id for each in world.row("hr/identity/u").waivers] == ["on"]
    assert [each.id for each in world.row("hr/account/a").waivers] == ["on"]


def test_the_population_holds_waivers_that_are_not_in_order_too(world: Any) -> None:
    world.tell(
        "gov",
        Waiver(**{**IN_ORDER, "id": "fine"}),
        Waiver(id="bare"),
        Waiver(**{**IN_ORDER, "id": "before", "approved_at": -9, "expires_at": 0}),
        Waiver(**{**IN_ORDER, "id": "after", "approved_at": world.period.end, "expires_at": world.period.end + 9}),
    )
    assert sorted(row.waiver.id for row in world.rows("waiver").values()) == ["bare", "fine"]
