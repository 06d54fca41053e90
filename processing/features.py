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
_RHYTHM_OFFSET: Final = np.array([3.0, *[1.5] * _N_WAVES, 0.0, 0.0, *[3.5] * 8])[:, None]
_WINDOWS: Final = 6
"""Windows that a mean direction is taken over, in this order: the second; the four seconds around it; the four
before it; it and the three after; 16 and 64 seconds up to three after."""
_LAST_WALK: Final = _WINDOWS
_REFERENCE: Final = _WINDOWS + 1
_SQUARE: Final = 0
_COVERED: Final = 1
_GRAVITY: Final = slice(2, 5)
_VERTICAL: Final = slice(5, 9)
_TOTAL: Final = slice(9, 13)
_WALK: Final = statistics.WALK + 1
"""Rows that windows are summed over: the square of gravity, then the table's own columns."""


def rhythm(table: NDArray[np.float64], waves: NDArray[np.float64], start: int, stop: int) -> NDArray[np.float64]:
    """Features of `RHYTHM` for the rows ``[start, stop)``, shape (stop - start, 33), rounded."""
    n = stop - start
    power = _four(_columns(waves, start - 1, stop + 2, _N_WAVES * 2), n)
    power *= power
    power = power[:_N_WAVES] + power[_N_WAVES:]
    power *= 0.125
    four = _four(_columns(table, start - 1, stop + 2, statistics.TOTAL.stop), n)
    count = np.maximum(four[statistics.COVERED], 1.0)
    size2 = _dot(four[statistics.GRAVITY]) / (count * count)
    size2 = size2.clip(0.25, 2.25, out=size2)
    total = statistics.row_sum(power)
    out = np.empty((_N_RHYTHM, n))
    np.divide(total, size2, out=out[0])
    out[0] += _FLOOR_G2
    share = np.divide(power, total + _FLOOR_G2, out=power)
    np.add(share, 1e-3, out=out[1 : 1 + _N_WAVES])
    out[1 + _N_WAVES : 3 + _N_WAVES] = 1.0
    _energies(
        out[3 + _N_WAVES :].reshape(2, 4, n),
        four[statistics.VERTICAL],
        four[statistics.TOTAL],
        1.0 / (count * size2),
    )
    np.log10(out, out=out)
    out += _RHYTHM_OFFSET
    np.multiply(np.maximum.reduce(share), 4.0, out=out[1 + _N_WAVES])
    out[1 + _N_WAVES] -= 2.0
    np.subtract(statistics.WAVE_HZ[share.argmax(axis=0)], 2.0, out=out[2 + _N_WAVES])
    return _rounded(out).T


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
    columns = _summed(table, start, stop)
    four = _doubled(_doubled(columns, 1), 2)
    sixteen = _doubled(_doubled(four, 4), 8)
    sixty_four = _doubled(_doubled(sixteen, 16), 32)
    now, short, long = columns[:, BEFORE_S : BEFORE_S + n], sixteen[:, 52 : 52 + n], sixty_four[:, 4 : 4 + n]
    means = np.empty((_WINDOWS, _GRAVITY.stop, n))
    means[0], means[1], means[2] = now[:5], four[:5, 63 : 63 + n], four[:5, 57 : 57 + n]
    means[3], means[4], means[5] = four[:5, 64 : 64 + n], short[:5], long[:5]
    count = np.maximum(means[:, _COVERED], 1.0)
    means /= count[:, None]
    known = np.isfinite(held[:, orientation.REFERENCE.start])
    vectors = _vectors(means, held, known)
    sizes2 = vectors * vectors
    sizes2 = sizes2[:, 0] + sizes2[:, 1] + sizes2[:, 2]
    size2 = sizes2[4].clip(0.25, 2.25)
    out = np.empty((len(NAMES), n))
    out[:_N_RHYTHM] = rhythms.T
    made = out[_N_RHYTHM:]
    scale = 1.0 / (count[4:] * size2)
    _energies(made[:8].reshape(2, 4, n), short[_VERTICAL], short[_TOTAL], scale[0])
    _energies(made[8:16].reshape(2, 4, n), long[_VERTICAL], long[_TOTAL], scale[1])
    np.divide(now[_TOTAL], size2, out=made[16:20])
    made[16:20] += _BAND_FLOOR_G2[:, None]
    sway = made[20:23]
    np.subtract(means[1, _SQUARE], sizes2[1], out=sway[0])
    np.subtract(means[4:, _SQUARE], sizes2[4:_LAST_WALK], out=sway[1:])
    sway.clip(0.0, np.inf, out=sway)
    sway /= size2
    sway += _FLOOR_G2
    np.log10(made[:23], out=made[:23])
    made[:23] += 3.5
    angles = _angles(vectors, sizes2)
    made[23:25], made[25] = angles[:2], angles[3]
    made[26] = now[_WALK]
    np.multiply(sixteen[_WALK, 49 : 49 + n], 1.0 / 16, out=made[27])
    np.multiply(sixty_four[_WALK, 1 : 1 + n], 1.0 / 64, out=made[28])
    held[:, orientation.SINCE_WALK].clip(0.0, _SINCE_CAP_S, out=made[29])
    made[30] = held[:, orientation.STRENGTH]
    made[29:31] += 1.0
    np.log2(made[29:31], out=made[29:31])
    made[29] /= 2.0
    made[30] *= 0.25
    made[30] += 0.25
    if not known.all():
        made[30, ~known] = 0.0
    made[31:33], made[33:35], made[35] = angles[4:6], angles[8:10], angles[2]
    np.subtract(angles[7], angles[6], out=made[36])
    _rounded(made)
    return out.T


