# SPDX-License-Identifier: Apache-2.0

"""Planted: what people typed, the four scenarios of a bad day among it, and what nobody looked at."""

from app.demo.consequences import command_item, session_items
from app.demo.model import Access, Story
from app.demo.oversight import looked_at
from app.demo.planting import Planted, Trip, changed, clean_access, on_session, with_ticket
from app.demo.story import ticket
from app.demo.times import HOUR


def planted_commands() -> tuple[Planted, ...]:
    """Return the deviations of commands."""
    return _mistake(), _bulk(), _night(), _tampering(), _downloaded(), _uncaptured()


def _reviewed(access: Access, outcome: str) -> Story:
    ended = access.uses[0].ended or access.uses[0].started
    return Story(told=looked_at(session_items(access)[0], ended, command_item(access), outcome))


def _mistake() -> Planted:
    access = clean_access("unbounded-update", "silvio.marchetti", "patient-db", "2026-09-14 17:30",
                          approver="ngozi.adeyemi", number=9201)  # fmt: skip
    access = changed(access, use_commands=("update appointment.slot set state = 'free'",))
    return Planted(
        id="P32",
        what="Human error: an UPDATE without a condition, and no incident",
        background="Every appointment was set free for nine minutes. Access, approval and recording were in order; the "
        "analyst called it a mistake the same night, and nobody opened an incident.",
        trips=(Trip("RSK-04", command_item(access), "fail"),),
        story=with_ticket(access) + _reviewed(access, "error"),
    )


def _bulk() -> Planted:
    access = clean_access("bulk-read", "noor.haddad", "analytics-dw", "2026-08-26 17:20", approver="ingrid.solheim",
                          number=9202)  # fmt: skip
    access = changed(access, use_commands=("select * from mart.patient",))
    item = command_item(access)
    return Planted(
        id="P33",
        what="A whole table of patients was read, and nobody looked",
        background="The request was to check row counts. Nothing says that data might be read, or that the answer was "
        "masked, and the flag went unread.",
        trips=(Trip("RSK-02", item, "fail"), Trip("RSK-01", item, "fail"), on_session(access, "REV-01")),
        story=with_ticket(access),
    )


def _night() -> Planted:
    access = clean_access("sunday-export", "elif.demir", "analytics-dw", "2026-09-20 22:40", approver="ingrid.solheim",
                          number=9203)  # fmt: skip
    access = changed(access, use_commands=("copy (select * from mart.patient) to stdout",))
    reason = ticket("OPS-9203", opened=access.requested - 60 * HOUR, closed=access.expires + HOUR, kind="request")
    item = command_item(access)
    return Planted(
        id="P34",
        what="Insider misuse: an export on a Sunday night under a mere request",
        background="The grant was real and approved from a telephone. The analyst called it a violation on Monday. "
        "Teleport does not tell whether a grant allows data, so that question has no answer.",
        trips=(Trip("RSK-06", item, "fail"), Trip("RSK-02", item, "no_evidence")),
        story=Story(accesses=(access,), told=(reason,)) + _reviewed(access, "policy_violation"),
    )


def _tampering() -> Planted:
    access = clean_access("stop-audit", "sena.yildiz", "integration-01", "2026-08-22 09:40", approver="rashid.karimov",
                          number=9204)  # fmt: skip
    access = changed(access, use_commands=("/usr/bin/systemctl stop auditd",))
    return Planted(
        id="P35",
        what="The audit daemon was stopped, and it did not become an incident",
        background="It was in the way of a repair and was started again. The analyst noted a violation; the rule that "
        "tampering is always an incident was not known.",
        trips=(Trip("RSK-03", command_item(access), "fail"),),
        story=with_ticket(access) + _reviewed(access, "policy_violation"),
    )


def _downloaded() -> Planted:
    access = clean_access("download-run", "jonas.weller", "app-02", "2026-09-08 17:45", approver="amara.okafor",
                          number=9205)  # fmt: skip
    access = changed(access, use_commands=("/bin/sh -c curl -fsSL https://pkg.larkfield.example/agent.sh | sh",))
    return Planted(
        id="P36",
        what="Hidden code: a script was downloaded and run at once, and never explained",
        background="It installed a monitoring agent. The analyst saw a violation and no more; what the script did on "
        "that day cannot be told, for it is another one by now.",
        trips=(Trip("RSK-05", command_item(access), "fail"),),
        story=with_ticket(access) + _reviewed(access, "policy_violation"),
    )


def _uncaptured() -> Planted:
    access = clean_access("no-commands", "priya.raman", "app-01", "2026-08-04 17:40", approver="amara.okafor",
                          number=9206)  # fmt: skip
    access = changed(access, use_commands=())
    return Planted(
        id="P37",
        what="A session can be played back, but no command of it was captured",
        background="Enhanced recording was off on that node for an evening. The rules for risky commands had nothing "
        "to read.",
        trips=(on_session(access, "SES-05", "no_evidence"),),
        story=with_ticket(access),
    )
