# SPDX-License-Identifier: Apache-2.0

"""A whole evaluation over frozen populations, and the shipped examples on both engines."""

import hashlib

import msgspec
import pytest

from app.controls.loader import load
from app.controls.model import Catalog, CatalogControl, Example, MappingEntry
from app.errors import InvalidInput
from app.evaluation.examples import example_failures
from app.evaluation.model import Evaluation, Period
from app.evaluation.service import evaluate_tests
from app.resources import shipped
from app.trails.example import AS_OF, PERIOD_END, PERIOD_START, example_row
from app.trails.segments import freeze

CATALOG = Catalog(
    id="demo",
    title="A framework",
    edition="1",
    text_licence="own-words",
    source_url="",
    controls=(
        CatalogControl(id="C1", label="One", summary=""),
        CatalogControl(id="C2", label="Two", summary=""),
        CatalogControl(id="C3", label="Three", summary="", not_tested_because="it is about buildings"),
    ),
)


def entry(control, test):
    return MappingEntry(
        control=control, test=test, relation="supports", strength="primary", basis="direct", rationale=""
    )


@pytest.fixture
def run(tmp_path, control_test):
    """Return a function that freezes rows and evaluates two tests, one failing on unprivileged sessions."""

    def evaluate(name="a", **populations):
        tests = [
            control_test("TST-01", "session.privileged", parameters={"skew": "60s", "kinds": ("a", "b"), "on": True}),
            control_test("TST-02", "grant.privileged", population="grant"),
        ]
        freeze(populations, tmp_path / name / "populations")
        return evaluate_tests(
            tests={test.id: test for test in tests},
            catalog=CATALOG,
            entries=(entry("C1", "TST-01"), entry("C2", "TST-02"), entry("C2", "TST-01")),
            controls_sha256="c" * 64,
            period=Period(start=PERIOD_START, end=PERIOD_END),
            as_of=AS_OF,
            ledger_size=7,
            segments=tmp_path / name / "populations",
            results=tmp_path / name / "results",
        )

    return evaluate


SOURCE = example_row("source", {"collected": {"id": "hoop", "record_types": ["grant", "session"]}})
SESSION = example_row("session", {"at": "2026-01-05T10:00:00Z", "session": {"privileged": True}})


def status(evaluation):
    return {control.control_id: control.status.value for control in evaluation.controls}


def test_everything_is_concluded_and_counted(run, tmp_path):
    evaluation = run(session=[SESSION], source=[SOURCE])
    assert status(evaluation) == {"C1": "no_deviations", "C2": "no_deviations", "C3": "not_tested"}
    assert [(test.test_id, test.outcome.value) for test in evaluation.tests] == [
        ("TST-01", "passed"),
        ("TST-02", "no_occurrences"),
    ]
    first = evaluation.tests[0]
    assert first.counts == {"not_applicable": 0, "pass": 1, "fail": 0, "no_evidence": 0, "waived": 0, "error": 0}
    assert first.parameters == {"kinds": "a, b", "on": "true", "skew": "60s"}
    assert evaluation.population_sizes["session"] == 1
    assert (
        evaluation.segments["session/2026-01-05.parquet"]
        == hashlib.sha256((tmp_path / "a" / "populations" / "session" / "2026-01-05.parquet").read_bytes()).hexdigest()
    )
    assert sum(first.counts.values()) == evaluation.population_sizes["session"]


def test_a_deviation_reaches_every_control_it_is_mapped_to(run):
    bad = msgspec.structs.replace(SESSION, session=msgspec.structs.replace(SESSION.session, privileged=False))
    assert status(run(session=[bad], source=[SOURCE])) == {
        "C1": "deviations",
        "C2": "deviations",
        "C3": "not_tested",
    }


def test_nothing_collected_is_not_a_pass(run):
    evaluation = run()
    assert status(evaluation)["C1"] == "insufficient_evidence"
    assert evaluation.tests[0].incomplete == ("no collected source yields records of type session",)


def test_an_incomplete_source_withholds_the_pass(run):
    holed = msgspec.structs.replace(SOURCE, collected=msgspec.structs.replace(SOURCE.collected, rejected=1))
    evaluation = run(session=[SESSION], source=[holed])
    assert status(evaluation) == {"C1": "insufficient_evidence", "C2": "insufficient_evidence", "C3": "not_tested"}
    assert evaluation.tests[0].incomplete == ("hoop: 1 record(s) could not be used",)


def test_equal_inputs_give_an_equal_value_that_survives_json(run):
    one, two = run("a", session=[SESSION], source=[SOURCE]), run("b", session=[SESSION], source=[SOURCE])
    assert one == two
    assert msgspec.json.decode(msgspec.json.encode(one), type=Evaluation) == one


def test_every_shipped_example_holds_on_both_engines():
    failures = example_failures(load(shipped("controls")).tests.values())
    assert not failures, "\n".join(map(str, failures))


def test_an_example_that_does_not_hold_is_named_with_what_both_engines_say(control_test):
    test = control_test("TST-01", "session.privileged")
    examples = (
        Example(name="wrong", given={}, expect="pass"),
        Example(name="right", given={}, expect="fail"),
        Example(name="misspelt", given={"session": {"privilegd": True}}, expect="pass"),
    )
    problems = [str(failure) for failure in example_failures([msgspec.structs.replace(test, examples=examples)])]
    assert problems == [
        "TST-01, example 'wrong': expected pass, but the interpreter says fail",
        "TST-01, example 'wrong': expected pass, but the SQL engine says fail",
        problems[2],
    ]
    assert "session.privilegd: there is no field 'privilegd'" in problems[2]


def test_an_example_may_set_parameters(control_test):
    test = control_test("TST-01", "period.end - period.start <= p.most", parameters={"most": "1d"})
    example = Example(name="longer", given={}, expect="pass", parameters={"most": "90d"})
    assert not example_failures([msgspec.structs.replace(test, examples=(example,))])


@pytest.mark.parametrize(
    ("given", "where"),
    [
        ({"sesion": {}}, "sesion"),
        ({"approvals": [{"id": "a"}, {"idd": "b"}]}, "approvals.1.idd"),
        ({"session": {"started_at": "2026-03-10 10:00"}}, "session.started_at"),
        ({"session": {"max_idle": "ten minutes"}}, "session.max_idle"),
        ({"session": {"privileged": "yes"}}, "session.privileged"),
        ({"session": {"id": None}}, "session.id"),
        ({"session": 5}, "session"),
        ({"approvals": {}}, "approvals"),
        ({"grant": {"target_ids": "db"}}, "grant.target_ids"),
    ],
)
def test_an_example_row_refuses_what_it_does_not_understand(given, where):
    with pytest.raises(InvalidInput) as caught:
        example_row("session", given)
    assert caught.value.where == where


def test_an_example_row_is_neutral_where_nothing_is_given():
    row = example_row(
        "session", {"session": {"max_idle": "10m"}, "approvals": [{"decided_at": "2026-03-10T10:00:00Z"}]}
    )
    assert row.session.max_idle == 600_000
    assert row.approvals[0].decided_at == 1_773_136_800_000
    assert row.grant is None
    assert row.tickets == []
    assert all(getattr(row.evidence, name) for name in row.evidence.__struct_fields__)
    assert (row.period.start, row.period.end, row.period.as_of) == (PERIOD_START, PERIOD_END, AS_OF)
