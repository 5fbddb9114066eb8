# SPDX-License-Identifier: Apache-2.0

"""The one place that knows which class stands behind which interface.

In:  settings and a clock.
Out: the services that commands, endpoints and pages call. Tests build them the same way over a temporary directory.
"""

import datetime
import logging
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

import msgspec
from apscheduler.schedulers.background import BackgroundScheduler

from app.auth.service import AuthService
from app.auth.tokens import Caller
from app.clock import Clock
from app.collection.model import CollectionRun
from app.collection.service import CollectionService
from app.connectors.base import Window
from app.connectors.registry import DECLARED_TYPES, normalizer, open_files
from app.controls.loader import Controls, load
from app.db import Database
from app.evaluation.comparison import Comparison
from app.evaluation.model import Period
from app.evaluation.periods import PeriodEvaluator, Progress
from app.evaluation.side_by_side import compare_side_by_side
from app.gaps.export import export
from app.gaps.items import gaps_of
from app.gaps.model import Gap
from app.jobs.model import Job
from app.jobs.service import JobService
from app.ledger.kept import KeptCheckpoints
from app.ledger.service import Ledger
from app.packs.authorities import HttpAuthority
from app.packs.service import PackService, TimePolicy
from app.packs.withholding.apply import WithholdingRequest
from app.packs.withholding.secret import load_or_create_secret
from app.resources import shipped
from app.settings import Settings
from app.signing.certificates import read_certificates
from app.signing.checkpoint_key import load_or_create_checkpoint_key
from app.signing.keys import SigningKeys, read_file
from app.signing.sources import own_identity
from app.trails.service import TrailService
from app.watching.service import WatchService
from app.watching.spans import read_watched

BUILD_PACK = "pack.build"
_LOOK_EVERY_SECONDS = 1


