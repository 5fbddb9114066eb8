# SPDX-License-Identifier: Apache-2.0

"""Build evidence packs and keep the register of them.

In:  a framework and a period; everything else comes from the services below.
Out: one ZIP file per call, and a line in the register.
A pack appears whole or not at all, and rests on one state of the ledger.
"""

import hashlib
import logging
import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from cryptography import x509

from app.clock import Clock
from app.db import Database
from app.digests import sha256_of
from app.errors import CheckFailed, NotFound, UsageError
from app.evaluation.model import Period
from app.evaluation.periods import EvaluatedPeriod, PeriodEvaluator, Progress
from app.ledger.entry import RUN_KIND
from app.ledger.note import open_checkpoint
from app.ledger.service import Ledger
from app.packs import repository
from app.packs.assemble import Draft, Ingredients, LedgerPart, draft_pack, sign_pack, write_pack
from app.packs.container import Content
from app.packs.evidence import Consistency, ProvenRun, SubsetProof
from app.packs.model import Engagement, SignerInfo, Withholding
from app.packs.pdf import render_report
from app.packs.references import ledger_indices
from app.packs.report import Facts, Folders, software_versions
from app.packs.repository import PackInfo
from app.packs.times import Authority, AuthorityFailed, TimeDesk, TimeRecord
from app.packs.withholding.apply import Withheld, WithholdingRequest, withhold
from app.packs.withholding.disclosures import disclosures_path, write_file
from app.settings import SETTINGS_FILE
from app.signing.certificates import fingerprint_of
from app.signing.keys import SigningIdentity, read_file
from app.signing.revocation import read_crl

_LOG = logging.getLogger(__name__)
NO_ENGAGEMENT = Engagement()
_ATTEMPTS = 3
_STEPS = 4


class Keys(Protocol):
    """Knows the signing identity."""

    def identity(self) -> SigningIdentity:
        """Load it."""
        ...


@dataclass(frozen=True, kw_only=True)
class TimePolicy:
    """Which time-stamp authorities are asked.

    Attributes:
        authorities: each is asked for every pack.
        is_required: build no pack that not every one of them confirmed.
        lists: files of revocation lists to put into the report.
    """

    authorities: Sequence[Authority] = ()
    is_required: bool = False
    lists: Sequence[Path] = ()

    def check(self) -> None:
        """Refuse to build at all when a time is required and nobody is there to confirm it.

        Raises:
            UsageError: so it is.
        """
        if self.is_required and not self.authorities:
            raise UsageError("timestamp_required is set, and timestamp_urls names nobody", where=SETTINGS_FILE)

    def require(self, records: Sequence[TimeRecord]) -> None:
        """Fail when a required authority did.

        Raises:
            CheckFailed: one failed, and all are required.
        """
        failed = [record for record in records if record.state == "failed"]
        if self.is_required and failed:
            raise CheckFailed(
                f"a time-stamp authority is required, and {failed[0]}",
                hint="Try again, or unset timestamp_required; then the pack says that it failed",
            )

    def crls(self) -> list[x509.CertificateRevocationList]:
        """Read the revocation lists.

        Raises:
            InvalidInput: one of the files is none.
        """
        return [read_crl(read_file(path), where=str(path)) for path in self.lists]


@dataclass(frozen=True)
class _Asked:
    """What goes into the facts beside what was collected."""

    engagement: Engagement
    withheld: Withholding | None


