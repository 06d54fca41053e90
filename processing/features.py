"""What is said of a second to the classifier: quantities that do not change with the way the clip was put on.

All are made from the table of seconds up to a minute before and three seconds after. Sums over windows are folded
by doubling (1, 2, 4, ... seconds), so each is the same additions wherever a stream was cut, and the result is
rounded to 2**-10, so that the classifier's sums are exact.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from processing import orientation, statistics

AHEAD_S: Final = 3
"""Seconds after a second that its features need."""

BEFORE_S: Final = 64
"""Seconds before a second that its features need."""

RHYTHM: Final = (
    "rhythm_log",
    *(f"rhythm_{hz:.2f}" for hz in statistics.WAVE_HZ),
    "rhythm_peak",
    "rhythm_peak_hz",
    *(f"{part}_{window}s_{band}" for window in (4,) for part in ("vertical", "across") for band in range(4)),
)
"""Features that need no knowledge of up: they tell walking."""

NAMES: Final = (
    *RHYTHM,
    *(f"{part}_{window}s_{band}" for window in (16, 64) for part in ("vertical", "across") for band in range(4)),
    *(f"total_1s_{band}" for band in range(4)),
    *(f"sway_{window}s" for window in (4, 16, 64)),
    "turned_16s",
    "turned_64s",
    "turning",
    "walk_now",
    "walk_16s",
    "walk_64s",
    "since_walk",
    "known",
    "tilt_1s",
    "tilt_4s",
    "tilt_16s",
    "tilt_64s",
    "tilt_last_walk",
    "tilt_change",
)
"""All features, in order."""

TURNING: Final = NAMES.index("turning")
"""Column of how far gravity turns around the second, in units of 20 degrees."""

_QUANTUM: Final = 1024.0
_LIMIT: Final = 16.0
_FLOOR_G2: Final = 1e-6
_BAND_FLOOR_G2: Final = np.array([2e-6, 4e-6, 1e-5, 1.5e-5])
_SINCE_CAP_S: Final = 120.0
_PER_20_DEG: Final = 9.0 / np.pi
_N_WAVES: Final = len(statistics.WAVE_HZ)
_N_RHYTHM: Final = len(RHYTHM)


def _folded(values: NDArray[np.float64]) -> dict[int, NDArray[np.float64]]:
    """Sums over the last 1, 4, 16 and 64 columns; column i of each belongs to the window that ends there."""
    out = {1: values}
    size, total = 1, values
    while size < 64:
        shifted = np.zeros_like(total)
        shifted[:, size:] = total[:, :-size]
        total = total + shifted
        size *= 2
        out[size] = total
    return out


def rhythm(table: NDArray[np.float64], waves: NDArray[np.float64], start: int, stop: int) -> NDArray[np.float64]:
    """Features of `RHYTHM` for the rows ``[start, stop)``, shape (stop - start, 33), rounded."""
    n = stop - start
    low = start - 1
    part = _rows(waves, low, stop + 2)
    waves4 = _four(part, n)
    real, imag = waves4[:, :_N_WAVES], waves4[:, _N_WAVES:]
    power = (real * real + imag * imag) * 0.125
    rows = _rows(table, low, stop + 2)
    seen = rows[:, statistics.COVERED]
    count = np.maximum(seen[:n] + seen[1 : n + 1] + seen[2 : n + 2] + seen[3 : n + 3], 1.0)
    gravity = _four(rows[:, statistics.GRAVITY], n)
    size2 = np.minimum(np.maximum(_dot(gravity, gravity) / (count * count), 0.25), 2.25)
    total = _sum_columns(power)
    out = np.empty((n, _N_RHYTHM))
    out[:, 0] = np.log10(total / size2 + _FLOOR_G2) + 3.0
    share = power / (total + _FLOOR_G2)[:, None]
    out[:, 1 : 1 + _N_WAVES] = np.log10(share + 1e-3) + 1.5
    peak = np.argmax(share, axis=1)
    out[:, 1 + _N_WAVES] = share[np.arange(n), peak] * 4.0 - 2.0
    out[:, 2 + _N_WAVES] = statistics.WAVE_HZ[peak] - 2.0
    scale = 1.0 / (count * size2)
    _energies(
        out[:, 3 + _N_WAVES :], _four(rows[:, statistics.VERTICAL], n), _four(rows[:, statistics.TOTAL], n), scale
    )
    return _rounded(out)


def features(
    table: NDArray[np.float64],
    rhythms: NDArray[np.float64],
    held: NDArray[np.float64],
    start: int,
    stop: int,
) -> NDArray[np.float64]:
    """All features of the rows ``[start, stop)``, shape (stop - start, len(NAMES)), rounded.

    `table` has the walk-likeness in its column `WALK` for all rows before `stop`; `rhythms` and `held` belong to the
    rows ``[start, stop)``.
    """
    n = stop - start
    rows = _rows(table, start - BEFORE_S, stop + AHEAD_S)
    gravity = rows[:, statistics.GRAVITY]
    columns = np.empty((14, len(rows)))
    columns[0] = rows[:, statistics.COVERED]
    columns[1:4] = gravity.T
    columns[4] = _dot(gravity, gravity)
    columns[5:13] = rows[:, statistics.VERTICAL.start : statistics.TOTAL.stop].T
    columns[13] = rows[:, statistics.WALK]
    sums = _folded(columns)
    here = slice(BEFORE_S, BEFORE_S + n)
    out = np.empty((n, len(NAMES)))
    out[:, :_N_RHYTHM] = rhythms
    windows = {
        1: sums[1][:, here],
        4: sums[4][:, BEFORE_S + 2 : BEFORE_S + 2 + n],
        16: sums[16][:, BEFORE_S + 3 : BEFORE_S + 3 + n],
        64: sums[64][:, BEFORE_S + 3 : BEFORE_S + 3 + n],
    }
    count = {size: np.maximum(window[0], 1.0) for size, window in windows.items()}
    mean = {size: (window[1:4] / count[size]).T for size, window in windows.items()}
    size2 = np.minimum(np.maximum(_dot(mean[16], mean[16]), 0.25), 2.25)
    at = _N_RHYTHM
    for size in (16, 64):
        window = windows[size]
        _energies(out[:, at : at + 8], window[5:9].T, window[9:13].T, 1.0 / (count[size] * size2))
        at += 8
    out[:, at : at + 4] = np.log10(windows[1][9:13].T / size2[:, None] + _BAND_FLOOR_G2) + 3.5
    at += 4
    for size in (4, 16, 64):
        spread = windows[size][4] / count[size] - _dot(mean[size], mean[size])
        out[:, at] = np.log10(np.maximum(spread, 0.0) / size2 + _FLOOR_G2) + 3.5
        at += 1
    before = (
        sums[4][1:4, BEFORE_S - 4 : BEFORE_S - 4 + n] / np.maximum(sums[4][0, BEFORE_S - 4 : BEFORE_S - 4 + n], 1)
    ).T
    after = (
        sums[4][1:4, BEFORE_S + 3 : BEFORE_S + 3 + n] / np.maximum(sums[4][0, BEFORE_S + 3 : BEFORE_S + 3 + n], 1)
    ).T
    reference, last = held[:, orientation.REFERENCE], held[:, orientation.LAST_WALK]
    known = np.isfinite(reference[:, 0])
    reference, last = np.where(known[:, None], reference, 0.0), np.where(known[:, None], last, 0.0)
    these = (mean[4], mean[4], before, mean[1], mean[4], mean[16], mean[64], mean[4], after, before)
    those = (mean[16], mean[64], after, *[reference] * 4, last, reference, reference)
    angles = _angle(np.concatenate(these), np.concatenate(those)).reshape(len(these), n)
    out[:, at : at + 3] = angles[:3].T
    at += 3
    out[:, at] = sums[1][13, here]
    out[:, at + 1] = sums[16][13, here] / 16
    out[:, at + 2] = sums[64][13, here] / 64
    out[:, at + 3] = np.log2(1.0 + np.clip(held[:, orientation.SINCE_WALK], 0.0, _SINCE_CAP_S)) / 2.0
    at += 4
    out[:, at] = np.where(known, 0.25 + 0.25 * np.log2(1.0 + held[:, orientation.STRENGTH]), 0.0)
    out[:, at + 1 : at + 6] = angles[3:8].T
    out[:, at + 6] = angles[8] - angles[9]
    return _rounded(out)


def _rows(values: NDArray[np.float64], low: int, high: int) -> NDArray[np.float64]:
    """Rows ``[low, high)``, with zeros where the table has none."""
    before, after = max(-low, 0), max(high - len(values), 0)
    part = values[max(low, 0) : min(high, len(values))]
    if not before and not after:
        return part
    return np.concatenate([np.zeros((before, values.shape[1])), part, np.zeros((after, values.shape[1]))])


def _four(values: NDArray[np.float64], n: int) -> NDArray[np.float64]:
    return np.asarray((values[:n] + values[1 : n + 1]) + (values[2 : n + 2] + values[3 : n + 3]))


def _energies(
    out: NDArray[np.float64], vertical: NDArray[np.float64], total: NDArray[np.float64], scale: NDArray[np.float64]
) -> None:
    across = np.maximum(total - vertical, 0.0)
    out[:, :4] = np.log10(vertical * scale[:, None] + _BAND_FLOOR_G2) + 3.5
    out[:, 4:8] = np.log10(across * scale[:, None] + _BAND_FLOOR_G2) + 3.5


def _dot(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(a[:, 0] * b[:, 0] + a[:, 1] * b[:, 1] + a[:, 2] * b[:, 2])


def _angle(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    """Angle between rows in units of 20 degrees."""
    size = np.sqrt(_dot(a, a) * _dot(b, b))
    cos = np.where(size > 1e-9, _dot(a, b) / np.maximum(size, 1e-9), 1.0)
    return np.asarray(np.arccos(np.minimum(np.maximum(cos, -1.0), 1.0)) * _PER_20_DEG)


def _sum_columns(values: NDArray[np.float64]) -> NDArray[np.float64]:
    total = values[:, 0].copy()
    for column in range(1, values.shape[1]):
        total += values[:, column]
    return total


def _rounded(values: NDArray[np.float64]) -> NDArray[np.float64]:
    np.multiply(values, _QUANTUM, out=values)
    np.rint(values, out=values)
    np.multiply(values, 1.0 / _QUANTUM, out=values)
    return np.minimum(np.maximum(values, -_LIMIT, out=values), _LIMIT, out=values)
