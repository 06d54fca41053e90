"""``spineclip page``: a patient's page on what is already stored."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import webbrowser
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from dashboards.patient.feed import LatestFeed
from dashboards.patient.model import Source
from dashboards.serving import Public, public_address
from processing.stores.base import MetricStore
from processing.stores.sqlite import SqliteStore
from spineclip.calibrating import MqttCalibrator
from spineclip.cli import options
from spineclip.contract.clock import SystemClock
from spineclip.contract.connection import BrokerAccess
from spineclip.contract.errors import SettingsError, StoreError
from spineclip.contract.ids import check_id
from spineclip.desk import StoreDesk
from spineclip.following import followed
from spineclip.health import health_if, of_page
from spineclip.home import Home
from spineclip.links import Links
from spineclip.live_feed import MqttFeed, live_feed
from spineclip.patients import Patients, data_folder
from spineclip.servers import broker_access, open_store
from spineclip.stopping import run_until_stopped

_LOOK_S = 10.0
"""So often it is looked whether the store answers."""


def page(
    patient: Annotated[
        str | None,
        typer.Argument(help="The patient's id (default: the only one there is).", envvar="SPINECLIP_PATIENT"),
    ] = None,
    data: options.Data = None,
    port: options.PagePort = None,
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open the page in a browser.")] = True,
    listen: Annotated[str, typer.Option(help="Address to listen on; another one is for containers.")] = "127.0.0.1",
    publish: Annotated[
        str | None,
        typer.Option(help="Address at which a web server with TLS shows it to others; asks for the patient's link."),
    ] = None,
    host: options.Host = None,
    broker_port: options.BrokerPort = 8883,
    user: options.User = "page",
    password_file: options.PasswordFile = None,
    ca: options.Authority = None,
    influx: options.Influx = None,
    influx_org: options.InfluxOrg = "spineclip",
    influx_bucket: options.InfluxBucket = "spineclip",
    influx_token_file: Annotated[Path | None, typer.Option(help="File that holds the page's token.")] = None,
    health_port: options.Health = None,
) -> None:
    """Show a patient's page until Ctrl-C."""
    folder = data or data_folder()
    public = None if publish is None else public_address(publish)
    store = open_store(folder, influx, influx_bucket, influx_token_file, influx_org)
    try:
        whom = check_id(patient, "patient") if patient else _only(store)
        access = broker_access(host, broker_port, user, password_file, ca)
        run_until_stopped(_show(_Page(store, folder, whom, port, listen, public, health_port, browser=browser), access))
    finally:
        store.close()


@dataclass(frozen=True, slots=True)
class _Page:
    """Whose page it is, and where it is to be seen."""

    store: MetricStore
    folder: Path
    patient: str
    port: int | None
    listen: str
    public: Public | None
    health_port: int | None
    browser: bool


async def _show(wanted: _Page, access: BrokerAccess | None) -> None:
    from dashboards.patient.server import Published, serve_page  # noqa: PLC0415 - loads NiceGUI, which other commands do without

    clock, patients = SystemClock(), Patients(wanted.folder)
    language, home = patients.config(wanted.patient).language, Home(patients, wanted.patient)
    # Changed settings have to get to the core: over the broker, or by the file for a core on this machine.
    reaches_core = access is not None or isinstance(wanted.store, SqliteStore)
    desk = StoreDesk(wanted.store, wanted.patient, home, clock, patients=patients if reaches_core else None)
    async with contextlib.AsyncExitStack() as open_until_the_end:
        feed, live = LatestFeed(clock), None
        calibrator = None
        if access is not None:
            feed = live = await open_until_the_end.enter_async_context(live_feed(access, wanted.patient))
            await open_until_the_end.enter_async_context(followed(access, patients, wanted.patient))
            calibrator = MqttCalibrator(access, patients, wanted.patient)
        if wanted.health_port is not None:
            await _tell_health(open_until_the_end, wanted, live)
        source = Source(wanted.patient, home, language, wanted.store, feed, clock, desk, calibrator)
        published = None
        if wanted.public is not None:
            published = Published(wanted.public, functools.partial(Links(wanted.folder).token, wanted.patient))
        serving = serve_page(source, port=wanted.port, listen=wanted.listen, published=published)
        address = await open_until_the_end.enter_async_context(serving)
        typer.echo(f"The page of {source.patient}: {address}  (Ctrl-C ends it)")
        if wanted.public is not None:
            # The link itself is not said here: what a service says is kept in logs.
            typer.echo(f"It needs its link: spineclip link {source.patient} --at {wanted.public.url}")
        elif wanted.browser:
            await asyncio.to_thread(webbrowser.open, address)
        await asyncio.Event().wait()


async def _tell_health(until_the_end: contextlib.AsyncExitStack, wanted: _Page, live: MqttFeed | None) -> None:
    """Answer /healthz; the store is asked now and then, beside it, so that the answer never waits for it."""
    answers = await _answers(wanted)

    async def look() -> None:
        nonlocal answers
        while True:
            await asyncio.sleep(_LOOK_S)
            answers = await _answers(wanted)

    looking = asyncio.create_task(look())
    until_the_end.callback(looking.cancel)
    await until_the_end.enter_async_context(health_if(wanted.health_port, lambda: of_page(answers, live), typer.echo))


async def _answers(wanted: _Page) -> bool:
    try:
        await asyncio.to_thread(wanted.store.latest, "daily", wanted.patient)
    except StoreError:
        return False
    return True


def _only(store: MetricStore) -> str:
    patients = store.patients()
    if len(patients) == 1:
        return patients[0]
    raise SettingsError(
        f"the metric store holds {len(patients)} patients",
        advice=f"Name one of them: {', '.join(patients[:5])}" if patients else "Record something first",
    )
