"""What is said of a second to the classifier: quantities that do not change with the way the clip was put on.

All are made from the table of seconds up to a minute before and three seconds after (see `processing.windows`), and
rounded to 2**-10, so that the classifier's sums are exact.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from processing import elementary, orientation, statistics, windows
from processing.compiled import compiled
from processing.windows import AROUND, COVERED, GRAVITY, LONG, NEXT, NOW, PAST, SHORT, SQUARE, TOTAL, VERTICAL

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
_BAND_FLOORS_G2: Final = (2e-6, 4e-6, 1e-5, 1.5e-5)
_SINCE_CAP_S: Final = 120.0
_NOTHING: Final = 1e-9
_PER_20_DEG: Final = 9.0 / np.pi
_N_BANDS: Final = len(statistics.BANDS)
_N_WAVES: Final = len(statistics.WAVE_HZ)
_HALF_WAVES: Final = _N_WAVES // 2
_N_RHYTHM: Final = len(RHYTHM)
_REST: Final = NAMES[_N_RHYTHM:]
_SHORT_S: Final = 16
_LONG_S: Final = 64


def _row(*parts: tuple[float, int]) -> NDArray[np.float64]:
    return np.concatenate([np.full(times, value) for value, times in parts])


# What each feature is multiplied by, and what is added then, to have it in whole quanta; logarithms are natural here.
_TENS: Final = _QUANTUM / np.log(10.0)
_TWOS: Final = _QUANTUM / np.log(2.0)
_ANGLE: Final = _QUANTUM * _PER_20_DEG
_RHYTHM_SCALE: Final = _row((_TENS, 1 + _N_WAVES), (4 * _QUANTUM, 1), (_QUANTUM, 1), (_TENS, 8))
_RHYTHM_OFFSET: Final = _QUANTUM * _row((3.0, 1), (1.5, _N_WAVES), (-2.0, 2), (3.5, 8))
_SCALE: Final = _row(
    (_TENS, 23), (_ANGLE, 3), (_QUANTUM, 1), (_QUANTUM / 16, 1), (_QUANTUM / 64, 1),
    (_TWOS / 2, 1), (_TWOS / 4, 1), (_ANGLE, 6),
)  # fmt: skip
_OFFSET: Final = _QUANTUM * _row((3.5, 23), (0.0, 7), (0.25, 1), (0.0, 6))

_WAVE_HZ: Final = statistics.WAVE_HZ
_FLOORS_G2: Final = np.array(_BAND_FLOORS_G2)
_X: Final = GRAVITY.start
_ALONG: Final = VERTICAL.start
_ALL: Final = TOTAL.start
_REFERENCE: Final = orientation.REFERENCE.start
_LAST_WALK: Final = orientation.LAST_WALK.start
_PEAK: Final = RHYTHM.index("rhythm_peak")
_BANDS_4_S: Final = RHYTHM.index("vertical_4s_0")
_BANDS_16_S, _BANDS_64_S, _BANDS_NOW, _SWAY, _TURNED, _WALK, _SINCE, _KNOWN, _TILT, _CHANGE = map(
    _REST.index,
    ("vertical_16s_0", "vertical_64s_0", "total_1s_0", "sway_4s", "turned_16s", "walk_now", "since_walk", "known",
     "tilt_1s", "tilt_change"),
)  # fmt: skip

_COSINES: Final = 12
Lengths = tuple[int, int, int, int, int]
LENGTHS: Final[Lengths] = (_N_WAVES, 36, 28, _COSINES, len(_REST))
"""How many waves, logarithms of a rhythm and of the rest, angles and features of the rest a second takes; logarithms
and angles in multiples of four, which are done at a time. They are handed to the loops as numbers, since of a loop
whose length the compiler knows it makes a long list of single steps."""


def rhythm(table: NDArray[np.float64], waves: NDArray[np.float64], start: int, stop: int) -> NDArray[np.float64]:
    """Features of `RHYTHM` for the rows ``[start, stop)``, shape (stop - start, 33), rounded."""
    out = np.empty((stop - start, len(RHYTHM)))
    fill_rhythm(waves, start, windows.around(table, start, stop), LENGTHS, out)
    return out


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
    out = np.empty((stop - start, len(NAMES)))
    fill(table, rhythms, held, start, windows.around(table, start, stop), LENGTHS, out)
    return out


@compiled
def fill_rhythm(
    waves: NDArray[np.float64], start: int, folded: NDArray[np.float64], lengths: Lengths, out: NDArray[np.float64]
) -> None:
    """Do as `rhythm` for as many seconds as there are rows in `out`; the first is row `start` of the waves."""
    powers, made, around = np.empty(lengths[0]), np.ones(lengths[1]), windows.sums(folded, AROUND)
    for i in range(len(out)):
        _powers(waves, start + i, powers)
        total = 0.0
        for k in range(_HALF_WAVES):
            total += powers[k] + powers[k + _HALF_WAVES]
        size2 = _held_size2(around, i)
        made[0] = total / size2 + _FLOOR_G2
        for k in range(len(powers)):
            powers[k] /= total + _FLOOR_G2
            made[1 + k] = powers[k] + 1e-3
        _energies(around, i, size2, made, _BANDS_4_S)
        for k in range(len(made)):
            made[k] = elementary.log(made[k])
        share, peak = powers[0], 0
        for k in range(1, len(powers)):
            more = powers[k] > share
            share, peak = (powers[k] if more else share), (k if more else peak)
        made[_PEAK], made[_PEAK + 1] = share, _WAVE_HZ[peak]
        for k in range(out.shape[1]):
            out[i, k] = _rounded(made[k], _RHYTHM_SCALE[k], _RHYTHM_OFFSET[k])


@compiled
def _powers(waves: NDArray[np.float64], row: int, powers: NDArray[np.float64]) -> None:
    """Power of each wave over the four seconds around a row; seconds that are not there count as none."""
    a, c, d = max(row - 1, 0), min(row + 1, len(waves) - 1), min(row + 2, len(waves) - 1)
    before, after, later = float(row - a), float(c - row), float(d - c)  # each 1, or 0 where there is no such row
    for k in range(_N_WAVES):
        m = k + _N_WAVES
        real = (before * waves[a, k] + waves[row, k]) + (after * waves[c, k] + later * waves[d, k])
        imag = (before * waves[a, m] + waves[row, m]) + (after * waves[c, m] + later * waves[d, m])
        powers[k] = (real * real + imag * imag) * 0.125


@compiled
def fill(
    table: NDArray[np.float64],
    rhythms: NDArray[np.float64],
    held: NDArray[np.float64],
    start: int,
    folded: NDArray[np.float64],
    lengths: Lengths,
    out: NDArray[np.float64],
) -> None:
    """Do as `features` for as many seconds as there are rows in `out`."""
    levels, n, columns = folded.shape
    _fill(folded.reshape((levels * n, columns)), n, rhythms, held, lengths, out)
    _fill_walks(table, start, out)


@compiled
def _fill(
    sums: NDArray[np.float64],
    n: int,
    rhythms: NDArray[np.float64],
    held: NDArray[np.float64],
    lengths: Lengths,
    out: NDArray[np.float64],
) -> None:
    """Loop over seconds; fill in all features but the likeness to walking. Windows fold n rows a level."""
    logs, angles, sizes2, made = np.ones(lengths[2]), np.ones(lengths[3]), np.ones(lengths[3]), np.zeros(lengths[4])
    for i in range(len(out)):
        _movement(sums, n, i, logs)
        logs[_TURNED] = 1.0 + min(max(held[i, orientation.SINCE_WALK], 0.0), _SINCE_CAP_S)
        logs[_TURNED + 1] = 1.0 + held[i, orientation.STRENGTH]
        for k in range(len(logs)):
            logs[k] = elementary.log(logs[k])
        _cosines(sums, n, held, i, angles, sizes2)
        for k in range(len(angles)):
            angles[k] = _angle(angles[k], sizes2[k])
        for k in range(_TURNED):
            made[k] = logs[k]
        made[_SINCE], made[_KNOWN] = logs[_TURNED], logs[_TURNED + 1]
        for k in range(_WALK - _TURNED):
            made[_TURNED + k] = angles[k]
        for k in range(_CHANGE - _TILT):
            made[_TILT + k] = angles[_WALK - _TURNED + k]
        made[_CHANGE] = angles[_COSINES - 2] - angles[_COSINES - 1]
        for k in range(_N_RHYTHM):
            out[i, k] = rhythms[i, k]
        for k in range(len(made)):
            out[i, _N_RHYTHM + k] = _rounded(made[k], _SCALE[k], _OFFSET[k])
        if not np.isfinite(held[i, _REFERENCE]):
            out[i, _N_RHYTHM + _KNOWN] = 0.0


@compiled
def _fill_walks(table: NDArray[np.float64], start: int, out: NDArray[np.float64]) -> None:
    """Loop over seconds, the first of which is row `start` of the table: likeness to walking, and its sums up to there.

    Likenesses are whole 64ths, so sums of them are exact.
    """
    short, long = 0.0, 0.0
    for row in range(max(start - _LONG_S, 0), start):
        long += table[row, statistics.WALK]
        short += table[row, statistics.WALK] if row >= start - _SHORT_S else 0.0
    for i in range(len(out)):
        row = start + i
        likeness = table[row, statistics.WALK]
        short += likeness - (table[row - _SHORT_S, statistics.WALK] if row >= _SHORT_S else 0.0)
        long += likeness - (table[row - _LONG_S, statistics.WALK] if row >= _LONG_S else 0.0)
        out[i, _N_RHYTHM + _WALK] = _rounded(likeness, _SCALE[_WALK], 0.0)
        out[i, _N_RHYTHM + _WALK + 1] = _rounded(short, _SCALE[_WALK + 1], 0.0)
        out[i, _N_RHYTHM + _WALK + 2] = _rounded(long, _SCALE[_WALK + 2], 0.0)


@compiled
def _movement(sums: NDArray[np.float64], n: int, i: int, logs: NDArray[np.float64]) -> None:
    """How much a second and its windows move, by band, and how far they sway."""
    now, around, short, long = (
        windows.row(NOW, i, n),
        windows.row(AROUND, i, n),
        windows.row(SHORT, i, n),
        windows.row(LONG, i, n),
    )
    size2 = _held_size2(sums, short)
    _energies(sums, short, size2, logs, _BANDS_16_S)
    _energies(sums, long, size2, logs, _BANDS_64_S)
    for band in range(_N_BANDS):
        logs[_BANDS_NOW + band] = sums[now, _ALL + band] / size2 + _FLOORS_G2[band]
    logs[_SWAY] = _spread(sums, around) / size2 + _FLOOR_G2
    logs[_SWAY + 1] = _spread(sums, short) / size2 + _FLOOR_G2
    logs[_SWAY + 2] = _spread(sums, long) / size2 + _FLOOR_G2


@compiled
def _energies(sums: NDArray[np.float64], row: int, size2: float, logs: NDArray[np.float64], at: int) -> None:
    """Energies by band of a window, along gravity and across it, against gravity's square and with a floor."""
    scale = 1.0 / (_seconds(sums, row) * size2)
    for band in range(_N_BANDS):
        along = sums[row, _ALONG + band]
        across = max(sums[row, _ALL + band] - along, 0.0)
        logs[at + band] = along * scale + _FLOORS_G2[band]
        logs[at + _N_BANDS + band] = across * scale + _FLOORS_G2[band]


