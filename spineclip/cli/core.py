"""``spineclip core``: the processing service on a broker and a store."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from processing.mqtt import MqttSettings
from processing.service import Core
from processing.stores.base import MetricStore
from processing.stores.sqlite import SqliteStore
from spineclip.patients import data_folder, store_file
from spineclip.servers import open_influx, secret
from spineclip.stopping import run_until_stopped

ALIVE_S = 10.0


def core(
    host: Annotated[str, typer.Option(help="The MQTT broker.", envvar="SPINECLIP_MQTT_HOST")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, envvar="SPINECLIP_MQTT_PORT", help="Its port.")] = 1883,
    user: Annotated[str, typer.Option(envvar="SPINECLIP_MQTT_USER", help="Our user name there.")] = "",
    password_file: Annotated[Path | None, typer.Option(help="File that holds our password there.")] = None,
    ca: Annotated[Path | None, typer.Option(help="Authority of the broker's certificate; makes it TLS.")] = None,
    store: Annotated[
        Path | None, typer.Option(help="SQLite file of the metrics (default: in the data folder).")
    ] = None,
    influx: Annotated[str | None, typer.Option(help="Address of an InfluxDB 2 to store in instead.")] = None,
    influx_org: Annotated[str, typer.Option(help="Its organisation.")] = "spineclip",
    influx_bucket: Annotated[str, typer.Option(help="Its bucket.")] = "spineclip",
    influx_token_file: Annotated[Path | None, typer.Option(help="File that holds the core's token.")] = None,
    alive: Annotated[Path | None, typer.Option(help="File to touch as long as all is well (health checks).")] = None,
) -> None:
    """Turn records from the broker into stored metrics, until Ctrl-C or SIGTERM."""
    mqtt = MqttSettings(host, port, user, secret(password_file), ca)
    kept: MetricStore
    if influx is None:
        kept = SqliteStore(store or store_file(data_folder()))
    else:
        kept = open_influx(influx, influx_bucket, influx_token_file, influx_org)
    try:
        run_until_stopped(serve(kept, mqtt, alive))
    finally:
        kept.close()


async def serve(store: MetricStore, mqtt: MqttSettings, alive: Path | None = None) -> None:
    """Serve until cancelled; then store what has arrived and take leave."""
    service = Core(store, mqtt)
    task = asyncio.create_task(service.run())
    if alive is not None:
        task.add_done_callback(asyncio.create_task(_show_alive(service, alive)).cancel)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await service.stop()
        await task


async def _show_alive(service: Core, file: Path) -> None:
    """Touch a file now and then, while the loop turns and the broker listens."""
    while True:
        if service.connected:
            await asyncio.to_thread(file.touch)
        await asyncio.sleep(ALIVE_S if service.connected else 1.0)
