# SPDX-License-Identifier: Apache-2.0

"""``proofroom token create|list|revoke``: who may use the service."""

from typing import Annotated

import typer

from app.auth.tokens import Scope
from app.cli.options import DirOption, columns, err, out, services
from app.records.times import format_instant


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    group = typer.Typer(help="Bearer tokens for the service.", no_args_is_help=True)
    group.command()(create)
    group.command("list")(list_tokens)
    group.command()(revoke)
    app.add_typer(group, name="token")


def create(
    name: Annotated[str, typer.Option(help="Who will use it.")],
    *,
    scope: Annotated[list[Scope] | None, typer.Option(help="What it allows; may be repeated.")] = None,
    days: Annotated[int, typer.Option(help="Days it lives, 1 to 366.")] = 90,
    directory: DirOption = None,
) -> None:
    """Make a token. It is printed once; only its digest is stored."""
    token, info = services(directory, make=True).auth.issue(name, scope or [Scope.READ], days)
    err.print(f"token {info.id} for {info.name}, valid until {format_instant(info.expires_at)}", markup=False)
    typer.echo(token)


def list_tokens(directory: DirOption = None) -> None:
    """List tokens; never their secrets."""
    table = columns("id", "name", "scopes", "expires", "state")
    tokens = services(directory).auth.tokens()
    for info in tokens:
        state = "revoked" if info.revoked_at is not None else ""
        table.add_row(info.id, info.name, " ".join(info.scopes), format_instant(info.expires_at), state)
    out.print(table if tokens else "There is no token. Make one with 'proofroom token create'.")


def revoke(
    token_id: Annotated[str, typer.Argument(help="Id of the token, from 'proofroom token list'.")],
    directory: DirOption = None,
) -> None:
    """End a token's life now."""
    services(directory).auth.revoke(token_id)
    out.print(f"token {token_id} is revoked", markup=False)
