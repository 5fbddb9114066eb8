# SPDX-License-Identifier: Apache-2.0

"""Write findings: what was observed, in the five parts an auditor expects, one function per kind of gap.

In:  results and definitions. Out: ``Gap`` values. Pure.
Texts state counts and what a test says; they never conclude on the organisation, and they never add items that deviate
to items that nothing can be said of. A cause is what usually is the cause: a test sees that, not why.
"""

import hashlib
from collections.abc import Collection, Iterable, Sequence

import msgspec

from app.controls.model import CatalogControl, ControlTest
from app.evaluation.model import DAY_MS, ControlResult, ControlTestResult, Evaluation, Period
from app.gaps.model import Gap, GapKind
from app.records.times import format_instant

MOST_ITEMS = 100
"""Item ids that a gap names; its count covers all."""
SEVERITIES = ("critical", "high", "medium", "low")
"""From worst to least."""

_MOST_SLICES = 5
_NOUNS = {
    "session": ("session", "sessions"),
    "grant": ("grant", "grants"),
    "identity": ("identity", "identities"),
    "account": ("account", "accounts"),
    "access_event": ("login seen by a target", "logins seen by targets"),
    "recorder_event": ("recorder event", "recorder events"),
    "session_event": ("command or query", "commands and queries"),
    "recording": ("recording", "recordings"),
    "credential": ("credential", "credentials"),
    "review": ("review", "reviews"),
    "legal_hold": ("legal hold", "legal holds"),
    "workflow": ("workflow", "workflows"),
    "waiver": ("waiver", "waivers"),
    "source": ("source", "sources"),
}


class Subject(msgspec.Struct, frozen=True, kw_only=True):
    """A test, its result, the controls it bears on, and the items of interest: outcome word to item ids."""

    evaluation: Evaluation
    result: ControlTestResult
    test: ControlTest
    controls: tuple[ControlResult, ...]
    items: dict[str, tuple[str, ...]]


def gap_id(kind: GapKind, framework: str, name: str) -> str:
    """Return the id of a gap: the same in every run while the same thing is wrong."""
    digest = hashlib.sha256(f"{kind}|{framework}|{name}".encode()).hexdigest()
    return f"GAP-{digest[:8].upper()}"


def control_deviation(subject: Subject) -> Gap:
    """Return the finding of a test that some items do not hold."""
    counts = subject.result.counts
    waived, deviating = counts["waived"], counts["fail"] + counts["waived"]
    judged = counts["pass"] + deviating
    condition = (
        f"{_when(subject)}, {deviating:,} of {things(judged, subject.result.population)} that could be judged "
        f"{_verb(deviating, 'deviates', 'deviate')} ({rate(deviating, judged)})."
    )
    if waived:
        condition += f" {waived:,} of them {_verb(waived, 'is', 'are')} under an approved waiver and stay deviations."
    if unknown := counts["no_evidence"] + counts["error"]:
        things_unknown = things(unknown, subject.result.population, "further ")
        condition += f" Of {things_unknown} nothing can be said; that is a finding of its own."
    return _of_test(
        subject,
        GapKind.CONTROL_DEVIATION,
        title=f"Deviations: {subject.test.title}",
        condition=condition,
        cause=f"The test does not establish the cause. What usually makes it fail: {subject.test.cause}",
        effect=subject.test.effect,
        recommendation=subject.test.remediation,
        outcomes=("fail", "waived"),
    )


def missing_evidence(subject: Subject, unexplained: Sequence[str]) -> Gap:
    """Return the finding that for some items, or for a whole population, nothing can be said.

    Args:
        subject: the test.
        unexplained: why the population is not known to be whole, where no finding about a source says so already.
    """
    test, missing = subject.test, subject.result.counts["no_evidence"]
    noun = subject.result.population
    parts = []
    if missing:
        total = sum(subject.result.counts.values())
        parts.append(f"{_when(subject)}, evidence is missing for {missing:,} of {things(total, noun)}.")
    if unexplained:
        parts.append(f"The population is not known to be whole: {'; '.join(unexplained)}.")
    cause = sentence(f"An item has no evidence when {test.meaning.no_evidence}") if missing else "See the condition."
    return _of_test(
        subject,
        GapKind.MISSING_EVIDENCE,
        title=f"Missing evidence: {test.title}",
        condition=" ".join(parts),
        cause=cause,
        effect="Whether these items deviate is not known. The control cannot be relied on for them, nor faulted.",
        recommendation=_what_to_collect(test),
        outcomes=("no_evidence",),
    )


