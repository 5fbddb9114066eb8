# SPDX-License-Identifier: Apache-2.0

"""The words for what a test says: of an item, of a population, of a control.

We report; the auditor concludes. So no word here means "compliant" or "effective".
"""

import datetime
from enum import IntEnum, StrEnum
from typing import Literal

import msgspec

from app.errors import UsageError
from app.records.times import LAST_INSTANT, first_instant, format_instant

DAY_MS = 86_400_000


class ItemOutcome(IntEnum):
    """What one test says of one item. The numbers are stored in result vectors and never change."""

    NOT_APPLICABLE = 0
    PASS = 1
    FAIL = 2
    NO_EVIDENCE = 3
    WAIVED = 4
    ERROR = 5

    @property
    def word(self) -> str:
        """Return the word used in reports and the API, such as ``no_evidence``."""
        return self.name.lower()


class TestOutcomeWord(StrEnum):
    """What one test says of its whole population."""

    __test__ = False  # Keeps pytest from collecting it.

    PASSED = "passed"
    FAILED = "failed"
    INCONCLUSIVE = "inconclusive"
    NO_OCCURRENCES = "no_occurrences"
    ERROR = "error"


class ControlStatus(StrEnum):
    """What we say of a control for a period."""

    NO_DEVIATIONS = "no_deviations"
    DEVIATIONS = "deviations"
    INSUFFICIENT_EVIDENCE = "insufficient_evidence"
    NOT_TESTED = "not_tested"


class Period(msgspec.Struct, frozen=True, kw_only=True):
    """An audit period, UTC: ``start`` inclusive, ``end`` exclusive, epoch milliseconds."""

    start: int
    end: int

    @classmethod
    def of_days(cls, first: datetime.date, last: datetime.date, *, where: str | None = None) -> "Period":
        """Return the period from the first to the last day, both included.

        Raises:
            UsageError: the last day is before the first, or so late that the period's end cannot be written.
        """
        if last < first:
            raise UsageError("the period ends before it starts", where=where, hint="Begin with the earlier day")
        end = first_instant(last) + DAY_MS
        if end > LAST_INSTANT:
            raise UsageError("the period ends too late", where=where, hint="Name a day before 9999-12-31")
        return cls(start=first_instant(first), end=end)

    @property
    def days(self) -> tuple[str, str]:
        """Return its first and last day, both included, as YYYY-MM-DD."""
        return format_instant(self.start)[:10], format_instant(self.end - 1)[:10]


class ParameterSlice(msgspec.Struct, frozen=True, kw_only=True):
    """Values that an overlay gave a test in the period, and on whose word.

    Attributes:
        where: CEL over the item; the items it was for. first_day, last_day: YYYY-MM-DD, both included, UTC; a last day
            of None means until further notice.
        overlay: its id. bundle: where its values come from, if it took them from a bundle.
        looser: the parameters whose value asks less than the test's own, or might.
    """

    parameters: dict[str, str]
    where: str
    first_day: str
    last_day: str | None
    overlay: str
    bundle: str | None
    looser: tuple[str, ...]
    reason: str | None
    requested_by: str | None
    approved_by: str | None
    approved_on: str | None


class ControlTestResult(msgspec.Struct, frozen=True, kw_only=True):
    """One test over one population.

    Attributes:
        counts: item outcome word to number of items; every word is present; they add up to the population.
        incomplete: why the population is not known to be whole; empty when it is.
        parameters: the test's own values.
        slices: what overlays made of them in the period, in order; of several for one item, the last one counts.
        definition_sha256: digest of the canonical test definition with its parameter values and slices.
    """

    test_id: str
    title: str
    severity: str
    population: str
    outcome: TestOutcomeWord
    counts: dict[str, int]
    incomplete: tuple[str, ...]
    parameters: dict[str, str]
    definition_sha256: str
    slices: tuple[ParameterSlice, ...] = ()


class StatedApplicability(msgspec.Struct, frozen=True, kw_only=True):
    """What the organisation's Statement of Applicability says of a control; it changes no status.

    Attributes:
        note: what a reader must know beside it, such as that tests bear on a control that is excluded.
    """

    stated: Literal["applicable", "excluded", "not_stated"] = "not_stated"
    reason: str | None = None
    implemented: Literal["yes", "partly", "no", "unknown"] | None = None
    owner: str | None = None
    approved_by: str | None = None
    approved_on: str | None = None
    note: str = ""


class ControlResult(msgspec.Struct, frozen=True, kw_only=True):
    """One control of a framework, concluded from the tests mapped to it."""

    control_id: str
    label: str
    status: ControlStatus
    test_ids: tuple[str, ...]
    reason: str
    applicability: StatedApplicability = StatedApplicability()


class Evaluation(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that was concluded for one framework and period; equal inputs give an equal value.

    Attributes:
        as_of: instant the judgment is made for: the end of the newest collection.
        ledger_size: number of ledger entries it rests on.
        segments: file name below ``populations/`` to SHA-256.
        controls_sha256: digest over the controls that were used.
    """

    framework: str
    framework_title: str
    period: Period
    as_of: int
    ledger_size: int
    segments: dict[str, str]
    controls_sha256: str
    population_sizes: dict[str, int]
    tests: tuple[ControlTestResult, ...]
    controls: tuple[ControlResult, ...]


class DeviationTable(msgspec.Struct, frozen=True, kw_only=True):
    """The items of one test that deviate, with the columns the test wants shown.

    Attributes:
        columns: dotted names, such as ``grant.starts_at``; first ``item_id`` and ``outcome``.
        rows: one text per column; instants as RFC 3339, missing values as an empty text.
        total: number of all deviating items, waived ones included; ``rows`` may be cut off after 50.
    """

    test_id: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    total: int
