# SPDX-License-Identifier: Apache-2.0

"""Steps about time: the tokens fit what they are over, and authorities that the reader trusts issued them."""

import hashlib

from app.errors import InvalidInput
from app.packs import layout
from app.packs.times import CLOCK_SKEW
from app.records.times import format_instant, parse_instant
from app.signing.certificates import ends_at, valid_at
from app.signing.chain import name_of
from app.signing.pdf_check import PdfSignature
from app.signing.timestamps import TimeToken, read_response
from app.verification.case import Case, need
from app.verification.outcome import NotDone, fail_if_any, require
from app.verification.stamps import Confirmed, held, holds_until

_AFTER_EXPIRY = (
    "You trust that very certificate: its tokens hold as long as nobody else has had its key since. A pack that must"
    " last longer is renewed before that ('proofroom pack renew')."
)
_RENEWED = "The renewals you gave show that its tokens were there before."


def proven_time(case: Case) -> int | None:
    """Return by when the statement was signed, as an authority that the reader trusts confirmed; None if none did.

    Raises:
        Failed: what the reader gave cannot be read.
    """
    bundle = need(case.bundle, 3)
    digest = hashlib.sha256(bundle.signature).hexdigest()
    tokens = [token for token in map(_read_or_none, bundle.responses) if token is not None and token.sha256 == digest]
    until, is_renewed = holds_until(case)
    found = [held(case, token, until) for token in tokens]
    times = [one.token.latest for one in found if isinstance(one, Confirmed)]
    if is_renewed and valid_at(need(case.certificate, 3), until):  # A later one does not say when it was signed.
        times.append(until)
    return min(times, default=None)


def tokens(case: Case) -> str:
    """Check that the pack has exactly the tokens that the statement names, each over what it should be over."""
    predicate, bundle = need(case.predicate, 2), need(case.bundle, 3)
    pdf = need(case.pdf, 8)
    granted = [record for record in predicate.times if record.state == "granted"]
    statement = [read_response(response) for response in bundle.responses]
    names = [layout.checkpoint_token(place) for place in range(len(granted))]
    checkpoint = [read_response(case.read(name)) for name in names]
    problems = []
    if len(statement) != len(granted):
        problems.append(
            f"the statement names {len(granted)} authorities that confirmed it; the bundle has {len(statement)} tokens"
        )
    if (pdf.token is not None) != bool(granted) or (pdf.archive is not None) != bool(granted):
        problems.append("the PDF has other time stamps than the statement says")
    problems += _digest_problems(statement, hashlib.sha256(bundle.signature).hexdigest(), "the statement's signature")
    problems += _digest_problems(checkpoint, hashlib.sha256(case.read(layout.CHECKPOINT)).hexdigest(), "the checkpoint")
    fail_if_any(problems)
    problems += _order_problems(predicate, statement, checkpoint)
    problems += [
        "the tokens of one authority come with different certificates"
        for one, other in zip(statement, checkpoint, strict=True)
        if (one.authority.issuer, one.chain) != (other.authority.issuer, other.chain)
    ]
    fail_if_any(problems)
    case.statement_tokens, case.checkpoint_tokens = tuple(statement), tuple(checkpoint)
    failed = [f"{record.authority} failed: {record.reason}" for record in predicate.times if record.state == "failed"]
    if not predicate.times:
        return "no authority was asked; the time of signing is the signer's own claim"
    return "; ".join([f"{len(granted)} of {len(predicate.times)} authorities confirmed the time", *failed])


def trusted_time(case: Case) -> str:
    """Lead every token to an authority that the reader trusts, and say what it confirms, and for how long."""
    statement, checkpoint = need(case.statement_tokens, 20), need(case.checkpoint_tokens, 20)
    pdf = need(case.pdf, 8)
    if not case.reader.trust_time:
        said = "names authorities, and you gave none that you trust (--trust-time)" if statement else "has no token"
        raise NotDone(f"the pack {said}; the time of signing is the signer's own claim")
    until, is_renewed = holds_until(case)
    if not statement and is_renewed:
        return (
            f"no authority confirmed it when it was made; a renewal says that it was there by {format_instant(until)}"
        )
    require(bool(statement), "no authority confirmed the time; it is the signer's own claim")
    judged = [held(case, token, until) for token in statement]
    trusted = [one for one in judged if isinstance(one, Confirmed)]
    fail_if_any([] if trusted else [one for one in judged if isinstance(one, str)])
    kept = trusted[0]
    place = statement.index(kept.token)
    others = [checkpoint[place], *(token for token in (pdf.token, pdf.archive) if token is not None and place == 0)]
    fail_if_any([one for one in (held(case, token, until) for token in others) if isinstance(one, str)])
    case.cautions += _expiry_cautions(case, kept, is_renewed=is_renewed)
    moment = min(one.token.latest for one in trusted)
    parts = [
        f"signed by {format_instant(moment)}",
        f"ledger as of {format_instant(checkpoint[place].latest)}",
        f"report {pades_level(pdf)}",
        *(note for one in trusted for note in one.notes),
    ]
    return ", ".join(parts)


def pades_level(pdf: PdfSignature) -> str:
    """Return the level of EN 319 142-1 that a PDF's signature has, and no more than it has."""
    if pdf.certificate is None or pdf.token is None:
        return "PAdES B-B"
    certificates = [pdf.certificate, *pdf.chain, pdf.token.authority, *pdf.token.chain]
    # An authority that is an anchor needs no list; who is one, the reader says. Self-issued ones can only be anchors.
    needed = [one for one in certificates if one.subject != one.issuer]
    listed = {crl.issuer for crl in pdf.crls}
    has_material = all(one.issuer in listed for one in needed)
    if pdf.archive is None:
        return "PAdES B-LT" if has_material else "PAdES B-T"
    return "PAdES B-LTA" if has_material else "PAdES B-T with a time stamp over the document, without revocation lists"


def _read_or_none(response: bytes) -> TimeToken | None:
    try:
        return read_response(response)
    except InvalidInput:
        return None


def _digest_problems(found: list[TimeToken], digest: str, what: str) -> list[str]:
    return [f"a time-stamp token is over something else than {what}" for token in found if token.sha256 != digest]


def _order_problems(predicate: layout.Predicate, statement: list[TimeToken], checkpoint: list[TimeToken]) -> list[str]:
    claimed = parse_instant(predicate.signed_at)
    stated = [record.at for record in predicate.times if record.state == "granted"]
    checks = (
        ([token.at for token in checkpoint] == stated, "the statement says another time than the checkpoint's tokens"),
        (
            all(claimed <= token.latest + CLOCK_SKEW for token in statement),
            "the signer claims to have signed later than an authority saw the signature",
        ),
        (
            all(early.at <= late.latest for early, late in zip(checkpoint, statement, strict=True)),
            "the statement was confirmed before the ledger's checkpoint that it rests on",
        ),
    )
    return [problem for holds, problem in checks if not holds]


def _expiry_cautions(case: Case, kept: Confirmed, *, is_renewed: bool) -> list[str]:
    end = ends_at(kept.token.authority)
    if case.now <= end:
        return []
    said = f"The certificate of the authority '{name_of(kept.token.authority)}' expired on {format_instant(end)[:10]}."
    return [f"{said} {_RENEWED if is_renewed else _AFTER_EXPIRY}"]
