# SPDX-License-Identifier: Apache-2.0

"""The words a document prints for states, each with what it means; the glossary of a report is these tables.

A state is always shown as word, icon and colour together. ``tone`` names icon and colour; the style sheet draws them.
"""

from typing import Literal, NamedTuple

Tone = Literal["good", "bad", "unsure", "quiet", "waived", "broken"]


class Word(NamedTuple):
    """How a state is printed: its label, its tone, and one sentence on what it means."""

    label: str
    tone: Tone
    meaning: str


CONTROL_STATUS = {
    "no_deviations": Word(
        "No deviations",
        "good",
        "Every test of the control was carried out over a population known to be whole, and no item deviates.",
    ),
    "deviations": Word("Deviations", "bad", "At least one item of at least one test deviates. Waived items count."),
    "insufficient_evidence": Word(
        "Insufficient evidence",
        "unsure",
        "No deviation was seen, but evidence is missing or a population is not known to be whole. This is not a pass.",
    ),
    "not_tested": Word("Not tested", "quiet", "No test bears on this control. Nothing is said about it."),
}
TEST_OUTCOME = {
    "passed": Word("Passed", "good", "The claim holds for every item it applies to, and the population is whole."),
    "failed": Word("Failed", "bad", "At least one item deviates, waived or not."),
    "inconclusive": Word(
        "Inconclusive",
        "unsure",
        "No item deviates as far as can be seen, but evidence is missing for some, or the population is not known to "
        "be whole.",
    ),
    "no_occurrences": Word(
        "No occurrences", "quiet", "The population is whole and holds no item that the claim applies to."
    ),
    "error": Word("Error", "broken", "The test could not be computed for some items. This is not a pass."),
}
ITEM_OUTCOME = {
    "pass": Word("Pass", "good", "The claim holds for this item."),
    "fail": Word("Fail", "bad", "The claim does not hold for this item: a deviation."),
    "waived": Word(
        "Waived",
        "waived",
        "The claim does not hold, and an approved, dated acceptance of the risk covers the item. It stays a deviation.",
    ),
    "no_evidence": Word("No evidence", "unsure", "What was collected cannot tell whether the claim holds."),
    "not_applicable": Word("Not applicable", "quiet", "The claim is not about this item."),
    "error": Word("Error", "broken", "The claim could not be computed for this item."),
}
GAP_KIND = {
    "control_deviation": Word("Control deviation", "bad", "A control did not hold for some items."),
    "missing_evidence": Word("Missing evidence", "unsure", "It cannot be said whether a control held for some items."),
    "incomplete_collection": Word(
        "Incomplete collection", "unsure", "A source did not give everything for the period, or it was not usable."
    ),
    "test_error": Word("Test error", "broken", "A test could not be computed for some items."),
    "untested_control": Word("Untested control", "quiet", "No test bears on a control of the framework."),
}
SEVERITY = {
    "critical": Word("Critical", "bad", "Deviations would mean that the control is absent or bypassed."),
    "high": Word("High", "bad", "Deviations would mean that access is not held to what was allowed."),
    "medium": Word("Medium", "unsure", "Deviations weaken the control without undoing it."),
    "low": Word("Low", "quiet", "Deviations are late or incomplete records; the risk is small."),
}
METRIC_FAMILY = {
    "access_volume": Word("Access volume", "quiet", "How much privileged access there is, and of which kind."),
    "risk_actions": Word("Risk actions", "quiet", "What was done with it that is risky, and whether somebody looked."),
    "governance": Word("Governance", "quiet", "Whether access is approved, recorded, reviewed, owned and taken away."),
}
WORDS = {
    "control_status": CONTROL_STATUS,
    "test_outcome": TEST_OUTCOME,
    "item_outcome": ITEM_OUTCOME,
    "gap_kind": GAP_KIND,
    "severity": SEVERITY,
    "metric_family": METRIC_FAMILY,
}
EVIDENCE_GAPS = ("missing_evidence", "incomplete_collection", "test_error")
"""Gap kinds that say that something cannot be told; never added to control deviations."""