class Services:
    """Everything over one data directory; each part is made when it is first asked for."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self.settings = settings
        self.clock = clock

    @cached_property
    def database(self) -> Database:
        """Open the database and bring its tables up to date."""
        return Database.open(self.settings)

    @cached_property
    def ledger(self) -> Ledger:
        """Return the append-only ledger."""
        kept = KeptCheckpoints(self.settings.dir / "checkpoints")
        return Ledger(self.database, load_or_create_checkpoint_key(self.settings.keys_dir), kept)

    @cached_property
    def collection(self) -> CollectionService:
        """Return what runs connectors."""
        return CollectionService(self.database, self.ledger, self.clock, normalizer)

    @cached_property
    def trails(self) -> TrailService:
        """Return what links records."""
        return TrailService(self.collection, DECLARED_TYPES, self.settings.memory_limit)

    @cached_property
    def controls(self) -> Controls:
        """Load the shipped controls, with the organisation's own laid over them; once, so a change needs a restart."""
        return load(shipped("controls"), self.settings.own_controls)

    @cached_property
    def evaluator(self) -> PeriodEvaluator:
        """Return what evaluates periods, and keeps the answers until the ledger grows."""
        cache, limit = self.settings.dir / "evaluations", self.settings.memory_limit
        return PeriodEvaluator(self.trails, self.controls, cache, self.ledger.size, limit)

    @cached_property
    def keys(self) -> SigningKeys:
        """Return who signs here, and who did."""
        return SigningKeys(self.settings.keys_dir, self.clock, own_identity(self.settings))

    @cached_property
    def packs(self) -> PackService:
        """Return what builds and lists packs."""
        return PackService(
            database=self.database,
            ledger=self.ledger,
            evaluator=self.evaluator,
            keys=self.keys,
            clock=self.clock,
            organisation=self.settings.organisation,
            time=self.time,
            secret=lambda: load_or_create_secret(self.settings.keys_dir),
        )

    @cached_property
    def auth(self) -> AuthService:
        """Return tokens and the activity log."""
        return AuthService(self.database, self.clock)

    @cached_property
    def watching(self) -> WatchService:
        """Return what keeps periods evaluated.

        Raises:
            UsageError: the setting ``watched`` cannot be read.
        """
        watches = read_watched(self.settings.watched, lambda name: self.controls.resolve_framework(name).id)
        return WatchService(
            database=self.database,
            clock=self.clock,
            watches=watches,
            evaluate=lambda framework, period, progress: (
                self.evaluator.evaluate(framework, period, progress).evaluation
            ),
            as_of=self.trails.as_of,
            ledger_size=self.ledger.size,
        )

    @cached_property
    def jobs(self) -> JobService:
        """Return the queue of background jobs."""
        return JobService(self.database, self.clock, {BUILD_PACK: self._build_pack})

    def import_files(
        self, connector: str, files: list[Path], source: str, covered: Window | None, progress: Progress
    ) -> CollectionRun:
        """Import exported files of one source; ``covered`` is the time they speak for, when that is known.

        Raises:
            UsageError: there is no such connector.
            InvalidInput: a file is not of its format.
        """
        return self.collection.collect(
            open_files(connector, files),
            source=source,
            window=covered or Window(),
            covered=covered,
            progress=lambda done, total: progress("", done, total or 0),
        )

    def gaps(self, framework: str, period: Period) -> tuple[Gap, ...]:
        """Return the findings of a framework and period."""
        return gaps_of(self.evaluator.evaluate(framework, period))

    def gap_report(self, framework: str, period: Period, form: str, progress: Progress | None = None) -> bytes:
        """Return the gap report as json, csv, html or pdf."""
        return export(self.evaluator.evaluate(framework, period, progress), form, self.settings.organisation)

    def compare_controls(
        self, old: Controls, new: Controls, framework: str, period: Period, progress: Progress
    ) -> Comparison:
        """Return what changes between two sets of controls; the work is done aside, and nothing of it is kept.

        Raises:
            NotFound: one of the two does not hold the framework.
            InvalidInput: nothing was collected yet.
        """
        with tempfile.TemporaryDirectory(dir=self.settings.dir, prefix="compare-") as folder:
            return compare_side_by_side(
                old=old,
                new=new,
                framework=framework,
                period=period,
                trails=self.trails,
                ledger_size=self.ledger.size(),
                folder=Path(folder),
                progress=progress,
            )

    def submit_pack(
        self,
        framework: str,
        period: Period,
        caller: Caller,
        key: str | None,
        withholding: WithholdingRequest | None = None,
    ) -> Job:
        """Queue the building of a pack and write down who asked.

        Raises:
            NotFound: there is no such framework.
        """
        arguments = {
            "framework": self.controls.resolve_framework(framework).id,
            "start": period.start,
            "end": period.end,
            "withholding": msgspec.to_builtins(withholding),
        }
        # A key counts for the caller who used it: nobody can learn of another's job by guessing keys.
        job = self.jobs.submit(BUILD_PACK, arguments, f"{caller.token_id}:{key}" if key else None)
        self.auth.record(caller.name, "pack.build", job.id)
        return job

    def cancel_job(self, job_id: str, caller: Caller) -> Job:
        """Have a job stopped and write down who asked.

        Raises:
            NotFound: there is no such job.
            Conflict: it has ended already.
        """
        job = self.jobs.cancel(job_id)
        self.auth.record(caller.name, "job.cancel", job.id)
        return job

    @contextmanager
    def worker(self) -> Iterator[None]:
        """Work off background jobs, and look at what is watched, while the block runs."""
        scheduler = BackgroundScheduler(timezone=datetime.UTC)
        # That a job takes longer than the time to the next look is as it should be, and no warning a second.
        logging.getLogger("apscheduler").setLevel(logging.ERROR)
        once = {"trigger": "interval", "max_instances": 1, "coalesce": True, "misfire_grace_time": None}
        scheduler.add_job(self.jobs.work_once, seconds=_LOOK_EVERY_SECONDS, **once)
        if self.settings.watched:
            now = datetime.datetime.fromtimestamp(self.clock.now() / 1000, datetime.UTC)
            every = self.settings.watch_every
            scheduler.add_job(self.watching.look_if_grown, seconds=every, next_run_time=now, **once)
        scheduler.start()
        try:
            yield
        finally:
            if self.settings.watched:
                self.watching.stop()
            scheduler.shutdown(wait=True)

    @cached_property
    def time(self) -> TimePolicy:
        """Return which time-stamp authorities are asked."""
        settings = self.settings
        path = settings.timestamp_trust
        anchors = read_certificates(read_file(path), where=str(path)) if path else ()
        return TimePolicy(
            authorities=[HttpAuthority(url, anchors) for url in dict.fromkeys(settings.timestamp_urls)],
            is_required=settings.timestamp_required,
            lists=settings.revocation_lists,
        )

    def _build_pack(self, arguments: dict[str, Any], progress: Progress) -> dict[str, Any]:
        period = Period(start=arguments["start"], end=arguments["end"])
        withholding = msgspec.convert(arguments.get("withholding"), WithholdingRequest | None)
        folder = self.settings.dir / "packs"
        path = self.packs.build(arguments["framework"], period, folder, progress, withholding=withholding)
        return {"file_name": path.name, "packs": "/api/v1/packs"}


def build_services(settings: Settings, clock: Clock) -> Services:
    """Return the services over a data directory, which is made on first use, readable by its owner only."""
    settings.dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    return Services(settings, clock)
