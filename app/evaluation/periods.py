# SPDX-License-Identifier: Apache-2.0

"""Evaluate a framework over a period: freeze the populations, test every item, conclude; keep the answer.

An answer depends on the ledger, the period, the framework and the controls, and on nothing else. So it is kept under a
name made of these, and found again until one of them changes.
"""

import hashlib
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import msgspec

from app.controls.loader import Controls
from app.controls.model import Catalog, Mapping
from app.evaluation.metric_model import MetricResult
from app.evaluation.metrics import measure
from app.evaluation.model import Evaluation, Period
from app.evaluation.service import evaluate
from app.signing.canonical import canonical_json
from app.trails.service import TrailService

Progress = Callable[[str, int, int], None]
_STEPS = 3
_FORMAT = "evaluation.2"
"""What is kept of an evaluation; another name where that changes, so that what an older version kept is not read."""


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
    """

    def __init__(self, trails: TrailService, controls: Controls, cache: Path, ledger_size: Callable[[], int]) -> None:
        self._trails = trails
        self._controls = controls
        self._cache = cache
        self._ledger_size = ledger_size

    def evaluate(self, framework: str, period: Period, progress: Progress | None = None) -> EvaluatedPeriod:
        """Return the evaluation of a framework (id or short name) over a period.

        Raises:
            NotFound: there is no such framework.
            InvalidInput: nothing was collected yet.
        """
        catalog = self._controls.resolve_framework(framework)
        size = self._ledger_size()
        folder = self._cache / self._key(catalog.id, period, size)
        if not (folder / "metrics.json").is_file():
            self._compute(catalog, period, size, folder, progress or (lambda _step, _done, _total: None))
        return EvaluatedPeriod(
            evaluation=msgspec.json.decode((folder / "evaluation.json").read_bytes(), type=Evaluation),
            metrics=msgspec.json.decode((folder / "metrics.json").read_bytes(), type=tuple[MetricResult, ...]),
            catalog=catalog,
            mapping=self._controls.mappings[catalog.id],
            controls=self._controls,
            segments=folder / "populations",
            results=folder / "results",
        )

    def _key(self, framework: str, period: Period, size: int) -> str:
        parts = [_FORMAT, framework, period.start, period.end, size, self._controls.sha256]
        return hashlib.sha256(canonical_json(parts)).hexdigest()[:32]

    def _compute(self, catalog: Catalog, period: Period, size: int, folder: Path, progress: Progress) -> None:
        """Work in a folder aside and rename it, so that a crash leaves nothing half done."""
        self._cache.mkdir(parents=True, exist_ok=True)
        aside = Path(tempfile.mkdtemp(dir=self._cache))
        try:
            progress("linking records", 0, _STEPS)
            as_of = self._trails.freeze(period, aside / "populations", self._controls.rule_set)
            progress("testing every item", 1, _STEPS)
            evaluation = evaluate(
                controls=self._controls,
                catalog=catalog,
                period=period,
                as_of=as_of,
                ledger_size=size,
                segments=aside / "populations",
                results=aside / "results",
            )
            (aside / "evaluation.json").write_bytes(canonical_json(msgspec.to_builtins(evaluation)))
            progress("measuring", 2, _STEPS)
            metrics = measure(self._controls, evaluation, aside / "populations", aside / "results")
            (aside / "metrics.json").write_bytes(canonical_json(msgspec.to_builtins(metrics)))
            if not folder.exists():
                aside.rename(folder)
        finally:
            shutil.rmtree(aside, ignore_errors=True)
