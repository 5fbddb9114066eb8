# SPDX-License-Identifier: Apache-2.0

"""How a step of the verification is written, and how it is run.

A step is a function that takes the ``Case`` and returns one line about what it saw. It raises ``Failed`` when its rule
does not hold and ``NotDone`` when it cannot be decided. Anything else it raises is a failure too: a hostile pack may
drive a parser anywhere, and what cannot be read does not verify.
"""

from collections.abc import Callable
from dataclasses import dataclass

from app.errors import ProofroomError
from app.verification.case import Case
from app.verification.outcome import Failed, NotDone
from app.verification.report import StepResult, StepState

_MAX_PROBLEMS = 20
_MAX_TEXT = 300


@dataclass(frozen=True, kw_only=True)
class Step:
    """One step: its number, name, rule and source are printed and documented; ``check`` decides it.

    Attributes:
        required: leaving it out means that the pack does not verify.
    """

    number: int
    name: str
    rule: str
    source: str
    check: Callable[[Case], str]
    required: bool = True


def run_step(step: Step, case: Case) -> StepResult:
    """Run one step; never raises for anything a pack contains."""
    state, detail = StepState.OK, ""
    problems: tuple[str, ...] = ()
    try:
        detail = step.check(case)
    except NotDone as reason:
        state, detail = StepState.NOT_DONE, str(reason)
    except Failed as failure:
        problems = failure.problems
    except ProofroomError as error:
        problems = (str(error),)
    except Exception as error:  # noqa: BLE001 - See the module's page: whatever breaks, the step has failed.
        problems = (f"this cannot be read ({type(error).__name__}: {error})",)
    if problems:
        state, detail = StepState.FAILED, f"{len(problems)} problem(s)"
    return StepResult(
        number=step.number,
        name=step.name,
        rule=step.rule,
        source=step.source,
        state=state,
        detail=printable(detail),
        required=step.required,
        problems=tuple(printable(problem) for problem in problems[:_MAX_PROBLEMS]),
    )


def printable(text: str) -> str:
    """Return text that a terminal can be shown: a pack's author may have put control characters into names."""
    cleaned = "".join(character if character.isprintable() else "?" for character in text)
    return cleaned if len(cleaned) <= _MAX_TEXT else cleaned[: _MAX_TEXT - 1] + "…"
