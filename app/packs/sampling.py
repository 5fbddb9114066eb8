# SPDX-License-Identifier: Apache-2.0

"""Draw an auditor's sample that nobody could have steered, and that anybody can draw again.

In:  what fixes the seed (framework, period, the population's digest) and the ids of the population.
Out: the drawn ids, in order of their rank.

An item's rank is SHA-256 over the seed and its id. The seed holds the digest of the frozen population, so changing a
population to get another sample gives another population digest, which the signed manifest shows.
"""

import hashlib
import heapq
from collections.abc import Iterable, Mapping

from app.packs.model import SampleDraw

DEFAULT_SIZE = 25
"""What auditors commonly take for a control that operates many times a day."""
_LABEL = "proofroom.sample.v1"


def population_sha256(segments: Mapping[str, str]) -> str:
    """Return one digest of a population: over the lines ``sha256  name`` of its segments, in order of name."""
    lines = "".join(f"{segments[name]}  {name}\n" for name in sorted(segments))
    return hashlib.sha256(lines.encode()).hexdigest()


def make_seed(framework: str, start: int, end: int, population: str, digest: str) -> str:
    """Return the seed: hex SHA-256 over a label and five lines that fix it; instants in epoch milliseconds."""
    lines = [_LABEL, framework, str(start), str(end), population, digest]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def rank(seed: str, item_id: str) -> str:
    """Return an item's rank: hex SHA-256 over the seed, a line feed and the id."""
    return hashlib.sha256(f"{seed}\n{item_id}".encode()).hexdigest()


def draw(population: str, seed: str, item_ids: Iterable[str], size: int = DEFAULT_SIZE) -> SampleDraw:
    """Draw the ``size`` items of lowest rank, or all if there are fewer; the order of ``item_ids`` does not matter."""
    chosen = heapq.nsmallest(size, ((rank(seed, item), item) for item in item_ids))
    return SampleDraw(population=population, seed=seed, size=len(chosen), items=tuple(item for _, item in chosen))
