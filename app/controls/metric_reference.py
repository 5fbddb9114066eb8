# SPDX-License-Identifier: Apache-2.0

"""The reference page of the metrics: ``docs/reference/metrics.md``, generated from the controls.

In:  loaded controls. Out: Markdown, the same text for the same controls. A test compares it with the file.
"""

from collections.abc import Iterator

from app.controls.loader import Controls
from app.controls.metrics import Metric

_HEAD = """\
# Metrics

Generated from `controls/metrics/`. Do not edit: change the YAML and run `make docs`.

A metric is a number about the items of a population in a period. It is no claim that passes or fails.

- An item that lacks what a metric `requires` is *unknown*: it is counted as such, and the number carries a warning. A
  share of items is then also given as the least and the most it can be of all of them.
- A population that is not known to be whole makes a warning too. With no item at all it makes `no evidence`; a whole
  population without an item gives `no occurrences`. Neither is ever shown as zero.
- Quantiles are by nearest rank: the smallest value that at least so many per cent of the values do not exceed.
- Months are calendar months, UTC. A month is *partial* if the period begins or ends within it, or if it ends after the
  instant the evidence is judged as of. A trend by `snapshot` asks every item again as of each month's end.
- An outcome ratio counts the outcomes of a test, and has a number only for frameworks that the test bears on.
- Figures in `metrics.json`, the API and `--json` are whole numbers: a ratio is its two sides, a duration milliseconds.
"""
_FAMILIES = {"access_volume": "Access volume", "risk_actions": "Risk actions", "governance": "Governance"}


def metrics_page(controls: Controls) -> str:
    """Return the page: a section for each family, with a table and each definition."""
    parts = [_HEAD]
    for family, title in _FAMILIES.items():
        mine = [metric for metric in controls.metrics.values() if metric.family == family]
        parts.append("\n".join([f"## {title}\n", "| Metric | Question | Measure | Better |", "|---|---|---|---|"]))
        parts[-1] += "".join(f"\n{_line(metric)}" for metric in mine)
        parts += ["\n".join(_section(metric)) for metric in mine]
    return "\n\n".join(part.rstrip() for part in parts) + "\n"


def _line(metric: Metric) -> str:
    better = "" if metric.direction == "none" else metric.direction
    return f"| {metric.id} {_cell(metric.title)} | {_cell(metric.question)} | {_measure(metric)} | {better} |"


def _measure(metric: Metric) -> str:
    return "not measured" if metric.measure is None else f"{metric.measure.replace('_', ' ')} of {metric.population}"


def _section(metric: Metric) -> Iterator[str]:
    yield f"### {metric.id} {metric.title}"
    if metric.not_measured_because is not None:
        yield f"\nNot measured: {metric.not_measured_because}."
        return
    yield "\n```text"
    yield f"population        {metric.population}{f', each of {metric.each}' if metric.each else ''}"
    yield from _expression("where", None if metric.where == "true" else metric.where)
    for key in ("records", "fields", "complete"):
        if names := getattr(metric.requires, key):
            yield f"{'requires ' + key:<17} {', '.join(names)}"
    yield f"measure           {metric.measure}"
    yield from _expression("of", metric.of)
    yield from _expression("out of", metric.out_of)
    if metric.test is not None:
        yield f"test              {metric.test}: {', '.join(metric.counted)} among {', '.join(metric.among)}"
    for name, value in metric.parameters.items():
        yield f"{'p.' + name:<17} = {', '.join(value) if isinstance(value, tuple) else value}"
    if metric.by:
        yield f"by                {', '.join(metric.by)}"
    yield f"trend             {metric.trend}"
    yield f"unit              {metric.unit}"
    yield "```"
    yield f"\n{metric.limits}"


def _expression(label: str, expression: str | None) -> Iterator[str]:
    for number, line in enumerate((expression or "").rstrip().split("\n") if expression else ()):
        yield f"{label if number == 0 else '':<17} {line}".rstrip()


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
