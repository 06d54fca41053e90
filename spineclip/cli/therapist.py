"""``spineclip therapist``: all patients of a data folder at a glance."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import webbrowser
from pathlib import Path
from typing import Annotated

import typer

from dashboards.therapist.desk import Office
from processing.stores.sqlite import SqliteStore
from spineclip.contract.clock import SystemClock
from spineclip.contract.errors import SettingsError
from spineclip.following import followed
from spineclip.patients import Patients, data_folder, store_file
from spineclip.practice import FilePractice
from spineclip.servers import broker_access
from spineclip.stopping import run_until_stopped


def therapist(
    data: Annotated[Path | None, typer.Option(help="Data folder (default: $SPINECLIP_DATA or the user's).")] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="Port of the page; 0 takes any.")] = None,
    language: Annotated[str, typer.Option(help="en or de.")] = "en",
    host: Annotated[str | None, typer.Option(help="The clinic's MQTT broker, which new goals go to.")] = None,
    broker_port: Annotated[int, typer.Option(min=1, max=65535, help="Its port.")] = 8883,
    user: Annotated[str, typer.Option(help="Our user name there.")] = "page",
    password_file: Annotated[Path | None, typer.Option(help="File that holds our password there.")] = None,
    ca: Annotated[Path | None, typer.Option(help="Authority of the broker's certificate; makes it TLS.")] = None,
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open the page in a browser.")] = True,
) -> None:
    """Show the therapist's view until Ctrl-C: who to ask first, reports, goals."""
    folder = data or data_folder()
    file = store_file(folder)
    if not file.is_file():
        raise SettingsError(f"there is no metric store at {file}", advice="Record something first, or name its folder")
    access = broker_access(host, broker_port, user, password_file, ca)
    store = SqliteStore(file)
    try:
        clock = SystemClock()
        patients = Patients(folder)
        practice = FilePractice(patients, store, clock)
        office = Office(store, practice, clock, secrets.token_urlsafe(24), language)
        following = contextlib.nullcontext() if access is None else followed(access, patients)
        run_until_stopped(_show(office, port, following, browser=browser))
    finally:
        store.close()


async def _show(
    office: Office, port: int | None, following: contextlib.AbstractAsyncContextManager[None], *, browser: bool
) -> None:
    from dashboards.serving import serve  # noqa: PLC0415 - loads a web server, which other commands do without
    from dashboards.therapist.app import therapist_app  # noqa: PLC0415 - as above

    async with following, serve(therapist_app(office), port=port) as address:
        link = f"{address}?key={office.key}"
        typer.echo(f"The therapist's view: {link}  (the link is the key; Ctrl-C ends it)")
        if browser:
            await asyncio.to_thread(webbrowser.open, link)
        await asyncio.Event().wait()
