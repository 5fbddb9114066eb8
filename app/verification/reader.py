# SPDX-License-Identifier: Apache-2.0

"""What the reader of a pack brings along besides the pack and the signer's anchor: nothing of it is in the pack."""

import msgspec


class Reader(msgspec.Struct, frozen=True, kw_only=True):
    """Files the reader gives, as bytes, and the reader's time.

    Attributes:
        trust_time: certificates of time-stamp authorities, or of who issued theirs.
        crls: revocation lists.
        renewals: time-stamp responses over the pack and the ones before, in order.
        sign_offs: name and content of sign-off files.
        disclosed: name and content of files that open what the pack withholds.
        witnesses: keys of witnesses, each of whom must have cosigned the checkpoint, as text.
        now: epoch milliseconds; what has expired by then proves nothing by itself. None for the machine's time.
    """

    trust_time: tuple[bytes, ...] = ()
    crls: tuple[bytes, ...] = ()
    renewals: tuple[bytes, ...] = ()
    sign_offs: tuple[tuple[str, bytes], ...] = ()
    disclosed: tuple[tuple[str, bytes], ...] = ()
    witnesses: tuple[str, ...] = ()
    now: int | None = None