def test_error(subject: Subject) -> Gap:
    """Return the finding that a test could not be computed for some items."""
    errors = subject.result.counts["error"]
    return _of_test(
        subject,
        GapKind.TEST_ERROR,
        title=f"Not computed: {subject.test.title}",
        condition=f"{_when(subject)}, the test could not be computed for {things(errors, subject.result.population)}.",
        cause="The assertion met a value it cannot be computed with, such as an overflowing sum of times.",
        effect="Nothing is known about these items. An error is never a pass.",
        recommendation="Look at the items named here; correct the records at their source, or correct the test.",
        outcomes=("error",),
    )


def incomplete_collection(
    evaluation: Evaluation, source: str, reasons: Sequence[str], affected: Sequence[ControlTestResult]
) -> Gap:
    """Return the finding that a source did not give everything for the period.

    Args:
        evaluation: what it weakens.
        source: name of the source.
        reasons: what is known to be missing.
        affected: results of the tests whose populations it fills; the worst of their severities is the gap's.
    """
    tests = ", ".join(result.test_id for result in affected)
    wanted = {result.test_id for result in affected}
    return Gap(
        id=gap_id(GapKind.INCOMPLETE_COLLECTION, evaluation.framework, source),
        kind=GapKind.INCOMPLETE_COLLECTION,
        severity=worst(result.severity for result in affected),
        title=f"Incomplete collection: {source}",
        test_id=None,
        control_ids=tuple(
            control.control_id for control in evaluation.controls if wanted.intersection(control.test_ids)
        ),
        criteria="Information that a conclusion rests on must be complete and accurate for the period (AICPA AT-C 205, "
        "PCAOB AS 1105.10).",
        condition=f"For {period_text(evaluation.period)}, source {source}: {'; '.join(reasons)}.",
        cause="The records of the collection do not establish the cause; its completeness box names the place of each "
        "rejected record and of each hole.",
        effect=f"A deviation among what is missing would not be seen. Not known to be whole for: {tests}."
        if tests
        else "A deviation among what is missing would not be seen.",
        recommendation="Collect the missing stretch again, correct or explain the rejected records, and have the "
        "source's owner confirm its total for the period.",
        item_count=0,
        waived_count=0,
        items=(),
    )


def untested_control(evaluation: Evaluation, control: ControlResult, entry: CatalogControl | None) -> Gap:
    """Return the finding that nothing is said about a control."""
    summary = f" {sentence(entry.summary)}" if entry else ""
    return Gap(
        id=gap_id(GapKind.UNTESTED_CONTROL, evaluation.framework, control.control_id),
        kind=GapKind.UNTESTED_CONTROL,
        severity=SEVERITIES[-1],
        title=f"Not tested: {control.control_id} {control.label}",
        test_id=None,
        control_ids=(control.control_id,),
        criteria=f"{control.control_id} {control.label}.{summary}",
        condition=f"No test bears on this control in {period_text(evaluation.period)}.",
        cause=sentence((entry.not_tested_because if entry else None) or control.reason),
        effect="This report says nothing about the control.",
        recommendation="Cover it by other evidence, or map a test to it where privileged-access records can show it.",
        item_count=0,
        waived_count=0,
        items=(),
    )


def things(count: int, population: str, before: str = "") -> str:
    """Return a count with the population's noun: ``1 grant``, ``4,812 further sessions``."""
    one, many = _NOUNS.get(population, (f"item of {population}", f"items of {population}"))
    return f"{count:,} {before}{one if count == 1 else many}"


