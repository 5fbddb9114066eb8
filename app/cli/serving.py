# SPDX-License-Identifier: Apache-2.0

"""``proofroom serve``: the REST interface and the pages."""

from typing import Annotated

import typer
import uvicorn

from app.cli.options import DirOption, err
from app.controls.loader import load
from app.main import create_app
from app.resources import shipped
from app.settings import Settings
from app.watching.spans import read_watched


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command()(serve)


def serve(
    *,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.", min=1, max=65_535)] = 8080,
    directory: DirOption = None,
) -> None:
    """Serve the REST interface under /api/v1 and the pages for people.

    Whenever records came in, it evaluates what the setting 'watched' names, and keeps what moved.
    """
    settings = Settings.load(directory)
    # What does not load must be said here, not to whoever asks first.
    controls = load(shipped("controls"), settings.own_controls)
    read_watched(settings.watched, lambda name: controls.resolve_framework(name).id)
    err.print(f"Proofroom on http://{host}:{port}  (data in {settings.dir}; leave with Ctrl-C)", markup=False)
    uvicorn.run(create_app(settings), host=host, port=port, log_level="warning", server_header=False)
