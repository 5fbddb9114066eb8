# SPDX-License-Identifier: Apache-2.0

"""Regenerate every page and schema that is made from code: ``make docs``. Tests fail when one is out of date."""

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path

import typer
from typer.core import TyperGroup
from typer.testing import CliRunner

from app.cli.root import app as command_line
from app.controls.bundle_reference import bundles_page
from app.controls.loader import load
from app.controls.metric_reference import metrics_page
from app.controls.reference import reference_page
from app.controls.rule_reference import rules_page
from app.controls.schema import schema_files
from app.demo.document import page as demo_page
from app.main import create_app
from app.packs.schema import manifest_schema, report_schema
from app.records.schema import access_record_schema
from app.settings import Settings
from app.trails.reference import populations_page

ROOT = Path(__file__).parent.parent


def generated() -> dict[str, str]:
    """Return path (from the top of the project) to text, for every generated file."""
    return {
        "docs/demo.md": demo_page(),
        "docs/reference/access-record.schema.json": _json(access_record_schema()),
        "docs/reference/cli.md": cli_page(),
        "docs/reference/control-tests.md": reference_page(load(ROOT / "controls")),
        "docs/reference/metrics.md": metrics_page(load(ROOT / "controls")),
        "docs/reference/parameter-bundles.md": bundles_page(load(ROOT / "controls")),
        "docs/reference/manifest.schema.json": _json(manifest_schema()),
        "docs/reference/openapi.json": openapi(),
        "docs/reference/populations.md": populations_page(),
        "docs/reference/report.schema.json": _json(report_schema()),
        "docs/reference/risk-rules.md": rules_page(load(ROOT / "controls")),
        **{f"controls/schema/{name}": text for name, text in schema_files().items()},
    }


def openapi() -> str:
    """Return the OpenAPI document of the REST interface."""
    with tempfile.TemporaryDirectory() as folder:
        return _json(create_app(Settings.load(Path(folder))).openapi())


def cli_page() -> str:
    """Return the help of every command, as one page."""
    parts = ["# The command line\n\nExit status: 0 done, 1 a check did not hold, 2 wrong use, 130 stopped by Ctrl-C.\n"]
    for path in _paths(typer.main.get_command(command_line), ()):
        shown = CliRunner(env={"COLUMNS": "100", "TERMINAL_WIDTH": "100"}).invoke(
            command_line, [*path, "--help"], prog_name="proofroom"
        )
        parts.append(f"## {' '.join(('proofroom', *path))}\n\n```text\n{shown.output.strip()}\n```\n")
    return "\n".join(parts)


def _paths(command: object, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    if not isinstance(command, TyperGroup):
        yield path
        return
    for name, inner in command.commands.items():
        yield from _paths(inner, (*path, name))


def _json(value: object) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def main() -> None:
    """Write all generated files."""
    for name, text in generated().items():
        path = ROOT / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
