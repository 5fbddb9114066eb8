# SPDX-License-Identifier: Apache-2.0

"""``proofroom demo``: the whole main job on a sample organisation, from vendor exports to a verified pack."""

import shutil
from pathlib import Path
from typing import Annotated

import typer

from app.auth.tokens import Scope
from app.cli.collecting import show_run
from app.cli.options import err, out, progress_bar, services
from app.cli.serving import serve
from app.clock import FixedClock
from app.demo.generate import DemoManifest, write_demo
from app.demo.planted import PLANTED
from app.errors import CheckFailed, UsageError
from app.evaluation.engine import found_outcomes
from app.evaluation.model import Period
from app.evaluation.periods import EvaluatedPeriod
from app.verification.report import as_text
from app.verification.verifier import verify
from app.wiring import Services

MARKER = ".proofroom-demo"
FRAMEWORK = "soc2"


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command()(demo)


def demo(
    *,
    directory: Annotated[Path, typer.Option("--dir", help="Folder for the demo.", file_okay=False)] = Path(
        "proofroom-demo"
    ),
    no_serve: Annotated[bool, typer.Option("--no-serve", help="Leave when the pack is verified.")] = False,
) -> None:
    """Run the main job on a sample organisation: 90 days of vendor exports, planted deviations, a signed pack.

    The folder is made anew each time; one that is not a demo's is never touched.
    """
    _prepare(directory)
    _say("1 Writing 90 days of vendor exports of Larkfield Health, an invented organisation")
    manifest = write_demo(directory / "exports")
    _say("2 Importing them through the connectors")
    _collect(directory, manifest)
    proofroom = services(directory)
    _say(f"3 Testing every item for {proofroom.controls.resolve_framework(FRAMEWORK).title}")
    period = Period(start=manifest.period.start or 0, end=manifest.period.end or 0)
    with progress_bar("Evaluating") as update:
        evaluated = proofroom.evaluator.evaluate(FRAMEWORK, period, update)
    _compare_with_planted(evaluated)
    _say("4 Building the signed evidence pack")
    with progress_bar("Building") as update:
        path = proofroom.packs.build(FRAMEWORK, period, directory / "packs", update)
    _say("5 Verifying it with nothing but the pack and the signer's certificate")
    _verify(path, directory / "keys" / "signing.crt")
    if not no_serve:
        _serve(proofroom, directory)
    out.print(str(path), markup=False)


def _say(text: str) -> None:
    out.print(f"\n{text}", style="bold")


def _prepare(directory: Path) -> None:
    if directory.exists() and any(directory.iterdir()):
        if not (directory / MARKER).is_file():
            raise UsageError(
                f"'{directory}' holds something that is not a demo", where="--dir", hint="Name an empty or new folder"
            )
        shutil.rmtree(directory)
    directory.mkdir(parents=True, exist_ok=True)
    (directory / MARKER).write_text("Made by 'proofroom demo', which may delete this folder.\n", encoding="utf-8")
    (directory / "proofroom.toml").write_text('organisation = "Larkfield Health (sample)"\n', encoding="utf-8")


def _collect(directory: Path, manifest: DemoManifest) -> None:
    # The invented exports end on a fixed day, so collecting them happens the morning after; signing has the real time.
    collecting = services(directory, make=True, clock=FixedClock(manifest.collected_at))
    for file in manifest.files:
        with progress_bar(f"Importing {file.source}") as update:
            run = collecting.import_files(file.connector, [file.path], file.source, file.covered, update)
        show_run(run)


def _compare_with_planted(evaluated: EvaluatedPeriod) -> None:
    planted = {(trip.test_id, trip.item_id, trip.outcome) for each in PLANTED for trip in each.trips}
    tested = {test.test_id for test in evaluated.evaluation.tests}
    planted = {trip for trip in planted if trip[0] in tested}
    found = found_outcomes(evaluated.results)
    if found != planted:
        for trip in sorted(found ^ planted):
            err.print(f"  {'not planted' if trip in found else 'not found'}: {' '.join(trip)}", markup=False)
        raise CheckFailed("what was found is not what was planted", where="docs/demo.md")
    items = sum(evaluated.evaluation.population_sizes.values())
    out.print(
        f"{len(tested)} tests over {items:,} items. Planted: {len(planted)} outcomes by {len(PLANTED)} deviations"
        f" (docs/demo.md). Found: exactly these {len(found)}.",
        markup=False,
    )


def _verify(path: Path, certificate: Path) -> None:
    with progress_bar("Verifying"):
        report = verify(path, certificate.read_bytes())
    out.print(as_text(report), markup=False)
    if not report.holds:
        raise CheckFailed("the pack does not verify", where=str(path))


def _serve(proofroom: Services, directory: Path) -> None:
    token, _ = proofroom.auth.issue("Demo", [Scope.READ, Scope.PACKS_WRITE], days=1)
    out.print(f"\nSign in with this token, valid for one day: {token}\n", markup=False)
    serve(directory=directory)
