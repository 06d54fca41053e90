"""``spineclip replay``: recordings through the whole way, radio and broker included."""

from __future__ import annotations

import asyncio
import math
import re
import tempfile
import time
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from spineclip.cli import options
from spineclip.cli.recording_options import axes_of, columns_of, stretch_of
from spineclip.contract.config import zone
from spineclip.contract.errors import SettingsError, SpineclipError
from spineclip.contract.ids import check_id
from spineclip.contract.placement import Placement
from spineclip.patients import Patients, data_folder, store_file
from spineclip.stopping import run_until_stopped

if TYPE_CHECKING:
    from collections.abc import Sequence

    from firmware_sim.recordings import Reading
    from processing.metrics import Point
    from spineclip.replaying import Task


class WearableKind(StrEnum):
    """Wearables that a recording can be played by: all that `spineclip wearables` lists."""

    WITMOTION = "witmotion"
    POLAR_H10 = "polar-h10"
    POLAR_SENSE = "polar-sense"
    POLAR_OH1 = "polar-oh1"
    MOVESENSE = "movesense"
    ESPRUINO = "espruino"
    METAMOTION = "metamotion"
    DOT = "dot"
    DIY = "diy"
    DIY_TEXT = "diy-text"
    MICROBIT = "microbit"
    NICLA = "nicla"
    INFINITIME = "infinitime"


class TroubleKind(StrEnum):
    """What can go wrong on the way (`firmware_sim.trouble`)."""

    BURSTS = "bursts"
    LOST = "lost"
    DOUBLED = "doubled"
    SWAPPED = "swapped"
    CUT = "cut"
    LINK_LOSS = "link-loss"
    STALL = "stall"
    REBOOT = "reboot"


def replay(
    recordings: Annotated[list[Path], typer.Argument(help="CSV (time,x,y,z) or Parquet, each a patient of its own.")],
    placement: options.Worn = Placement.LOWER_BACK,
    axes: Annotated[str, typer.Option(help="Where the axes point while standing: x=up,y=left,z=backward.")] = "",
    neutral: Annotated[str, typer.Option(help="FROM:TO seconds in which the wearer sat tall, such as 0:30.")] = "",
    units: Annotated[str, typer.Option(help="g, mg or m/s2.")] = "g",
    rate: Annotated[float | None, typer.Option(help="Samples a second, for files without times.", min=0.1)] = None,
    columns: Annotated[str, typer.Option(help="time,x,y,z; or x,y,z with --rate; or one site, such as T4.")] = "",
    tz: Annotated[str, typer.Option(help="The wearer's time zone, for days and for times without offset.")] = "UTC",
    speed: Annotated[str, typer.Option(help="How fast: 1 is as it was, max as fast as it goes.")] = "max",
    wearable: Annotated[WearableKind, typer.Option(help="The wearable that plays it.")] = WearableKind.WITMOTION,
    troubles: Annotated[
        list[TroubleKind] | None, typer.Option("--with", help="Something that goes wrong on the way; may be repeated.")
    ] = None,
    patient: Annotated[str | None, typer.Option(help="The patient's id (default: the file's name).")] = None,
    store: Annotated[Path | None, typer.Option(help="SQLite file of the metrics (default: the user's).")] = None,
    page: Annotated[bool, typer.Option("--page", help="Show the page meanwhile.")] = False,
    port: options.PagePort = None,
) -> None:
    """Play recordings through a virtual wearable, Bluetooth, MQTT and the core into the store."""
    from firmware_sim.recordings import Reading  # noqa: PLC0415 - every stage is loaded here, which takes a while

    zone(tz)
    if patient is not None and len(recordings) > 1:
        raise SettingsError("--patient names one, and there are several recordings", advice="Replay them one by one")
    if page and len(recordings) > 1:
        raise SettingsError("--page shows one recording, and there are several", advice="Replay them one by one")
    file = store or store_file(data_folder())
    if file.resolve() == store_file(data_folder()).resolve():
        for path in recordings:
            _check_nobody(check_id(patient, "patient") if patient else _patient(path))
    reading = Reading(columns_of(columns), units, rate, tz)
    told = _Told(
        placement,
        axes_of(axes),
        stretch_of(neutral),
        reading,
        _speed(speed),
        patient,
        page,
        port,
        wearable.value,
        tuple(dict.fromkeys(trouble.value for trouble in troubles or [])),
    )
    console = Console()
    failed = False
    for path in recordings:
        try:
            if not _play(path, file, told, console):
                raise typer.Exit(130)
        except SpineclipError as error:
            failed = True
            typer.echo(str(error), err=True)
    if failed:
        raise typer.Exit(1)


