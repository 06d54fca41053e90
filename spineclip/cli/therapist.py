"""``spineclip therapist``: all patients of a data folder at a glance."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import webbrowser
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from dashboards.doorkeeper import SHORTEST_KEY
from dashboards.entrance import ENTER
from dashboards.serving import Public, public_address, serve
from dashboards.therapist.desk import Office
from spineclip.cli import options
from spineclip.contract.clock import SystemClock
from spineclip.contract.errors import SettingsError
from spineclip.following import followed
from spineclip.patients import Patients, data_folder
from spineclip.practice import FilePractice
from spineclip.private_file import write_private
from spineclip.servers import broker_access, open_here, secret
from spineclip.stopping import run_until_stopped


def therapist(
    data: options.Data = None,
    port: options.PagePort = None,
    language: Annotated[str, typer.Option(help="en or de.")] = "en",
    publish: Annotated[
        str | None, typer.Option(help="Address at which a web server with TLS shows it to the clinic.")
    ] = None,
    key_file: Annotated[
        Path | None, typer.Option(help="File that holds the key, made if missing (default: a new key each time).")
    ] = None,
    host: options.Host = None,
    broker_port: options.BrokerPort = 8883,
    user: options.User = "page",
    password_file: options.PasswordFile = None,
    ca: options.Authority = None,
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open the page in a browser.")] = True,
) -> None:
    """Show the therapist's view until Ctrl-C: who to ask first, reports, goals."""
    folder = data or data_folder()
    access = broker_access(host, broker_port, user, password_file, ca)
    public = None if publish is None else public_address(publish)
    store = open_here(folder)
    try:
        clock = SystemClock()
        patients = Patients(folder)
        practice = FilePractice(patients, store, clock)
        office = Office(store, practice, clock, _key(key_file), options.language_of(language))
        following = contextlib.nullcontext() if access is None else followed(access, patients)
        run_until_stopped(_show(_View(office, port, public, browser=browser), following))
    finally:
        store.close()


@dataclass(frozen=True, slots=True)
class _View:
    """What is shown, and where."""

    office: Office
    port: int | None
    public: Public | None
    browser: bool


async def _show(view: _View, following: contextlib.AbstractAsyncContextManager[None]) -> None:
    from dashboards.therapist.app import therapist_app  # noqa: PLC0415 - loads what draws reports

    app = therapist_app(view.office, secure=view.public is not None and view.public.tls)
    async with following, serve(app, port=view.port, public=view.public, language=view.office.language) as address:
        link = f"{view.public.url if view.public else address.rstrip('/')}{ENTER}#{view.office.key}"
        typer.echo(f"The therapist's view: {link}  (the link is the key; Ctrl-C ends it)")
        if view.public:
            typer.echo(f"Here it listens at {address}")
        elif view.browser:
            await asyncio.to_thread(webbrowser.open, link)
        await asyncio.Event().wait()


def _key(file: Path | None) -> str:
    if file is None:
        return secrets.token_urlsafe(24)
    if not file.exists():
        write_private(file, secrets.token_urlsafe(24).encode())
    key = secret(file)
    if len(key) < SHORTEST_KEY:
        raise SettingsError(f"the key in {file} is too short", advice="Remove the file: a new key is made then")
    return key
