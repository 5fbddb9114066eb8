# SPDX-License-Identifier: Apache-2.0

"""From a session's credential to the grant that issued it.

In:  grants with a ``credential_ref``, and credentials, whose id is such a reference and whose subject is the login or
     serial in clear.
Out: the grants a session's account or credential leads to, each with the reason.

OpenBao logs a leased user name as an HMAC, and ``sys/audit-hash`` gives that HMAC for a name in clear; it returns the
serial of an SSH certificate in hex, while sshd logs it in decimal.
"""

from collections.abc import Iterable, Iterator

import msgspec

from app.records.folding import FoldedRecord
from app.records.model import Credential, Grant, Session

Right = FoldedRecord[Grant]

_SMALLEST_SERIAL = 1 << 32
"""Serials are 64 random bits. Small numbers are counters or ids, whose digits mean something else in another base."""
_LONGEST_SERIAL = 20


class Issued(msgspec.Struct, frozen=True):
    """A grant that issued a credential, why that is known, and the ledger entries of the credential that proves it."""

    grant: Right
    why: str
    ledger: tuple[int, ...] = ()


class CredentialIndex:
    """Grants by everything that their credential is called."""

    def __init__(self, grants: Iterable[Right], credentials: Iterable[FoldedRecord[Credential]]) -> None:
        self._by_reference: dict[str, list[Right]] = {}
        self._by_serial: dict[tuple[int, int], list[Right]] = {}
        self._ledger: dict[str, tuple[int, ...]] = {}
        self._references: dict[str, set[str]] = {}
        self._serial_references: dict[tuple[int, int], set[str]] = {}
        for grant in grants:
            reference = grant.record.credential_ref
            if reference:
                self._by_reference.setdefault(reference, []).append(grant)
                for serial in _serials(reference):
                    self._by_serial.setdefault(serial, []).append(grant)
        for credential in credentials:
            subject = credential.record.subject
            if subject and credential.record.id in self._by_reference:
                known = self._ledger.get(credential.record.id, ())
                self._ledger[credential.record.id] = tuple(sorted({*known, *credential.ledger}))
                self._references.setdefault(subject, set()).add(credential.record.id)
                for serial in _serials(subject):
                    self._serial_references.setdefault(serial, set()).add(credential.record.id)

    def grants_of(self, session: Session) -> list[Issued]:
        """Return the grants that issued what a session logged in with, each once, sorted by item id."""
        found: dict[str, Issued] = {}
        for issued in self._candidates(session):
            found.setdefault(issued.grant.item_id, issued)
        return [found[item_id] for item_id in sorted(found)]

    def _candidates(self, session: Session) -> Iterator[Issued]:
        reference = session.credential_ref
        if reference:
            for grant in self._by_reference.get(reference, ()):
                yield Issued(grant, "session and grant state the same credential")
            for serial in _other_base(reference):
                for grant in self._by_serial.get(serial, ()):
                    yield Issued(grant, "the certificate serials are equal, one in hex and one in decimal")
        for name in dict.fromkeys(each for each in (session.run_as, session.subject, reference) if each):
            hashes = self._references.get(name, set()).union(
                *(self._serial_references.get(serial, set()) for serial in _other_base(name))
            )
            for known in sorted(hashes):
                for grant in self._by_reference[known]:
                    why = "the session's login is the one whose audit hash the grant states"
                    yield Issued(grant, why, self._ledger[known])


def _serials(text: str) -> list[tuple[int, int]]:
    """Return the readings of a text as a serial: (base, value), for decimal and for hex digits."""
    digits = text.replace(":", "") if len(text) <= 3 * _LONGEST_SERIAL else ""
    if not (digits.isascii() and digits.isalnum()) or len(digits) > _LONGEST_SERIAL:
        return []
    readings = [(base, _value(digits, base)) for base in (10, 16)]
    return [(base, value) for base, value in readings if value >= _SMALLEST_SERIAL]


def _other_base(text: str) -> list[tuple[int, int]]:
    """Return under which readings the same serial is found when it is written in the other base, or in other case."""
    return [(26 - base, value) for base, value in _serials(text)] + [
        (base, value)
        for base, value in _serials(text)
        if base == 16  # noqa: PLR2004
    ]


def _value(digits: str, base: int) -> int:
    try:
        return int(digits, base)
    except ValueError:
        return 0
