# SPDX-License-Identifier: Apache-2.0

"""Ask time-stamp authorities about one pack, and keep a record of what each answered.

In:  authorities, each able to stamp a digest; what is to be stamped: the ledger's checkpoint, the PDF, the statement.
Out: tokens; and for each authority one line: it confirmed everything, or it failed, when and why.

One rule keeps this simple: an authority that fails once, at whatever, is out, and everything that says otherwise is
made anew without it. So a pack has a token of each authority that it names as ``granted`` over everything, and none of
any other. That the line is inside what is signed is what makes a token that was taken away be missed.
"""

from collections.abc import Sequence
from typing import Literal, Protocol

import msgspec

from app.errors import CheckFailed, ProofroomError
from app.records.times import format_instant
from app.signing.timestamps import TimeToken

CLOCK_SKEW = 300_000
"""Milliseconds by which the clocks of signer and authority may differ: five minutes."""
_MAX_REASON = 200


class TimeRecord(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What became of asking one authority.

    Attributes:
        authority: its address, without user, password and query.
        state: ``granted`` if it confirmed the checkpoint, the PDF and the statement.
        reason: why it failed; empty if it did not.
        at: its time when it confirmed the checkpoint, epoch milliseconds; None if it failed.
    """

    authority: str
    state: Literal["granted", "failed"]
    reason: str
    at: int | None

    def __str__(self) -> str:
        """Return one line for people."""
        if self.at is None:
            return f"{self.authority} FAILED: {self.reason}"
        return f"{self.authority} confirmed the state of the ledger at {format_instant(self.at)}"


class Authority(Protocol):
    """Stamps digests."""

    name: str

    def stamp(self, sha256: str) -> TimeToken:
        """Return a token over a hex SHA-256.

        Raises:
            ProofroomError: it cannot be had; the message says why, without a secret.
        """
        ...


class AuthorityFailed(CheckFailed):
    """An authority failed after it had confirmed something; what names it must be made anew."""


class TimeDesk:
    """Asks every authority that has not failed yet.

    Args:
        authorities: those that are set up, in the order in which they are named.
        checkpoint_sha256: hex digest of the ledger's checkpoint, which each is asked to confirm first.
        now: our own time, epoch milliseconds: an authority that is far behind it would contradict the signer.
    """

    def __init__(self, authorities: Sequence[Authority], checkpoint_sha256: str, now: int) -> None:
        self._authorities = {authority.name: authority for authority in authorities}
        self._now = now
        self._reasons: dict[str, str] = {}
        self._first: dict[str, TimeToken] = {}
        for name in self._authorities:
            try:
                self._first[name] = self._ask(name, checkpoint_sha256)
            except AuthorityFailed:
                continue

    def records(self) -> tuple[TimeRecord, ...]:
        """Return a line for every authority, in their order."""
        return tuple(
            TimeRecord(authority=name, state="failed", reason=self._reasons[name], at=None)
            if name in self._reasons
            else TimeRecord(authority=name, state="granted", reason="", at=self._first[name].at)
            for name in self._authorities
        )

    def checkpoint(self) -> tuple[TimeToken, ...]:
        """Return the tokens over the checkpoint of those that have not failed."""
        return tuple(self._first[name] for name in self._granting())

    def stamp(self, sha256: str) -> tuple[TimeToken, ...]:
        """Return a token of each over a hex SHA-256.

        Raises:
            AuthorityFailed: one of them failed now.
        """
        return tuple(self._ask(name, sha256) for name in self._granting())

    def stamp_one(self, sha256: str) -> TimeToken:
        """Return a token of the first, for a PDF, whose readers look at one only.

        Raises:
            AuthorityFailed: it failed now.
        """
        return self._ask(self._granting()[0], sha256)

    def _granting(self) -> list[str]:
        return [name for name in self._authorities if name not in self._reasons]

    def _ask(self, name: str, sha256: str) -> TimeToken:
        try:
            token = self._authorities[name].stamp(sha256)
        except ProofroomError as error:
            raise self._failure(name, error.what) from error
        earlier = self._first.get(name, token)
        if (token.authority.issuer, token.chain) != (earlier.authority.issuer, earlier.chain):
            raise self._failure(name, "it came with other certificates than a moment before")
        if token.latest + CLOCK_SKEW < self._now:
            raise self._failure(name, f"its clock is behind ours: it says {format_instant(token.at)}")
        return token

    def _failure(self, name: str, reason: str) -> AuthorityFailed:
        printable = "".join(char if char.isprintable() else " " for char in reason)
        self._reasons[name] = printable[:_MAX_REASON]
        return AuthorityFailed(f"the time-stamp authority {name} failed: {printable[:_MAX_REASON]}")