def rate(part: int, whole: int) -> str:
    """Return a share in percent; never ``0 %`` for something, nor ``100 %`` for less than all."""
    percent = 100 * part / whole if whole else 0.0
    if part and percent < 0.1:  # noqa: PLR2004  # smallest share that is printed
        return "< 0.1 %"
    if part != whole and percent > 99.9:  # noqa: PLR2004  # largest share that is not all
        return "> 99.9 %"
    return f"{percent:.1f} %".replace(".0 %", " %")


def period_text(period: Period) -> str:
    """Return a period as days, both included, where it is made of whole days; else as instants."""
    if period.start % DAY_MS or period.end % DAY_MS or period.end <= period.start:
        return f"{format_instant(period.start)} until {format_instant(period.end)}"
    return f"{' to '.join(period.days)} (UTC)"


def worst(severities: Iterable[str]) -> str:
    """Return the worst severity; ``medium`` when there is none to go by."""
    return min(severities, key=SEVERITIES.index, default="medium")


def sentence(text: str) -> str:
    """Return text as a sentence: first letter large, one full stop."""
    text = " ".join(text.split())
    return f"{text[:1].upper()}{text[1:]}" if text.endswith((".", "!", "?")) else f"{text[:1].upper()}{text[1:]}."


def _of_test(
    subject: Subject,
    kind: GapKind,
    *,
    title: str,
    condition: str,
    cause: str,
    effect: str,
    recommendation: str,
    outcomes: Collection[str],
) -> Gap:
    result = subject.result
    found = sorted({item for outcome in outcomes for item in subject.items.get(outcome, ())})
    return Gap(
        id=gap_id(kind, subject.evaluation.framework, result.test_id),
        kind=kind,
        severity=result.severity,
        title=title,
        test_id=result.test_id,
        control_ids=tuple(control.control_id for control in subject.controls),
        criteria=_criteria(subject),
        condition=condition,
        cause=sentence(cause),
        effect=sentence(effect),
        recommendation=sentence(recommendation),
        item_count=sum(result.counts[outcome] for outcome in outcomes),
        waived_count=result.counts["waived"] if "waived" in outcomes else 0,
        items=tuple(found[:MOST_ITEMS]),
    )


def _criteria(subject: Subject) -> str:
    controls = "; ".join(f"{control.control_id} {control.label}" for control in subject.controls)
    claim = f"Test {subject.result.test_id}: {sentence(subject.test.title)}{_changed(subject.result)}"
    return f"{controls}. {claim}" if controls else claim


def _changed(result: ControlTestResult) -> str:
    """Return what overlays made of the test's values in the period: a finding is judged by these."""
    told = []
    for each in result.slices[:_MOST_SLICES]:
        values = ", ".join(f"{name} {value}" for name, value in each.parameters.items())
        until = f" until {each.last_day}" if each.last_day else ""
        scope = "" if each.where == "true" else f" for items where {' '.join(each.where.split())}"
        approved = f", approved by {each.approved_by}" if each.approved_by else ""
        told.append(f"{values} from {each.first_day}{until}{scope} (overlay {each.overlay}{approved})")
    if (more := len(result.slices) - len(told)) > 0:
        told.append(f"{more} more")
    return f" Changed in the period: {'; '.join(told)}." if told else ""


def _when(subject: Subject) -> str:
    return f"From {period_text(subject.evaluation.period)}"


def _verb(count: int, one: str, many: str) -> str:
    return one if count == 1 else many


def _what_to_collect(test: ControlTest) -> str:
    parts = []
    if test.requires.records:
        parts.append(f"Connect, for the whole period, sources of: {', '.join(test.requires.records)}")
    if test.requires.fields:
        parts.append(f"have them give these fields: {', '.join(test.requires.fields)}")
    if test.requires.complete:
        parts.append(f"and show that these are whole: {', '.join(test.requires.complete)}")
    return sentence("; ".join(parts)) if parts else "Collect the evidence that the condition names, and evaluate again."
