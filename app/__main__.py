# SPDX-License-Identifier: Apache-2.0

"""The ``proofroom`` command. Exit status: 0 done, 1 a check did not hold, 2 wrong use."""

import logging
import sys

import typer

from app.cli.root import app
from app.errors import ProofroomError, UsageError


def main() -> None:
    """Run one command and leave with its exit status."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run one command and return its exit status; a mistake of the user gets one clear line."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    try:
        app(args=arguments, prog_name="proofroom")
    except SystemExit as leaving:
        return leaving.code if isinstance(leaving.code, int) else 0
    except ProofroomError as error:
        typer.echo(f"error: {error}", err=True)
        return error.exit_status
    except BrokenPipeError:
        return 0
    except OSError as error:
        # A path that the user named; anything else is a defect, and its traceback is wanted.
        if error.filename is None:
            raise
        typer.echo(f"error: {error.filename}: {error.strerror}", err=True)
        return UsageError.exit_status
    return 0


if __name__ == "__main__":
    main()
