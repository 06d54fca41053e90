"""Times of a recording: ISO, epoch, seconds from a start, or a rate; all to UTC nanoseconds."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from firmware_sim.recording_files import RawRows, is_number
from spineclip.contract.config import zone
from spineclip.contract.errors import RecordingError
from spineclip.contract.wire import EARLIEST_NS

MADE_UP_NS: Final = 946_684_800 * 10**9
"""2000-01-01T00:00:00Z, where loggers without a clock begin too."""
_EPOCH_UNITS: Final = ((1, 10**9), (10**3, 10**6), (10**6, 10**3), (10**9, 1))
"""How many of a unit are in a second, and how many nanoseconds are in it."""
_EPOCH_S: Final = (EARLIEST_NS // 10**9, 4_102_444_800)
"""1999 to 2100: numbers in this range can only be seconds since 1970."""
_RELATIVE_NS: Final = {"_s": 10**9, "_ms": 10**6, "_us": 10**3, "_ns": 1}
_QUARTER_NS: Final = 900 * 10**9


class TimeReader:
    """Turns a file's time column into UTC; what it is, is decided by the first piece and holds for the file.

    Parameters
    ----------
    path
        Named in errors.
    tz
        Zone of times without an offset.
    rate_hz
        Samples a second, for files without times, and to tell the unit of times that start at zero.
    restart_gap_s
        Distance of pieces whose times start anew from zero.
    """

    def __init__(self, path: Path, tz: str, rate_hz: float | None, restart_gap_s: float) -> None:
        self._path = path
        self._zone = zone(tz)
        self._rate_hz = rate_hz
        self._restart_gap_ns = round(restart_gap_s * 1e9)
        self._rows_seen = 0
        self._unit_ns: int | None = None
        self._relative = False
        self._shift_ns: int | None = None
        self._base_ns = 0
        self._last_raw_ns = -(1 << 62)
        self.restarts = 0
        self.made_up_date = False

    def read(self, piece: RawRows) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """Return UTC nanoseconds (n,) and whether each row has a time.

        Raises
        ------
        RecordingError
            If the times cannot be read or their unit cannot be told.
        """
        n = len(piece.xyz)
        if piece.time is None:
            return self._by_rate(n), np.ones(n, dtype=bool)
        values, known = self._numbers(piece)
        if values is None:
            raw_ns, known = self._iso(piece)
        else:
            raw_ns = self._scaled(piece, values, known)
        if self._relative:
            raw_ns = self._laid_out(raw_ns, known)
        elif self._shift_ns is None and known.any():
            first_ns = int(raw_ns[known][0])
            self.made_up_date = first_ns < EARLIEST_NS
            self._shift_ns = MADE_UP_NS - first_ns if self.made_up_date else 0
        return raw_ns + (self._shift_ns or 0), known

    def _by_rate(self, n: int) -> NDArray[np.int64]:
        if self._rate_hz is None:
            raise RecordingError(f"{self._path} has no times", advice="Give the sampling rate with --rate")
        self.made_up_date = True
        k = self._rows_seen + np.arange(n, dtype=np.int64)
        self._rows_seen += n
        return MADE_UP_NS + np.round(k * (1e9 / self._rate_hz)).astype(np.int64)

    def _numbers(self, piece: RawRows) -> tuple[Any, NDArray[np.bool_]]:
        """Return the column as numbers, or None when it holds times of day."""
        column = piece.time
        known = np.asarray(column.is_valid())
        if pa.types.is_timestamp(column.type) or pa.types.is_date(column.type):
            return None, known
        for kind in (pa.int64(), pa.float64()):
            try:
                values = column.cast(kind)
            except pa.ArrowInvalid:
                continue
            return values.fill_null(0).to_numpy(zero_copy_only=False), known
        if self._unit_ns is not None:
            raise self._complaint(piece, "is not a number like the times before it")
        return None, known

    def _iso(self, piece: RawRows) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        column = piece.time
        if pa.types.is_timestamp(column.type):
            aware = column.type.tz is not None
            stamps = column.cast(pa.timestamp("ns", column.type.tz))
        else:
            stamps, aware = self._parsed(piece)
        known = np.asarray(stamps.is_valid())
        raw_ns = stamps.cast(pa.int64()).fill_null(0).to_numpy(zero_copy_only=False)
        return (raw_ns if aware else self._local_to_utc(raw_ns)), known

    def _parsed(self, piece: RawRows) -> tuple[Any, bool]:
        for kind, aware in ((pa.timestamp("ns"), False), (pa.timestamp("ns", "UTC"), True)):
            try:
                return piece.time.cast(kind), aware
            except pa.ArrowInvalid:
                continue
        raise self._complaint(piece, "is neither an ISO time (2026-03-01T08:00:00.020+01:00) nor a number")

    def _complaint(self, piece: RawRows, what: str) -> RecordingError:
        """Return an error that names the first line at fault."""
        texts = piece.time.to_pylist()
        wants_number = self._unit_ns is not None or is_number(str(next(text for text in texts if text is not None)))
        aware: bool | None = None
        for k, text in enumerate(texts):
            if text is None:
                continue
            try:
                if wants_number:
                    float(text)
                    continue
                stamp = dt.datetime.fromisoformat(str(text))
                if aware is None:
                    aware = stamp.tzinfo is not None
                elif aware is not (stamp.tzinfo is not None):
                    what = "differs from the times before it: some carry an offset and some do not"
                    raise ValueError
            except ValueError:
                return RecordingError(
                    f"{self._path}, line {piece.line + k}: the time {str(text)[:40]!r} {what}",
                    advice="Mend the line, or name the time column with --columns",
                )
        return RecordingError(
            f"{self._path}: the times from line {piece.line} on cannot be read",
            advice="Mend them, or name the time column with --columns",
        )

    def _local_to_utc(self, local_ns: NDArray[np.int64]) -> NDArray[np.int64]:
        """Apply the zone; an hour that comes twice is taken the first time (PEP 495, fold 0)."""
        quarters, back = np.unique(local_ns // _QUARTER_NS, return_inverse=True)
        offsets = np.empty(len(quarters), dtype=np.int64)
        for k, quarter in enumerate(quarters.tolist()):
            naive = dt.datetime(1970, 1, 1) + dt.timedelta(seconds=quarter * 900)  # noqa: DTZ001
            offset = naive.replace(tzinfo=self._zone).utcoffset()
            offsets[k] = 0 if offset is None else round(offset.total_seconds() * 1e9)
        return local_ns - offsets[back]

    def _scaled(self, piece: RawRows, values: Any, known: NDArray[np.bool_]) -> NDArray[np.int64]:
        finite = known & np.isfinite(values)
        known &= finite
        if self._unit_ns is None and known.any():
            self._unit_ns, self._relative = self._unit(piece, values[known])
        unit_ns = self._unit_ns or 1
        if np.issubdtype(values.dtype, np.integer):
            return np.asarray(values, dtype=np.int64) * unit_ns
        whole = np.floor(np.where(finite, values, 0.0))
        rest_ns = np.round((np.where(finite, values, 0.0) - whole) * unit_ns).astype(np.int64)
        return whole.astype(np.int64) * unit_ns + rest_ns

    def _unit(self, piece: RawRows, values: NDArray[Any]) -> tuple[int, bool]:
        """Tell nanoseconds in one unit, and whether the numbers count from a start instead of 1970."""
        median = float(np.median(values))
        for per_s, unit_ns in _EPOCH_UNITS:
            if _EPOCH_S[0] * per_s <= median < _EPOCH_S[1] * per_s:
                return unit_ns, False
        for ending, unit_ns in _RELATIVE_NS.items():
            if piece.time_name.endswith(ending):
                return unit_ns, True
        step = float(np.median(np.diff(values))) if len(values) > 1 else 0.0
        if self._rate_hz is not None:
            for unit_ns in _RELATIVE_NS.values():
                if 0.8 < step * self._rate_hz * unit_ns / 1e9 < 1.25:
                    return unit_ns, True
        raise RecordingError(
            f"{self._path}: the times in column {piece.time_name!r} (such as {values[0]:.12g}) are not ISO times or "
            "seconds, ms, us or ns since 1970, and their unit is not known",
            advice="Call the column t_s or t_ms, or give the sampling rate with --rate",
        )

    def _laid_out(self, raw_ns: NDArray[np.int64], known: NDArray[np.bool_]) -> NDArray[np.int64]:
        """Lay pieces whose clock starts anew one after the other, from a made-up date on."""
        self.made_up_date = True
        if not known.any():
            return raw_ns
        at = np.flatnonzero(known)
        times = raw_ns[at]
        before = np.r_[self._last_raw_ns, times[:-1]]
        anew = (times < before) & (times - np.minimum(times.min(), 0) < 10**9) & (before - times > 10**9)
        shift = np.zeros(len(times), dtype=np.int64)
        if self._shift_ns is None:
            self._shift_ns = 0
            self._base_ns = MADE_UP_NS - int(times[0])
        base = self._base_ns
        position = 0
        for start in [*np.flatnonzero(anew).tolist(), len(times)]:
            shift[position:start] = base
            if start < len(times):
                self.restarts += 1
                base = base + int(before[start]) + self._restart_gap_ns - int(times[start])
            position = start
        self._base_ns = base
        self._last_raw_ns = int(times[-1])
        laid = raw_ns.copy()
        laid[at] = times + shift
        return laid
