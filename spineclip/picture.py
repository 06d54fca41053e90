"""A recording as a picture: one strip a day with acceleration, angles, states, walks, sedentary bouts and gaps."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Final

import matplotlib as mpl
import matplotlib.dates as mdates
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from numpy.typing import NDArray

from firmware_sim import recordings
from processing import bouts, clip
from processing.clip import ClipSetup
from processing.epochs import Epochs, State
from processing.samples import Block
from spineclip.contract.config import zone
from spineclip.contract.errors import RecordingError
from spineclip.contract.placement import Placement

_COLOURS: Final = {
    State.WALKING: "#1b7837",
    State.RUNNING: "#00441b",
    State.CYCLING: "#c2a5cf",
    State.ACTIVE: "#7fbf7b",
    State.STANDING: "#80cdc1",
    State.SITTING: "#dfc27d",
    State.LYING: "#a6611a",
    State.NOT_WORN: "#bdbdbd",
    State.UNKNOWN: "#f0f0f0",
}
_SECOND_NS: Final = 10**9


def draw(path: Path, target: Path, placement: Placement, tz: str) -> int:
    """Draw the recording at `path` into `target`; gives the number of days.

    Raises
    ------
    RecordingError
        If the recording cannot be read, the picture's ending is not one that can be drawn, or it cannot be written.
    """
    endings = Figure().canvas.get_supported_filetypes()
    if target.suffix.lstrip(".").lower() not in endings:
        raise RecordingError(f"{target} cannot be drawn", advice="Use a name that ends in .png, .svg or .pdf")
    mean_g, epochs = _seconds(path, placement)
    day = _local_days(epochs, tz)
    days = np.unique(day)
    mpl.rcParams["svg.hashsalt"] = "spineclip"
    mpl.rcParams["svg.fonttype"] = "none"
    figure = Figure(figsize=(12, 0.8 + 2.6 * len(days)), layout="constrained")
    axes = figure.subplots(2 * len(days), 1, squeeze=False, height_ratios=[2, 1] * len(days))[:, 0]
    finished = _bouts(epochs)
    for i, one in enumerate(days):
        own = day == one
        _signal(axes[2 * i], epochs, mean_g, own, tz, title=_title(path, int(one), len(days)))
        _states(axes[2 * i + 1], epochs, own, finished, tz)
    handles = [Patch(color=colour, label=str(state)) for state, colour in _COLOURS.items()]
    figure.legend(handles=handles, loc="outside lower center", ncols=len(handles), frameon=False, fontsize=8)
    try:
        figure.savefig(target, dpi=110)
    except OSError as error:
        raise RecordingError(
            f"{target} cannot be written ({error.strerror})", advice="Name another file with --out"
        ) from error
    return len(days)


def _seconds(path: Path, placement: Placement) -> tuple[NDArray[np.float64], Epochs]:
    """Mean of each axis by second, shape (n, 3), and what the core says."""
    state = clip.begin(ClipSetup(placement))
    finals: list[Epochs] = []
    sums: dict[int, NDArray[np.float64]] = {}
    for chunk in recordings.chunks(path):
        state, output = clip.step(state, Block(chunk.t_ns, chunk.xyz_g))
        finals.append(output.final)
        second = chunk.t_ns // _SECOND_NS
        starts = np.concatenate([[0], np.flatnonzero(np.diff(second)) + 1])
        total = np.add.reduceat(chunk.xyz_g, starts, axis=0)
        count = np.diff(np.append(starts, len(second)))
        for key, row in zip(second[starts].tolist(), np.column_stack([total, count]), strict=True):
            sums[key] = sums.get(key, np.zeros(4)) + row
    epochs = Epochs.concat([*finals, clip.finish(state).final])
    rows = np.array([sums.get(key, np.zeros(4)) for key in (epochs.start_ns // _SECOND_NS).tolist()])
    with np.errstate(invalid="ignore"):
        return rows[:, :3] / np.where(rows[:, 3:] > 0, rows[:, 3:], np.nan), epochs


def _bouts(epochs: Epochs) -> list[bouts.FinishedBout]:
    state, finished, _ = bouts.step(bouts.BoutsState(), epochs, night=False)
    return [*finished, *bouts.finish(state)]


def _local_days(epochs: Epochs, tz: str) -> NDArray[np.int64]:
    """Day number of each second in the wearer's zone."""
    place = zone(tz)
    hour = epochs.start_ns // (900 * _SECOND_NS)  # offsets change on quarter hours
    found = {int(one): dt.datetime.fromtimestamp(int(one) * 900, place).date().toordinal() for one in np.unique(hour)}
    return np.array([found[int(one)] for one in hour], dtype=np.int64)


