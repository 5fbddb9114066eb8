# SPDX-License-Identifier: Apache-2.0

"""Every error a user can meet, in one tree.

    ProofroomError
    ├── UsageError             the command or request is wrong (exit 2, HTTP 400)
    ├── InvalidInput           a file, record or YAML document cannot be used (exit 2, HTTP 422)
    │   ├── RecordRejected     one record is set aside, counted and shown; the rest goes on
    │   └── ControlsInvalid    a file under controls/ does not load
    ├── NotFound               no such thing (exit 2, HTTP 404)
    ├── Forbidden              the caller may not do this (exit 2, HTTP 403)
    ├── Conflict               it cannot be done in the state that things are in (exit 2, HTTP 409)
    ├── CheckFailed            a check was carried out and did not hold (exit 1, HTTP 409)
    │   ├── LedgerCorrupt      the stored ledger contradicts itself
    │   └── VerificationFailed a pack does not verify
    ├── SourceUnavailable      a source cannot be reached now; try again (exit 1, HTTP 503)
    └── SourceRefused          a source refuses us; an operator must act (exit 1, HTTP 502)

An error says what is wrong, where, and what to do. It never carries a secret, nor text from a record beyond a short,
printable excerpt: the person under audit wrote that text.
"""

from typing import ClassVar


class ProofroomError(Exception):
    """Base of all errors we raise on purpose.

    Args:
        what: one sentence, without a final stop.
        where: a place a person can open: ``file:line``, an option, a field.
        hint: what to do next, one sentence.
    """

    code: ClassVar[str] = "error"
    exit_status: ClassVar[int] = 1

    def __init__(self, what: str, *, where: str | None = None, hint: str | None = None) -> None:
        super().__init__(what, where, hint)
        self.what = what
        self.where = where
        self.hint = hint

    def __str__(self) -> str:
        text = f"{self.where}: {self.what}" if self.where else self.what
        return f"{text}. {self.hint}" if self.hint else text


class UsageError(ProofroomError):
    """The command or the request itself is wrong."""

    code = "usage"
    exit_status = 2


class InvalidInput(ProofroomError):
    """Something handed to us cannot be used as it is."""

    code = "invalid-input"
    exit_status = 2


class RecordRejected(InvalidInput):
    """One record cannot be used; it is counted, its digest is kept, and the others go on."""

    code = "record-rejected"


class ControlsInvalid(InvalidInput):
    """One or more files under ``controls/`` do not load; ``problems`` lists all of them."""

    code = "controls-invalid"

    def __init__(self, problems: list[str]) -> None:
        super().__init__(f"{len(problems)} problem(s) in the controls:\n" + "\n".join(problems))
        self.problems = problems


class NotFound(ProofroomError):
    """There is no such thing."""

    code = "not-found"
    exit_status = 2


class Forbidden(ProofroomError):
    """The caller is known and may not do this."""

    code = "forbidden"
    exit_status = 2


class Conflict(ProofroomError):
    """What is asked for cannot be done in the state that things are in now."""

    code = "conflict"
    exit_status = 2


class CheckFailed(ProofroomError):
    """A check was carried out and did not hold."""

    code = "check-failed"


class LedgerCorrupt(CheckFailed):
    """The stored ledger contradicts its own hashes."""

    code = "ledger-corrupt"


class VerificationFailed(CheckFailed):
    """A pack does not verify."""

    code = "verification-failed"


class SourceUnavailable(ProofroomError):
    """A source cannot be reached at the moment; the same call may work later."""

    code = "source-unavailable"


class SourceRefused(ProofroomError):
    """A source refuses us; trying again changes nothing until somebody acts."""

    code = "source-refused"
