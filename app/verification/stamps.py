# SPDX-License-Identifier: Apache-2.0

"""Judge time-stamp tokens by the reader's anchors, and what renewals say of how long they hold.

An authority's word holds while its certificate is valid: afterwards nobody looks after its key, and no list says that
it was stolen. What it confirmed holds on if something newer, that still holds, shows that it was there before the end.
An authority whose own certificate the reader gave is believed beyond: that is the reader's to say.
"""

import msgspec
from cryptography import x509

from app.errors import InvalidInput
from app.packs.renewal import MAX_RENEWALS, renewal_digests
from app.records.times import format_instant
from app.signing.certificates import ends_at
from app.signing.chain import TIME_STAMPING, Search, find_path, name_of
from app.signing.revocation import ask_lists
from app.signing.timestamps import TimeToken, read_response
from app.verification.anchors import read_all_anchors, read_lists
from app.verification.case import Case
from app.verification.outcome import Failed, NotDone, require


class Confirmed(msgspec.Struct, frozen=True):
    """A token of an authority that the reader trusts.

    Attributes:
        notes: what happened to its certificates after the token.
        ends: when the first of its certificates below the anchor runs out, epoch ms; None if it is the anchor itself.
    """

    token: TimeToken
    notes: tuple[str, ...]
    ends: int | None

    def outlasts(self, moment: int) -> bool:
        """Tell whether the token still holds at an instant, by itself."""
        return self.ends is None or moment <= self.ends


def judge(case: Case, token: TimeToken) -> Confirmed | str:
    """Return the token if an authority that the reader trusts issued it, or why not."""
    anchors = read_all_anchors(case.reader.trust_time)
    try:
        path = find_path(token.authority, Search(token.chain, anchors, token.at, TIME_STAMPING))
    except InvalidInput as error:
        return error.what
    issuers = [*path[1:], *(anchor for anchor in anchors if isinstance(anchor, x509.Certificate))]
    asked = path[:-1] if len(path) > 1 else path
    found = ask_lists(asked, issuers, read_lists(case.reader.crls), token.at)
    if found.revoked:
        return f"{found.revoked[0]}, before the time it states"
    return Confirmed(token, found.notes, min(map(ends_at, path[:-1]), default=None))


def held(case: Case, token: TimeToken, until: int) -> Confirmed | str:
    """Return the token if it is trusted and still holds at an instant, or why not."""
    found = judge(case, token)
    if isinstance(found, Confirmed) and not found.outlasts(until):
        day = format_instant(found.ends or 0)[:10]
        return (
            f"the certificate of the authority '{name_of(token.authority)}' expired on {day}, and nothing that you gave"
            " shows that its token was there before (--renewal)"
        )
    return found


def renewed_by(case: Case) -> tuple[TimeToken, ...]:
    """Return the renewals that the reader gave, in order, each over the pack and the ones before it, and each held.

    Raises:
        NotDone: the reader gave none, or no anchor to judge them by.
        Failed: one is over something else, or by nobody trusted, or did not hold until the next one.
    """
    given = case.reader.renewals
    if not given:
        raise NotDone("no renewal was given (--renewal)")
    if not case.reader.trust_time:
        raise NotDone("renewals were given, and no authority that you trust (--trust-time)")
    require(len(given) <= MAX_RENEWALS, f"there are more than {MAX_RENEWALS} renewals")
    tokens = tuple(map(read_response, given))
    digests = renewal_digests(case.path, given[:-1])
    until = case.now
    for number in range(len(tokens), 0, -1):
        token = tokens[number - 1]
        fits = token.sha256 == digests[number - 1]
        require(fits, f"renewal {number} is not over this pack and the renewals before it")
        found = held(case, token, until)
        if isinstance(found, str):
            raise Failed([f"renewal {number}: {found}"])
        require(token.at <= until or number == len(tokens), f"renewal {number} is of a later time than the next one")
        until = token.latest
    return tokens


def holds_until(case: Case) -> tuple[int, bool]:
    """Return the instant until which the pack's own tokens must have held, and whether a renewal says so.

    That is the time of the first renewal, if there are renewals and all hold; else the reader's time.
    """
    try:
        return renewed_by(case)[0].latest, True
    except (NotDone, Failed, InvalidInput):
        return case.now, False


def check(case: Case) -> str:
    """Check the renewals: the step about them."""
    tokens = renewed_by(case)
    last = tokens[-1]
    said = f"{len(tokens)} renewals, " if len(tokens) > 1 else ""
    return f"{said}by '{name_of(last.authority)}' at {format_instant(last.at)}"
