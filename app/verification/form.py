# SPDX-License-Identifier: Apache-2.0

"""Steps about form: the container, the statement, and that the files are the ones the statement names."""

import hashlib
import zipfile
from typing import IO

from app.packs import layout
from app.packs.container import first_difference, inspect_archive
from app.signing.dsse import read_statement
from app.verification.case import Case, need
from app.verification.outcome import fail_if_any, require


def container(case: Case) -> str:
    """Read the archive's directory, and write the archive again to compare every byte of it."""
    with case.path.open("rb") as file:
        members, problems = inspect_archive(file)
        if members:
            case.archive = zipfile.ZipFile(case.path)
            case.members = members
        if not problems:
            problems = _spelling_problems(case, file)
    fail_if_any(problems)
    return f"{len(members):,} files"


def statement(case: Case) -> str:
    """Parse ``manifest.json`` and its predicate, and require their one spelling."""
    case.statement = read_statement(case.raw(layout.MANIFEST))
    require(
        case.statement.predicate_type == layout.PREDICATE_TYPE,
        f"the statement's predicate is not {layout.PREDICATE_TYPE}",
    )
    case.predicate = layout.read_predicate(bytes(case.statement.predicate))
    predicate = case.predicate
    return f"{predicate.framework}, {predicate.period_start[:10]} until before {predicate.period_end[:10]}"


def files(case: Case) -> str:
    """Compare the SHA-256 of every file with the statement's; none may be missing and none be added."""
    named = {subject.name: subject.digest["sha256"] for subject in need(case.statement, 2).subject}
    present = set(case.names()) - layout.SIGNATURES
    problems = [f"{name} is missing" for name in sorted(set(named) - present)]
    for name in sorted(present):
        digest = case.found.get(name) or _digest(case, name)
        if digest is not None:
            case.digests[name] = digest
        if name not in named:
            problems.append(f"{name} is not named by the statement")
        elif digest != named[name]:
            problems.append(f"{name} differs from what the statement says")
        else:
            continue
        case.unfit.add(name)
    case.compared = True
    problems += [f"{name} is missing" for name in sorted(layout.SIGNATURES - set(case.names()))]
    fail_if_any(problems)
    return f"{len(named):,} files"


def content_manifest(case: Case) -> str:
    """Check the list that the PDF prints the digest of, and ``SHA256SUMS``, against the files."""
    data = case.read(layout.CONTENT_MANIFEST)
    listed = layout.read_content_manifest(data)
    sizes = {name: info.file_size for name, info in need(case.members, 1).items()}
    problems = [f"{name} is not listed" for name in sorted(set(case.digests) - layout.OUTSIDE_CONTENT - set(listed))]
    for name, (size, digest) in listed.items():
        if case.digests.get(name) != digest or sizes.get(name) != size:
            problems.append(f"{name} is not the file that is listed")
    if need(case.predicate, 2).content_manifest_sha256 != hashlib.sha256(data).hexdigest():
        problems.append("the statement records another digest of the content manifest")
    if case.read(layout.SUMS) != layout.make_sums(case.digests):
        problems.append(f"{layout.SUMS} is not the list of these files")
    fail_if_any(problems)
    return f"{len(listed):,} files; sha256 {hashlib.sha256(data).hexdigest()}"


def _spelling_problems(case: Case, file: IO[bytes]) -> list[str]:
    """Compare every byte with the one right spelling; the digests of the members come out of the same reading."""
    digests = {name: hashlib.sha256() for name in case.names()}
    whole = _Hashed(file)
    offset = first_difference(whole, need(case.members, 1), lambda name, piece: digests[name].update(piece))
    if offset is not None:
        return [f"it is not written as packs are: it differs at or soon after byte {offset}"]
    case.sha256 = whole.digest.hexdigest()
    case.found = {name: digest.hexdigest() for name, digest in digests.items()}
    return []


class _Hashed:
    """A file with the digest of what is read of it, which is the whole file if that has the right spelling."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.digest = hashlib.sha256()
        self._file.seek(0)

    def read(self, size: int) -> bytes:
        data = self._file.read(size)
        self.digest.update(data)
        return data


def _digest(case: Case, name: str) -> str | None:
    digest = hashlib.sha256()
    try:
        for chunk in case.chunks(name):
            digest.update(chunk)
    except (zipfile.BadZipFile, EOFError, OSError):
        return None
    return digest.hexdigest()
