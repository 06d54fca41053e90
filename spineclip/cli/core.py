"""``spineclip core``: the processing service on a broker and a store."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from pathlib import Path
from typing import Annotated

import typer

from processing.service import Core
from processing.stores.base import MetricStore
from processing.stores.lease import BEAT_S, Lease, TakenError
from processing.stores.sqlite import SqliteStore
from spineclip import logs
from spineclip.cli import options
from spineclip.contract.connection import BrokerAccess
from spineclip.contract.errors import StoreError
from spineclip.health import health_if, of_core
from spineclip.patients import data_folder, store_file
from spineclip.servers import open_influx, to_broker
from spineclip.sole import sole_core, sole_core_influx
from spineclip.stopping import run_until_stopped

_LOG = logging.getLogger(__name__)
ALIVE_S = 10.0


def core(
    host: Annotated[str, typer.Option(help="The MQTT broker.", envvar="SPINECLIP_MQTT_HOST")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, envvar="SPINECLIP_MQTT_PORT", help="Its port.")] = 1883,
    user: Annotated[str, typer.Option(envvar="SPINECLIP_MQTT_USER", help="Our user name there.")] = "",
    password_file: options.PasswordFile = None,
    ca: options.Authority = None,
    store: Annotated[
        Path | None, typer.Option(help="SQLite file of the metrics (default: in the data folder).")
    ] = None,
    influx: options.Influx = None,
    influx_org: options.InfluxOrg = "spineclip",
    influx_bucket: options.InfluxBucket = "spineclip",
    influx_token_file: Annotated[Path | None, typer.Option(help="File that holds the core's token.")] = None,
    alive: Annotated[Path | None, typer.Option(help="File to touch as long as all is well (health checks).")] = None,
    health_port: options.Health = None,
    verbose: Annotated[bool, typer.Option(help="Log at DEBUG, where ids may appear.")] = False,
) -> None:
    """Turn records from the broker into stored metrics, until Ctrl-C or SIGTERM."""
    logs.set_up(logging.DEBUG if verbose else logging.INFO)
    mqtt = to_broker(host, port, user, password_file, ca)
    with contextlib.ExitStack() as stack:
        kept: MetricStore
        lease: Lease | None = None
        if influx is None:
            file = store or store_file(data_folder())
            stack.enter_context(sole_core(file))
            kept = SqliteStore(file)
            stack.callback(kept.close)
        else:
            database = kept = open_influx(influx, influx_bucket, influx_token_file, influx_org)
            stack.callback(kept.close)
            lease = stack.enter_context(sole_core_influx(database))
        run_until_stopped(serve(kept, mqtt, alive, health_port, lease))


async def serve(
    store: MetricStore,
    mqtt: BrokerAccess,
    alive: Path | None = None,
    health_port: int | None = None,
    lease: Lease | None = None,
) -> None:
    """Serve until cancelled; then store what has arrived and take leave.

    Raises
    ------
    StoreError
        If the checkpoints cannot be read, or another core has taken our place on the store (`lease`).
    """
    service = Core(store, mqtt)
    async with health_if(health_port, lambda: of_core(service), typer.echo):
        await _serve(service, alive, lease)


async def _serve(service: Core, alive: Path | None, lease: Lease | None) -> None:
    task = asyncio.create_task(service.run())
    if lease is not None:
        beating = asyncio.create_task(_beat(lease, task))
        task.add_done_callback(beating.cancel)
    if alive is not None:
        task.add_done_callback(asyncio.create_task(_show_alive(service, alive)).cancel)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        if lease is not None and lease.lost is not None:
            raise lease.lost from None
        await service.stop()
        await task


async def _beat(lease: Lease, task: asyncio.Task[None]) -> None:
    """Keep the heartbeat going; end the core at once when another one has taken its place."""
    while True:
        await asyncio.sleep(BEAT_S)
        try:
            await asyncio.to_thread(lease.beat)
        except TakenError:
            task.cancel()
            return
        except StoreError as error:
            _LOG.debug("no heartbeat: %s", error)  # whoever commits tells that the store is away


async def _show_alive(service: Core, file: Path) -> None:
    """Touch a file now and then, while the loop turns and the broker listens."""
    while True:
        if service.connected:
            await asyncio.to_thread(file.touch)
        await asyncio.sleep(ALIVE_S if service.connected else 1.0)
