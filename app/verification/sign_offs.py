# SPDX-License-Identifier: Apache-2.0

"""The step about sign-offs: who else looked at this pack and put a name to it."""

import hashlib

from app.errors import InvalidInput
from app.packs import layout
from app.packs.sign_off import SignOff, read_sign_off
from app.packs.times import CLOCK_SKEW
from app.records.times import format_instant
from app.signing.certificates import ends_at, fingerprint_of, valid_at
from app.signing.chain import SIGNING, Search, find_path, spki_of, use_problems
from app.signing.revocation import ask_lists
from app.signing.timestamps import read_response
from app.verification.anchors import read_all_anchors, read_lists
from app.verification.case import Case, need
from app.verification.outcome import Failed, NotDone, fail_if_any, require
from app.verification.stamps import Confirmed, held


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
    certificate, proven = found.certificate, _proven(case, found)
    moment = found.signed_at if proven is None else proven
    path = find_path(certificate, Search(found.chain, read_all_anchors(case.trust or ()), moment, SIGNING))
    lists = ask_lists(path[:-1] or path, [*path[1:], *found.chain], read_lists(case.reader.crls), proven)
    checks = (
        (found.manifest_sha256 == hashlib.sha256(case.raw(layout.MANIFEST)).hexdigest(), "it is about another pack"),
        (valid_at(certificate, found.signed_at), "its certificate was not valid when it signed"),
        (
            proven is None or found.signed_at <= proven + CLOCK_SKEW,
            "it claims to have been signed later than an authority saw it",
        ),
        (
            proven is not None or len(path) == 1 or case.now <= min(map(ends_at, path[:-1])),
            "its certificate has expired, and no authority that you trust confirmed that it signed before",
        ),
    )
    problems = [problem for holds, problem in checks if not holds]
    fail_if_any([*problems, *use_problems(certificate, SIGNING), *lists.revoked])
    return _said(found, proven), spki_of(certificate)


def _proven(case: Case, found: SignOff) -> int | None:
    """Return by when it was signed, as an authority that the reader trusts confirmed; None if none did."""
    digest = hashlib.sha256(found.signature).hexdigest()
    tokens = [read_response(response) for response in found.responses]
    require(all(token.sha256 == digest for token in tokens), "it carries a time stamp over something else")
    judged = [held(case, token, case.now) for token in tokens]
    return min((one.token.latest for one in judged if isinstance(one, Confirmed)), default=None)


def _said(found: SignOff, proven: int | None) -> str:
    when = f"at {format_instant(found.signed_at)}, as it says"
    if proven is not None:
        when = f"by {format_instant(proven)}, confirmed"
    comment = f": {found.content.comment}" if found.content.comment else ""
    who = f"{found.content.role} {found.content.name}"
    return f"{who} {when} (certificate {fingerprint_of(found.certificate)}){comment}"
