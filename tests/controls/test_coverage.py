# SPDX-License-Identifier: Apache-2.0

"""How far a framework is tested: by primary tests, by partial ones only, or not at all and why."""

from collections import Counter

import pytest

from app.controls.coverage import Coverage, CoverageStatus, CoveringTest, coverage
from app.controls.loader import Controls, load
from app.controls.model import Catalog, CatalogControl, Mapping, MappingEntry
from app.errors import NotFound
from app.resources import shipped

REASON = "it leaves no trace"


def small(*strengths: tuple[str, str]) -> Controls:
    """Return controls with one control C.1 (once OLD.1), mapped to these tests with these strengths, and a C.2."""
    reason = None if strengths else REASON
    entries = tuple(
        MappingEntry(
            control="C.1", test=test, relation="supports", strength=strength, basis="direct", rationale="it looks"
        )
        for test, strength in strengths
    )
    catalog = Catalog(
        id="house-rules",
        title="House rules",
        edition="1",
        short_names=("house",),
        text_licence="own-words",
        source_url="",
        controls=(
            CatalogControl(id="C.1", label="One", summary="", aliases=("OLD.1",), not_tested_because=reason),
            CatalogControl(id="C.2", label="Two", summary="", not_tested_because="it is a door"),
        ),
    )
    mappings = {catalog.id: Mapping(framework=catalog.id, entries=entries)}
    return Controls(tests={}, catalogs={catalog.id: catalog}, mappings=mappings, files={})


@pytest.mark.parametrize(
    ("strengths", "status", "tests", "reason"),
    [
        ((), "not_tested", [], REASON),
        ((("A-01", "partial"),), "partly", ["A-01 partial"], None),
        ((("A-01", "primary"),), "tested", ["A-01 primary"], None),
        ((("B-01", "partial"), ("A-01", "primary")), "tested", ["A-01 primary", "B-01 partial"], None),
        ((("B-01", "partial"), ("A-01", "partial")), "partly", ["A-01 partial", "B-01 partial"], None),
    ],
)
def test_a_control_is_as_tested_as_its_strongest_test(
    strengths: tuple[tuple[str, str], ...], status: str, tests: list[str], reason: str | None
) -> None:
    found = coverage(small(*strengths), "house")
    one, two = found.controls
    assert (one.status.value, one.not_tested_because) == (status, reason)
    assert [f"{test.test_id} {test.strength}" for test in one.tests] == tests
    assert (two.status, two.tests, two.not_tested_because) == (CoverageStatus.NOT_TESTED, (), "it is a door")
    expected = Counter([status, "not_tested"])
    assert found.counts == {word: expected[word] for word in ("tested", "partly", "not_tested")}


@pytest.mark.parametrize("framework", ["house", "house-rules"])
@pytest.mark.parametrize(
    ("names", "ids"), [((), ["C.1", "C.2"]), (("OLD.1",), ["C.1"]), (("C.2", "C.1"), ["C.1", "C.2"])]
)
def test_short_names_and_older_ids_lead_to_the_control(framework: str, names: tuple[str, ...], ids: list[str]) -> None:
    found = coverage(small(), framework, names)
    assert found.framework == "house-rules"
    assert [control.control_id for control in found.controls] == ids
    assert sum(found.counts.values()) == len(ids)


@pytest.mark.parametrize(("framework", "names"), [("hose", ()), ("house", ("C.9",))])
def test_an_unknown_name_is_refused(framework: str, names: tuple[str, ...]) -> None:
    with pytest.raises(NotFound):
        coverage(small(), framework, names)


@pytest.mark.parametrize("framework", ["soc2", "iso27001", "hipaa"])
def test_every_shipped_control_is_tested_or_says_why_not(framework: str) -> None:
    controls = load(shipped("controls"))
    found: Coverage = coverage(controls, framework)
    assert sum(found.counts.values()) == len(found.controls) == len(controls.resolve_framework(framework).controls)
    for control in found.controls:
        assert bool(control.tests) == (control.not_tested_because is None), control.control_id
    pairs = {(control.control_id, test) for control in found.controls for test in control.tests}
    assert pairs == {
        (entry.control, CoveringTest(test_id=entry.test, strength=entry.strength))
        for entry in controls.entries_for(framework)
    }
