# SPDX-License-Identifier: Apache-2.0

"""What verifying a pack gives: numbered steps, each with its result, and a verdict that says no more than they do."""

from enum import StrEnum

import msgspec

_WIDTH = 58


class StepState(StrEnum):
    """How a step ended."""

    OK = "ok"
    FAILED = "FAILED"
    NOT_DONE = "not done"


class StepResult(msgspec.Struct, frozen=True, kw_only=True):
    """One step.

    Attributes:
        rule: what must hold. source: the clause or page that asks for it.
        required: leaving it out means that the pack does not verify.
        detail: what was seen, or why the step was not done; one line.
        problems: what is wrong, at most twenty sentences; empty unless the step failed.
    """

    number: int
    name: str
    rule: str
    source: str
    state: StepState
    detail: str
    required: bool = True
    problems: tuple[str, ...] = ()


class VerificationReport(msgspec.Struct, frozen=True, kw_only=True):
    """The result of verifying one pack.

    Attributes:
        pack: its file name. pack_sha256: of the archive, hex.
        holds: no step failed, and none that is required was left out.
        signer_checked: the signer was compared with a trust anchor that the caller gave.
        certificate_sha256: fingerprint of the certificate whose signature over the statement holds, if one does.
        withheld: names of the fields that the pack does not show.
        not_reperformed: tests that read these, and that no disclosure allowed to run again on every item.
        cautions: what a reader should know although every step holds, in sentences.
    """

    pack: str
    pack_sha256: str
    holds: bool
    signer_checked: bool
    certificate_sha256: str | None
    verdict: str
    steps: tuple[StepResult, ...]
    withheld: tuple[str, ...] = ()
    not_reperformed: tuple[str, ...] = ()
    cautions: tuple[str, ...] = ()


def as_text(report: VerificationReport) -> str:
    """Return the report for people: a line a step, problems below it, what was left out, the verdict last."""
    left_out = [step for step in report.steps if step.state is StepState.NOT_DONE and not step.required]
    lines = [f"{report.pack}  sha256 {report.pack_sha256}", ""]
    for step in report.steps:
        if step not in left_out:
            reason = f": {step.detail}" if step.state is StepState.NOT_DONE else f"  {step.detail}"
            lines.append(f"{_named(step).ljust(_WIDTH, '.')} {step.state}{reason}".rstrip())
            lines += [f"     - {problem}" for problem in step.problems]
    if left_out:
        lines += ["", "Not done, and not required:"]
        lines += [f"{_named(step)}- {step.detail}" for step in left_out]
    return "\n".join([*lines, "", *(f"Note: {caution}" for caution in report.cautions), report.verdict])


def _named(step: StepResult) -> str:
    return f"{step.number:>2} {step.name} "
