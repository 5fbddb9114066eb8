# SPDX-License-Identifier: Apache-2.0

"""Put roots and proofs together from the hashes that the tables hold.

In:  a connection, and sizes or ranges. Out: hashes. Nothing is computed over entries here; ``fsck`` does that.
"""

from app.db import Connection
from app.errors import LedgerCorrupt
from app.ledger import repository
from app.ledger.merkle import fold, hashes_of
from app.ledger.ranges import Node, Range, complete_nodes


def root_of(connection: Connection, size: int) -> bytes:
    """Return the root over the first ``size`` entries."""
    return fold(read_hashes(connection, list(complete_nodes(0, size))))


def range_hashes(connection: Connection, ranges: list[Range]) -> list[bytes]:
    """Return the hash of each range."""
    nodes = [node for start, end in ranges for node in complete_nodes(start, end)]
    known = dict(zip(nodes, read_hashes(connection, nodes), strict=True))
    return hashes_of(ranges, known.__getitem__)


def read_hashes(connection: Connection, nodes: list[Node]) -> list[bytes]:
    """Return the hashes of complete subtrees.

    Raises:
        LedgerCorrupt: one is not stored.
    """
    known = repository.read_nodes(connection, nodes)
    try:
        return [known[node] for node in nodes]
    except KeyError as error:
        raise LedgerCorrupt("a stored hash of the ledger is missing", hint="Run 'proofroom ledger fsck'") from error
