# SPDX-License-Identifier: Apache-2.0

"""The shape of ``controls/sampling/*.yaml``: how large an auditor's sample is, and what makes its strata.

Plain values in, sizes out. docs/sampling.md has the algorithm that uses them.
"""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from app.controls.model import Severity

Time = Literal["month", "quarter"]
Size = Annotated[int, Meta(ge=1, le=1000)]


class _Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    pass


class Band(_Part, frozen=True, kw_only=True):
    """The size for populations of up to so many items; without ``up_to``, for all larger ones."""

    up_to: Annotated[int, Meta(ge=1)] | None = None
    size: Size


class SizeTable(_Part, frozen=True, kw_only=True):
    """Sizes by population, for tests whose failure is less grave and for the others; ``source`` is where from."""

    source: str
    lower: tuple[Band, ...]
    higher: tuple[Band, ...]


class SamplingPlan(_Part, frozen=True, kw_only=True, tag_field="kind", tag="SamplingPlan"):
    """How samples are drawn.

    Attributes:
        table: which of ``tables`` counts.
        higher_for: severities of a test for which the column ``higher`` counts.
        minimum: items from each stratum, as far as the size allows; risky strata first.
        time: length of the strata in time, UTC.
        risky: population to CEL over its row; items for which it holds are strata of their own.
    """

    title: str
    table: str
    tables: dict[str, SizeTable]
    higher_for: tuple[Severity, ...] = ("critical", "high")
    minimum: Annotated[int, Meta(ge=0, le=100)] = 1
    time: Time = "month"
    risky: dict[str, str] = {}

    def size_for(self, items: int, severity: str) -> tuple[str, int]:
        """Return which column counts for a test of this severity, and the size for so many items."""
        column = "higher" if severity in self.higher_for else "lower"
        bands: tuple[Band, ...] = getattr(self.tables[self.table], column)
        size = next(band.size for band in bands if band.up_to is None or items <= band.up_to)
        return column, min(size, items)


FLAT = SamplingPlan(
    title="One size",
    table="flat",
    tables={"flat": SizeTable(source="no plan was given", lower=(Band(size=25),), higher=(Band(size=25),))},
)
"""What counts for controls that bring no plan: what auditors commonly take for something that happens often."""
