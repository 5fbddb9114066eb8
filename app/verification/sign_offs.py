# SPDX-License-Identifier: Apache-2.0

"""The step about sign-offs: who else looked at this pack and put a name to it."""

import hashlib

from app.errors import InvalidInput
from app.packs import layout
from app.packs.sign_off import read_sign_off
from app.records.times import format_instant
from app.signing.certificates import fingerprint_of, valid_at
from app.signing.chain import SIGNING, Search, find_path, spki_of, use_problems
from app.signing.revocation import ask_lists
from app.verification.anchors import read_all_anchors, read_lists
from app.verification.case import Case, need
from app.verification.outcome import Failed, NotDone, fail_if_any


def check(case: Case) -> str:
    """Check each sign-off the reader gave against this statement, its signer and the reader's anchors."""
    preparer = need(case.certificate, 3)
    if not case.reader.sign_offs:
        raise NotDone("no sign-off was given (--sign-off)")
    if case.trust is None:
        raise NotDone("no trust anchor was given (--trust), so a sign-off could be anybody's")
    taken = {spki_of(preparer)}
    said: list[str] = []
    problems: list[str] = []
    for name, data in case.reader.sign_offs:
        try:
            line, key = _one(case, data)
        except (InvalidInput, Failed) as error:
            wrong = error.problems if isinstance(error, Failed) else [error.what]
            problems += [f"{name}: {problem}" for problem in wrong]
            continue
        if key in taken:
            problems.append(f"{name} is signed with the preparer's key, or with that of another sign-off")
        taken.add(key)
        said.append(line)
    fail_if_any(problems)
    return "; ".join(said)


def _one(case: Case, data: bytes) -> tuple[str, bytes]:
    found = read_sign_off(data)
    certificate, signed_at = found.certificate, found.signed_at
    anchors = read_all_anchors(case.trust or ())
    path = find_path(certificate, Search(found.chain, anchors, signed_at, SIGNING))
    lists = ask_lists(path[:-1] or path, [*path[1:], *found.chain], read_lists(case.reader.crls), None)
    checks = (
        (found.manifest_sha256 == hashlib.sha256(case.raw(layout.MANIFEST)).hexdigest(), "it is about another pack"),
        (valid_at(certificate, signed_at), "its certificate was not valid when it signed"),
    )
    problems = [problem for holds, problem in checks if not holds]
    fail_if_any([*problems, *use_problems(certificate, SIGNING), *lists.revoked])
    comment = f": {found.content.comment}" if found.content.comment else ""
    line = (
        f"{found.content.role} {found.content.name} at {format_instant(signed_at)}, as it says"
        f" (certificate {fingerprint_of(certificate)}){comment}"
    )
    return line, spki_of(certificate)
