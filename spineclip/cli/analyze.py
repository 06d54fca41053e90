"""``spineclip analyze``: recordings to metrics, without radio and broker."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich import box
from rich.console import Console
from rich.table import Table

from firmware_sim.recordings import Reading
from processing.epochs import STATES, State
from spineclip.analyses import Options, Part, Summary, analyse_files
from spineclip.cli import options
from spineclip.cli.recording_options import axes_of, columns_of, stretch_of
from spineclip.contract.config import zone
from spineclip.contract.errors import SettingsError, SpineclipError
from spineclip.contract.placement import Placement
from spineclip.tables import TableFormat

_SHOWN = (State.WALKING, State.RUNNING, State.CYCLING, State.ACTIVE, State.STANDING, State.SITTING, State.LYING)


def analyze(
    recordings: Annotated[list[Path], typer.Argument(help="CSV (time,x,y,z) or Parquet; each is analysed by itself.")],
    placement: options.Worn = Placement.LOWER_BACK,
    also: Annotated[
        list[str] | None,
        typer.Option("--with", help="Another clip of the same person: FILE:PLACEMENT or FILE:PLACEMENT:AXES."),
    ] = None,
    axes: Annotated[
        str, typer.Option(help="Where the first clip's axes point while standing: x=up,y=left,z=backward.")
    ] = "",
    neutral: Annotated[str, typer.Option(help="FROM:TO seconds in which the wearer sat tall, such as 0:30.")] = "",
    units: Annotated[str, typer.Option(help="g, mg or m/s2.")] = "g",
    rate: Annotated[float | None, typer.Option(help="Samples a second, for files without times.", min=0.1)] = None,
    columns: Annotated[str, typer.Option(help="time,x,y,z; or x,y,z with --rate; or one site, such as T4.")] = "",
    tz: Annotated[str, typer.Option(help="The wearer's time zone, for days and for times without offset.")] = "UTC",
    epoch: Annotated[int, typer.Option(help="Seconds a row of the epochs table: 1 or 5.")] = 1,
    kind: Annotated[TableFormat, typer.Option("--format", help="Format of the results.")] = TableFormat.CSV,
    out: Annotated[Path, typer.Option(help="Folder of the results.")] = Path(),
) -> None:
    """Analyse recordings: epochs, bouts and days of each, written as <name>.epochs.csv and so on."""
    zone(tz)
    if epoch not in (1, 5):
        raise SettingsError(f"--epoch cannot be {epoch}", advice="Use 1 or 5")
    options = Options(
        Reading(columns_of(columns), units, rate, tz),
        stretch_of(neutral),
        tz,
        epoch,
        kind,
        out,
    )
    first_axes = axes_of(axes)
    others = [_part(text) for text in also or []]
    _check_names(recordings, others)
    console = Console()
    errors = []
    summaries = []
    for path in recordings:
        try:
            summaries.append(analyse_files([Part(path, placement, first_axes), *others], options))
        except SpineclipError as error:
            errors.append(error)
            typer.echo(str(error), err=True)
    if summaries:
        _show(console, summaries)
    if errors:
        raise typer.Exit(1)


def _check_names(recordings: list[Path], others: list[Part]) -> None:
    stems = [path.stem for path in recordings]
    for stem in stems:
        if stems.count(stem) > 1:
            raise SettingsError(
                f"{stems.count(stem)} recordings are called {stem} and their results would be too",
                advice="Analyse them one by one, each with its own --out",
            )
    if others and len(recordings) > 1:
        raise SettingsError(
            "--with joins a clip to one recording, and several were named", advice="Analyse them one by one"
        )


def _part(text: str) -> Part:
    path, separator, place = text.rpartition(":")
    axes = ""
    if "=" in place:
        axes = place
        path, separator, place = path.rpartition(":")
    worn = options.place_named(place)
    if not separator or worn is None:
        raise SettingsError(
            f"--with {text!r} does not name a file and a placement",
            advice=f"Write FILE:PLACEMENT or FILE:PLACEMENT:x=up,y=left,z=backward, with one of {', '.join(Placement)}",
        )
    return Part(Path(path), worn, axes_of(axes))


def _show(console: Console, summaries: list[Summary]) -> None:
    names = ("hours", "seen", "walk", "run", "cycle", "active", "stand", "sit", "lie", "unsure", "steps")
    table = Table("", *names, box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for column in table.columns[1:]:
        column.justify = "right"
        column.no_wrap = True
    for summary in summaries:
        unsure = int(summary.state_s[State.UNKNOWN.code]) - round(summary.span_s - summary.measured_s)
        minutes = [f"{int(summary.state_s[STATES.index(state)]) / 60:.1f}" for state in _SHOWN]
        steps = sum(float(day["steps"]) for day in summary.days)
        measured = f"{100 * summary.measured_s / max(1.0, summary.span_s):.0f}%"
        hours = f"{summary.span_s / 3600:.2f}"
        unsure_min = f"{max(0, unsure) / 60:.1f}"
        table.add_row(summary.name, hours, measured, *minutes, unsure_min, f"{steps:.0f}")
    console.print(table)
    console.print("Minutes by state; seen: share measured. This informs, it does not diagnose.", style="dim")
    for summary in summaries:
        for path, repairs in summary.repairs.items():
            for sentence in repairs.sentences():
                console.print(f"{path.name}: {sentence}", style="yellow", highlight=False)
        console.print(f"wrote {', '.join(str(path) for path in summary.files)}", highlight=False, soft_wrap=True)
