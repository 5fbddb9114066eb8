# SPDX-License-Identifier: Apache-2.0

"""What the overview page shows, put into words: states as word, icon and colour class, never colour alone."""

from collections import Counter
from typing import Any

from app.controls.loader import Controls
from app.evaluation.model import ControlStatus, Evaluation, TestOutcomeWord
from app.gaps.model import Gap, GapKind
from app.jobs.model import Job, JobState
from app.packs.repository import PackInfo
from app.records.times import format_instant
from app.watching.model import Change, Counts, SubjectKind

_STATUS_ICON = {
    ControlStatus.NO_DEVIATIONS: "✓",
    ControlStatus.DEVIATIONS: "✕",
    ControlStatus.INSUFFICIENT_EVIDENCE: "?",
    ControlStatus.NOT_TESTED: "\N{EN DASH}",
}
_OUTCOME_ICON = {
    TestOutcomeWord.PASSED: "✓",
    TestOutcomeWord.FAILED: "✕",
    TestOutcomeWord.INCONCLUSIVE: "?",
    TestOutcomeWord.NO_OCCURRENCES: "\N{EN DASH}",
    TestOutcomeWord.ERROR: "!",
}
_ICONS = {word.value: icon for icons in (_STATUS_ICON, _OUTCOME_ICON) for word, icon in icons.items()}
_KIB = 1024


def evaluation_view(evaluation: Evaluation, gaps: tuple[Gap, ...], controls: Controls) -> dict[str, Any]:
    """Return what the template reads about an evaluation."""
    reasons = {
        control.id: control.not_tested_because or "No test of ours bears on it."
        for control in controls.catalogs[evaluation.framework].controls
    }
    tested = [control for control in evaluation.controls if control.status is not ControlStatus.NOT_TESTED]
    statuses = Counter(control.status for control in evaluation.controls)
    return {
        "facts": _facts(evaluation),
        "gap_sentence": _gap_sentence(gaps),
        "tiles": [
            {"status": status, "icon": _STATUS_ICON[status], "word": _words(status), "count": statuses[status]}
            for status in ControlStatus
        ],
        "controls": [
            {
                "id": control.control_id,
                "label": control.label,
                "status": control.status,
                "icon": _STATUS_ICON[control.status],
                "word": _words(control.status),
                "reason": _unbroken(control.reason),
                "tests": control.test_ids,
            }
            for control in tested
        ],
        "untested": [
            {"id": control.control_id, "label": control.label, "reason": reasons[control.control_id]}
            for control in evaluation.controls
            if control.status is ControlStatus.NOT_TESTED
        ],
        "tests": [
            {
                "id": test.test_id,
                "title": test.title,
                "outcome": test.outcome,
                "icon": _OUTCOME_ICON[test.outcome],
                "word": _words(test.outcome),
                "counts": test.counts,
                "applicable": sum(test.counts.values()) - test.counts["not_applicable"],
                "incomplete": test.incomplete,
            }
            for test in evaluation.tests
        ],
    }


def pack_view(pack: PackInfo) -> dict[str, str]:
    """Return what the template reads about a pack."""
    return {
        "id": pack.id,
        "file_name": pack.file_name,
        "period": " to ".join(pack.period.days),
        "built": format_instant(pack.built_at)[:16].replace("T", " ") + " UTC",
        "size": f"{max(1, pack.size // _KIB):,} KiB",
        "sha256": pack.sha256,
    }


def job_view(job: Job, refresh: str) -> dict[str, Any]:
    """Return what the template reads about a job."""
    open_states = {JobState.QUEUED, JobState.RUNNING}
    match job.state:
        case JobState.QUEUED:
            sentence = "The pack is waiting to be built."
        case JobState.RUNNING:
            sentence = f"The pack is being built: {job.step or 'starting'} ({job.done} of {job.total})."
        case JobState.DONE:
            sentence = "The pack was built."
        case JobState.FAILED:
            sentence = f"The pack was not built: {job.problem}"
        case JobState.CANCELLING:
            sentence = "The building of the pack is being stopped."
        case JobState.CANCELLED:
            sentence = "The building of the pack was cancelled, and nothing of it is left."
    return {
        "id": job.id,
        "sentence": sentence,
        "running": job.state in open_states | {JobState.CANCELLING},
        "can_cancel": job.state in open_states,
        "refresh": refresh,
    }


def change_view(change: Change) -> dict[str, Any]:
    """Return what the template reads about something that moved."""
    return {
        "at": format_instant(change.at)[:16].replace("T", " ") + " UTC",
        "period": " to ".join(change.period.days),
        "is_baseline": change.kind is SubjectKind.PERIOD,
        "kind": change.kind,
        "subject": change.subject,
        "old": _state(change.old),
        "new": _state(change.new),
        "deviations": _moved(change, "deviations"),
        "waived": _moved(change, "waived"),
        "evidence_gaps": _moved(change, "evidence_gaps"),
        "controls_changed": change.controls_changed,
    }


def _state(word: str | None) -> dict[str, str] | None:
    return None if word is None else {"name": word, "icon": _ICONS.get(word, ""), "word": _words(word)}


def _moved(change: Change, name: str) -> str:
    old, new = (getattr(counts or Counts(), name) for counts in (change.before, change.after))
    if change.before is None or old == new:
        return f"{new:,}" if new else "\N{EN DASH}"
    return f"{old:,} \N{RIGHTWARDS ARROW} {new:,}"


def _unbroken(text: str) -> str:
    """Keep the ids of tests on one line."""
    return text.replace("-", "\N{NON-BREAKING HYPHEN}")


def _words(state: str) -> str:
    return state.replace("_", " ")


def _facts(evaluation: Evaluation) -> str:
    items = sum(evaluation.population_sizes.values())
    return (
        f"{len(evaluation.tests)} tests over {items:,} items, as of {format_instant(evaluation.as_of)},"
        f" resting on {evaluation.ledger_size:,} ledger entries."
    )


def _gap_sentence(gaps: tuple[Gap, ...]) -> str:
    kinds = Counter(gap.kind for gap in gaps)
    evidence = kinds[GapKind.MISSING_EVIDENCE] + kinds[GapKind.INCOMPLETE_COLLECTION] + kinds[GapKind.TEST_ERROR]
    deviations = kinds[GapKind.CONTROL_DEVIATION]
    return f"Findings: {deviations} control deviations; apart from them, {evidence} gaps in the evidence."
