"""``spineclip pair``: find out which wearable is meant, and write it into the settings file."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Annotated, Any

import typer

from collector.link import Radio
from collector.listen import Ear
from collector.scan import SCAN_S, Sighting, Target, find, look
from collector.wearables import add_profile
from collector.wearing import most_shaken, movement_g
from spineclip import settings as files
from spineclip.cli import options
from spineclip.contract.clock import SystemClock
from spineclip.contract.errors import WearableNotFoundError
from spineclip.contract.ids import new_patient_id

_CONNECT_S = 15.0


def pair(
    placement: options.WornAt,
    settings: Annotated[Path, typer.Option(help="Settings file to write.")] = Path("collector.toml"),
    patient: Annotated[
        str | None, typer.Option(help="The patient's pseudonym; one is made when there is none.")
    ] = None,
    wearable: Annotated[
        str | None, typer.Option(help="Kind, address, id or name; else shake the one you mean.")
    ] = None,
    seconds: Annotated[float, typer.Option(help="How long to shake.", min=1, max=60)] = 5.0,
    profile: options.Profiles = None,
    adapter: options.Adapter = None,
) -> None:
    """Recognise a wearable by shaking it (or by name), and note in the settings where it is worn."""
    known: dict[str, Any] = files.read(settings).model_dump(exclude_unset=True) if settings.exists() else {}
    for path in profile or []:
        add_profile(path)
    chosen, felt = asyncio.run(_choose(wearable, seconds, adapter))
    known["patient"] = patient or known.get("patient") or new_patient_id()
    if adapter is not None:
        known["adapter"] = adapter
    if profile:
        known["profiles"] = tuple(dict.fromkeys([*known.get("profiles", ()), *(path.resolve() for path in profile)]))
    others = [
        clip
        for clip in known.get("clips", ())
        if clip["placement"] != placement and clip["wearable"] != chosen.wearable_id
    ]
    known["clips"] = (*others, {"wearable": chosen.wearable_id, "placement": placement})
    written = files.check(known, str(settings))
    files.write(settings, written)
    typer.echo(f"{chosen.seen.name or chosen.wearable.label} is {chosen.wearable_id}, worn at {placement}.")
    if felt:
        typer.echo("It has just buzzed or blinked: is it the one you mean? Else pair again.")
    typer.echo(f"Written to {settings}. Next: spineclip calibrate --settings {settings} --placement {placement}")
    if written.broker == files.BrokerTable():
        typer.echo(f"Then, at home: spineclip wear --settings {settings}")


async def _choose(wearable: str | None, seconds: float, adapter: str | None) -> tuple[Sighting, bool]:
    radio, clock = Radio(adapter), SystemClock()
    if wearable is not None:
        chosen = await find(Target(wearable), adapter=adapter)
        async with Ear(chosen, radio, clock) as ear:
            felt = await ear.heard.until(lambda: bool(ear.heard.parts), _CONNECT_S) and await ear.buzz()
        return chosen, felt
    near = await look(SCAN_S, adapter)
    if not near:
        raise WearableNotFoundError(
            "no wearable that we know is near",
            advice="Switch it on and bring it near; known kinds: spineclip wearables",
        )
    typer.echo(f"Near: {', '.join(one.seen.name or one.wearable_id for one in near)}. Connecting ...")
    async with AsyncExitStack() as stack:
        ears = [await stack.enter_async_context(Ear(one, radio, clock)) for one in near]
        await asyncio.gather(*(ear.heard.until(lambda ear=ear: bool(ear.heard.parts), _CONNECT_S) for ear in ears))  # type: ignore[misc]
        typer.echo(f"Shake the one you mean for {seconds:g} seconds, and leave the others alone.")
        heard_before = [len(ear.heard.parts) for ear in ears]
        await asyncio.sleep(seconds)
        moved = {
            ear.heard.sighting.wearable_id: movement_g(ear.heard.xyz_g_from(begin))
            for ear, begin in zip(ears, heard_before, strict=True)
        }
        name = most_shaken(moved)
        if name is None:
            told = ", ".join(f"{one} {value * 1000:.0f} mg" for one, value in moved.items())
            raise WearableNotFoundError(
                f"no wearable was clearly shaken ({told})", advice="Try again, or name it with --wearable"
            )
        ear = next(ear for ear in ears if ear.heard.sighting.wearable_id == name)
        return ear.heard.sighting, await ear.buzz()