@dataclass(frozen=True)
class _Told:
    placement: Placement
    axes: dict[str, str]
    neutral_s: tuple[float, float] | None
    reading: Reading
    speed: float
    patient: str | None
    page: bool
    port: int | None
    kind: str
    troubles: tuple[str, ...]


def _speed(text: str) -> float:
    if text.strip().lower() == "max":
        return math.inf
    try:
        speed = float(text)
    except ValueError:
        speed = math.nan
    if not 0 < speed < math.inf:
        raise SettingsError(f"--speed cannot be {text!r}", advice="Give a number, such as 1 or 60, or max")
    return speed


def _check_nobody(patient: str) -> None:
    """Make sure that this is not somebody who was set up here, before anything was measured of them or after."""
    if patient in Patients(data_folder()).known():
        raise SettingsError(
            f"{patient} is a patient with settings of their own",
            advice="Name another patient with --patient, or another file with --store",
        )


def _patient(path: Path) -> str:
    """Make an id of a file's name."""
    text = re.sub(r"[^a-z0-9-]+", "-", path.stem.lower()).strip("-")[:36]
    return text or "recording"


def _play(path: Path, file: Path, told: _Told, console: Console) -> bool:
    """Play one recording; False when it was stopped."""
    from firmware_sim.recordings import read  # noqa: PLC0415
    from spineclip.analyses import neutral_in  # noqa: PLC0415
    from spineclip.replaying import Task  # noqa: PLC0415

    recording = read(path, told.reading)
    for sentence in recording.repairs.sentences():
        console.print(f"{path.name}: {sentence}", style="yellow", highlight=False)
    calibration = None if told.neutral_s is None else neutral_in(path, told.reading, told.neutral_s)
    patient = check_id(told.patient, "patient") if told.patient else _patient(path)
    task = Task(recording, patient, told.placement, told.axes, calibration, told.reading.tz, told.kind, told.troubles)
    return run_until_stopped(_run(task, file, told, console))


async def _run(task: Task, file: Path, told: _Told, console: Console) -> None:
    from processing.stores.sqlite import SqliteStore  # noqa: PLC0415
    from spineclip.replaying import replay as play  # noqa: PLC0415
    from spineclip.replaying import with_page  # noqa: PLC0415
    from spineclip.sole import sole_core  # noqa: PLC0415

    began = time.monotonic()
    duration_s = task.recording.duration_s
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeRemainingColumn(compact=True),
        console=console,
        transient=True,
    )
    store = SqliteStore(file)
    try:
        with sole_core(file), tempfile.TemporaryDirectory(prefix="spineclip-replay-") as folder, bar:
            row = bar.add_task(task.recording.name, total=duration_s)
            outcome = await play(
                task,
                store,
                Path(folder) / "outbox.sqlite",
                speed=told.speed,
                progress=lambda done_s: bar.update(row, completed=done_s),
                beside=with_page(task, store, told.port, typer.echo) if told.page else None,
            )
        days = await asyncio.to_thread(store.points, "daily", task.patient, -(1 << 62), 1 << 62)
        gaps = await asyncio.to_thread(store.points, "gap", task.patient, -(1 << 62), 1 << 62)
    finally:
        store.close()
    took_s = max(1e-9, time.monotonic() - began)
    walked = sum(float(day.fields.get("walking_min", 0.0)) for day in days)
    sedentary = sum(float(day.fields.get("sedentary_min", 0.0)) for day in days)
    console.print(
        f"{task.recording.name}: {duration_s / 60:.1f} min in {took_s:.1f} s "
        f"({duration_s / took_s:.0f} times real time), {outcome.received:,} of {outcome.sent:,} samples received; "
        f"{_gaps(gaps)}"
        f"{walked:.1f} min walked, {sedentary:.1f} min sedentary; stored as {task.patient} in {file}",
        highlight=False,
        soft_wrap=True,
    )


def _gaps(points: Sequence[Point]) -> str:
    """Say what was missing and why."""
    by_reason: dict[str, list[float]] = {}
    for point in points:
        by_reason.setdefault(str(point.fields["reason"]), []).append(float(point.fields["dur_s"]))
    said = (f"{len(lasted_s)} {reason} ({sum(lasted_s):.1f} s)" for reason, lasted_s in sorted(by_reason.items()))
    return f"gaps: {', '.join(said)}; " if by_reason else ""
