"""``spineclip calibrate``: sit tall for some seconds, so that posture is measured against the wearer's own neutral."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from collector.link import Radio
from collector.listen import Ear
from collector.scan import Target, find
from collector.wearing import Stillness, stillness
from spineclip import settings as files
from spineclip.contract.clock import SystemClock
from spineclip.contract.config import Calibration, Clip, PatientConfig
from spineclip.contract.errors import SettingsError, WearableError
from spineclip.contract.placement import Placement
from spineclip.patients import Patients, data_folder
from spineclip.retained import publish_config

_TRIES = 3
_RATE_HZ = 50.0
_CONNECT_S = 20.0


def calibrate(
    settings: Annotated[Path, typer.Option(help="Settings file, as `pair` writes it.")] = Path("collector.toml"),
    placement: Annotated[Placement | None, typer.Option(help="Which clip, when several are worn.")] = None,
    seconds: Annotated[float, typer.Option(help="How long to sit tall.", min=2, max=60)] = 5.0,
    countdown: Annotated[int, typer.Option(help="Seconds to get ready.", min=0, max=60)] = 5,
    data: Annotated[Path | None, typer.Option(help="Data folder (default: $SPINECLIP_DATA or the user's).")] = None,
    publish: Annotated[bool, typer.Option(help="Tell the broker, too.")] = True,
) -> None:
    """Measure the neutral posture: sit tall and still while it counts."""
    known = files.read(settings)
    clips = [clip for clip in known.clips if placement is None or clip.placement == placement]
    if len(clips) != 1:
        worn = ", ".join(f"{clip.wearable} at {clip.placement}" for clip in known.clips) or "none"
        raise SettingsError(f"it is not clear which clip is meant (worn: {worn})", advice="Choose with --placement")
    found = asyncio.run(_measure(clips[0].wearable, seconds, countdown, known.adapter))
    device, neutral_g = found
    worn_at = clips[0].placement

    def taught(config: PatientConfig) -> PatientConfig:
        before = config.clips.get(device)
        axes = {} if before is None else before.axes
        calibration = Calibration(SystemClock().utc_ns(), neutral_g)
        return replace(config, clips={**config.clips, device: Clip(worn_at, axes, calibration)})

    config = Patients(data or data_folder()).change(known.patient, taught)
    x, y, z = neutral_g
    typer.echo(f"Thank you. Neutral posture of {device}: ({x:+.3f}, {y:+.3f}, {z:+.3f}) g.")
    if publish:
        access = known.for_collector(settings.resolve().parent).broker
        asyncio.run(publish_config(access, known.patient, config))
        typer.echo("The broker has it; it holds from now on.")


async def _measure(
    wearable: str, seconds: float, countdown: int, adapter: str | None
) -> tuple[str, tuple[float, float, float]]:
    sighting = await find(Target(wearable), adapter=adapter)
    async with Ear(sighting, Radio(adapter), SystemClock(), rate_hz=_RATE_HZ) as ear:
        if not await ear.heard.until(lambda: bool(ear.heard.parts), _CONNECT_S):
            raise ear.heard.error or WearableError(
                f"{sighting.wearable_id} sends nothing", advice="Switch it off and on again"
            )
        for number in range(_TRIES):
            typer.echo("Put the clip on as you always do. Sit tall, look ahead, breathe quietly.")
            for left in range(countdown, 0, -1):
                typer.echo(f"{left} ...")
                await asyncio.sleep(1.0)
            typer.echo(f"Now, for {seconds:g} seconds.")
            begin = len(ear.heard.parts)
            await asyncio.sleep(seconds)
            found: Stillness = stillness(ear.heard.xyz_g_from(begin), least=round(seconds * 8))
            if not found.problem:
                return sighting.wearable_id, found.mean_g
            typer.echo(f"That did not work: {found.problem}." + (" Once more." if number + 1 < _TRIES else ""))
    raise WearableError(
        f"no still stretch in {_TRIES} attempts ({found.problem})", advice="Sit down, lean on nothing, and try again"
    )
