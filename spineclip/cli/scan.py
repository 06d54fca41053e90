"""``spineclip scan``: which wearables are near."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer
from rich import box
from rich.console import Console
from rich.table import Table

from collector.link import Radio
from collector.listen import read_battery
from collector.scan import SCAN_S, Sighting, look
from collector.wearables import add_profile
from spineclip.cli import options
from spineclip.contract.clock import SystemClock
from spineclip.contract.errors import WearableNotFoundError


def scan(
    seconds: Annotated[float, typer.Option(help="How long to listen.", min=0.5, max=120)] = SCAN_S,
    battery: Annotated[bool, typer.Option(help="Connect to each wearable for its battery.")] = True,
    profile: options.Profiles = None,
    adapter: options.Adapter = None,
) -> None:
    """List the wearables near, nearest first."""
    for path in profile or []:
        add_profile(path)
    found, charges = asyncio.run(_scan(seconds, battery, adapter))
    if not found:
        raise WearableNotFoundError(
            f"no wearable that we know was seen within {seconds:g} s",
            advice="Switch it on, bring it near, and take it off any phone; known kinds: spineclip wearables",
        )
    table = Table(box=box.SIMPLE_HEAD)
    for heading in ("wearable", "name", "kind", "RSSI", "battery"):
        table.add_column(heading, justify="right" if heading in ("RSSI", "battery") else "left")
    for one, charge in zip(found, charges, strict=True):
        seen = one.seen
        table.add_row(
            one.wearable_id,
            seen.name or "-",
            one.wearable.label,
            "-" if seen.rssi_dbm is None else f"{seen.rssi_dbm} dBm",
            "-" if charge is None else f"{charge} %",
        )
    Console(soft_wrap=True).print(table)
    typer.echo(f"Collect from one of them: spineclip collect --wearable {found[0].wearable_id} --placement sternum ...")


async def _scan(seconds: float, battery: bool, adapter: str | None) -> tuple[list[Sighting], list[int | None]]:
    found = await look(seconds, adapter)
    if not battery:
        return found, [None] * len(found)
    radio, clock = Radio(adapter), SystemClock()
    return found, list(await asyncio.gather(*(read_battery(one, radio, clock) for one in found)))
