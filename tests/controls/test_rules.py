# SPDX-License-Identifier: Apache-2.0

"""The shipped risk rules: their samples hold on two builds of RE2, and the pages about them are current."""

import pytest

from app.controls.loader import Controls
from app.controls.model import RiskRule
from app.controls.rule_reference import rules_page
from app.evaluation.rule_samples import by_duckdb, run_samples
from app.trails.flags import Flagger
from tests.controls.rules_alone import ROOT, flagged, shipped_rules


@pytest.fixture(scope="module")
def controls() -> Controls:
    return shipped_rules()


def test_every_sample_holds_on_two_builds_of_re2(controls: Controls) -> None:
    assert len(controls.rules) >= 40
    assert [str(failure) for failure in run_samples(controls)] == []


def rule_of(**changed: object) -> RiskRule:
    given: dict[str, object] = {"id": "test.rule", "title": "T", "severity": "low", "why": "W"}
    return RiskRule(**{**given, **changed})  # type: ignore[arg-type]


def as_rule(rule: RiskRule, hits: tuple[str, ...]) -> RiskRule:
    return rule_of(id=rule.id, each=rule.each, select=rule.select, unless=rule.unless, hits=hits, misses=())


def test_a_sample_that_does_not_hold_is_named_for_both_builds(controls: Controls) -> None:
    rule = rule_of(select=("rm",), hits=("rm x", "ls"), misses=("cat", "rm y"))
    broken = Controls(tests={}, catalogs={}, mappings={}, files={}, rules={rule.id: rule})
    assert by_duckdb([rule]) == [[True, False, False, True]]
    assert [str(failure) for failure in run_samples(broken)] == [
        "test.rule, google-re2 does not flag this hit: ls",
        "test.rule, DuckDB's RE2 does not flag this hit: ls",
        "test.rule, google-re2 flags this miss: rm y",
        "test.rule, DuckDB's RE2 flags this miss: rm y",
    ]


def test_the_two_builds_agree_on_every_rule_over_every_sample(controls: Controls) -> None:
    samples = tuple(sample for rule in controls.rules.values() for sample in (*rule.hits, *rule.misses))
    over_all = [as_rule(rule, hits=samples) for rule in controls.rules.values()]
    ours = [flagged(controls, sample) for sample in samples]
    for rule, theirs in zip(over_all, by_duckdb(over_all), strict=True):
        assert theirs == [rule.id in found for found in ours], rule.id


def test_a_rule_set_is_what_the_trails_take(controls: Controls) -> None:
    flagger: Flagger = controls.rule_set
    ((flag,),) = flagger.flags_of(["psql -h db"])
    assert (flag.rule, flag.family, flag.severity) == ("database.client", "database", "low")
    [flags] = flagger.flags_of(["psql -c 'DROP TABLE t'; history -c; setenforce 0"])
    names = [flag.rule for flag in flags]
    assert names == sorted(names)
    assert len(names) >= 4


def test_every_family_is_there(controls: Controls) -> None:
    assert {rule.family for rule in controls.rules.values()} >= {
        *("execution", "remote", "database", "data", "obfuscation", "privilege"),
        *("tampering", "secret", "supply_chain", "network", "persistence", "agent"),
    }


def test_the_page_of_the_rules_is_current(controls: Controls) -> None:
    assert (ROOT / "docs" / "reference" / "risk-rules.md").read_text() == rules_page(controls), "run 'make docs'"


def test_every_rule_is_as_the_readme_says(controls: Controls) -> None:
    for rule in controls.rules.values():
        assert len(rule.hits) >= 3
        assert len(rule.misses) >= 2
        assert rule.why.endswith(".")
        assert not rule.title.endswith(".")
        assert "compliant" not in f"{rule.title} {rule.why}".lower()
