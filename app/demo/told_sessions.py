# SPDX-License-Identifier: Apache-2.0

"""Sessions that no vendor's log tells of: a gateway for agents, a console of the SIEM, in normalized records.

In:  a few words. Out: the session with its right, approval, ticket, recording and one command, all in order unless the
caller changes a field of the session.
"""

import msgspec

from app.demo.consequences import register_id, sudo_grant
from app.demo.directory import tell
from app.demo.model import Access, Story
from app.demo.oversight import sampled, session_review
from app.demo.planting import changed, clean_access, with_ticket
from app.demo.times import MINUTE
from app.records.model import Recording, Session, SessionEvent


def told_session(
    key: str, who: str, target: str, at: str, *, approver: str, number: int, source: str = "siem", **fields: object
) -> tuple[str, Access, Story]:
    """Return a session's item id, the access it rests on, and what tells of both.

    ``fields`` replace fields of the session record; ``number`` is that of its ticket and part of its id.
    """
    access = clean_access(key, who, "integration-01", at, approver=approver, number=number)
    access = changed(access, target=target, role=f"{target}-work", uses=())
    started, ended = access.starts + 10 * MINUTE, access.starts + 40 * MINUTE
    session = Session(
        id=f"{source}-{number}",
        subject=f"{who}@larkfield.example",
        target=target,
        role=access.role,
        protocol="https",
        interactive=True,
        privileged=True,
        started_at=started,
        ended_at=ended,
        status="closed",
        grant_ids=(f"inventory/grant/{register_id(access)}",),
    )
    session = msgspec.structs.replace(session, **fields)
    recording = Recording(
        id=session.id, session_id=session.id, state="stored_claimed", kind="transcript", starts_at=started,
        ends_at=ended,
    )  # fmt: skip
    event = SessionEvent(
        id=f"{session.id}-1", session_id=session.id, seq=1, at=started + 5 * MINUTE, kind="command",
        text="show the state of the transfer queue",
    )  # fmt: skip
    item = f"{source}/session/{session.id}"
    told = (*sudo_grant(access), *(tell(source, each, ended) for each in (session, recording, event)))
    reviewed = (session_review(item, ended),) if sampled(item) else ()
    return item, access, Story(told=(*told, *with_ticket(access).told, *reviewed))
