"""``spineclip page``: a patient's page on what is already stored."""

from __future__ import annotations

import asyncio
import webbrowser
from pathlib import Path
from typing import Annotated

import typer

from dashboards.patient.feed import LatestFeed
from dashboards.patient.model import Source
from processing.stores.sqlite import SqliteStore
from spineclip.contract.clock import SystemClock
from spineclip.contract.config import zone
from spineclip.contract.errors import SettingsError
from spineclip.contract.ids import check_id
from spineclip.desk import StoreDesk
from spineclip.patients import Patients, data_folder, store_file
from spineclip.stopping import run_until_stopped


def page(
    patient: Annotated[str | None, typer.Argument(help="The patient's id (default: the only one there is).")] = None,
    data: Annotated[
        Path | None, typer.Option("--data", help="Data folder (default: $SPINECLIP_DATA or the user's).")
    ] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="Port of the page; 0 takes any.")] = None,
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open the page in a browser.")] = True,
) -> None:
    """Show a patient's page until Ctrl-C."""
    folder = data or data_folder()
    file = store_file(folder)
    if not file.is_file():
        raise SettingsError(f"there is no metric store at {file}", advice="Record something first, or name its folder")
    store = SqliteStore(file)
    try:
        whom = check_id(patient, "patient") if patient else _only(store)
        config = Patients(folder).config(whom)
        clock = SystemClock()
        local = zone(config.time_zone)
        desk = StoreDesk(store, whom, local, clock)
        source = Source(whom, local, config.language, store, LatestFeed(clock), clock, desk)
        run_until_stopped(_show(source, port, browser=browser))
    finally:
        store.close()


async def _show(source: Source, port: int | None, *, browser: bool) -> None:
    from dashboards.patient.server import serve_page  # noqa: PLC0415 - loads NiceGUI, which other commands do without

    async with serve_page(source, port=port) as address:
        typer.echo(f"The page of {source.patient}: {address}  (Ctrl-C ends it)")
        if browser:
            await asyncio.to_thread(webbrowser.open, address)
        await asyncio.Event().wait()


def _only(store: SqliteStore) -> str:
    patients = store.patients()
    if len(patients) == 1:
        return patients[0]
    raise SettingsError(
        f"{store.path} holds {len(patients)} patients",
        advice=f"Name one of them: {', '.join(patients[:5])}" if patients else "Record something first",
    )
