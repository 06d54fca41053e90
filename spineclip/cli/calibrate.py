"""``spineclip calibrate``: sit tall for some seconds, so that posture is measured against the wearer's own neutral.

``--pose slouched`` and the like teach a posture beside it.
"""

from __future__ import annotations

import asyncio
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from collector.link import Radio
from collector.listen import Ear
from collector.scan import Target, find
from collector.wearing import Stillness, stillness
from processing.epochs import Posture
from spineclip import settings as files
from spineclip.cli import options
from spineclip.contract.clock import SystemClock
from spineclip.contract.config import PatientConfig, Vector
from spineclip.contract.errors import BrokerError, SettingsError, WearableError
from spineclip.patients import Patients, data_folder
from spineclip.retained import publish_config
from spineclip.teaching import HOW, teach_neutral, teach_pose

_TRIES = 3
_RATE_HZ = 50.0
_CONNECT_S = 20.0


class Shown(StrEnum):
    """What can be taught."""

    upright = Posture.UPRIGHT.value
    slouched = Posture.SLOUCHED.value
    leaning_forward = Posture.LEANING_FORWARD.value
    leaning_left = Posture.LEANING_LEFT.value
    leaning_right = Posture.LEANING_RIGHT.value
    reclined = Posture.RECLINED.value


def calibrate(
    settings: Annotated[Path, typer.Option(help="Settings file, as `pair` writes it.")] = Path("collector.toml"),
    placement: options.OneWorn = None,
    pose: Annotated[Shown, typer.Option(help="What you show; upright, the neutral, first.")] = Shown.upright,
    seconds: Annotated[float, typer.Option(help="How long to hold still.", min=2, max=60)] = 5.0,
    countdown: Annotated[int, typer.Option(help="Seconds to get ready.", min=0, max=60)] = 5,
    data: options.Data = None,
    publish: Annotated[bool, typer.Option(help="Tell the broker, too.")] = True,
) -> None:
    """Measure the neutral posture, or teach another: sit still while it counts."""
    known = files.read(settings)
    clips = [clip for clip in known.clips if placement is None or clip.placement == placement]
    if len(clips) != 1:
        worn = ", ".join(f"{clip.wearable} at {clip.placement}" for clip in known.clips) or "none"
        raise SettingsError(f"it is not clear which clip is meant (worn: {worn})", advice="Choose with --placement")
    posture, worn_at = Posture(pose.value), clips[0].placement
    device, shown_g = asyncio.run(_measure(clips[0].wearable, posture, seconds, countdown, known.adapter))
    forgotten = False

    def taught(config: PatientConfig) -> PatientConfig:
        nonlocal forgotten
        if posture is not Posture.UPRIGHT:
            return teach_pose(config, device, worn_at, posture, shown_g)
        changed, forgotten = teach_neutral(config, device, worn_at, shown_g, SystemClock().utc_ns())
        return changed

    config = Patients(data or data_folder()).change(known.patient, taught)
    x, y, z = shown_g
    name = "Neutral posture" if posture is Posture.UPRIGHT else posture.replace("_", " ").capitalize()
    typer.echo(f"Thank you. {name} of {device}: ({x:+.3f}, {y:+.3f}, {z:+.3f}) g.")
    if forgotten:
        typer.echo("The clip sits differently from before: show other postures again with --pose.")
    if publish:
        access = known.for_collector(settings.resolve().parent).broker
        try:
            asyncio.run(publish_config(access, known.patient, config))
        except BrokerError:
            if known.broker != files.BrokerTable():
                raise
            typer.echo("It is kept, and holds from the next `spineclip wear` on.")  # at home there is no broker yet
        else:
            typer.echo("The broker has it; it holds from now on.")


async def _measure(
    wearable: str, posture: Posture, seconds: float, countdown: int, adapter: str | None
) -> tuple[str, Vector]:
    sighting = await find(Target(wearable), adapter=adapter)
    async with Ear(sighting, Radio(adapter), SystemClock(), rate_hz=_RATE_HZ) as ear:
        if not await ear.heard.until(lambda: bool(ear.heard.parts), _CONNECT_S):
            raise ear.heard.error or WearableError(
                f"{sighting.wearable_id} sends nothing", advice="Switch it off and on again"
            )
        for number in range(_TRIES):
            before = "Put the clip on as you always do. " if posture is Posture.UPRIGHT else "Leave the clip as it is. "
            typer.echo(before + HOW[posture])
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
