# SPDX-License-Identifier: Apache-2.0

"""Ask time-stamp authorities about one digest, and keep what each of them answered to say it.

In:  authorities, a SHA-256. Out: tokens, and a line an authority: when it confirmed, or that it FAILED and why.
For what stands beside a pack: sign-offs and renewals. What goes into a pack asks ``app.packs.times``.
"""

from collections.abc import Sequence

from app.errors import CheckFailed, ProofroomError
from app.packs.times import Authority
from app.records.times import format_instant
from app.signing.timestamps import TimeToken

_MAX_REASON = 200


class Answers:
    """What authorities answered.

    Args:
        authorities: those that are set up, in order.
        is_required: fail if one that was asked fails.

    Attributes:
        lines: one sentence for each that was asked.
    """

    def __init__(self, authorities: Sequence[Authority], *, is_required: bool = False) -> None:
        self._authorities = authorities
        self._is_required = is_required
        self.lines: list[str] = []

    def responses(self, sha256: str) -> list[bytes]:
        """Return a response of every authority that grants one.

        Raises:
            CheckFailed: one fails, and all are required.
        """
        tokens = [self._ask(authority, sha256) for authority in self._authorities]
        return [token.response for token in tokens if token is not None]

    def first(self, sha256: str) -> TimeToken:
        """Return the token of the first authority that grants one.

        Raises:
            CheckFailed: none does, or one fails and all are required.
        """
        for authority in self._authorities:
            token = self._ask(authority, sha256)
            if token is not None:
                return token
        raise CheckFailed(
            "; ".join(self.lines) or "no time-stamp authority is set up",
            where="timestamp_urls",
            hint="Name one, or try again when it answers",
        )

    def _ask(self, authority: Authority, sha256: str) -> TimeToken | None:
        try:
            token = authority.stamp(sha256)
        except ProofroomError as error:
            reason = "".join(char if char.isprintable() else " " for char in error.what)[:_MAX_REASON]
            self.lines.append(f"{authority.name} FAILED: {reason}")
            if self._is_required:
                raise CheckFailed(f"a time-stamp authority is required, and {self.lines[-1]}") from error
            return None
        self.lines.append(f"{authority.name} confirmed at {format_instant(token.at)}")
        return token
