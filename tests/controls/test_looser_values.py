# SPDX-License-Identifier: Apache-2.0

"""A value that asks less than the test's own is recognised, and counts only when somebody approved it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.controls.loader import load, load_bytes
from app.controls.overlays import is_looser
from app.resources import shipped
from tests.controls.house import BUNDLE, LOOSER, OVERLAY, TESTS, files, problems


def test_an_approved_looser_value_loads_and_says_so() -> None:
    (each,) = load_bytes(files(overlays=LOOSER)).slices["ABC-01"]
    assert each.looser == ("most",)
    assert (each.reason, each.requested_by, each.approved_by, each.approved_on) == (
        "The move",
        "Ann Lee",
        "Bo",
        "2026-01-31",
    )


def test_a_bundle_that_is_looser_is_refused_where_it_is_used() -> None:
    given = files(overlays=OVERLAY) | {"parameters/strict.yaml": BUNDLE.replace("4h", "24h").encode()}
    (found,) = problems(given)
    assert found.startswith("own/overlays/x.yaml:5:13: ABC-01: 'most: 24h' is looser than the test's own 8h, without ")
    given["own/overlays/x.yaml"] = OVERLAY[: OVERLAY.index("changes:")].encode() + (
        b"    reason: All move\n    requested_by: a\n    approved_by: b\n    approved_on: 2026-01-01\n"
    )
    assert load_bytes(given).slices["ABC-01"][0].looser == ("most",)


DIRECTIONS = [
    ("no such parameter", ("most: longer", "mst: longer"), "11:14", "no parameter 'mst'"),
    ("a list cannot be longer", ("refused: fewer", "refused: longer"), "11:51", "no direction for 'refused'"),
    ("a duration cannot be on", ("most: longer", "most: 'on'"), "11:20", "no direction for 'most'"),
    ("no such word", ("most: longer", "most: bigger"), "11:20", "'bigger'"),
]


@pytest.mark.parametrize(("name", "swap", "place", "message"), DIRECTIONS, ids=[case[0] for case in DIRECTIONS])
def test_a_direction_fits_its_parameter(name, swap, place, message) -> None:
    lines = TESTS.splitlines()
    number = next(n for n, line in enumerate(lines, 1) if "looser:" in line)
    found = problems(files() | {"tests/house.yaml": TESTS.replace(*swap).encode()})
    assert any(line.startswith(f"tests/house.yaml:{number}:{place.partition(':')[2]}: ") for line in found), (
        name,
        found,
    )
    assert message in found[0]


@pytest.mark.parametrize(
    ("direction", "own", "value", "looser"),
    [
        ("longer", "8h", "480m", False),  # Equally long asks as much.
        ("longer", "8h", "481m", True),
        ("longer", "8h", "1h", False),
        ("shorter", "8h", "1h", True),
        ("lower", 2, 1, True),
        ("lower", 2, 3, False),
        ("higher", 0.5, 0.6, True),
        ("fewer", 2, 1, True),
        ("more", ("a",), ("a", "b"), True),
        ("more", ("a", "b"), ("a",), False),
        ("more", ("a", "b"), ("b", "c"), True),
        ("fewer", ("a", "b"), ("a", "b", "c"), False),
        ("fewer", ("a", "b"), ("b",), True),
        ("either", ("a", "b"), ("b",), True),
        ("either", 1, 1, False),
        ("on", False, True, True),
        ("off", False, True, False),
        ("either", False, True, True),
        ("either", "eu", "us", True),
        ("longer", "eu", "us", True),
    ],
)
def test_which_values_ask_less(direction, own, value, looser) -> None:
    assert is_looser(direction, own, value) is looser


@given(st.integers(-5, 5), st.integers(-5, 5), st.sampled_from(["higher", "lower"]))
def test_of_two_different_numbers_one_direction_is_looser(own, value, direction) -> None:
    other = {"higher": "lower", "lower": "higher"}[direction]
    assert is_looser(direction, own, value) + is_looser(other, own, value) == (own != value)


def test_no_overlay_ships_and_no_shipped_bundle_loosens_anything() -> None:
    controls = load(shipped("controls"))
    assert not controls.overlays
    assert {"pci-dss-4.0.1", "strict", "hipaa-nprm-2025"} <= set(controls.bundles)
    assert [bundle.id for bundle in controls.bundles.values() if bundle.proposed] == ["hipaa-nprm-2025"]
    text = "kind: Overlay\nid: all\ntitle: All\nuse:\n"
    for number, bundle in enumerate(controls.bundles):
        text += f"  - {{bundle: {bundle}, from: 202{number}-01-01, until: 202{number}-12-31}}\n"
    used = load_bytes(dict(controls.files) | {"own/overlays/all.yaml": text.encode()})
    assert not [each for slices in used.slices.values() for each in slices if each.looser]
    assert any("proposed, not in force" in (each.bundle or "") for each in used.slices["IDN-01"])
