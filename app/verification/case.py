# SPDX-License-Identifier: Apache-2.0

"""What the steps of one verification know: the archive, the trust anchor, and what earlier steps have read.

Bytes that differ from what the signed statement says of them are never given to a later step: only the step that
compares them sees them. Neither is anything else of a pack whose statement nobody has validly signed, or somebody else
than the trust anchor names. So no parser of Parquet, PDF or YAML is fed what nobody has signed for.
"""

import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, TypeVar

import msgspec
import pyarrow.parquet as pq
from cryptography import x509

from app.controls.loader import Controls
from app.errors import InvalidInput
from app.evaluation.metric_model import MetricResult
from app.evaluation.metrics import measure
from app.ledger.note import Checkpoint, VerifierKey
from app.packs.container import CHUNK
from app.packs.layout import POPULATIONS, REPORT_JSON, RESULTS, Predicate
from app.packs.model import ReportData, Withholding
from app.packs.report import Folders
from app.packs.rows import KeptRows
from app.signing.dsse import Bundle, Statement
from app.signing.pdf_check import PdfSignature
from app.signing.timestamps import TimeToken
from app.trails.segments import PERIOD
from app.verification.outcome import Failed, NotDone
from app.verification.reader import Reader

MAX_IN_MEMORY = 1 << 29
"""512 MiB: the largest single file that a step reads whole; a report has a few megabytes."""
MAX_ROWS = 20_000_000
"""The largest population that a step looks at; a file of a few bytes can claim any number of rows."""
_ROWS_A_BYTE = 16
"""Items have ids of their own, so real files take more than a byte for two rows."""
MAX_UNSIGNED = 1 << 26
"""64 MiB: the same for the statement and its signatures, which are parsed before anybody is known to have signed."""
_T = TypeVar("_T")


