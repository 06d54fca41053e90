"""One recording (or several clips of one person) analysed into files: epochs, bouts and days."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from firmware_sim.recordings import Reading, Repairs, chunks
from processing import slots
from processing.analysis import Track, analyze
from processing.epochs import EPOCH_NS, POSTURES, STATES, Epochs
from processing.metrics import MEASUREMENTS, Value
from processing.samples import Block
from spineclip.contract.config import Calibration, Clip, PatientConfig
from spineclip.contract.errors import SettingsError
from spineclip.contract.placement import Placement
from spineclip.tables import TableFormat, TableWriter

EPOCH_COLUMNS: Final[Mapping[str, type]] = {
    "start": str, "end": str, "state": str, "posture": str, "flexion_deg": float, "lateral_deg": float,
    "walking_s": float, "cadence_spm": float, "steps": float, "intensity_mg": float, "confidence": float,
    "coverage": float,
}  # fmt: skip
BOUT_COLUMNS: Final[Mapping[str, type]] = {
    "start": str, "end": str, **{name: column.kind for name, column in MEASUREMENTS["bout"].fields.items()},
}  # fmt: skip
DAY_COLUMNS: Final[Mapping[str, type]] = {
    name: column.kind for name, column in MEASUREMENTS["daily"].fields.items()
}  # fmt: skip
_DECIMALS: Final = {"flexion_deg": 2, "lateral_deg": 2, "cadence_spm": 2, "intensity_mg": 2}


@dataclass(frozen=True, slots=True)
class Part:
    """A file, where its clip was worn and where its axes point, as ``{"x": "up"}``; empty when not known."""

    path: Path
    placement: Placement
    axes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Options:
    """What is told about the recordings, and what is to be written.

    Attributes
    ----------
    neutral_s
        Stretch of the recording, seconds from the start of the first file, in which the wearer sat tall.
    epoch_s
        1 or 5 seconds a row of the epochs table.
    out
        Folder of the results.
    """

    reading: Reading = field(default_factory=Reading)
    neutral_s: tuple[float, float] | None = None
    tz: str = "UTC"
    epoch_s: int = 1
    kind: TableFormat = TableFormat.CSV
    out: Path = Path()


@dataclass(slots=True)
class Summary:
    """What came out: all days together, repairs by file, files written."""

    name: str
    days: list[dict[str, Value]] = field(default_factory=list)
    repairs: dict[Path, Repairs] = field(default_factory=dict)
    files: list[Path] = field(default_factory=list)
    span_s: float = 0.0
    measured_s: float = 0.0
    state_s: NDArray[np.int64] = field(default_factory=lambda: np.zeros(len(STATES), dtype=np.int64))


def analyse_files(parts: list[Part], options: Options) -> Summary:
    """Analyse the clips of one person and write the three tables, named for the first file.

    Raises
    ------
    RecordingError
        If a file cannot be read as it stands.
    SettingsError
        If an option does not fit the recording, or the results cannot be written.
    """
    main = parts[0]
    summary = Summary(main.path.stem, repairs={part.path: Repairs() for part in parts})
    config = _config(parts, options)
    stem = options.out / main.path.stem
    bouts: dict[int, dict[str, Value]] = {}
    days: dict[int, dict[str, Value]] = {}
    with contextlib.ExitStack() as files:
        named = ((".epochs", EPOCH_COLUMNS), (".bouts", BOUT_COLUMNS), (".days", DAY_COLUMNS))
        writers = [TableWriter(stem.with_name(stem.name + name), options.kind, columns) for name, columns in named]
        epochs_file, bouts_file, days_file = (files.enter_context(writer) for writer in writers)
        trim = _Trim()
        for result in analyze(_tracks(parts, options, summary), config):
            for point in result.other:
                table = {"bout": bouts, "daily": days}.get(point.measurement)
                if table is not None:
                    table[point.time_ns] = dict(point.fields)
            _write_epochs(epochs_file, trim.add(result.seconds), options.epoch_s, summary)
        bouts_file.write(_columns([_bout_row(time_ns, bouts[time_ns]) for time_ns in sorted(bouts)], BOUT_COLUMNS))
        summary.days = [days[time_ns] for time_ns in sorted(days)]
        days_file.write(_columns(summary.days, DAY_COLUMNS))
    summary.files = [writer.path for writer in writers]
    return summary


def _config(parts: list[Part], options: Options) -> PatientConfig:
    reading, stretch = options.reading, options.neutral_s
    clips = {_device(k): Clip(part.placement, part.axes) for k, part in enumerate(parts)}
    if stretch:
        begin_ns = _begin_ns(parts[0].path, reading)
        for k, part in enumerate(parts):
            neutral = neutral_in(part.path, reading, stretch, begin_ns)
            clips[_device(k)] = replace(clips[_device(k)], calibration=neutral)
    return PatientConfig(time_zone=options.tz, clips=clips)


def _device(k: int) -> str:
    return f"clip-{k + 1}"


def _begin_ns(path: Path, reading: Reading) -> int | None:
    first = next(iter(chunks(path, reading)), None)
    return None if first is None else int(first.t_ns[0])


def neutral_in(
    path: Path, reading: Reading, stretch_s: tuple[float, float], begin_ns: int | None = None
) -> Calibration:
    """Take the mean of the stretch ``[start, end)`` (seconds from the start) in which the wearer sat tall.

    The start is that of the file, or `begin_ns` (UTC) if it is told.

    Raises
    ------
    SettingsError
        If the recording has no samples there.
    """
    start_s, end_s = stretch_s
    total, n, first_ns = np.zeros(3), 0, begin_ns
    for chunk in chunks(path, reading):
        first_ns = int(chunk.t_ns[0]) if first_ns is None else first_ns
        since_s = (chunk.t_ns - first_ns) / 1e9
        inside = (since_s >= start_s) & (since_s < end_s)
        total += chunk.xyz_g[inside].sum(axis=0)
        n += int(inside.sum())
        if since_s[-1] >= end_s:
            break
    if not n:
        raise SettingsError(
            f"{path} has no samples from {start_s:g} to {end_s:g} s after its start",
            advice="Give --neutral a stretch FROM:TO in seconds in which the wearer sat tall",
        )
    x, y, z = (total / n).tolist()
    return Calibration(since_ns=0, neutral=(x, y, z))


def _tracks(parts: list[Part], options: Options, summary: Summary) -> list[Track]:
    return [
        Track(_device(k), part.placement, _blocks(part.path, options.reading, summary.repairs[part.path]))
        for k, part in enumerate(parts)
    ]


def _blocks(path: Path, reading: Reading, repairs: Repairs) -> Iterator[Block]:
    for chunk in chunks(path, reading, repairs):
        yield Block(chunk.t_ns, chunk.xyz_g)


class _Trim:
    """Leaves out the unmeasured seconds before the first measured one and after the last."""

    def __init__(self) -> None:
        self._begun = False
        self._waiting: list[Epochs] = []

    def add(self, seconds: Epochs) -> Epochs:
        """Take in whole slots; give those up to the last that was measured."""
        if not len(seconds):
            return seconds
        measured = np.flatnonzero(seconds.coverage > 0)
        if not len(measured):
            self._waiting += [seconds] if self._begun else []
            return Epochs.empty()
        begin = 0 if self._begun else int(measured[0]) // slots.SLOT_S * slots.SLOT_S
        end = (int(measured[-1]) // slots.SLOT_S + 1) * slots.SLOT_S
        ready = Epochs.concat([*self._waiting, seconds.slice(begin, end)])
        self._begun = True
        self._waiting = [seconds.slice(end, len(seconds))]
        return ready


def _write_epochs(file: TableWriter, seconds: Epochs, epoch_s: int, summary: Summary) -> None:
    if not len(seconds):
        return
    summary.span_s += len(seconds)
    summary.measured_s += float(seconds.coverage.sum())
    summary.state_s += np.bincount(seconds.state, minlength=len(STATES))
    rows = slots.summarise(seconds, epoch_s)
    columns: dict[str, Any] = {
        "start": _iso(rows.start_ns),
        "end": _iso(rows.start_ns + epoch_s * EPOCH_NS),
        "state": [STATES[code].value for code in rows.state.tolist()],
        "posture": [POSTURES[code].value for code in rows.posture.tolist()],
    }
    for name in EPOCH_COLUMNS:
        if name not in columns:
            values = np.round(getattr(rows, name), _DECIMALS.get(name, 3))
            columns[name] = [value if value == value else None for value in values.tolist()]  # noqa: PLR0124  NaN
    file.write(columns)


def _bout_row(time_ns: int, fields: Mapping[str, Value]) -> dict[str, Value]:
    start_s = time_ns // EPOCH_NS
    end_s = start_s + round(float(fields["dur_s"]) / float(fields["coverage"]))
    start, end = _iso(np.array([start_s, end_s]) * EPOCH_NS)
    return {"start": start, "end": end, **fields}


def _columns(rows: list[dict[str, Value]], columns: Mapping[str, type]) -> dict[str, list[Value | None]]:
    return {name: [_tidy(row.get(name)) for row in rows] for name in columns}


def _tidy(value: Value | None) -> Value | None:
    return round(value, 4) if isinstance(value, float) else value


def _iso(t_ns: NDArray[np.int64]) -> list[str]:
    seconds = (t_ns // EPOCH_NS).astype("datetime64[s]")
    text: list[str] = np.datetime_as_string(seconds, timezone="UTC").tolist()
    return text
