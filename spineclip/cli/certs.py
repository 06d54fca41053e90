"""``spineclip certs``: an authority and a server certificate for the clinic's broker."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Annotated

import typer

from spineclip.certs import SERVER_DAYS, make


def certs(
    host: Annotated[list[str], typer.Option(help="A name or address of the broker; repeat for more.")],
    folder: Annotated[Path, typer.Option("--dir", help="Where the files go.")] = Path("secrets"),
    days: Annotated[int, typer.Option(min=1, max=SERVER_DAYS, help="Life of the server certificate.")] = SERVER_DAYS,
) -> None:
    """Make the broker's certificates; an authority that is there already signs the new one."""
    files = make(folder, host, dt.datetime.now(dt.UTC), server_days=days)
    typer.echo(f"{files.authority}: the authority. Every collector gets a copy (spineclip enroll puts it in).")
    typer.echo(f"{files.server}, {files.server_key}: the broker's own, valid for {days} days.")
    typer.echo(f"{files.authority_key}: signs new ones. Keep it away from the broker, and let nobody have it.")
