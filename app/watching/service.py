# SPDX-License-Identifier: Apache-2.0

"""Look at what is watched, and write down what moved since the look before.

In:  what is watched; how to evaluate. Out: looks and changes. A look reads the ledger as it is when it begins;
evaluating is left to what already knows how to reuse what did not change.
"""

import logging
import threading
from collections.abc import Callable, Sequence
from typing import Protocol

from app.clock import Clock
from app.db import Database, lock
from app.errors import ProofroomError, UsageError
from app.evaluation.model import ControlStatus, Evaluation, Period
from app.watching import repository
from app.watching.model import Change, Look, SubjectKind
from app.watching.moves import baseline, moves, snapshot_of, total
from app.watching.spans import SETTING, Watch, periods_at

Progress = Callable[[str, int, int], None]
"""Called with (step in words, done, total)."""

_log = logging.getLogger(__name__)


class Evaluate(Protocol):
    """Evaluates a framework over a period."""

    def __call__(self, framework: str, period: Period, progress: Progress) -> Evaluation:
        """Return the evaluation over the ledger as it is now."""
        ...


class _Stopped(Exception):
    """The service is shutting down."""


class WatchService:
    """Looks at what is watched.

    Args:
        database: holds looks and changes.
        clock: dates looks.
        watches: what is watched.
        evaluate: evaluates a framework and period.
        as_of: tells the end of the newest collection; it decides which calendar period is the present one.
        ledger_size: tells the ledger's present size.
    """

    def __init__(
        self,
        *,
        database: Database,
        clock: Clock,
        watches: Sequence[Watch],
        evaluate: Evaluate,
        as_of: Callable[[], int],
        ledger_size: Callable[[], int],
    ) -> None:
        self._database = database
        self._clock = clock
        self._watches = watches
        self._evaluate = evaluate
        self._as_of = as_of
        self._ledger_size = ledger_size
        self._seen = 0
        self._stopping = threading.Event()

    def look(self, progress: Progress | None = None) -> tuple[Look, ...]:
        """Evaluate everything that is watched, write down what moved, and return it.

        Raises:
            UsageError: nothing is watched.
            InvalidInput: nothing was collected yet.
        """
        if not self._watches:
            hint = f'Name it in proofroom.toml, such as {SETTING} = ["soc2 quarter"]'
            raise UsageError("nothing is watched", where=f"setting '{SETTING}'", hint=hint)
        due = self._due()
        looks = []
        for place, (framework, period) in enumerate(due):
            evaluation = self._evaluate(framework, period, _part(progress, framework, place, len(due)))
            looks.append(self._keep(evaluation))
        return tuple(looks)

    def look_if_grown(self) -> None:
        """Look, if the ledger grew since this process last did; for a schedule, so what goes wrong is only logged."""
        size = self._ledger_size()
        if size in {0, self._seen}:
            return
        try:
            looks = self.look(self._go_on)
        except _Stopped:
            return
        except ProofroomError as error:
            # It would be the same each time, until the ledger grows.
            _log.warning("what is watched could not be looked at: %s", error)
        except Exception:  # noqa: BLE001 -- whatever it is, the schedule goes on
            _log.exception("what is watched could not be looked at")
            return
        else:
            _tell(looks)
        self._seen = size

    def stop(self) -> None:
        """Have a look that runs on schedule end at its next step; what it found before is kept."""
        self._stopping.set()

    def is_watched(self, framework: str) -> bool:
        """Tell whether a framework (its id) is watched."""
        return any(watch.framework == framework for watch in self._watches)

    def changes(self, framework: str | None = None, *, before: int | None = None, limit: int = 100) -> list[Change]:
        """Return changes, newest first.

        Args:
            framework: only those of this framework (its id).
            before: only those older than the change with this id.
            limit: how many at most.
        """
        with self._database.session(writes=False) as session:
            return repository.changes(session, framework, before, limit)

    def _due(self) -> list[tuple[str, Period]]:
        """Return what to look at. A period that just ended is only finished, never begun."""
        as_of = self._as_of()
        with self._database.session(writes=False) as session:
            return [
                (watch.framework, period)
                for watch in self._watches
                for period in periods_at(watch, as_of)
                if period == periods_at(watch, as_of)[-1] or repository.has_looked(session, watch.framework, period)
            ]

    def _keep(self, evaluation: Evaluation) -> Look:
        """Compare with the look before and append what moved, as one step: of two processes each move is kept once."""
        snapshot = snapshot_of(evaluation)
        with self._database.session() as session:
            lock(session.connection(), "watching")
            kept = repository.newest(session, evaluation.framework, evaluation.period)
            is_late = kept is not None and kept.ledger_size > evaluation.ledger_size
            controls_changed = kept is not None and kept.controls_sha256 != evaluation.controls_sha256
            look = Look(
                at=self._clock.now(),
                framework=evaluation.framework,
                period=evaluation.period,
                as_of=evaluation.as_of,
                ledger_size=evaluation.ledger_size,
                is_baseline=kept is None,
                controls_changed=controls_changed and not is_late,
                totals=total(test.counts for test in snapshot.tests.values()),
                # Where another process has looked at more records already, it has told what moved.
                moves=(baseline(snapshot),) if kept is None else () if is_late else moves(kept.snapshot, snapshot),
            )
            if look.moves or look.controls_changed:
                repository.add(session, look, evaluation.controls_sha256, snapshot)
                session.commit()
        return look

    def _go_on(self, _step: str, _done: int, _total: int) -> None:
        if self._stopping.is_set():
            raise _Stopped


def _part(progress: Progress | None, framework: str, place: int, count: int) -> Progress:
    """Return the progress of one of several evaluations as a part of the whole."""

    def tell(step: str, done: int, total: int) -> None:
        if progress is not None:
            progress(f"{framework}: {step}", place * total + done, count * total)

    return tell


def _tell(looks: Sequence[Look]) -> None:
    """Log every control that began to deviate, so that whoever reads the service's log knows within one cycle."""
    for look in looks:
        for move in look.moves:
            if move.kind is SubjectKind.CONTROL and move.new == ControlStatus.DEVIATIONS:
                days = " to ".join(look.period.days)
                _log.warning("%s %s, %s: %s, was %s", look.framework, move.subject, days, move.new, move.old)
