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
_THESE: Final = np.array([1, 1, 4, 0, 1, 2, 3, 1, 5, 4])
_THOSE: Final = np.array([2, 3, 5, 6, 6, 6, 6, 7, 6, 6])


def rhythm(table: NDArray[np.float64], waves: NDArray[np.float64], start: int, stop: int) -> NDArray[np.float64]:
    """Features of `RHYTHM` for the rows ``[start, stop)``, shape (stop - start, 33), rounded."""
    n = stop - start
    real, imag = _four(_columns(waves, start - 1, stop + 2, _N_WAVES * 2), n).reshape(2, _N_WAVES, n)
    power = real * real
    power += imag * imag
    power *= 0.125
    four = _four(_columns(table, start - 1, stop + 2, statistics.TOTAL.stop), n)
    count = np.maximum(four[statistics.COVERED], 1.0)
    gravity = four[statistics.GRAVITY]
    size2 = np.minimum(np.maximum(_dot(gravity, gravity) / (count * count), 0.25), 2.25)
    total = statistics.row_sum(power)
    out = np.empty((_N_RHYTHM, n))
    np.divide(total, size2, out=out[0])
    out[0] += _FLOOR_G2
    share = np.divide(power, total + _FLOOR_G2, out=power)
    peak = np.argmax(share, axis=0)
    np.add(share, 1e-3, out=out[1 : 1 + _N_WAVES])
    out[1 + _N_WAVES : 3 + _N_WAVES] = 1.0
    _energies(out[3 + _N_WAVES :].reshape(2, 4, n), four[4:8], four[8:12], 1.0 / (count * size2))
    np.log10(out, out=out)
    out += _RHYTHM_OFFSET
    out[1 + _N_WAVES] = share[peak, np.arange(n)] * 4.0 - 2.0
    out[2 + _N_WAVES] = statistics.WAVE_HZ[peak] - 2.0
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
    rows = _columns(table, start - BEFORE_S, stop + AHEAD_S, statistics.WALK + 1)
    columns = np.empty((14, rows.shape[1]))
    columns[:4] = rows[: statistics.GRAVITY.stop]
    columns[4] = _dot(rows[statistics.GRAVITY], rows[statistics.GRAVITY])
    columns[5:13] = rows[statistics.VERTICAL.start : statistics.TOTAL.stop]
    columns[13] = rows[statistics.WALK]
    four = _doubled(_doubled(columns, 1), 2)
    sixteen = _doubled(_doubled(four, 4), 8)
    sixty_four = _doubled(_doubled(sixteen, 16), 32)
    now, short, long = columns[:, BEFORE_S : BEFORE_S + n], sixteen[:, 52 : 52 + n], sixty_four[:, 4 : 4 + n]
    means = np.empty((6, 5, n))  # of the second; of 4, 16 and 64; of the four before it and of it and the three after
    means[0], means[1], means[2] = now[:5], four[:5, 63 : 63 + n], short[:5]
    means[3], means[4], means[5] = long[:5], four[:5, 57 : 57 + n], four[:5, 64 : 64 + n]
    count = np.maximum(means[:, 0], 1.0)
    means /= count[:, None]
    known = np.isfinite(held[:, orientation.REFERENCE.start])
    vectors = _vectors(means, held, known)
    sizes2 = vectors[:, 0] * vectors[:, 0] + vectors[:, 1] * vectors[:, 1] + vectors[:, 2] * vectors[:, 2]
    size2 = np.minimum(np.maximum(sizes2[2], 0.25), 2.25)
    out = np.empty((len(NAMES), n))
    out[:_N_RHYTHM] = rhythms.T
    at = _N_RHYTHM
    for window, size in ((short, 2), (long, 3)):
        _energies(out[at : at + 8].reshape(2, 4, n), window[5:9], window[9:13], 1.0 / (count[size] * size2))
        at += 8
    np.divide(now[9:13], size2, out=out[at : at + 4])
    out[at : at + 4] += _BAND_FLOOR_G2[:, None]
    at += 4
    spread = means[1:4, 4] - sizes2[1:4]
    np.maximum(spread, 0.0, out=spread)
    np.divide(spread, size2, out=out[at : at + 3])
    out[at : at + 3] += _FLOOR_G2
    at += 3
    np.log10(out[_N_RHYTHM:at], out=out[_N_RHYTHM:at])
    out[_N_RHYTHM:at] += 3.5
    angles = _angles(vectors, sizes2)
    out[at : at + 3] = angles[:3]
    at += 3
    out[at] = now[13]
    np.multiply(sixteen[13, 49 : 49 + n], 1.0 / 16, out=out[at + 1])
    np.multiply(sixty_four[13, 1 : 1 + n], 1.0 / 64, out=out[at + 2])
    since = np.minimum(np.maximum(held[:, orientation.SINCE_WALK], 0.0), _SINCE_CAP_S)
    out[at + 3] = np.log2(1.0 + since) / 2.0
    at += 4
    out[at] = np.where(known, 0.25 + 0.25 * np.log2(1.0 + held[:, orientation.STRENGTH]), 0.0)
    out[at + 1 : at + 6] = angles[3:8]
    np.subtract(angles[8], angles[9], out=out[at + 6])
    return _rounded(out).T


def _vectors(means: NDArray[np.float64], held: NDArray[np.float64], known: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Mean specific force in the six windows, the upright of walking and that of the last walk: shape (8, 3, n)."""
    vectors = np.empty((8, 3, len(held)))
    vectors[:6] = means[:, 1:4]
    vectors[6], vectors[7] = held[:, orientation.REFERENCE].T, held[:, orientation.LAST_WALK].T
    if not known.all():
        vectors[6:, :, ~known] = 0.0
    return vectors


def _columns(values: NDArray[np.float64], low: int, high: int, width: int) -> NDArray[np.float64]:
    """Rows ``[low, high)`` of the first `width` columns, as columns; zeros where the table has no rows."""
    first, last = max(low, 0), min(high, len(values))
    if first == low and last == high:
        return np.ascontiguousarray(values[low:high, :width].T)
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
    np.multiply(vertical, scale, out=out[0])
    np.subtract(total, vertical, out=out[1])
    np.maximum(out[1], 0.0, out=out[1])
    out[1] *= scale
    out += _BAND_FLOOR_G2[:, None]


def _dot(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(a[0] * b[0] + a[1] * b[1] + a[2] * b[2])


def _angles(vectors: NDArray[np.float64], sizes2: NDArray[np.float64]) -> NDArray[np.float64]:
    """Angles between the pairs of vectors that features are made of, in units of 20 degrees."""
    product = vectors[_THESE]
    product *= vectors[_THOSE]
    along = product[:, 0] + product[:, 1]
    along += product[:, 2]
    size = np.sqrt(sizes2[_THESE] * sizes2[_THOSE])
    cos = np.where(size > 1e-9, along / np.maximum(size, 1e-9), 1.0)
    np.minimum(np.maximum(cos, -1.0, out=cos), 1.0, out=cos)
    np.arccos(cos, out=cos)
    cos *= _PER_20_DEG
    return cos


def _rounded(values: NDArray[np.float64]) -> NDArray[np.float64]:
    np.multiply(values, _QUANTUM, out=values)
    np.rint(values, out=values)
    np.multiply(values, 1.0 / _QUANTUM, out=values)
    return np.minimum(np.maximum(values, -_LIMIT, out=values), _LIMIT, out=values)
