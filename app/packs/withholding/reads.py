# SPDX-License-Identifier: Apache-2.0

"""Which tests, metrics and strata read a field that is withheld.

In:  controls, an evaluation, names of withheld fields.
Out: ids, and metrics without what cannot be computed from commitments.
A test is judged before anything is withheld, so its outcomes stay, as the signer's word. A metric or a breakdown that
reads a withheld field is left out instead: its figures, and its groups above all, could show the values.
"""

from collections.abc import Iterator, Sequence

import msgspec

from app.cel.check import check
from app.cel.reads import reads
from app.controls.loader import Controls
from app.controls.metrics import EACH, Metric
from app.evaluation.definition import Definition, define
from app.evaluation.metric_definition import define_metric
from app.evaluation.metric_model import MetricResult, MetricState
from app.evaluation.metrics import not_measured
from app.evaluation.model import Evaluation
from app.packs.withholding.fields import all_paths
from app.trails.populations import POPULATIONS


def fields_read(definition: Definition) -> frozenset[str]:
    """Return the names of fields a test reads that could be withheld."""
    paths = {path for expression in definition.expressions for path in reads(expression.tree)}
    return _named({*paths, *definition.fields}, definition.population)


def paths_read(definition: Definition) -> frozenset[str]:
    """Return the paths a test reads of what could be withheld."""
    paths = {path for expression in definition.expressions for path in reads(expression.tree)}
    return frozenset({*paths, *definition.fields} & all_paths(definition.population).keys())


def definitions_of(controls: Controls, evaluation: Evaluation) -> Iterator[Definition]:
    """Yield every test of an evaluation, as it was asked."""
    start, end = evaluation.period.start, evaluation.period.end
    for result in evaluation.tests:
        yield define(controls.tests[result.test_id], controls.slices_in(result.test_id, start, end))


def tests_reading(controls: Controls, evaluation: Evaluation, fields: Sequence[str]) -> tuple[str, ...]:
    """Return the ids of the tests of an evaluation that read one of these fields, in order."""
    found = definitions_of(controls, evaluation)
    return tuple(sorted(definition.id for definition in found if fields_read(definition) & set(fields)))


def metrics_reading(controls: Controls, fields: Sequence[str]) -> tuple[str, ...]:
    """Return the ids of the metrics that read one of these fields other than to break them down, in order."""
    return tuple(sorted(metric.id for metric in controls.metrics.values() if _fields_of(metric) & set(fields)))


def strata_reading(controls: Controls, fields: Sequence[str]) -> tuple[str, ...]:
    """Return the populations whose samples are stratified by one of these fields."""
    found = []
    for population, expression in controls.sampling.risky.items():
        checked = check(expression, row=POPULATIONS[population], parameters={}, required=())
        if _named(reads(checked.tree), population) & set(fields):
            found.append(population)
    return tuple(found)


def without_withheld(
    metrics: Sequence[MetricResult], controls: Controls, fields: Sequence[str]
) -> tuple[MetricResult, ...]:
    """Return metrics without those, and without those breakdowns, that read one of these fields."""
    left_out = set(metrics_reading(controls, fields))
    return tuple(_shown(result, controls.metrics[result.metric_id], left_out, fields) for result in metrics)


def _shown(result: MetricResult, metric: Metric, left_out: set[str], fields: Sequence[str]) -> MetricResult:
    if result.metric_id in left_out and result.state != MetricState.NOT_MEASURED:
        withheld = ", ".join(sorted(_fields_of(metric) & set(fields)))
        return not_measured(metric, f"it reads what this pack withholds: {withheld}")
    kept = tuple(one for one in result.breakdowns if not _at(metric, [one.path]) & set(fields))
    gone = [one.path for one in result.breakdowns if one not in kept]
    warnings = [f"it is not broken down by {path}, which this pack withholds" for path in gone]
    return msgspec.structs.replace(result, breakdowns=kept, warnings=(*result.warnings, *warnings))


def _fields_of(metric: Metric) -> frozenset[str]:
    if metric.population is None or metric.measure is None or metric.not_measured_because is not None:
        return frozenset()
    definition = define_metric(metric)
    trees = (definition.where.tree, definition.of.tree, definition.out_of.tree)
    return _at(metric, [*(path for tree in trees for path in reads(tree)), *definition.fields])


def _at(metric: Metric, paths: Sequence[str]) -> frozenset[str]:
    """Return the fields at paths of a metric, whose items may be the elements of a list."""
    prefix = f"{EACH}."
    from_row = {f"{metric.each}.{path.removeprefix(prefix)}" if path.startswith(prefix) else path for path in paths}
    return _named(from_row, metric.population or "")


def _named(paths: set[str] | frozenset[str], population: str) -> frozenset[str]:
    known = all_paths(population)
    return frozenset(known[path] for path in paths if path in known)