@compiled
def _cosines(
    sums: NDArray[np.float64], n: int, held: NDArray[np.float64], i: int,
    products: NDArray[np.float64], sizes2: NDArray[np.float64],
) -> None:  # fmt: skip
    """Inner products of gravity at different times, and with upright: 0 where there is none; squares of their sizes."""
    now, around = _vector(sums, windows.row(NOW, i, n), _X), _vector(sums, windows.row(AROUND, i, n), _X)
    past, after = _vector(sums, windows.row(PAST, i, n), _X), _vector(sums, windows.row(NEXT, i, n), _X)
    short, long = _vector(sums, windows.row(SHORT, i, n), _X), _vector(sums, windows.row(LONG, i, n), _X)
    upright, last = _vector(held, i, _REFERENCE), _vector(held, i, _LAST_WALK)
    if not np.isfinite(upright[0]):
        upright = last = (0.0, 0.0, 0.0)
    products[0], sizes2[0] = _pair(around, short)
    products[1], sizes2[1] = _pair(around, long)
    products[2], sizes2[2] = _pair(past, after)
    products[3], sizes2[3] = _pair(now, upright)
    products[4], sizes2[4] = _pair(around, upright)
    products[5], sizes2[5] = _pair(short, upright)
    products[6], sizes2[6] = _pair(long, upright)
    products[7], sizes2[7] = _pair(around, last)
    products[_COSINES - 2], sizes2[_COSINES - 2] = _pair(after, upright)
    products[_COSINES - 1], sizes2[_COSINES - 1] = _pair(past, upright)


