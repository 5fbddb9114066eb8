# SPDX-License-Identifier: Apache-2.0

"""A database, a ledger and the services over them, in one folder, for tests that build packs."""

from pathlib import Path

import msgspec

from app.clock import Clock, FixedClock
from app.collection.service import CollectionService
from app.connectors.base import Window
from app.connectors.registry import normalizer, open_files
from app.controls.loader import load
from app.db import Database
from app.evaluation.model import Period
from app.evaluation.periods import PeriodEvaluator
from app.ledger.service import Ledger
from app.packs.service import PackService, TimePolicy
from app.resources import shipped
from app.signing.checkpoint_key import CheckpointKey
from app.signing.keys import SigningKeys
from app.trails.service import TrailService
from tests.packs.small import AS_OF, END, SIGNED_AT, START, records

PERIOD = Period(start=START, end=END)
COVERED = Window(start=START - 1, end=END + 1)


class World:
    """Everything that a pack is built from, in one folder."""

    def __init__(self, folder: Path, time: TimePolicy | None = None, clock: Clock | None = None) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        database = Database(f"sqlite:///{folder / 'proofroom.db'}")
        database.migrate()
        self.ledger = Ledger(database, CheckpointKey.from_seed(bytes(32)))
        self.collection = CollectionService(database, self.ledger, FixedClock(AS_OF), normalizer)
        trails = TrailService(self.collection)
        evaluator = PeriodEvaluator(trails, load(shipped("controls")), folder / "cache", self.ledger.size)
        now = clock or FixedClock(SIGNED_AT)
        self.packs = PackService(
            database=database,
            ledger=self.ledger,
            evaluator=evaluator,
            keys=SigningKeys(folder / "keys", now),
            clock=now,
            organisation="Example organisation",
            time=time,
        )

    def collect(self, count: int) -> None:
        path = self.folder / f"{count}.ndjson"
        path.write_bytes(b"".join(msgspec.json.encode(record) + b"\n" for record in records()[:count]))
        self.collection.collect(open_files("records", [path]), "broker", Window(), COVERED)