def _title(path: Path, day: int, days: int) -> str:
    date = dt.date.fromordinal(day).isoformat()
    return f"{path.stem}, {date}" if days == 1 else f"{path.stem}: {date}"


def _times(epochs: Epochs, own: NDArray[np.bool_]) -> NDArray[np.float64]:
    return np.asarray(epochs.start_ns[own] / (86400.0 * _SECOND_NS))


def _signal(
    axes: Axes, epochs: Epochs, mean_g: NDArray[np.float64], own: NDArray[np.bool_], tz: str, *, title: str
) -> None:
    time = _times(epochs, own)
    for axis, colour in zip(range(3), ("#d73027", "#4575b4", "#333333"), strict=True):
        axes.plot(time, mean_g[own, axis], color=colour, lw=0.5, label=f"{'xyz'[axis]}, g")
    axes.set_ylabel("g")
    axes.set_title(title, loc="left", fontsize=9)
    angle = axes.twinx()
    angle.plot(time, epochs.flexion_deg[own], color="#e08214", lw=0.6, label="flexion")
    angle.plot(time, epochs.lateral_deg[own], color="#8073ac", lw=0.6, label="lateral lean")
    angle.set_ylim(-100, 100)
    angle.set_ylabel("degrees")
    lines = [*axes.get_lines(), *angle.get_lines()]
    axes.legend(lines, [str(line.get_label()) for line in lines], loc="upper right", ncols=5, fontsize=7, frameon=False)
    for start, stop in _runs(epochs.coverage[own] == 0):
        axes.axvspan(time[start], time[stop - 1], color="#fee0d2", lw=0, label="gap")
    _dates(axes, time, tz)


def _states(axes: Axes, epochs: Epochs, own: NDArray[np.bool_], finished: list[bouts.FinishedBout], tz: str) -> None:
    time = _times(epochs, own)
    second = 1.0 / 86400.0
    state = epochs.state[own]
    for one, colour in _COLOURS.items():
        spans = [(time[a], time[b - 1] - time[a] + second) for a, b in _runs(state == one.code)]
        axes.broken_barh(spans, (0, 1), facecolors=colour, lw=0)
    for row, name in ((1.15, "walking"), (1.45, "sedentary")):
        colour = _COLOURS[State.WALKING if name == "walking" else State.SITTING]
        spans = [
            (bout.bout.start_s / 86400.0, (bout.bout.end_s - bout.bout.start_s) * second)
            for bout in finished
            if bout.name == name
        ]
        axes.broken_barh(spans, (row, 0.25), facecolors=colour, lw=0)
    axes.set_yticks([0.5, 1.27, 1.57], ["states", "walks", "sedentary bouts"], fontsize=7)
    axes.set_ylim(0, 1.75)
    _dates(axes, time, tz)


def _dates(axes: Axes, time: NDArray[np.float64], tz: str) -> None:
    axes.set_xlim(time[0], time[-1] + 1.0 / 86400.0)
    place = zone(tz)
    locator = mdates.AutoDateLocator(tz=place)  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(mdates.ConciseDateFormatter(locator, tz=place))  # type: ignore[no-untyped-call]
    axes.tick_params(labelsize=7)


def _runs(flag: NDArray[np.bool_]) -> list[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flag, [False]]).astype(np.int8)))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))
