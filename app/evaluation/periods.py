# SPDX-License-Identifier: Apache-2.0

"""Evaluate a framework over a period: freeze the populations, test every item, conclude; keep the answer.

An answer depends on the ledger, the period, the framework and the controls, and on nothing else. So it is kept under a
name made of these, and found again until one of them changes. Populations depend on less, so all frameworks share them;
and where the ledger has grown or a test has changed, answers about what is the same are taken over.
"""

import hashlib
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec

from app import __version__
from app.controls.loader import Controls
from app.controls.model import Catalog, Mapping
from app.evaluation.engine import MEMORY_LIMIT
from app.evaluation.metric_model import MetricResult
from app.evaluation.metrics import measure
from app.evaluation.model import Evaluation, Period
from app.evaluation.reuse import Earlier
from app.evaluation.service import evaluate
from app.signing.canonical import canonical_json
from app.trails.bulk.freeze import LINKING
from app.trails.bulk.model import Keep
from app.trails.segments import read_period
from app.trails.service import TrailService

Progress = Callable[[str, int, int], None]
_STEPS = 3
_FORMAT = f"evaluation.4 {__version__}"
"""What is kept of an evaluation; another name where that changes, so that what another version kept is not read."""
KEPT = 12
"""Evaluations that are kept, the last ones used; and none goes that was used in the last ``_IN_USE_SECONDS``."""
_IN_USE_SECONDS = 3_600
KEPT_LINKS = 4
"""Periods whose links are kept, so that the next evaluation writes only the days that changed."""
_ABANDONED_SECONDS = 86_400
"""What somebody works in is left alone for so long; after that, whoever it was has crashed."""
_FROZEN, _LINKED, _ASIDE, _MADE_BY = "frozen-", "linked-", "aside-", "made-by"


class EvaluatedPeriod(msgspec.Struct, frozen=True, kw_only=True):
    """An evaluation and the files it was made from and into.

    Attributes:
        metrics: every metric of the controls over the period.
        segments: folder of the frozen populations. results: folder of the result vectors.
    """

    evaluation: Evaluation
    metrics: tuple[MetricResult, ...]
    catalog: Catalog
    mapping: Mapping
    controls: Controls
    segments: Path
    results: Path


