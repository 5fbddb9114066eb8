# SPDX-License-Identifier: Apache-2.0

"""Verify an evidence pack: run every step that can be run, and report all of them.

In:  a pack, and the trust anchor of whoever verifies.
Out: a ``VerificationReport``.
It reads nothing else: no network, no database, no configuration. What the pack says about itself is not believed until
a step has shown it. Most of the steps are in a file named for their subject; ``steps.py`` is the list.
"""

import hashlib
import tempfile
from collections.abc import Callable, Sequence
from io import BufferedReader
from pathlib import Path

import msgspec
import pyarrow as pa

from app.clock import SystemClock
from app.errors import InvalidInput
from app.signing.certificates import fingerprint_of
from app.verification.case import Case
from app.verification.reader import Reader
from app.verification.report import StepResult, StepState, VerificationReport
from app.verification.step import Step, printable, run_step
from app.verification.steps import STEPS

SIGNER_STEP = 5
MAX_TRUST = 1 << 20
"""A mebibyte of a trust anchor is read; a certificate has one or two kilobytes."""
MAX_GIVEN = 1 << 26
"""64 MiB: the largest revocation lists have some tens."""
MAX_DISCLOSED = 1 << 30
"""A gibibyte of disclosures: some millions of values."""
Progress = Callable[[str, int, int], None]


def verify(
    path: Path,
    trust: bytes | Sequence[bytes] | None = None,
    progress: Progress | None = None,
    reader: Reader | None = None,
) -> VerificationReport:
    """Verify a pack by all steps.

    Args:
        path: the ZIP file.
        trust: one or more files: a certificate, several (PEM), or a public key, of the signer or of an authority above.
        progress: told the name of each step before it runs, its place and the number of steps.
        reader: what else the caller brings along: anchors for time, revocation lists, sign-offs.

    Raises:
        InvalidInput: the file cannot be opened. Whatever is wrong inside is in the report instead.
    """
    return run(path, trust, STEPS, progress, reader)


def read_trust(path: Path) -> bytes:
    """Return the bytes of a trust anchor.

    Raises:
        InvalidInput: the file cannot be read.
    """
    try:
        with path.open("rb") as file:
            return file.read(MAX_TRUST)
    except OSError as error:
        raise InvalidInput(f"the trust anchor cannot be read ({error.strerror})", where=str(path)) from error


def read_given(path: Path, limit: int = MAX_GIVEN) -> bytes:
    """Return the bytes of another file that the caller brings along: a revocation list, a sign-off.

    Raises:
        InvalidInput: the file cannot be read, or is too large: cut off, a list would say less than it does.
    """
    try:
        with path.open("rb") as file:
            data = file.read(limit + 1)
    except OSError as error:
        raise InvalidInput(f"the file cannot be read ({error.strerror})", where=str(path)) from error
    if len(data) > limit:
        raise InvalidInput("the file is too large", where=str(path))
    return data


def run(
    path: Path,
    trust: bytes | Sequence[bytes] | None,
    steps: Sequence[Step],
    progress: Progress | None = None,
    reader: Reader | None = None,
) -> VerificationReport:
    """Run some of the steps, in order; ``verify`` runs all of them, and only that verifies a pack."""
    _open(path).close()
    results = []
    given = reader or Reader()
    anchors = (trust,) if isinstance(trust, bytes) else None if trust is None else tuple(trust)
    now = SystemClock().now() if given.now is None else given.now
    with tempfile.TemporaryDirectory(prefix="proofroom-verify-") as work:
        case = Case(path, anchors, Path(work), given, now)
        for place, step in enumerate(steps):
            if progress is not None:
                progress(step.name, place, len(steps))
            results.append(_required(run_step(step, case), anchors))
            pa.default_memory_pool().release_unused()  # Else each step would keep what it has read from the next one.
        case.close()
    digest = case.sha256 or _sha256(path)  # That of the very bytes that the steps have read, if they have.
    failed = [step.number for step in results if step.state is StepState.FAILED]
    left_out = [step.number for step in results if step.state is StepState.NOT_DONE and step.required]
    signer_checked = any(step.number == SIGNER_STEP and step.state is StepState.OK for step in results)
    return VerificationReport(
        pack=printable(path.name),
        pack_sha256=digest,
        holds=not failed and not left_out,
        signer_checked=signer_checked,
        certificate_sha256=fingerprint_of(case.certificate) if case.certificate else None,
        verdict=_verdict(failed, left_out, signer_checked=signer_checked) + _claimed(case.not_reperformed),
        withheld=tuple(map(printable, case.withheld.fields)) if case.withheld else (),
        not_reperformed=case.not_reperformed,
        cautions=() if failed or left_out else tuple(filter(None, (*case.cautions, case.caution_about_flags))),
        steps=tuple(results),
    )


def _open(path: Path) -> BufferedReader:
    try:
        return path.open("rb")
    except OSError as error:
        raise InvalidInput(f"the pack cannot be opened ({error.strerror})", where=str(path)) from error


def _sha256(path: Path) -> str:
    with _open(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _required(result: StepResult, anchors: tuple[bytes, ...] | None) -> StepResult:
    """Whoever names a trust anchor asks who signed: then that must be answered."""
    is_asked = anchors is not None and result.number == SIGNER_STEP
    return msgspec.structs.replace(result, required=result.required or is_asked)


def _verdict(failed: list[int], left_out: list[int], *, signer_checked: bool) -> str:
    if failed:
        return f"This pack does NOT verify: step {_numbers(failed)} failed. Do not rely on it."
    if left_out:
        return f"This pack does NOT verify: step {_numbers(left_out)} could not be done."
    if not signer_checked:
        return (
            "Every step that was done holds, but WHO signed was not checked: anybody can make such a pack and sign it."
            " Give --trust, or compare the certificate's fingerprint with the one the signer published."
        )
    return "Every step holds, and the signer is the one you trust."


def _claimed(tests: Sequence[str]) -> str:
    """Say that the outcomes of tests are a claim, whatever else the verdict is."""
    return f" Not run again, because values are withheld: {', '.join(tests)}." if tests else ""


def _numbers(numbers: list[int]) -> str:
    return ", ".join(str(number) for number in numbers)
