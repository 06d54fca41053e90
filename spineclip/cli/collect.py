"""``spineclip collect``: from wearables to the broker, until stopped."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated, Any

import typer

from collector.scan import SCAN_S, look
from collector.service import Collector, CollectorSettings
from collector.wearables import add_profile
from spineclip import logs
from spineclip import settings as files
from spineclip.cli import options
from spineclip.contract.clock import SystemClock
from spineclip.contract.errors import SettingsError
from spineclip.contract.placement import Placement
from spineclip.health import health_if, of_collector
from spineclip.stopping import run_until_stopped


def collect(
    settings: Annotated[Path | None, typer.Option(help="Settings file; options override what it says.")] = None,
    patient: Annotated[str | None, typer.Option(help="The patient's pseudonym.")] = None,
    wearable: Annotated[list[str] | None, typer.Option(help="Kind, address, id or name; once for each clip.")] = None,
    placement: options.EachWorn = None,
    broker: Annotated[str | None, typer.Option(help="HOST or HOST:PORT of the MQTT broker.")] = None,
    username: Annotated[str | None, typer.Option(help="User at the broker.")] = None,
    password_file: Annotated[Path | None, typer.Option(help="File with the password.")] = None,
    ca_file: Annotated[Path | None, typer.Option(help="The broker's authority; makes the connection TLS.")] = None,
    outbox: Annotated[Path | None, typer.Option(help="File that keeps records until they are stored.")] = None,
    rate: Annotated[float | None, typer.Option(help="Samples a second to ask for.")] = None,
    profile: options.Profiles = None,
    adapter: options.Adapter = None,
    health_port: options.Health = None,
) -> None:
    """Collect from a patient's wearables and send to the broker, until Ctrl-C or SIGTERM."""
    for path in profile or []:
        add_profile(path)
    chosen = _choose(
        settings,
        {"patient": patient, "rate_hz": rate, "adapter": adapter},
        _clips(wearable or [], placement or []),
        _broker(broker, username, password_file, ca_file),
        outbox,
    )
    logs.set_up()
    run_until_stopped(_collect(chosen, health_port))


async def _collect(chosen: CollectorSettings, health_port: int | None = None) -> None:
    await look(min(SCAN_S, 0.2), chosen.adapter)  # no Bluetooth at all is better said now than tried for ever
    collector = Collector(chosen, SystemClock(), _say)
    typer.echo(f"Collecting for {chosen.patient}; outbox {chosen.outbox}; stop with Ctrl-C.")
    try:
        async with health_if(health_port, lambda: of_collector(collector), typer.echo):
            await collector.run()
    finally:
        waiting = collector.backlog
        typer.echo(
            f"Stopped: {collector.received} samples received, "
            + ("all stored." if not waiting else f"records that wait in the outbox for the next start: {waiting}.")
        )


def _say(sentence: str) -> None:
    typer.echo(f"{time.strftime('%H:%M:%S')} {sentence}")


def _choose(
    path: Path | None,
    top: dict[str, Any],
    clips: list[dict[str, Any]],
    broker: dict[str, Any],
    outbox: Path | None,
) -> CollectorSettings:
    fields: dict[str, Any] = {}
    folder = Path.cwd()
    if path is not None:
        fields = files.read(path).model_dump(exclude_unset=True)
        folder = path.resolve().parent
    fields |= {key: value for key, value in top.items() if value is not None}
    if "patient" not in fields:
        raise SettingsError("no patient is named", advice="Give --patient, or a file with --settings")
    if clips:
        fields["clips"] = clips
    fields["broker"] = fields.get("broker", {}) | broker
    if outbox is not None:
        fields["outbox"] = fields.get("outbox", {}) | {"path": outbox.resolve()}
    return files.check(fields, "the options" if path is None else str(path)).for_collector(folder)


def _clips(wearables: list[str], placements: list[Placement]) -> list[dict[str, Any]]:
    if len(wearables) != len(placements):
        raise SettingsError(
            f"{len(wearables)} wearables are named and {len(placements)} placements",
            advice=f"Give --placement once for each --wearable: {', '.join(Placement)}",
        )
    return [{"wearable": text, "placement": place} for text, place in zip(wearables, placements, strict=True)]


def _broker(
    address: str | None, username: str | None, password_file: Path | None, ca_file: Path | None
) -> dict[str, Any]:
    fields: dict[str, Any] = {"username": username}
    if address is not None:
        bare = address.count(":") > 1 and not address.startswith("[")  # an IPv6 address without a port
        host, colon, port = ("", "", "") if bare else address.rpartition(":")
        if colon and not port.isdigit():
            raise SettingsError(f"--broker cannot be {address!r}", advice="Use HOST, HOST:PORT or [IPV6]:PORT")
        fields |= {"host": host.strip("[]"), "port": int(port)} if colon else {"host": address}
    fields["password_file"] = None if password_file is None else password_file.resolve()
    fields["ca_file"] = None if ca_file is None else ca_file.resolve()
    return {key: value for key, value in fields.items() if value is not None}
