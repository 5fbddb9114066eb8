# SPDX-License-Identifier: Apache-2.0

"""Options and small helpers that several commands share."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from app.clock import Clock, SystemClock
from app.errors import UsageError
from app.evaluation.model import Period
from app.records.times import parse_day
from app.settings import Settings
from app.wiring import Services, build_services

DirOption = Annotated[
    Path | None,
    typer.Option(
        "--dir", envvar="PROOFROOM_DIR", help="Data directory.", show_default="proofroom-data", file_okay=False
    ),
]
FrameworkOption = Annotated[str, typer.Option("--framework", help="Framework id or short name, such as soc2.")]
FromOption = Annotated[str, typer.Option("--from", help="First day of the period, YYYY-MM-DD (UTC).")]
ToOption = Annotated[str, typer.Option("--to", help="Last day of the period, included, YYYY-MM-DD (UTC).")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]

_PIPE_WIDTH = 240
"""Columns of a table that goes to a file or another program, so that nothing in it is cut off."""

out = Console(highlight=False, emoji=False, soft_wrap=True, width=None if sys.stdout.isatty() else _PIPE_WIDTH)
err = Console(stderr=True, highlight=False, emoji=False, soft_wrap=True)


def columns(*headers: str) -> Table:
    """Return a table for the terminal; long cells go on below, they are never cut off."""
    made = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for header in headers:
        made.add_column(header, overflow="fold")
    return made


def services(directory: Path | None, *, make: bool = False, clock: Clock | None = None) -> Services:
    """Open the data directory and build the services over it.

    Raises:
        UsageError: there is no such directory, and ``make`` does not allow to make one: a misspelt name must not look
            like an empty ledger.
    """
    settings = Settings.load(directory)
    if not make and not settings.dir.is_dir():
        raise UsageError(
            f"there is no data directory '{settings.dir}'", where="--dir", hint="'proofroom import' makes one"
        )
    return build_services(settings, clock or SystemClock())


def period(first: str, last: str) -> Period:
    """Return the period from the first to the last day, both included.

    Raises:
        UsageError: a day cannot be read, or the last is before the first.
    """
    return Period.of_days(parse_day(first, where="--from"), parse_day(last, where="--to"), where="--to")


@contextmanager
def progress_bar(what: str) -> Iterator[Callable[[str, int, int], None]]:
    """Show a progress bar on standard error while the block runs; silent when that is no terminal."""
    share = TextColumn("{task.percentage:>3.0f}%")
    columns = (TextColumn("{task.description}"), BarColumn(), share, TimeElapsedColumn())
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as bar:
        task = bar.add_task(what, total=None)

        def update(step: str, done: int, total: int) -> None:
            bar.update(task, description=step or what, completed=done, total=total or None)

        yield update
