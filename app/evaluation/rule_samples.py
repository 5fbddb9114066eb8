# SPDX-License-Identifier: Apache-2.0

"""Run the hits and misses that every risk rule carries, on two builds of RE2.

In:  risk rules. Out: the samples that do not hold. The patterns are matched by google-re2, all rules at once and as
they are matched on events, and by the RE2 inside DuckDB, one by one; what both read is what ``rule_text`` makes of it.
"""

from collections.abc import Iterable, Sequence

import duckdb
import msgspec

from app.controls.loader import Controls
from app.controls.model import RiskRule
from app.controls.rule_text import Readings
from app.controls.rules import FLAGS
from app.evaluation.engine import open_engine

_SHOWN = 60


class SampleFailure(msgspec.Struct, frozen=True, kw_only=True):
    """A sample of a rule that does not hold, and which engine says so."""

    rule_id: str
    sample: str
    problem: str

    def __str__(self) -> str:
        shown = self.sample if len(self.sample) <= _SHOWN else f"{self.sample[:_SHOWN]}…"
        return "".join(c if c.isprintable() else "?" for c in f"{self.rule_id}, {self.problem}: {shown}")


def run_samples(controls: Controls) -> list[SampleFailure]:
    """Return the samples of all rules that do not hold on both engines, in order."""
    return [
        failure
        for rule, flagged in zip(controls.rules.values(), by_duckdb(controls.rules.values()), strict=True)
        for failure in _failures(rule, flagged, [_is_flagged(controls, rule, sample) for sample in _samples(rule)])
    ]


def by_duckdb(rules: Iterable[RiskRule]) -> list[list[bool]]:
    """Return for each rule whether DuckDB's RE2 flags its samples: first the hits, then the misses."""
    with open_engine([]) as engine:
        return [_asked(engine, rule, _samples(rule)) for rule in rules]


def _samples(rule: RiskRule) -> tuple[str, ...]:
    return (*rule.hits, *rule.misses)


def _is_flagged(controls: Controls, rule: RiskRule, sample: str) -> bool:
    return any(flag.rule == rule.id for flag in controls.rule_set.flags(sample))


def _failures(rule: RiskRule, duckdb_says: Sequence[bool], google_says: Sequence[bool]) -> Iterable[SampleFailure]:
    for index, sample in enumerate(_samples(rule)):
        expected = index < len(rule.hits)
        for engine, says in (("google-re2", google_says), ("DuckDB's RE2", duckdb_says)):
            if says[index] != expected:
                problem = f"{engine} {'does not flag this hit' if expected else 'flags this miss'}"
                yield SampleFailure(rule_id=rule.id, sample=sample, problem=problem)


def _asked(engine: duckdb.DuckDBPyConnection, rule: RiskRule, samples: Sequence[str]) -> list[bool]:
    readings = [(number, text) for number, sample in enumerate(samples) for text in Readings(sample).of(rule.each)]
    found = {key: " OR ".join(["regexp_matches(text, ?)"] * len(getattr(rule, key))) for key in ("select", "unless")}
    holds = f"({found['select']}) AND NOT ({found['unless'] or 'false'})"
    # Only the number of question marks depends on the rule; patterns and texts are bound.
    query = f"SELECT {holds} FROM (SELECT unnest(?::VARCHAR[]) AS text)"  # noqa: S608
    bound = [FLAGS + pattern for pattern in (*rule.select, *rule.unless)]
    flagged = engine.execute(query, [*bound, [text for _, text in readings]]).fetchall()
    hits = {number for (number, _), (says,) in zip(readings, flagged, strict=True) if says}
    return [number in hits for number in range(len(samples))]
