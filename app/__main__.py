# SPDX-License-Identifier: Apache-2.0

"""The ``proofroom`` command. Exit status: 0 done, 1 a check did not hold, 2 wrong use."""

import logging
import sys

import click
import typer

from app.cli.root import app
from app.errors import ProofroomError


def main(arguments: list[str] | None = None) -> None:
    """Run one command and leave with its exit status; a mistake of the user gets one clear line."""
    sys.exit(run(sys.argv[1:] if arguments is None else arguments))


def run(arguments: list[str]) -> int:
    """Run one command and return its exit status."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    command = typer.main.get_command(app)
    try:
        outcome = command.main(args=arguments, prog_name="proofroom", standalone_mode=False)
    except ProofroomError as error:
        click.echo(f"error: {error}", err=True)
        return error.exit_status
    except click.ClickException as error:
        error.show()
        return 2
    except (click.Abort, KeyboardInterrupt):
        click.echo("stopped", err=True)
        return 130
    except BrokenPipeError:
        return 0
    return outcome if isinstance(outcome, int) else 0


if __name__ == "__main__":
    main()