class PackService:
    """Builds and lists packs.

    Args:
        database: holds the register.
        ledger: what packs rest on.
        evaluator: evaluates periods and keeps the frozen populations.
        keys: knows who signs.
        clock: the time of signing.
        organisation: whose evidence it is.
        time: which time-stamp authorities are asked, and whether they must answer.
        secret: gives what the salts of withheld values come from.
    """

    def __init__(
        self,
        *,
        database: Database,
        ledger: Ledger,
        evaluator: PeriodEvaluator,
        keys: Keys,
        clock: Clock,
        organisation: str,
        time: TimePolicy | None = None,
        secret: Callable[[], bytes] | None = None,
    ) -> None:
        self._database = database
        self._ledger = ledger
        self._evaluator = evaluator
        self._keys = keys
        self._clock = clock
        self._organisation = organisation
        self._time = time or TimePolicy()
        self._secret = secret

    def signer(self) -> SignerInfo:
        """Return who signs packs here."""
        return _signer(self._keys.identity())

    def list(self) -> list[PackInfo]:
        """Return the packs that were built, newest first."""
        with self._database.session(writes=False) as session:
            return repository.newest_first(session)

    def get(self, pack_id: str) -> PackInfo:
        """Return one pack.

        Raises:
            NotFound: there is none, or its file is gone or is another by now.
        """
        with self._database.session(writes=False) as session:
            # Our ids are letters and digits; PostgreSQL takes no text with a NUL in it.
            pack = repository.find(session, pack_id) if pack_id.isalnum() else None
        if pack is None:
            raise NotFound("there is no such pack")
        if not pack.path.is_file():
            raise NotFound(f"the file of pack {pack.id} is not where it was written to", hint="Build it again")
        if pack.path.stat().st_size != pack.size or sha256_of(pack.path) != pack.sha256:
            # A pack of the same days has the same file name, and may show what this one withholds.
            raise NotFound(f"the file of pack {pack.id} was replaced by another", hint="Build it again")
        return pack

    def build(
        self,
        framework: str,
        period: Period,
        out: Path,
        progress: Progress | None = None,
        on_time: Callable[[TimeRecord], None] | None = None,
        engagement: Engagement = NO_ENGAGEMENT,
        withholding: WithholdingRequest | None = None,
    ) -> Path:
        """Build a pack below ``out`` and return its path; ``proofroom-<framework>-<first>-<last>.zip``.

        Args:
            framework: its id or short name.
            period: the days it is about.
            out: a folder.
            progress: told what is being done.
            on_time: told what became of each time-stamp authority; the pack says the same.
            engagement: what the auditor says of the work.
            withholding: what is not to be shown; then what opens it is written beside the pack (``disclosures_path``).

        Raises:
            NotFound: there is no such framework.
            InvalidInput: nothing was collected yet, or an item that the auditor named is not there.
            CheckFailed: the ledger would not stop growing, an authority that is required did not confirm the time, or
                values that are to be withheld also stand elsewhere.
            UsageError: something cannot be withheld.
        """
        tell = progress or (lambda _step, _done, _total: None)
        evaluated, checkpoint = self._settled(framework, period, tell)
        identity = self._keys.identity()
        out.mkdir(parents=True, exist_ok=True)
        work = Path(tempfile.mkdtemp(prefix=".pack-", dir=out))
        try:
            withheld = self._withheld(evaluated, withholding, identity, work)
            shown, stated = (withheld.evaluated, withheld.stated) if withheld else (evaluated, None)
            facts = _Asked(engagement, stated)
            draft, members, signed_at = self._signed(shown, checkpoint, identity, facts, work, tell)
            tell("writing", 3, _STEPS)
            path = out / _file_name(evaluated, is_whole=withheld is None)
            if withheld is not None:
                _write_disclosures(withheld, draft, path)
            digest = write_pack(members, path)
        finally:
            shutil.rmtree(work, ignore_errors=True)
        self._register(draft, path, digest, signed_at)
        for record in draft.report.times:
            if record.state == "failed":
                _LOG.warning("time-stamp authority %s", record)
            if on_time is not None:
                on_time(record)
        return path

    def _signed(
        self,
        evaluated: EvaluatedPeriod,
        checkpoint: bytes,
        identity: SigningIdentity,
        asked: _Asked,
        work: Path,
        tell: Progress,
    ) -> tuple[Draft, dict[str, Content], int]:
        """Draft and sign, again without an authority that failed on the way; each turn has one fewer."""
        self._time.check()
        crls = self._time.crls()
        digest = hashlib.sha256(checkpoint).hexdigest()
        desk = TimeDesk(self._time.authorities, digest, self._clock.now())
        for turn in range(len(self._time.authorities) + 1):
            self._time.require(desk.records())
            folder = work / str(turn)
            folder.mkdir()
            tell("gathering evidence", 1, _STEPS)
            draft = draft_pack(self._ingredients(evaluated, checkpoint, identity, asked, desk), render_report, folder)
            tell("signing", 2, _STEPS)
            signed_at = self._clock.now()
            try:
                return draft, sign_pack(draft, identity, signed_at, desk, crls), signed_at
            except AuthorityFailed:
                shutil.rmtree(folder)
        raise CheckFailed("the time-stamp authorities failed one after the other")

    def _withheld(
        self, evaluated: EvaluatedPeriod, asked: WithholdingRequest | None, identity: SigningIdentity, work: Path
    ) -> Withheld | None:
        if asked is None:
            return None
        if self._secret is None:
            raise UsageError("nothing can be withheld here: there is no secret for salts")
        folder = work / "withheld"
        folder.mkdir()
        withheld = withhold(evaluated, asked, identity.subject, self._secret(), folder)
        for place, count in sorted(withheld.remaining.items()):
            _LOG.warning("values that are withheld also stand, and are shown, in %s (%d)", place, count)
        return withheld

    def _settled(self, framework: str, period: Period, tell: Progress) -> tuple[EvaluatedPeriod, bytes]:
        """Evaluate until the checkpoint is of the very ledger that was evaluated."""
        for _ in range(_ATTEMPTS):
            evaluated = self._evaluator.evaluate(framework, period, tell)
            checkpoint = self._ledger.cosigned_checkpoint()
            if open_checkpoint(checkpoint, [self._ledger.verifier_key]).size == evaluated.evaluation.ledger_size:
                return evaluated, checkpoint
        raise CheckFailed("records are being collected while the pack is built", hint="Build it when that is done")

    def _ingredients(
        self,
        evaluated: EvaluatedPeriod,
        checkpoint: bytes,
        identity: SigningIdentity,
        asked: _Asked,
        desk: TimeDesk,
    ) -> Ingredients:
        evaluation = evaluated.evaluation
        size = evaluation.ledger_size
        runs = [ProvenRun(index=entry.index, raw=raw) for entry, raw in self._ledger.scan(0, size, kind=RUN_KIND)]
        with self._database.session(writes=False) as session:
            earlier = repository.previous(session, evaluation.framework, size)
        indices = ledger_indices(evaluated.segments, [run.index for run in runs])
        facts = Facts(
            organisation=self._organisation,
            collections=tuple(run.run for run in runs),
            signer=_signer(identity),
            checkpoint=checkpoint.decode(),
            previous_size=earlier.tree_size if earlier else None,
            software=software_versions(),
            engagement=asked.engagement.name,
            also=asked.engagement.also,
            withheld=asked.withheld,
            times=desk.records(),
        )
        ledger = LedgerPart(
            checkpoint=checkpoint,
            key=self._ledger.verifier_key,
            entries=self._ledger.leaves(indices),
            subset=SubsetProof(size=size, hashes=_hex(self._ledger.prove_subset(indices, size))),
            consistency=self._consistency(earlier, size),
            runs=runs,
            stamps=[token.response for token in desk.checkpoint()],
        )
        folders = Folders(populations=evaluated.segments, results=evaluated.results)
        return Ingredients(
            facts=facts,
            evaluation=evaluation,
            controls=evaluated.controls,
            folders=folders,
            ledger=ledger,
            # What was measured before anything was withheld may be something else.
            measured=evaluated.metrics if asked.withheld is None else None,
        )

    def _consistency(self, earlier: PackInfo | None, size: int) -> Consistency:
        if earlier is None:
            return Consistency(previous=None, proof=())
        proof = self._ledger.prove_consistency(earlier.tree_size, size)
        return Consistency(previous=earlier.checkpoint, proof=_hex(proof))

    def _register(self, draft: Draft, path: Path, digest: str, signed_at: int) -> None:
        evaluation = draft.report.evaluation
        manifest = hashlib.sha256(draft.content_manifest).hexdigest()
        pack = PackInfo(
            id=digest[:16],
            framework=evaluation.framework,
            period=evaluation.period,
            built_at=signed_at,
            tree_size=evaluation.ledger_size,
            checkpoint=draft.report.checkpoint,
            content_manifest_sha256=manifest,
            sha256=digest,
            size=path.stat().st_size,
            path=path.absolute(),
        )
        with self._database.session() as session:
            repository.save(session, pack)
            session.commit()


def _signer(identity: SigningIdentity) -> SignerInfo:
    return SignerInfo(
        subject=identity.subject,
        certificate_sha256=identity.certificate_sha256,
        is_development=identity.is_development,
        chain_sha256=tuple(fingerprint_of(issuer) for issuer in identity.chain),
    )


def _write_disclosures(withheld: Withheld, draft: Draft, pack: Path) -> None:
    with withheld.lines.open("rb") as lines:
        write_file(disclosures_path(pack), hashlib.sha256(draft.content_manifest).hexdigest(), lines)


def _file_name(evaluated: EvaluatedPeriod, *, is_whole: bool) -> str:
    period = evaluated.evaluation.period
    first, last = period.days
    return f"proofroom-{evaluated.evaluation.framework}-{first}-{last}{'' if is_whole else '-withheld'}.zip"


def _hex(hashes: list[bytes]) -> tuple[str, ...]:
    return tuple(value.hex() for value in hashes)
