# SPDX-License-Identifier: Apache-2.0

"""The ``proofroom`` command. Exit status: 0 done, 1 a check did not hold, 2 wrong use, 130 stopped by Ctrl-C."""

import logging
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

import typer

from app.cli.root import app
from app.errors import ProofroomError, UsageError

STOPPED = 130
"""What a shell reports of a program that Ctrl-C ended: 128 and the signal's number."""


class _Interrupts:
    """Notices Ctrl-C, because what it interrupts may report it as an error of its own, as DuckDB does."""

    noticed = False

    def __call__(self, number: int, frame: FrameType | None) -> None:
        self.noticed = True
        signal.default_int_handler(number, frame)


def main() -> None:
    """Run one command and leave with its exit status."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run one command and return its exit status; a mistake of the user gets one clear line, and so does Ctrl-C."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    with _watched() as interrupts:
        try:
            status = _run(arguments, interrupts)
        except (Exception, KeyboardInterrupt):
            if not interrupts.noticed:
                raise
            status = STOPPED
    if status and interrupts.noticed:
        typer.echo("stopped; nothing half done is left", err=True)
        return STOPPED
    return status


def _run(arguments: list[str], interrupts: _Interrupts) -> int:
    try:
        app(args=arguments, prog_name="proofroom")
    except SystemExit as leaving:
        return leaving.code if isinstance(leaving.code, int) else 0
    except ProofroomError as error:
        if interrupts.noticed:
            return STOPPED
        typer.echo(f"error: {error}", err=True)
        return error.exit_status
    except BrokenPipeError:
        return 0
    except OSError as error:
        # A path that the user named; anything else is a defect, and its traceback is wanted.
        if error.filename is None or interrupts.noticed:
            raise
        typer.echo(f"error: {error.filename}: {error.strerror}", err=True)
        return UsageError.exit_status
    return 0


@contextmanager
def _watched() -> Iterator[_Interrupts]:
    """Notice Ctrl-C while the block runs; only a program's first thread can, and only it is interrupted."""
    interrupts = _Interrupts()
    if threading.current_thread() is not threading.main_thread():
        yield interrupts
        return
    before = signal.signal(signal.SIGINT, interrupts)
    try:
        yield interrupts
    finally:
        signal.signal(signal.SIGINT, before)


if __name__ == "__main__":
    main()