@compiled
def _pair(a: tuple[float, float, float], b: tuple[float, float, float]) -> tuple[float, float]:
    return _dot(a, b), _dot(a, a) * _dot(b, b)


@compiled
def _angle(product: float, size2: float) -> float:
    """Angle between two vectors; 0 where one is none."""
    size = math.sqrt(size2)
    none = size <= _NOTHING
    cos = product / (1.0 if none else size)
    cos = 1.0 if none or cos > 1.0 else cos
    return elementary.arccos(-1.0 if cos < -1.0 else cos)


@compiled
def _vector(rows: NDArray[np.float64], row: int, at: int) -> tuple[float, float, float]:
    return rows[row, at], rows[row, at + 1], rows[row, at + 2]


@compiled
def _dot(a: tuple[float, float, float], b: tuple[float, float, float]) -> float:
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


@compiled
def _seconds(sums: NDArray[np.float64], row: int) -> float:
    """Measured seconds of a window, at least 1."""
    return max(float(sums[row, COVERED]), 1.0)


@compiled
def _size2(sums: NDArray[np.float64], row: int) -> float:
    """Square of a window's mean gravity."""
    gravity, seconds = _vector(sums, row, _X), _seconds(sums, row)
    return _dot(gravity, gravity) / (seconds * seconds)


@compiled
def _held_size2(sums: NDArray[np.float64], row: int) -> float:
    """Do the same, held to what a sensor that is out by half may say."""
    return min(max(_size2(sums, row), 0.25), 2.25)


@compiled
def _spread(sums: NDArray[np.float64], row: int) -> float:
    """Variance of gravity within a window."""
    return max(float(sums[row, SQUARE]) / _seconds(sums, row) - _size2(sums, row), 0.0)


@compiled
def _rounded(value: float, scale: float, offset: float) -> float:
    """Round to whole quanta and hold within limits."""
    found = float(np.rint(value * scale + offset)) * (1.0 / _QUANTUM)
    found = -_LIMIT if found < -_LIMIT else found
    return _LIMIT if found > _LIMIT else found