class Case:
    """The state of one verification. A value that is None has not been established by its step.

    Attributes:
        path: the archive. trust: the anchors' bytes as the caller gave them; None if the caller gave none.
        reader: what else the caller gave. now: the caller's time, epoch milliseconds.
        work: an empty folder for this verification alone.
        certificate: whose signature over the statement holds. bundle: what holds it. chain: issuers the pack brings.
        pdf: what is known of the report's signature. statement_tokens, checkpoint_tokens: time stamps that fit.
        cautions: what holds today and may not be enough; sentences for the verdict.
        is_strangers: there is a trust anchor, and it does not vouch for who signed.
        unfit: names of files that differ from the statement; filled by the step that compares them.
        sha256: hex SHA-256 of the archive, if it was read as a whole.
        found: name to hex SHA-256 of every file, if the archive has been read as a whole and is spelled as packs are.
        digests: name to hex SHA-256 of every file, as found.
        reperformed: the populations, with results the verifier made. derived: the files the verifier made from those.
        listings: names of the listings that the verifier made, and whether the pack has the same.
        kept: rows that a step has picked out of the populations.
        caution_about_flags: what rests on flags of withheld texts, until all of these texts are disclosed.
        not_reperformed: tests whose outcomes are the signer's claim, because the pack withholds what they read.
    """

    not_reperformed: tuple[str, ...] = ()
    caution_about_flags: str | None = None
    sha256: str | None = None
    listings: Mapping[str, bool] | None = None
    _measured: tuple[MetricResult, ...] | None = None

    def __init__(self, path: Path, trust: tuple[bytes, ...] | None, work: Path, reader: Reader, now: int) -> None:
        self.path = path
        self.trust = trust
        self.work = work
        self.reader = reader
        self.now = now
        self.cautions: list[str] = []
        self.bundle: Bundle | None = None
        self.chain: tuple[x509.Certificate, ...] = ()
        self.pdf: PdfSignature | None = None
        self.statement_tokens: tuple[TimeToken, ...] | None = None
        self.checkpoint_tokens: tuple[TimeToken, ...] | None = None
        self.archive: zipfile.ZipFile | None = None
        self.members: dict[str, zipfile.ZipInfo] | None = None
        self.statement: Statement | None = None
        self.predicate: Predicate | None = None
        self.certificate: x509.Certificate | None = None
        self.is_strangers = self.compared = False
        self.unfit: set[str] = set()
        self.found: dict[str, str] = {}
        self.digests: dict[str, str] = {}
        self.checkpoint_key: VerifierKey | None = None
        self.checkpoint: Checkpoint | None = None
        self.boxes: dict[int, bytes] | None = None
        self.sources: set[str] | None = None
        self._report: ReportData | None = None
        self.controls: Controls | None = None
        self._folders: Folders | None = None
        self.reperformed: Folders | None = None
        self.derived: Path | None = None
        self.kept = KeptRows()

    def close(self) -> None:
        """Let go of the archive."""
        if self.archive is not None:
            self.archive.close()

    def names(self) -> list[str]:
        """Return the names of all members, in order.

        Raises:
            NotDone: the archive cannot be read.
        """
        return sorted(need(self.members, 1))

    def chunks(self, name: str) -> Iterator[bytes]:
        """Yield a member's bytes in pieces, whatever they are.

        Raises:
            NotDone: there is no such member.
        """
        with self.stream(name) as stream:
            while chunk := stream.read(CHUNK):
                yield chunk

    def stream(self, name: str) -> IO[bytes]:
        """Open a member, whatever its bytes are.

        Raises:
            NotDone: there is no such member.
        """
        info = need(self.members, 1).get(name)
        if info is None:
            raise NotDone(f"there is no {name}")
        return need(self.archive, 1).open(info)

    def raw(self, name: str, limit: int = MAX_UNSIGNED) -> bytes:
        """Return a member's bytes, whatever they are; only for files that no statement covers.

        Raises:
            Failed: there is no such member; a pack without its signatures is no pack.
            NotDone: it is too large to be read whole.
        """
        info = need(self.members, 1).get(name)
        if info is None:
            raise Failed([f"there is no {name}"])
        if info.file_size > limit:
            raise NotDone(f"{name} is larger than {limit} bytes")
        return b"".join(self.chunks(name))

    def fit(self, name: str) -> None:
        """Refuse a file that is not the one the statement names, and any file if nobody trusted signed the statement.

        Raises:
            NotDone: it differs, or the files could not be compared, or the signature or the signer does not hold.
        """
        need(self.certificate, 3)
        if self.is_strangers:
            raise NotDone("the signer is not the one you trust (step 5)")
        if not self.compared:
            raise NotDone("the files could not be compared with the statement (step 6)")
        if name in self.unfit or name not in self.digests:
            raise NotDone(f"{name} is not the file that was signed (step 6)")

    def read(self, name: str) -> bytes:
        """Return the bytes of a file that is what the statement says.

        Raises:
            NotDone: it is not.
        """
        self.fit(name)
        return self.raw(name, MAX_IN_MEMORY)

    def report(self) -> ReportData:
        """Return what ``report.json`` says.

        Raises:
            NotDone: it is not what the statement says.
            InvalidInput: it is not a report.
        """
        if self._report is None:
            try:
                self._report = msgspec.json.decode(self.read(REPORT_JSON), type=ReportData)
            except msgspec.DecodeError as error:
                raise InvalidInput(f"{REPORT_JSON} is not a report ({error})") from error
        return self._report

    @property
    def withheld(self) -> Withholding | None:
        """Return what the report says is withheld; None, too, before any step has read the report."""
        return self._report.withheld if self._report else None

    def measured(self) -> tuple[MetricResult, ...]:
        """Return every metric, computed once from the items and the outcomes that the verifier made.

        Raises:
            NotDone: an earlier step could not establish what this needs.
        """
        if self._measured is None:
            controls, folders = need(self.controls, 13), need(self.reperformed, 15)
            self._measured = measure(controls, self.report().evaluation, folders.populations, folders.results)
        return self._measured

    def pieces(self, name: str) -> Iterator[bytes]:
        """Yield, in pieces of whole lines, a file that is what the statement says; a line of a mebibyte may be cut.

        Raises:
            NotDone: it is not.
        """
        self.fit(name)
        waiting = b""
        for chunk in self.chunks(name):
            end = chunk.rfind(b"\n") + 1
            if end or len(waiting) >= CHUNK:
                yield waiting + chunk[:end]
                waiting = b""
            waiting += chunk[end:]
        if waiting:
            yield waiting

    def below(self, folder: str) -> list[str]:
        """Return the names of the files below a folder, in order, all of which are what the statement says.

        Raises:
            NotDone: one of them is not.
        """
        names = [name for name in self.names() if name.startswith(f"{folder}/")]
        for name in names:
            self.fit(name)
        return names

    def folders_of_pack(self) -> Folders:
        """Unpack the Parquet files, and the period of the populations, and return where they are.

        Raises:
            NotDone: one of them is not what the statement says.
        """
        if self._folders is None:
            folders = Folders(populations=self.unpack(POPULATIONS), results=self.unpack(RESULTS))
            (folders.populations / PERIOD).write_bytes(self.read(f"{POPULATIONS}/{PERIOD}"))
            self._folders = folders
        return self._folders

    def unpack(self, folder: str) -> Path:
        """Write the Parquet files below a folder to disk and return that folder.

        The names were checked to be plain relative paths when the archive was opened.

        Raises:
            NotDone: one of the files is not what the statement says.
            InvalidInput: one of them claims more rows than it can hold.
        """
        for name in self.below(folder):
            if name.endswith(".parquet"):
                path = self.work / "unpacked" / name
                path.parent.mkdir(parents=True, exist_ok=True)
                with path.open("wb") as output:
                    output.writelines(self.chunks(name))
                _check_rows(path, name)
        (self.work / "unpacked" / folder).mkdir(parents=True, exist_ok=True)
        return self.work / "unpacked" / folder


def need(value: _T | None, step: int) -> _T:
    """Return what an earlier step has established.

    Raises:
        NotDone: it could not.
    """
    if value is None:
        raise NotDone(f"step {step} did not establish what this needs")
    return value


def _check_rows(path: Path, name: str) -> None:
    """Refuse a Parquet file that claims more rows than its bytes can hold, before anybody makes room for them."""
    with pq.ParquetFile(path) as file:
        rows = file.metadata.num_rows
    if rows > min(MAX_ROWS, path.stat().st_size * _ROWS_A_BYTE):
        raise InvalidInput(f"it claims {rows:,} rows, more than it can hold", where=name)
