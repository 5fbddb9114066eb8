# SPDX-License-Identifier: Apache-2.0

"""What a change of the controls changes is named, test by test, field by field and item by item; the rest is not."""

import dataclasses
from types import SimpleNamespace

import msgspec
import pytest

from app.controls.loader import Controls
from app.controls.model import Catalog, CatalogControl, Mapping, MappingEntry, Requires, RiskRule
from app.evaluation.comparison import Side, compare
from app.evaluation.model import ControlResult, ControlStatus, Evaluation, ItemOutcome, Period

PASS, FAIL, QUIET, UNKNOWN = ItemOutcome.PASS, ItemOutcome.FAIL, ItemOutcome.NOT_APPLICABLE, ItemOutcome.NO_EVIDENCE


@pytest.fixture
def base(control_test):
    """Return a test that sets every field in question."""
    return control_test(
        "TST-01", "session.privileged", parameters={"most": "8h", "kinds": ("a",)}, records=("session",)
    )


def side(tests, outcomes, *, strength="primary", statuses=None):
    """Return one side; the tests that have outcomes are mapped to control C1."""
    entries = tuple(
        MappingEntry(control="C1", test=test, relation="supports", strength=strength, basis="direct", rationale="")
        for test in outcomes
    )
    statuses = statuses or {"C1": ControlStatus.NO_DEVIATIONS}
    controls = tuple(CatalogControl(id=name, label=f"Label {name}", summary="") for name in statuses)
    catalog = Catalog(id="demo", title="", edition="1", text_licence="own-words", source_url="", controls=controls)
    loaded = Controls(
        tests={test.id: test for test in tests},
        catalogs={"demo": catalog},
        mappings={"demo": Mapping(framework="demo", entries=entries)},
        files={},
    )
    evaluation = Evaluation(
        framework="demo",
        framework_title="",
        period=Period(start=0, end=1),
        as_of=1,
        ledger_size=1,
        segments={},
        controls_sha256="",
        population_sizes={},
        tests=tuple(SimpleNamespace(test_id=test) for test in outcomes),
        controls=tuple(
            ControlResult(control_id=name, label=f"Label {name}", status=status, test_ids=(), reason="")
            for name, status in statuses.items()
        ),
    )
    return Side(controls=loaded, evaluation=evaluation, outcomes=lambda test: outcomes.get(test, {}))


