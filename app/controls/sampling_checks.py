# SPDX-License-Identifier: Apache-2.0

"""Check sampling plans: tables without holes, populations that exist, expressions that are typed and safe."""

from collections.abc import Iterator, Sequence
from itertools import pairwise

from app.cel.check import check
from app.cel.errors import CelError
from app.controls.applicability import OWN
from app.controls.convert import Placed
from app.controls.problems import Problem, nearest
from app.controls.sampling import FLAT, Band, SamplingPlan
from app.trails.populations import POPULATIONS


def sampling_problems(plans: Sequence[Placed[SamplingPlan]]) -> Iterator[Problem]:
    """Yield what is wrong with the plans; there may be one, and one of the organisation's own in its place."""
    for mine in (True, False):
        same = [plan for plan in plans if plan.document.name.startswith(OWN) is mine]
        for plan in same[1:]:
            yield plan.problem((), "there is another sampling plan", "Keep one; an own one counts before the shipped.")
    for plan in plans:
        yield from _tables(plan)
        yield from _expressions(plan)


def plan_in_force(plans: Sequence[Placed[SamplingPlan]]) -> SamplingPlan:
    """Return the organisation's own plan, else the shipped one, else one that has a single size."""
    ordered = sorted(plans, key=lambda plan: not plan.document.name.startswith(OWN))
    return ordered[0].item if ordered else FLAT


def _tables(plan: Placed[SamplingPlan]) -> Iterator[Problem]:
    tables = plan.item.tables
    if plan.item.table not in tables:
        hint = nearest(plan.item.table, tables, f"It is one of {', '.join(tables)}.")
        yield plan.problem(("table",), f"there is no table '{plan.item.table}'", hint)
    for name, table in tables.items():
        for column, bands in (("lower", table.lower), ("higher", table.higher)):
            if not _is_whole(bands):
                hint = "Let up_to and size rise from band to band, and leave up_to out of the last one only."
                yield plan.problem(("tables", name, column), "the bands do not cover every population once", hint)


def _is_whole(bands: Sequence[Band]) -> bool:
    limits = [band.up_to for band in bands]
    known = [limit for limit in limits if limit is not None]
    rises = all(one < two for one, two in pairwise(known)) and all(a.size <= b.size for a, b in pairwise(bands))
    return bool(limits) and limits[-1] is None and len(known) == len(limits) - 1 and rises


def _expressions(plan: Placed[SamplingPlan]) -> Iterator[Problem]:
    for population, expression in plan.item.risky.items():
        path = ("risky", population)
        if population not in POPULATIONS:
            hint = nearest(population, POPULATIONS, f"It is one of {', '.join(POPULATIONS)}.")
            yield plan.problem(path, f"there is no population '{population}'", hint, key=True)
            continue
        try:
            check(expression, row=POPULATIONS[population], parameters={}, required=())
        except CelError as error:
            at = plan.document.text_position((*plan.path, *path), error.line or 1, error.column or 1)
            yield plan.document.problem(at, error.message, error.hint or "controls/README.md shows the language.")
