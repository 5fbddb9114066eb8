# SPDX-License-Identifier: Apache-2.0

"""What a report is made from, and what ``report.json`` holds: the same value, so that neither can say more."""

import msgspec

from app.collection.model import CollectionRun
from app.errors import InvalidInput
from app.evaluation.metric_model import MetricResult
from app.evaluation.model import DeviationTable, Evaluation
from app.gaps.model import Gap
from app.packs.times import TimeRecord

_LONGEST_NAME = 200


class TestNarrative(msgspec.Struct, frozen=True, kw_only=True):
    """The words of a test that a report prints beside its result."""

    __test__ = False  # Keeps pytest from collecting it.

    test_id: str
    intent: str
    passes: str
    fails: str
    no_evidence: str
    not_applicable: str
    assertion: str
    applies_when: str
    requires: str
    remediation: str
    no_evidence_when: str = "false"


class Stratum(msgspec.Struct, frozen=True, kw_only=True):
    """A part of a frame: a month, a quarter or ``undated``; ``risky`` or ``usual``; its items, and how many drawn."""

    time: str
    risk: str
    items: int
    drawn: int


class SampleDraw(msgspec.Struct, frozen=True, kw_only=True):
    """An auditor's sample for one test: drawn by rank of SHA-256(seed, item id), so that anyone can redraw it.

    Attributes:
        place: which digit of a line of the population's frame is this test's, from 0.
        table, column: where in the sampling plan the size comes from.
        frame: items of the population to which the test applies. size: how many of them were drawn.
        items: their ids, stratum by stratum, in each by rank.
    """

    test_id: str
    population: str
    place: int
    seed: str
    table: str
    column: str
    frame: int
    size: int
    strata: tuple[Stratum, ...]
    items: tuple[str, ...]


class Engagement(msgspec.Struct, frozen=True, kw_only=True):
    """What the auditor says of the work: its name, which goes into every seed, and items to look at beside the drawn.

    Raises:
        InvalidInput: the name is not one printable line of up to 200 characters.
    """

    name: str = ""
    also: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if len(self.name) > _LONGEST_NAME or not self.name.isprintable():
            raise InvalidInput("the name of an engagement is one line of up to 200 characters", where="--engagement")


class ChosenItem(msgspec.Struct, frozen=True, kw_only=True):
    """An item that somebody chose to look at, beside the drawn ones: judgemental, so no sample."""

    population: str
    item_id: str


class WithheldPart(msgspec.Struct, frozen=True, kw_only=True):
    """One field at one place of one population, and how many of its values, absent ones included, are withheld."""

    field: str
    population: str
    path: str
    values: int


class Withholding(msgspec.Struct, frozen=True, kw_only=True):
    """What a pack withholds: each such value is a salted commitment in its cell.

    Attributes:
        fields: names of fields, such as ``event.text``. reason: why. by: who decided it.
        parts: where these fields stand, and how many values that were.
        tests: those that read a withheld field, so that nobody can run them again from the pack alone.
        metrics: those that have no number here for the same reason.
    """

    fields: tuple[str, ...]
    reason: str
    by: str
    parts: tuple[WithheldPart, ...]
    tests: tuple[str, ...]
    metrics: tuple[str, ...]

    @property
    def values(self) -> int:
        """Return how many values are withheld."""
        return sum(part.values for part in self.parts)


class SignerInfo(msgspec.Struct, frozen=True, kw_only=True):
    """Who signs: certificate subject, SHA-256 fingerprint, and whether it is only a development identity.

    Attributes:
        chain_sha256: fingerprints of the issuers that the pack brings along, each certified by the next.
    """

    subject: str
    certificate_sha256: str
    is_development: bool
    chain_sha256: tuple[str, ...] = ()


class ReportData(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a reader is told.

    Attributes:
        checkpoint: the signed note of the ledger, as text. previous: tree size of the previous pack's checkpoint.
        engagement: the auditor's name for the work, part of every sample's seed; may be empty.
        judgemental: items that somebody chose, beside the drawn ones.
        limits: what was not verified, in sentences.
        times: what became of each time-stamp authority that was asked.
        withheld: what the reader is not shown; None if nothing was withheld.
    """

    organisation: str
    evaluation: Evaluation
    narratives: tuple[TestNarrative, ...]
    deviations: tuple[DeviationTable, ...]
    gaps: tuple[Gap, ...]
    metrics: tuple[MetricResult, ...]
    collections: tuple[CollectionRun, ...]
    samples: tuple[SampleDraw, ...]
    judgemental: tuple[ChosenItem, ...]
    engagement: str
    signer: SignerInfo
    checkpoint: str
    previous_size: int | None
    software: dict[str, str]
    limits: tuple[str, ...]
    times: tuple[TimeRecord, ...] = ()
    withheld: Withholding | None = None
