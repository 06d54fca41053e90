"""``spineclip plot``: a picture of a recording: acceleration, angles, states, walks, sedentary bouts, gaps."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from spineclip.cli import options
from spineclip.contract.placement import Placement


def plot(
    recording: Annotated[Path, typer.Argument(help="A recording, CSV or Parquet.")],
    out: Annotated[Path | None, typer.Option(help="Picture to write: .png, .svg or .pdf.")] = None,
    placement: options.Worn = Placement.LOWER_BACK,
    tz: Annotated[str, typer.Option(help="Time zone of the wearer's days.")] = "UTC",
) -> None:
    """Draw a recording, one strip a day."""
    from spineclip import picture  # noqa: PLC0415 - matplotlib takes a second to load

    target = out or recording.with_suffix(".png")
    days = picture.draw(recording, target, placement, tz)
    typer.echo(f"{target}: {days} day{'s' if days != 1 else ''} of {recording.name}")
