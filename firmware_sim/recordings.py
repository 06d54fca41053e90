"""Recordings from files: whatever is wrong with one is either repaired, counted and shown, or told with its remedy.

``read`` gives a whole recording, ``chunks`` the same in pieces of bounded size, so that a file larger than memory
streams through. Both give strictly rising UTC times and finite samples in g; what is missing is missing, never made up.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from firmware_sim.recording_files import RawRows, Wanted, raw_rows
from firmware_sim.recording_times import TimeReader
from firmware_sim.recording_units import check_gravity, to_g
from spineclip.contract.errors import RecordingError

ROWS: Final = 1 << 17
"""Rows of a chunk (44 minutes at 50 Hz), and how far a row may stand out of order."""
GAP_S: Final = 0.5
"""A longer wait between two samples counts as a gap: filters start anew after it."""
RESTART_GAP_S: Final = 2.0
"""Times that start anew from zero within a file (trials, one below the other) are laid so far apart."""
MAX_ABS_G: Final = 64.0
"""No supported sensor measures beyond 16 g; four times that is a broken number."""


@dataclass(frozen=True, slots=True)
class Reading:
    """How to read a file.

    Attributes
    ----------
    columns
        Names of the columns: time, x, y, z; or x, y, z with `rate_hz`; or one site, such as ``T4`` for ``T4_x``,
        ``T4_y``, ``T4_z``. Empty: ``time`` (or ``timestamp``, ``t_s``, ``t_ms``), ``x``, ``y``, ``z``.
    units
        ``g``, ``mg`` or ``m/s2``.
    rate_hz
        Samples a second, where the file has no times.
    tz
        Zone of times that carry no offset of their own.
    """

    columns: tuple[str, ...] = ()
    units: str = "g"
    rate_hz: float | None = None
    tz: str = "UTC"


@dataclass(slots=True)
class Repairs:
    """What had to be mended or is missing; filled while a recording is read."""

    unsorted: int = 0
    """rows put in the order of their times"""
    repeated: int = 0
    """rows with the time of another one, left out"""
    no_value: int = 0
    """rows without a number in x, y or z, left out"""
    no_time: int = 0
    """rows without a time, left out"""
    absurd: int = 0
    """rows beyond 64 g, left out"""
    broken: int = 0
    """lines with too few or too many fields, left out"""
    restarts: int = 0
    """times the clock started anew from zero; the pieces are laid one after the other"""
    made_up_date: int = 0
    """1 if the file has no date (or one before 1999): it is laid on 2000-01-01"""
    gaps: int = 0
    """gaps above 0.5 s; they stay gaps"""
    gap_s: float = 0.0
    """seconds in these gaps"""

    def sentences(self) -> list[str]:
        """Say what happened, one line for each kind of repair."""
        lines = [
            f"{text}: {getattr(self, column.name):,}"
            for column in fields(self)
            if (text := _SENTENCES.get(column.name)) and getattr(self, column.name)
        ]
        if self.gaps:
            lines.append(f"gaps of more than {GAP_S:g} s, which stay gaps: {self.gaps:,}, together {self.gap_s:,.1f} s")
        if self.made_up_date:
            lines.append("the file has no date of its own: it is laid on 2000-01-01 UTC")
        return lines


_SENTENCES: Final = {
    "unsorted": "rows out of order, sorted",
    "repeated": "rows with the time of another one, left out",
    "no_value": "rows without a number in x, y or z, left out",
    "no_time": "rows without a time, left out",
    "absurd": f"rows beyond {MAX_ABS_G:g} g, left out",
    "broken": "lines with too few or too many fields, left out",
    "restarts": f"times that the clock started anew, with pieces laid {RESTART_GAP_S:g} s apart",
}


@dataclass(frozen=True, slots=True)
class Chunk:
    """Samples in order: `t_ns` int64 (n,) strictly rising UTC, `xyz_g` float64 (n, 3), finite."""

    t_ns: NDArray[np.int64]
    xyz_g: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Recording:
    """A whole recording: times (n,), samples (n, 3), what was repaired, and the file's stem as its name."""

    t_ns: NDArray[np.int64]
    xyz_g: NDArray[np.float64]
    name: str
    repairs: Repairs = field(default_factory=Repairs)

    @property
    def rate_hz(self) -> float:
        """Samples a second, from the median spacing."""
        return float(1e9 / np.median(np.diff(self.t_ns))) if len(self.t_ns) > 1 else float("nan")

    @property
    def duration_s(self) -> float:
        """From the first to the last sample."""
        return float(self.t_ns[-1] - self.t_ns[0]) / 1e9 if len(self.t_ns) else 0.0


def read(path: Path | str, reading: Reading | None = None) -> Recording:
    """Read a whole recording.

    Raises
    ------
    RecordingError
        If it cannot be read as it stands; the message names the file, the line and the remedy.
    """
    repairs = Repairs()
    parts = list(chunks(path, reading, repairs))
    t_ns = np.concatenate([part.t_ns for part in parts])
    return Recording(t_ns, np.concatenate([part.xyz_g for part in parts]), Path(path).stem, repairs)


