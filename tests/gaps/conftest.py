# SPDX-License-Identifier: Apache-2.0

"""A small framework with three tests, to derive gaps from."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
import pytest

from app.controls.model import Catalog, CatalogControl, ControlTest, Meaning, Requires
from app.evaluation.conclude import conclude_control, conclude_test
from app.evaluation.model import (
    ControlResult,
    ControlTestResult,
    Evaluation,
    ItemOutcome,
    Period,
    TestOutcomeWord,
)
from app.trails.populations import EvidenceView, PeriodView, SourceRow, SourceView

START, END, AS_OF = 1_775_001_600_000, 1_782_864_000_000, 1_782_972_644_000
"""2026-04-01, 2026-07-01 and an instant in the night of 2026-07-02."""
MAPPED = {"CC6.1": ("APR-01", "SES-01"), "CC6.2": ("APR-01",), "CC6.3": ("IDN-01",)}
LABELS = {"CC6.1": "Logical access", "CC6.2": "Registration", "CC6.3": "Role and need", "CC1.1": "Integrity"}


class SmallControls(msgspec.Struct, frozen=True, kw_only=True):
    """What findings quote of the controls."""

    tests: Mapping[str, ControlTest]
    catalogs: Mapping[str, Catalog]


@pytest.fixture(scope="session")
def controls() -> SmallControls:
    """Return three tests and a catalogue of four controls, one of them without a test."""
    tests = (
        _test("APR-01", "grant", "high"),
        _test("SES-01", "session", "critical"),
        _test("IDN-01", "identity", "medium"),
    )
    catalog = Catalog(
        id="small",
        title="Small framework",
        edition="1",
        text_licence="own-words",
        source_url="https://example.org/small",
        controls=tuple(
            CatalogControl(
                id=name,
                label=label,
                summary=f"about {label.lower()}",
                not_tested_because="it is about conduct" if name == "CC1.1" else None,
            )
            for name, label in LABELS.items()
        ),
    )
    return SmallControls(tests={test.id: test for test in tests}, catalogs={"small": catalog})


def _test(name: str, population: str, severity: Any) -> ControlTest:
    return ControlTest(
        id=name,
        title=f"Claim of {name}",
        intent="it should hold",
        population=population,
        requires=Requires(records=(population, "approval"), fields=(f"{population}.starts_at",)),
        assertion="true",
        severity=severity,
        meaning=Meaning(fails="it does not hold", no_evidence="nobody collected it.", not_applicable="never"),
        columns=("item_id",),
        cause="somebody forgot",
        effect="something can happen",
        remediation="do it",
        examples=(),
    )


@pytest.fixture(scope="session")
def evaluated(controls: SmallControls) -> Callable[..., Evaluation]:
    """Return what makes an evaluation from item counts: ``evaluated({"APR-01": {"fail": 2}})``."""

    def make(
        counts: Mapping[str, Mapping[str, int]] | None = None, incomplete: Mapping[str, tuple[str, ...]] | None = None
    ) -> Evaluation:
        results = [
            _result(test, (counts or {}).get(test.id, {"pass": 10}), (incomplete or {}).get(test.id, ()))
            for test in controls.tests.values()
        ]
        outcomes = {result.test_id: result.outcome for result in results}
        return Evaluation(
            framework="small",
            framework_title="Small framework",
            period=Period(start=START, end=END),
            as_of=AS_OF,
            ledger_size=100,
            segments={},
            controls_sha256="00" * 32,
            population_sizes={},
            tests=tuple(results),
            controls=tuple(_control(name, outcomes) for name in LABELS),
        )

    return make


def _result(test: ControlTest, counts: Mapping[str, int], incomplete: tuple[str, ...]) -> ControlTestResult:
    by_outcome = {outcome: counts.get(outcome.word, 0) for outcome in ItemOutcome}
    return ControlTestResult(
        test_id=test.id,
        title=test.title,
        severity=test.severity,
        population=test.population,
        outcome=conclude_test(by_outcome, incomplete=incomplete),
        counts={outcome.word: count for outcome, count in by_outcome.items()},
        incomplete=incomplete,
        parameters={},
        definition_sha256="11" * 32,
    )


def _control(name: str, outcomes: Mapping[str, TestOutcomeWord]) -> ControlResult:
    tests = MAPPED.get(name, ())
    status, reason = conclude_control({test: outcomes[test] for test in tests})
    return ControlResult(control_id=name, label=LABELS[name], status=status, test_ids=tests, reason=reason)


@pytest.fixture(scope="session")
def source_row() -> Callable[..., SourceRow]:
    """Return what makes a source row: whole, but for what is given."""

    def make(name: str, record_types: tuple[str, ...] = ("grant",), **changed: Any) -> SourceRow:
        whole: dict[str, Any] = dict.fromkeys(SourceView.__struct_fields__, 0)
        whole |= {"id": name, "connector": "records", "record_types": sorted(record_types), "declared": True}
        whole |= {"source_count": None, "counted_received": None, "covered_from": START, "covered_until": END}
        return SourceRow(
            item_id=f"{name}/source/{name}",
            source=name,
            at=None,
            ledger=[],
            period=PeriodView(start=START, end=END, as_of=AS_OF),
            evidence=EvidenceView(**dict.fromkeys(EvidenceView.__struct_fields__, True)),
            waivers=[],
            collected=SourceView(**(whole | changed)),
        )

    return make
