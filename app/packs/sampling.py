# SPDX-License-Identifier: Apache-2.0

"""Draw an auditor's sample that nobody could have steered, and that anybody can draw again with SHA-256 alone.

In:  what fixes the seed (engagement, framework, period, test, the population's digest), a size, and the items of the
     population with their strata.
Out: how many items each stratum gives, and which.

An item's rank is SHA-256 over the seed and its id; the items of lowest rank in a stratum are drawn. The seed holds the
digest of the frozen population, so changing a population to get another sample gives another digest, which the signed
statement shows. docs/sampling.md explains it, and draws a sample in ten lines of plain Python.
"""

import hashlib
import heapq
from collections.abc import Iterable, Mapping, Sequence

from app.packs.model import Stratum

_LABEL = "proofroom.sample.v2"
Place = tuple[str, str]
"""A stratum: a month or quarter, such as ``2026-07`` or ``2026-Q3``, or ``undated``; and ``risky`` or ``usual``."""
RISKY, USUAL = "risky", "usual"


def population_sha256(segments: Mapping[str, str]) -> str:
    """Return one digest of a population: over the lines ``sha256  name`` of its segments, in order of name."""
    lines = "".join(f"{segments[name]}  {name}\n" for name in sorted(segments))
    return hashlib.sha256(lines.encode()).hexdigest()


def make_seed(engagement: str, framework: str, period: tuple[int, int], test: str, population: str, digest: str) -> str:
    """Return the seed: hex SHA-256 over a label and seven lines that fix it.

    Args:
        engagement: the auditor's name for the work, or an empty text.
        framework: its id.
        period: start and end, epoch milliseconds.
        test: its id.
        population: its name.
        digest: its ``population_sha256``.
    """
    lines = [_LABEL, engagement, framework, *map(str, period), test, population, digest]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def rank(seed: str, item_id: str) -> str:
    """Return an item's rank: hex SHA-256 over the seed, a line feed and the id."""
    return hashlib.sha256(f"{seed}\n{item_id}".encode()).hexdigest()


def share_out(sizes: Mapping[Place, int], size: int, minimum: int) -> dict[Place, int]:
    """Return how many items each stratum gives; together ``size``, or all there are.

    First each stratum gets ``minimum`` as far as it has so many and the size allows: risky ones first, then by time.
    Every further item goes to the stratum for which items / (2 * given + 1) is largest (Sainte-Laguë), and among equal
    ones to the first in that order.
    """
    order = sorted(sizes, key=lambda place: (place[1] != RISKY, place[0]))
    left = min(size, sum(sizes.values()))
    given = dict.fromkeys(order, 0)
    for place in order:
        given[place] = min(minimum, sizes[place], left)
        left -= given[place]
    for _ in range(left):
        open_ = [place for place in order if given[place] < sizes[place]]
        best = open_[0]
        for place in open_[1:]:
            if sizes[place] * (2 * given[best] + 1) > sizes[best] * (2 * given[place] + 1):
                best = place
        given[best] += 1
    return given


def draw(
    ranked: Mapping[Place, tuple[int, Sequence[str]]], size: int, minimum: int
) -> tuple[tuple[Stratum, ...], tuple[str, ...]]:
    """Return the strata, and the drawn ids: by stratum, risky ones first, then by time, in each by rank.

    Args:
        ranked: how many items each stratum has, and which of them have the lowest ranks, as many as may be drawn.
        size: how many are drawn in all.
        minimum: how many at least of each stratum.
    """
    given = share_out({place: count for place, (count, _) in ranked.items() if count}, size, minimum)
    strata = tuple(
        Stratum(time=place[0], risk=place[1], items=ranked[place][0], drawn=number) for place, number in given.items()
    )
    return strata, tuple(item for place, number in given.items() for item in ranked[place][1][:number])


def lowest(seed: str, item_ids: Iterable[str], size: int) -> list[str]:
    """Return the ``size`` ids of lowest rank, in order of rank: what is drawn from one stratum."""
    return heapq.nsmallest(size, item_ids, key=lambda item: rank(seed, item))
