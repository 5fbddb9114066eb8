# SPDX-License-Identifier: Apache-2.0

"""What the makers of views share: who and which system a source means, and what a row so rests on.

In:  the indices of identities and targets, and a row's instant. Out: ids, persons and statuses as of then.
Every record that is read is noted in ``used``, so that a row can name the ledger entries it was made from.
"""

from app.records.folding import FoldedRecord
from app.records.model import AccessRecord
from app.trails.identities import IdentityIndex, Resolution, status_at
from app.trails.targets import TargetIndex

UNKNOWN = "unknown"


class ViewMaker:
    """Resolves names for the views of one row.

    Args:
        identities: all identities.
        targets: all targets.
        at: the row's instant; people's status is told as of then.

    Attributes:
        used: ledger indices of everything that was read for the row.
    """

    def __init__(self, identities: IdentityIndex, targets: TargetIndex, at: int) -> None:
        self._identities = identities
        self._targets = targets
        self._at = at
        self.used: set[int] = set()

    def login(self, source: str, subject: str | None) -> Resolution:
        """Resolve a login and note what that rests on."""
        return self._noted(self._identities.resolve(source, subject))

    def responsible_id(self, source: str, text: str | None) -> str | None:
        """Return the id of a responsible person, or the record's own spelling where nobody is known by it."""
        return self._id(self._responsible(source, text), text)

    def _responsible(self, source: str, text: str | None) -> Resolution:
        return self._noted(self._identities.named(source, text))

    def _noted(self, resolution: Resolution) -> Resolution:
        if resolution.identity is not None:
            self._read(resolution.identity)
        return resolution

    def _read(self, record: FoldedRecord[AccessRecord]) -> None:
        self.used.update(record.ledger)

    def _person(self, source: str, subject: str | None) -> str | None:
        return person_id(self.login(source, subject))

    def _responsible_person(self, source: str, text: str | None) -> str | None:
        return person_id(self._responsible(source, text))

    def _id(self, resolution: Resolution, otherwise: str | None) -> str | None:
        return otherwise if resolution.identity is None else self._identities.key(resolution.identity)

    def _status(self, resolution: Resolution, at: int | None) -> str | None:
        return None if resolution.identity is None else status_at(resolution.identity.record, at)


def kind_of(resolution: Resolution) -> str | None:
    """Return the kind of who was found."""
    return None if resolution.identity is None else resolution.identity.record.kind


def person_id(resolution: Resolution) -> str | None:
    """Return the person id of who was found."""
    return None if resolution.identity is None else resolution.identity.record.person_id