def chunks(
    path: Path | str, reading: Reading | None = None, repairs: Repairs | None = None, *, rows: int = ROWS
) -> Iterator[Chunk]:
    """Read a recording in pieces of about `rows` rows; `repairs` is filled on the way.

    Raises
    ------
    RecordingError
        If it cannot be read as it stands; the message names the file, the line and the remedy.
    """
    path, reading = Path(path), reading or Reading()
    repairs = Repairs() if repairs is None else repairs
    cleaned = _clean(path, reading, repairs, raw_rows(path, Wanted(reading.columns, reading.rate_hz), rows))
    last_ns: int | None = None
    for chunk in _in_order(path, cleaned, repairs, rows):
        _count_gaps(chunk.t_ns, last_ns, repairs)
        last_ns = int(chunk.t_ns[-1])
        yield chunk
    if last_ns is None:
        raise RecordingError(f"{path} has no usable samples", advice="It needs rows of time, x, y, z below the header")


def _clean(path: Path, reading: Reading, repairs: Repairs, raw: Iterator[RawRows]) -> Iterator[tuple[int, Chunk]]:
    """Give each piece in UTC and g without the rows that say nothing, with the line that it starts in."""
    times = TimeReader(path, reading.tz, reading.rate_hz, RESTART_GAP_S)
    judged = False
    for piece in raw:
        repairs.broken = piece.broken
        t_ns, has_time = times.read(piece)
        repairs.restarts, repairs.made_up_date = times.restarts, int(times.made_up_date)
        xyz_g = to_g(piece.xyz, reading.units)
        has_value = np.isfinite(xyz_g).all(axis=1)
        with np.errstate(invalid="ignore"):
            absurd = has_value & (np.abs(xyz_g) > MAX_ABS_G).any(axis=1)
        if not judged and has_value.any():
            check_gravity(path, piece.xyz[has_value], reading.units)
            judged = True
        keep = has_time & has_value & ~absurd
        repairs.no_time += int((~has_time).sum())
        repairs.no_value += int((has_time & ~has_value).sum())
        repairs.absurd += int((has_time & absurd).sum())
        if keep.any():
            yield piece.line, Chunk(t_ns[keep], np.ascontiguousarray(xyz_g[keep]))


def _in_order(path: Path, pieces: Iterator[tuple[int, Chunk]], repairs: Repairs, rows: int) -> Iterator[Chunk]:
    """Sort within a window of `rows` rows and leave repeated times out."""
    waiting: Chunk | None = None
    given_ns: int | None = None
    for line, piece in pieces:
        _check_spread(path, piece)
        if given_ns is not None and int(piece.t_ns.min()) <= given_ns:
            raise RecordingError(
                f"{path}, about line {line}: the times go back by more than {rows:,} rows",
                advice="Sort the file by its time column and read it again",
            )
        merged = piece if waiting is None else _joined(waiting, piece)
        merged = _sorted(merged, repairs)
        keep_back = min(rows, len(merged.t_ns))
        ready = Chunk(merged.t_ns[:-keep_back], merged.xyz_g[:-keep_back])
        waiting = Chunk(merged.t_ns[-keep_back:], merged.xyz_g[-keep_back:])
        if len(ready.t_ns):
            given_ns = int(ready.t_ns[-1])
            yield ready
    if waiting is not None:
        yield waiting


def _sorted(chunk: Chunk, repairs: Repairs) -> Chunk:
    step = np.diff(chunk.t_ns)
    if (step > 0).all():
        return chunk
    if (step < 0).any():
        order = np.argsort(chunk.t_ns, kind="stable")
        # rows that stand behind a later one: what a reader of the file would call out of place
        repairs.unsorted += int((chunk.t_ns < np.maximum.accumulate(chunk.t_ns)).sum())
        chunk = Chunk(chunk.t_ns[order], chunk.xyz_g[order])
    first = np.r_[True, np.diff(chunk.t_ns) > 0]
    repairs.repeated += int((~first).sum())
    return Chunk(chunk.t_ns[first], chunk.xyz_g[first])


def _check_spread(path: Path, piece: Chunk) -> None:
    n = len(piece.t_ns)
    different = len(np.unique(piece.t_ns))
    if n >= 20 and different < n / 2:
        raise RecordingError(
            f"{path}: {n:,} samples share {different:,} times, so the times are too coarse for the samples",
            advice="Name only the three axes with --columns x,y,z and give the sampling rate with --rate",
        )


def _joined(first: Chunk, second: Chunk) -> Chunk:
    return Chunk(np.concatenate([first.t_ns, second.t_ns]), np.concatenate([first.xyz_g, second.xyz_g]))


def _count_gaps(t_ns: NDArray[np.int64], last_ns: int | None, repairs: Repairs) -> None:
    step_s = np.diff(t_ns if last_ns is None else np.r_[last_ns, t_ns]) / 1e9
    gaps = step_s[step_s > GAP_S]
    repairs.gaps += len(gaps)
    repairs.gap_s += float(gaps.sum())