@pytest.mark.parametrize(
    ("changed", "fields"),
    [
        ({}, None),
        ({"examples": ("not compared",)}, None),
        ({"assertion": "true"}, [("assert", "session.privileged", "true")]),
        ({"applies_when": "false"}, [("applies_when", "true", "false")]),
        ({"severity": "low"}, [("severity", "high", "low")]),
        ({"requires": Requires()}, [("requires.records", ["session"], [])]),
        ({"parameters": {"most": "4h", "kinds": ("a",)}}, [("parameters.most", "8h", "4h")]),
        (
            {"parameters": {"kinds": ("a", "b"), "least": 1}},
            [("parameters.most", "8h", None), ("parameters.kinds", ["a"], ["a", "b"]), ("parameters.least", None, 1)],
        ),
        ({"title": "Another"}, [("title", "Title of TST-01", "Another")]),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else None,
)
def test_a_changed_definition_is_named_with_its_fields(base, changed, fields):
    new = msgspec.structs.replace(base, **changed)
    found = compare(side([base], {"TST-01": {}}), side([new], {"TST-01": {}}))
    shown = [
        (test.change, [(each.field, _lists(each.old), _lists(each.new)) for each in test.fields])
        for test in found.tests
    ]
    assert shown == ([("changed", fields)] if fields else [])
    for test in found.tests:
        assert test.asked
        assert test.old_sha256 != test.new_sha256


def _lists(value):
    return list(value) if isinstance(value, tuple) else value


@pytest.mark.parametrize(("old", "new"), [(1, True), (1, 1.0), (0, False)])
def test_values_that_python_holds_for_equal_are_different_definitions(control_test, old, new):
    before, after = (control_test("TST-01", "true", parameters={"most": value}) for value in (old, new))
    (found,) = compare(side([before], {}), side([after], {})).tests
    assert [each.field for each in found.fields] == ["parameters.most"]
    assert not found.asked, "it is mapped to nothing here, so it has no outcomes to compare"


def test_tests_and_mappings_that_one_side_lacks_are_named(control_test):
    one, two, three = (control_test(f"TST-0{number}", "true") for number in (1, 2, 3))
    found = compare(
        side([one, two], {"TST-01": {}, "TST-02": {}}),
        side([two, three], {"TST-02": {}, "TST-03": {}}, strength="partial"),
    )
    assert [(test.test_id, test.change, test.fields) for test in found.tests] == [
        ("TST-01", "removed", ()),
        ("TST-03", "added", ()),
    ]
    assert [(test.old_sha256 is None, test.new_sha256 is None) for test in found.tests] == [
        (False, True),
        (True, False),
    ]
    assert [(entry.control_id, entry.test_id, entry.change) for entry in found.mappings] == [
        ("C1", "TST-01", "removed"),
        ("C1", "TST-02", "changed"),
        ("C1", "TST-03", "added"),
    ]
    assert [each.field for each in found.mappings[1].fields] == ["strength"]


@pytest.mark.parametrize(
    ("old", "new", "items", "counts"),
    [
        ({"T": {"a": PASS}}, {"T": {"a": PASS}}, [], []),
        (
            {"T": {"b": PASS, "a": PASS, "c": FAIL}},
            {"T": {"b": FAIL, "a": FAIL, "c": UNKNOWN}},
            ["T a pass fail", "T b pass fail", "T c fail no_evidence"],
            ["T pass fail 2", "T fail no_evidence 1"],
        ),
        ({"T": {"a": PASS}}, {"T": {"a": QUIET}}, ["T a pass not_applicable"], ["T pass not_applicable 1"]),
        (
            {},
            {"T": {"a": PASS, "b": FAIL, "c": QUIET}},
            ["T b None fail"],
            ["T None fail 1", "T None not_applicable 1", "T None pass 1"],
        ),
        ({"T": {"a": UNKNOWN, "b": PASS}}, {}, ["T a no_evidence None"], ["T no_evidence None 1", "T pass None 1"]),
        (
            {"T": {"a": FAIL}},
            {"T": {"b": FAIL}},
            ["T a fail None", "T b None fail"],
            ["T None fail 1", "T fail None 1"],
        ),
        (
            {"U": {"a": PASS}, "T": {"a": PASS}},
            {"U": {"a": FAIL}, "T": {"a": FAIL}},
            ["T a pass fail", "U a pass fail"],
            ["T pass fail 1", "U pass fail 1"],
        ),
    ],
    ids=["none", "in order", "still quiet", "new test", "lost test", "other population", "two tests"],
)
def test_outcomes_that_change_are_listed_and_counted(control_test, old, new, items, counts):
    tests = [control_test(name, "true") for name in sorted({*old, *new})]
    found = compare(side(tests, old), side(tests, new))
    assert [f"{each.test_id} {each.item_id} {each.old} {each.new}" for each in found.items] == items
    assert [f"{each.test_id} {each.old} {each.new} {each.items}" for each in found.counts] == counts


def test_risk_rules_that_differ_are_named_with_their_fields():
    def rule(name, **fields):
        shared = {"title": "", "severity": "high", "why": "", "select": ("x",), "hits": ("x",), "misses": ("y",)}
        return RiskRule(id=f"data.{name}", **(shared | fields))

    def with_rules(*rules):
        one = side([], {})
        controls = dataclasses.replace(one.controls, rules={each.id: each for each in rules})
        return msgspec.structs.replace(one, controls=controls)

    found = compare(
        with_rules(rule("same"), rule("gone"), rule("harsher"), rule("sampled")),
        with_rules(rule("same"), rule("new"), rule("harsher", severity="critical"), rule("sampled", hits=("xx",))),
    )
    assert [(each.rule_id, each.change, [field.field for field in each.fields]) for each in found.rules] == [
        ("data.gone", "removed", []),
        ("data.harsher", "changed", ["severity"]),
        ("data.new", "added", []),
    ]


def test_control_statuses_that_move_are_listed():
    old = {"C1": ControlStatus.NO_DEVIATIONS, "C2": ControlStatus.DEVIATIONS, "C3": ControlStatus.NOT_TESTED}
    new = {"C1": ControlStatus.DEVIATIONS, "C2": ControlStatus.DEVIATIONS, "C4": ControlStatus.NOT_TESTED}
    found = compare(side([], {}, statuses=old), side([], {}, statuses=new))
    assert [(each.control_id, each.label, each.old, each.new) for each in found.statuses] == [
        ("C1", "Label C1", "no_deviations", "deviations"),
        ("C3", "Label C3", "not_tested", None),
        ("C4", "Label C4", None, "not_tested"),
    ]