def _summed(table: NDArray[np.float64], start: int, stop: int) -> NDArray[np.float64]:
    """Rows that windows around the seconds ``[start, stop)`` are summed over."""
    rows = _columns(table, start - BEFORE_S, stop + AHEAD_S, statistics.WALK + 1)
    columns = np.empty((_WALK + 1, rows.shape[1]))
    columns[1:] = rows
    columns[_SQUARE] = _dot(rows[statistics.GRAVITY])
    return columns


def _vectors(means: NDArray[np.float64], held: NDArray[np.float64], known: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Mean specific force in the six windows, that of the last walk and the upright of walking: shape (8, 3, n)."""
    vectors = np.empty((_REFERENCE + 1, 3, len(held)))
    vectors[:_WINDOWS] = means[:, _GRAVITY]
    vectors[_LAST_WALK], vectors[_REFERENCE] = held[:, orientation.LAST_WALK].T, held[:, orientation.REFERENCE].T
    if not known.all():
        vectors[_LAST_WALK:, :, ~known] = 0.0
    return vectors


def _columns(values: NDArray[np.float64], low: int, high: int, width: int) -> NDArray[np.float64]:
    """Rows ``[low, high)`` of the first `width` columns, as columns; zeros where the table has no rows."""
    first, last = max(low, 0), min(high, len(values))
    if first == low and last == high:
        return values[low:high, :width].T
    out = np.zeros((width, high - low))
    out[:, first - low : last - low] = values[first:last, :width].T
    return out


def _four(values: NDArray[np.float64], n: int) -> NDArray[np.float64]:
    return np.asarray((values[:, :n] + values[:, 1 : n + 1]) + (values[:, 2 : n + 2] + values[:, 3 : n + 3]))


def _doubled(values: NDArray[np.float64], size: int) -> NDArray[np.float64]:
    """From sums over `size` columns, those over twice as many; column i of the result begins at column i."""
    return np.asarray(values[:, size:] + values[:, :-size])


def _energies(
    out: NDArray[np.float64], vertical: NDArray[np.float64], total: NDArray[np.float64], scale: NDArray[np.float64]
) -> None:
    np.subtract(total, vertical, out=out[1])
    out[1].clip(0.0, np.inf, out=out[1])
    out[0] = vertical
    out *= scale
    out += _BAND_FLOOR_G2[:, None]


def _dot(a: NDArray[np.float64]) -> NDArray[np.float64]:
    squares = a * a
    return np.asarray(squares[0] + squares[1] + squares[2])


def _angles(vectors: NDArray[np.float64], sizes2: NDArray[np.float64]) -> NDArray[np.float64]:
    """Angles between pairs of vectors, in units of 20 degrees.

    Of the four seconds around against 16, against 64 and against the last walk; of those before against those after;
    of the six windows against the upright of walking.
    """
    n = sizes2.shape[1]
    product, size = np.empty((10, 3, n)), np.empty((10, n))
    for values, out in ((vectors, product), (sizes2, size)):
        np.multiply(values[1], values[4:_REFERENCE], out=out[:3])
        np.multiply(values[2], values[3], out=out[3])
        np.multiply(values[:_WINDOWS], values[_REFERENCE], out=out[4:])
    cos = product[:, 0] + product[:, 1]
    cos += product[:, 2]
    np.sqrt(size, out=size)
    none = size <= 1e-9
    size[none] = 1.0
    cos /= size
    cos[none] = 1.0
    cos.clip(-1.0, 1.0, out=cos)
    np.arccos(cos, out=cos)
    cos *= _PER_20_DEG
    return cos


def _rounded(values: NDArray[np.float64]) -> NDArray[np.float64]:
    values *= _QUANTUM
    np.rint(values, out=values)
    values *= 1.0 / _QUANTUM
    return values.clip(-_LIMIT, _LIMIT, out=values)
