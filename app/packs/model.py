# SPDX-License-Identifier: Apache-2.0

"""What a report is made from, and what ``report.json`` holds: the same value, so that neither can say more."""

import msgspec

from app.collection.model import CollectionRun
from app.evaluation.metric_model import MetricResult
from app.evaluation.model import DeviationTable, Evaluation
from app.gaps.model import Gap
from app.packs.times import TimeRecord


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


class SampleDraw(msgspec.Struct, frozen=True, kw_only=True):
    """An auditor's sample of one population: drawn by rank of SHA-256(seed, item id), so that anyone can redraw it."""

    population: str
    seed: str
    size: int
    items: tuple[str, ...]


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
        limits: what was not verified, in sentences.
        times: what became of each time-stamp authority that was asked.
    """

    organisation: str
    evaluation: Evaluation
    narratives: tuple[TestNarrative, ...]
    deviations: tuple[DeviationTable, ...]
    gaps: tuple[Gap, ...]
    metrics: tuple[MetricResult, ...]
    collections: tuple[CollectionRun, ...]
    samples: tuple[SampleDraw, ...]
    signer: SignerInfo
    checkpoint: str
    previous_size: int | None
    software: dict[str, str]
    limits: tuple[str, ...]
    times: tuple[TimeRecord, ...] = ()
