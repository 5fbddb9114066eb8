# SPDX-License-Identifier: Apache-2.0

"""Draw the months of a metric as a row of small columns, with the same months as its text.

In:  a metric's result as plain values. Out: escaped SVG markup, numbers of ours only; PDF readers speak its title.
A month that the period or the evidence cuts short is drawn pale, one without a number as a dot on the line.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from markupsafe import Markup, escape

from app.rendering.figures import by_month, detail, groups, headline, unbroken

WIDTH, HEIGHT = 96, 22
_GAP = 2.0
_WIDEST = 12.0
_WHOLE, _PARTIAL, _LINE = "#1d4e79", "#a9bccd", "#8c99a6"


def sparkline(metric: Mapping[str, Any]) -> Markup:
    """Return the drawing of a metric's trend; nothing for a metric without one."""
    points = metric["trend"]
    if not points:
        return Markup()
    heights = _heights([_level(metric, point["figures"]) for point in points])
    step = min(_WIDEST, WIDTH / len(points))
    columns = Markup().join(
        _column(number * step, step, height, partial=point["partial"])
        for number, (height, point) in enumerate(zip(heights, points, strict=True))
    )
    width = step * len(points)
    line = Markup('<rect x="0" y="{}" width="{}" height="0.6" fill="{}"/>').format(HEIGHT - 0.6, f"{width:.1f}", _LINE)
    return Markup(
        '<svg xmlns="http://www.w3.org/2000/svg" class="spark" role="img" width="{}" height="{}" viewBox="0 0 {} {}">'
        "<title>{}</title>{}{}</svg>"
    ).format(f"{width:.1f}", HEIGHT, f"{width:.1f}", HEIGHT, escape(f"By month: {by_month(metric)}"), columns, line)


def _level(metric: Mapping[str, Any], figures: Mapping[str, Any]) -> float | None:
    if metric["measure"] == "quantiles":
        level = figures["p50"]
    elif figures["denominator"] is not None:
        level = figures["numerator"] / figures["denominator"] if figures["denominator"] else None
    else:
        level = figures["numerator"]
    return None if level is None else max(0.0, float(level))


def _heights(levels: Sequence[float | None]) -> list[float | None]:
    most = max((level for level in levels if level is not None), default=0.0)
    room = HEIGHT - 2.0
    return [None if level is None else room * level / most if most else 0.0 for level in levels]


def _column(left: float, step: float, height: float | None, *, partial: bool) -> Markup:
    gap = min(_GAP, step / 4)
    if height is None:
        return Markup('<circle cx="{}" cy="{}" r="1" fill="{}"/>').format(f"{left + step / 2:.1f}", HEIGHT - 2.5, _LINE)
    shown = max(height, 0.6)
    return Markup('<rect x="{}" y="{}" width="{}" height="{}" fill="{}"/>').format(
        f"{left:.1f}",
        f"{HEIGHT - 0.6 - shown:.1f}",
        f"{step - gap:.1f}",
        f"{shown:.1f}",
        _PARTIAL if partial else _WHOLE,
    )


METRIC_FILTERS: Mapping[str, Callable[..., Any]] = {
    "detail": lambda metric: unbroken(detail(metric)),
    "groups": lambda metric: unbroken(groups(metric)),
    "headline": lambda metric: unbroken(headline(metric)),
    "months": by_month,
    "sparkline": sparkline,
}
