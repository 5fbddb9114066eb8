# SPDX-License-Identifier: Apache-2.0

"""The oversight of Larkfield Health: who looks at sessions, commands and patterns afterwards.

In:  accesses. Out: reviews, as the security team's register tells them. The sample is drawn by the published rule,
which is computed here once more, so that the demo cannot agree with the product by sharing its code.
"""

import hashlib
from collections.abc import Iterable, Iterator

import msgspec

from app.demo.consequences import session_items
from app.demo.directory import EMERGENCY_ACCOUNT, tell
from app.demo.model import Access, Story, Told
from app.demo.organisation import NOBODY
from app.demo.times import HOUR, MINUTE, PERIOD_END, stable_int
from app.records.model import Review

ANALYST = "pavel.horak@larkfield.example"
_RATE = 0.1
FORGOTTEN = "forgotten-look-15"
"""The access whose session the draw chooses, and at which nobody looked."""


def reviews_of_sample(accesses: Iterable[Access]) -> Story:
    """Return the reviews of the sessions that the draw chose, but for the one that was forgotten."""
    return Story(told=tuple(session_review(item, ended) for item, ended in _drawn(accesses)))


def sampled(item: str) -> bool:
    """Tell whether the draw chooses an item: 48 bits of a digest of its id, as a fraction, below a tenth."""
    digest = hashlib.sha256(f"proofroom-draw:{item}".encode()).hexdigest()[:12]
    return int(digest, 16) < _RATE * 16**12


def session_review(item: str, ended: int, outcome: str = "expected") -> Told:
    """Return the review of a session by the security analyst, within a day."""
    return _review(Review(id="", kind="session", session_id=item, outcome=outcome), item, ended)


def command_review(item: str, at: int, outcome: str) -> Told:
    """Return the analyst's conclusion on one command, within a day."""
    return _review(Review(id="", kind="event", event_id=item, outcome=outcome), item, at)


def looked_at(session: str, ended: int, command: str, outcome: str) -> tuple[Told, Told]:
    """Return the reviews of a session with a risky command, and of that command."""
    return session_review(session, ended, outcome), command_review(command, ended, outcome)


def _review(review: Review, item: str, after: int) -> Told:
    done = min(after + 2 * HOUR + stable_int("review", item, below=18 * HOUR), PERIOD_END - 10 * MINUTE)
    number = stable_int("look", str(review.kind), item, below=10**9)
    record = msgspec.structs.replace(review, id=f"LOOK-{number:09}", reviewer=ANALYST, completed_at=done)
    return tell("reviews", record, done)


def _drawn(accesses: Iterable[Access]) -> Iterator[tuple[str, int]]:
    for access in accesses:
        if access.person == NOBODY.key or access.key == FORGOTTEN:
            continue
        for use, item in zip(access.uses, session_items(access), strict=bool(access.uses)):
            if use.ended is not None and use.run_as != EMERGENCY_ACCOUNT and sampled(item):
                yield item, use.ended