class PeriodEvaluator:
    """Evaluates periods over one data directory.

    Args:
        cache: folder for frozen populations and results.
        ledger_size: tells the ledger's present size.
        memory_limit: what the engine that tests may take, as DuckDB spells it.
    """

    def __init__(
        self,
        trails: TrailService,
        controls: Controls,
        cache: Path,
        ledger_size: Callable[[], int],
        memory_limit: str = MEMORY_LIMIT,
    ) -> None:
        self._trails = trails
        self._controls = controls
        self._cache = cache
        self._ledger_size = ledger_size
        self._memory_limit = memory_limit

    def evaluate(self, framework: str, period: Period, progress: Progress | None = None) -> EvaluatedPeriod:
        """Return the evaluation of a framework (id or short name) over a period.

        Raises:
            NotFound: there is no such framework.
            InvalidInput: nothing was collected yet.
        """
        catalog = self._controls.resolve_framework(framework)
        size = self._ledger_size()
        folder = self._cache / _name(
            framework=catalog.id, state=self._state(period, size), sha256=self._controls.sha256
        )
        if not (folder / "metrics.json").is_file():
            self._compute(catalog, period, size, folder, progress or (lambda _step, _done, _total: None))
        os.utime(folder)
        return EvaluatedPeriod(
            evaluation=_read_evaluation(folder),
            metrics=msgspec.json.decode((folder / "metrics.json").read_bytes(), type=tuple[MetricResult, ...]),
            catalog=catalog,
            mapping=self._controls.mappings[catalog.id],
            controls=self._controls,
            segments=folder / "populations",
            results=folder / "results",
        )

    def _state(self, period: Period, size: int) -> list[object]:
        """Return what populations depend on: the risk rules flag what is in them."""
        return [*self._made_for(period), size, self._trails.root(size)]

    def _made_for(self, period: Period) -> list[object]:
        rules = [msgspec.to_builtins(rule) for rule in self._controls.rules.values()]
        return [_FORMAT, period.start, period.end, rules]

    def _compute(self, catalog: Catalog, period: Period, size: int, folder: Path, progress: Progress) -> None:
        progress("linking records", 0, _STEPS)
        frozen = self._cache / f"{_FROZEN}{_name(state=self._state(period, size))}"
        if frozen.is_dir():
            os.utime(frozen)  # So that nobody forgets it while it is in use here.
        else:
            with self._aside(frozen) as aside:
                self._trails.freeze(period, aside, self._controls.rule_set, self._keep(period, frozen.name))
        with self._aside(folder) as aside:
            populations, results = aside / "populations", aside / "results"
            (aside / _MADE_BY).write_text(_FORMAT)
            populations.symlink_to(Path("..") / frozen.name)
            progress("testing every item", 1, _STEPS)
            evaluation = evaluate(
                controls=self._controls,
                catalog=catalog,
                period=period,
                as_of=read_period(frozen).as_of,
                ledger_size=size,
                segments=populations,
                results=results,
                earlier=self._earlier(),
                memory_limit=self._memory_limit,
            )
            (aside / "evaluation.json").write_bytes(canonical_json(msgspec.to_builtins(evaluation)))
            progress("measuring", 2, _STEPS)
            metrics = measure(self._controls, evaluation, populations, results)
            (aside / "metrics.json").write_bytes(canonical_json(msgspec.to_builtins(metrics)))
        self._forget()

    def _keep(self, period: Period, name: str) -> Keep:
        """Return where the links of this period are kept, whatever the ledger's size."""
        made_for = _name(state=self._made_for(period))
        return Keep(file=self._cache / f"{_LINKED}{made_for}", name=name, made_for=made_for)

    @contextmanager
    def _aside(self, folder: Path) -> Iterator[Path]:
        """Give a folder to work in, and put it in place when all is well, so that a crash leaves nothing half done."""
        self._cache.mkdir(parents=True, exist_ok=True)
        aside = Path(tempfile.mkdtemp(dir=self._cache, prefix=_ASIDE))
        try:
            yield aside
            try:
                aside.rename(folder)
            except OSError:
                # Whoever did the same at the same time was there first.
                if not folder.is_dir():
                    raise
        finally:
            shutil.rmtree(aside, ignore_errors=True)

    def _kept(self) -> list[Path]:
        """Return the folders of kept evaluations, the last used first."""
        found = [file.parent for file in self._cache.glob("*/metrics.json")]
        return sorted(found, key=_used_at, reverse=True)

    def _earlier(self) -> Earlier | None:
        """Return the evaluation that was used last: most likely the one before the ledger grew or a test changed.

        Another version may have understood the same test otherwise, so what it kept is passed over.
        """
        for folder in self._kept():
            with suppress(OSError, msgspec.MsgspecError):
                if (folder / _MADE_BY).read_text() == _FORMAT:
                    return Earlier(evaluation=_read_evaluation(folder), results=folder / "results")
        return None

    def _forget(self) -> None:
        """Remove evaluations that have not been used for long, and populations that none of the others rests on."""
        now = time.time()
        for folder in self._kept()[KEPT:]:
            if now - _used_at(folder) > _IN_USE_SECONDS:
                self._remove(folder)
        needed = {(folder / "populations").resolve().name for folder in self._kept()}
        for frozen in self._cache.glob(f"{_FROZEN}*"):
            if frozen.name not in needed and now - _used_at(frozen) > _IN_USE_SECONDS:
                self._remove(frozen)
        for linked in sorted(self._cache.glob(f"{_LINKED}*"), key=_used_at)[:-KEPT_LINKS]:
            linked.unlink(missing_ok=True)
        for aside in (*self._cache.glob(f"{_ASIDE}*"), *self._cache.glob(f"{LINKING}*")):
            if now - _used_at(aside) > _ABANDONED_SECONDS:
                shutil.rmtree(aside, ignore_errors=True)

    def _remove(self, folder: Path) -> None:
        """Remove a folder at once: whoever begins to read it now finds all of it or nothing, and never a part."""
        aside = Path(tempfile.mkdtemp(dir=self._cache, prefix=_ASIDE))
        with suppress(OSError):
            folder.rename(aside / "gone")
        shutil.rmtree(aside, ignore_errors=True)


def _name(**parts: object) -> str:
    return hashlib.sha256(canonical_json(parts)).hexdigest()[:32]


def _used_at(path: Path) -> float:
    """Return when something was last used, in seconds; what another process has just removed was used now."""
    try:
        return path.stat().st_mtime
    except OSError:
        return time.time()


def _read_evaluation(folder: Path) -> Evaluation:
    return msgspec.json.decode((folder / "evaluation.json").read_bytes(), type=Evaluation)
