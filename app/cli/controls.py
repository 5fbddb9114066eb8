# SPDX-License-Identifier: Apache-2.0

"""``proofroom controls list|check|test|rules|coverage|diff``: for the people who write the tests."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from app.cli.options import (
    DirOption,
    FrameworkOption,
    FromOption,
    JsonOption,
    ToOption,
    columns,
    err,
    out,
    period,
    progress_bar,
    services,
)
from app.controls.applicability import OWN
from app.controls.coverage import CoverageStatus, CoveredControl, coverage
from app.controls.loader import Controls, load
from app.errors import ControlsInvalid
from app.evaluation.comparison import Comparison, FieldChange
from app.evaluation.examples import run_examples
from app.evaluation.rule_samples import run_samples
from app.rendering.texts import as_json
from app.resources import shipped

_SHIPPED = "-"
_OVER = "+"
_SHOWN_ITEMS = 20
_SHOWN_DIGEST = 12

FolderOption = Annotated[
    Path | None,
    typer.Option("--controls", help="Folder of controls; the shipped one by default.", file_okay=False, exists=True),
]
OwnOption = Annotated[
    Path | None,
    typer.Option("--own", help="Folder of own controls to lay over it.", file_okay=False, exists=True),
]


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    group = typer.Typer(help="The control tests, catalogues and mappings.", no_args_is_help=True)
    group.command("list")(list_tests)
    group.command()(check)
    group.command("test")(run_tests)
    group.command("rules")(list_rules)
    group.command("coverage")(show_coverage)
    group.command("diff")(diff)
    app.add_typer(group, name="controls")


def _load(folder: Path | None, own: Path | None) -> Controls:
    return load(folder or shipped("controls"), own)


def list_tests(folder: FolderOption = None, own: OwnOption = None) -> None:
    """List the tests and the controls that each bears on."""
    controls = _load(folder, own)
    table = columns("test", "severity", "population", "title", "bears on")
    for test in controls.tests.values():
        bears_on = [
            entry.control
            for mapping in controls.mappings.values()
            for entry in mapping.entries
            if entry.test == test.id
        ]
        table.add_row(test.id, test.severity, test.population, test.title, " ".join(dict.fromkeys(bears_on)))
    out.print(table)


def check(folder: FolderOption = None, own: OwnOption = None) -> None:
    """Check every file: shape, ids, types, missing values. All problems are named, with file, line and column."""
    try:
        controls = _load(folder, own)
    except ControlsInvalid as error:
        for problem in error.problems:
            err.print(problem, markup=False)
        err.print(f"{len(error.problems)} problem(s)")
        raise typer.Exit(1) from None
    entries = sum(len(mapping.entries) for mapping in controls.mappings.values())
    requirements = sum(len(catalog.controls) for catalog in controls.catalogs.values())
    out.print(
        f"{len(controls.catalogs)} catalogues with {requirements} controls, {len(controls.tests)} tests,"
        f" {entries} mappings, {len(controls.rules)} risk rules{_laid_over(controls)}: no problems"
    )
    mapped = {entry.test for mapping in controls.mappings.values() for entry in mapping.entries}
    for test_id in sorted(set(controls.tests) - mapped):
        out.print(f"note: {test_id} is mapped to no control, so nothing asks it", markup=False)


def _laid_over(controls: Controls) -> str:
    """Return how much is changed and stated, where there is any of it."""
    counted = {
        "parameter bundle(s)": len(controls.bundles),
        "overlay(s)": len(controls.overlays),
        "statement(s) of applicability": sum(len(stated) for stated in controls.applicability.values()),
        "licensed text(s)": sum(len(texts) for texts in controls.texts.values()),
    }
    return "".join(f", {count} {what}" for what, count in counted.items() if count)


def run_tests(folder: FolderOption = None, own: OwnOption = None) -> None:
    """Run every test's examples on both engines, and every risk rule's hits and misses on two builds of RE2."""
    controls = _load(folder, own)
    failures = [*run_examples(controls), *run_samples(controls)]
    for failure in failures:
        err.print(str(failure), markup=False)
    count = sum(len(one.examples) for one in controls.tests.values())
    samples = sum(len(rule.hits) + len(rule.misses) for rule in controls.rules.values())
    if failures:
        err.print(f"{len(failures)} of {count + samples} examples do not hold")
        raise typer.Exit(1)
    out.print(f"{count} examples of {len(controls.tests)} tests hold on both engines")
    if samples:
        out.print(f"{samples} samples of {len(controls.rules)} risk rules hold on both builds of RE2")


def list_rules(
    *,
    text: Annotated[
        str | None, typer.Option("--match", help="Show only the rules that flag this command or query.")
    ] = None,
    folder: FolderOption = None,
    own: OwnOption = None,
) -> None:
    """List the risk rules, or those that flag a text. That none does is no sign that it is harmless."""
    controls = _load(folder, own)
    flagged = None if text is None else {flag.rule for flag in controls.rule_set.flags(text)}
    table = columns("rule", "severity", "title")
    for rule in controls.rules.values():
        if flagged is None or rule.id in flagged:
            _row(table, rule.id, rule.severity, rule.title)
    out.print(table)
    if flagged is not None:
        out.print(f"{len(flagged)} of {len(controls.rules)} rules flag this text")


def show_coverage(
    framework: Annotated[str, typer.Argument(help="Framework id or short name, such as soc2.")],
    *,
    names: Annotated[
        list[str] | None,
        typer.Option("--control", help="Show this control only, by its id or an older one; may be repeated."),
    ] = None,
    with_text: Annotated[
        bool, typer.Option("--text", help="Show the framework's own text too, where an own folder holds it.")
    ] = False,
    folder: FolderOption = None,
    own: OwnOption = None,
    as_json_: JsonOption = False,
) -> None:
    """Show which controls of a framework are tested, by what, and why the others are not.

    A control is tested when a test of primary strength is mapped to it, and partly when all its tests are partial.
    """
    found = coverage(_load(folder, own), framework, names or (), with_text=with_text)
    if as_json_:
        out.print(as_json(found), markup=False)
        return
    further = [*(["applicability"] if found.is_stated else []), *(["text"] if with_text else [])]
    table = columns("control", "label", "status", "primary tests", "partial tests", "not tested because", *further)
    for control in found.controls:
        _row(
            table,
            control.control_id,
            control.label,
            _words(control.status),
            _of_strength(control, "primary"),
            _of_strength(control, "partial"),
            control.not_tested_because or "",
            *([_stated(control)] if found.is_stated else []),
            *([control.text or ""] if with_text else []),
        )
    out.print(table)
    counts = ", ".join(f"{found.counts[status]} {_words(status)}" for status in CoverageStatus)
    out.print(f"\n{found.title}: {counts}, of {len(found.controls)}", markup=False)


def _stated(control: CoveredControl) -> str:
    """Return what the organisation states of a control, and what does not go with its being excluded."""
    said = control.applicability
    if said is None:
        return "not stated"
    if said.applicable:
        return f"applicable, implemented: {said.implemented}: {said.reason}"
    note = " (but tests bear on it: what they find stands)" if control.tests else ""
    return f"excluded: {said.reason}{note}"


def _of_strength(control: CoveredControl, strength: str) -> str:
    return " ".join(test.test_id for test in control.tests if test.strength == strength)


def diff(
    old: Annotated[
        str, typer.Argument(help="Folder of controls; '-' is the shipped one, '+DIR' that with DIR laid over it.")
    ],
    new: Annotated[str, typer.Argument(help="What to compare with it, named in the same way.")],
    framework: FrameworkOption,
    first: FromOption,
    last: ToOption,
    *,
    directory: DirOption = None,
    as_json_: JsonOption = False,
) -> None:
    """Show what a change of the controls changes, over the same records: tests, outcomes, statuses.

    Nothing of it is kept. The text shows the first 20 items; --json has all of them.
    """
    sides = _load_side(old), _load_side(new)
    for side in sides:
        side.resolve_framework(framework)
    asked = period(first, last)
    with progress_bar("Comparing") as update:
        compared = services(directory).compare_controls(*sides, framework, asked, update)
    if as_json_:
        out.print(as_json(compared), markup=False)
        return
    out.print(f"{compared.framework}, {first} to {last}, ledger of {compared.ledger_size:,} entries", markup=False)
    _show_definitions(compared)
    _show_outcomes(compared)
    _show_idle(compared)
    statuses = columns("control", "label", "old", "new")
    for status in compared.statuses:
        moved = [_words(word or "no such control") for word in (status.old, status.new)]
        _row(statuses, status.control_id, status.label, *moved)
    _section("control statuses that move", len(compared.statuses), statuses)


def _load_side(name: str) -> Controls:
    """Load one side; its problems are named with the folder, because the other side has files of the same names."""
    own = Path(name[1:]) if name.startswith(_OVER) else None
    folder = shipped("controls") if own or name == _SHIPPED else Path(name)
    try:
        return load(folder, own)
    except ControlsInvalid as error:
        problems = [
            f"{own}/{problem.removeprefix(OWN)}" if own and problem.startswith(OWN) else f"{folder}/{problem}"
            for problem in error.problems
        ]
        raise ControlsInvalid(problems) from None


def _show_definitions(compared: Comparison) -> None:
    tests = columns("test", "change", "old definition", "new definition", "field", "old", "new")
    for test in compared.tests:
        change = test.change if test.asked else f"{test.change}, not mapped"
        digests = [(digest or "")[:_SHOWN_DIGEST] for digest in (test.old_sha256, test.new_sha256)]
        _with_fields(tests, (test.test_id, change, *digests), test.fields)
    _section("tests that differ", len(compared.tests), tests)
    mappings = columns("control", "test", "change", "fields")
    for entry in compared.mappings:
        _row(mappings, entry.control_id, entry.test_id, entry.change, ", ".join(each.field for each in entry.fields))
    _section("mappings that differ", len(compared.mappings), mappings)
    rules = columns("rule", "change", "field", "old", "new")
    for rule in compared.rules:
        _with_fields(rules, (rule.rule_id, rule.change), rule.fields)
    _section("risk rules that differ", len(compared.rules), rules)


def _with_fields(table: Table, head: Sequence[str], changes: Sequence[FieldChange]) -> None:
    """Add a row for each field that differs, the first with what it is about; at least one row."""
    fields = [(each.field, _value(each.old), _value(each.new)) for each in changes] or [("", "", "")]
    for number, field in enumerate(fields):
        _row(table, *(head if number == 0 else [""] * len(head)), *field)


def _show_outcomes(compared: Comparison) -> None:
    counts = columns("test", "old", "new", "items")
    for count in compared.counts:
        _row(counts, count.test_id, _words(count.old), _words(count.new), f"{count.items:,}")
    _section("item outcomes that change", sum(count.items for count in compared.counts), counts)
    items = columns("test", "item", "old", "new")
    for item in compared.items[:_SHOWN_ITEMS]:
        _row(items, item.test_id, item.item_id, _words(item.old), _words(item.new))
    if compared.items:
        out.print()
        out.print(items)
    if len(compared.items) > _SHOWN_ITEMS:
        out.print(f"… and {len(compared.items) - _SHOWN_ITEMS:,} more; --json has all of them")


def _show_idle(compared: Comparison) -> None:
    """Name the tests whose change moves no item: a scope that names nobody loads, and looks like one that holds."""
    moved = {count.test_id for count in compared.counts}
    idle = [test.test_id for test in compared.tests if test.change == "changed" and test.asked]
    if names := " ".join(name for name in idle if name not in moved):
        hint = "If an item should, look at the change's value, its days, and how its 'where' spells names."
        out.print(f"\nchanged, but no item's outcome changes: {names}. {hint}", markup=False, soft_wrap=True)


def _section(title: str, count: int, table: Table) -> None:
    out.print(f"\n{title}: {count:,}", markup=False)
    if table.row_count:
        out.print(table)


def _row(table: Table, *cells: str) -> None:
    """Add a row as plain text: brackets are no markup, and what a terminal would obey is replaced."""
    table.add_row(*[Text("".join(c if c.isprintable() or c == "\n" else "?" for c in cell)) for cell in cells])


def _words(word: str | None) -> str:
    return "not asked" if word is None else word.replace("_", " ")


def _value(value: object) -> str:
    return "" if value is None else value if isinstance(value, str) else as_json(value)
