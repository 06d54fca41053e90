"""Steps and cadence from the movement of one clip on the trunk, second by second.

Everything here is a pure function of the samples around a second, so the way in which a recording was cut into
blocks cannot change a number. Nothing needs to know how the clip is turned, only which part of the movement is along
gravity. The stride, left and right together, is found first, since it stays whole when a limp makes the two steps
uneven; the steps are two to a stride.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from processing.compiled import compiled
from processing.frozen import frozen

GRID_HZ: Final = 25
"""Samples a second that `gait` takes."""

BEFORE_S: Final = 9
"""Seconds before a second that its steps and cadence depend on."""

AFTER_S: Final = 4
"""Seconds after a second that its steps and cadence depend on."""

RHYTHM: Final = 0.2
"""Least likeness of one stride to the next for which a cadence is named. Of walking seconds of HARTH and HAR70+ 96 %
are above it; of sitting, standing, driving and inactive cycling 5 to 25 %."""

_PRIOR_SPM: Final = 108.0
_PRIOR_WIDTH: Final = 0.4
_PRIOR_WEIGHT: Final = 0.15
_STEP_WEIGHT: Final = 0.4
_SWAY_WEIGHT: Final = 0.5
"""How much the signs of a stride count, see `_score`; tried coarsely on HARTH and HAR70+, with the thigh clip as the
reference, and on generated gait."""

_SHORTEST: Final = 15
_LONGEST: Final = 60
"""Samples of the shortest and the longest stride."""

_STRIDES: Final = np.arange(_SHORTEST, _LONGEST + 1)
_UNUSUAL: Final = _PRIOR_WEIGHT * (np.log(2.0 * 60.0 * GRID_HZ / _STRIDES / _PRIOR_SPM) / _PRIOR_WIDTH) ** 2
_LAGS: Final = _LONGEST + 1
_LAGS_UP: Final = _LONGEST // 2 + 1
_FIRST_S: Final = 4
_LAST_S: Final = 1
_OCTAVE_FIRST_S: Final = 8
_OCTAVE_REACH: Final = 0.15
"""The octave is judged over the ten seconds from 8 before to 1 after; the cadence itself over the six from 4 before,
within 15 % of it."""
_QUANTUM: Final = 16384.0
_GRID_QUANTUM: Final = 65536.0
_AROUND: Final = GRID_HZ // 2
_TINY: Final = 1e-9


@frozen
class Gait:
    """Steps and cadence of seconds; all columns have shape (n,).

    Attributes
    ----------
    steps
        Steps that fell into the second, by its cadence; 0 where not asked for or where no rhythm is found.
    cadence_spm
        Steps a minute around the second; NaN where not asked for or where no rhythm is found.
    regularity
        Likeness of one stride to the next, about 0 to 1; NaN where not asked for.
    """

    steps: NDArray[np.float64]
    cadence_spm: NDArray[np.float64]
    regularity: NDArray[np.float64]


def gait(xyz_g: NDArray[np.float64], wanted: NDArray[np.bool_]) -> Gait:
    """Count the steps and find the cadence of the wanted seconds.

    Parameters
    ----------
    xyz_g
        Shape (25 n, 3): n whole contiguous seconds on the 25 Hz grid, in g, in any axes; NaN where nothing was
        measured. A result is final when `BEFORE_S` seconds before and `AFTER_S` seconds after it are there (or the
        recording begins or ends within them); with less after it, it is the best that can be said live.
    wanted
        Shape (n,): the seconds in which the person walks or runs.
    """
    n = len(wanted)
    steps, cadence, regularity = np.zeros(n), np.full(n, np.nan), np.full(n, np.nan)
    if wanted.any():
        _gait(np.ascontiguousarray(xyz_g), wanted, steps, cadence, regularity)
    return Gait(steps, cadence, regularity)


@compiled
def _gait(
    xyz_g: NDArray[np.float64],
    wanted: NDArray[np.bool_],
    steps: NDArray[np.float64],
    cadence_spm: NDArray[np.float64],
    regularity: NDArray[np.float64],
) -> None:
    """Loop over stretches of wanted seconds; each is looked at with its surroundings alone."""
    n, stop = len(wanted), 0
    for second in range(n):
        if not wanted[second] or second < stop:
            continue
        stop = _end(wanted, second)
        low, high = max(second - BEFORE_S, 0), min(stop + AFTER_S, n)
        products = _products(_movement(xyz_g[low * GRID_HZ : high * GRID_HZ]), high - low)
        for i in range(second, stop):
            if wanted[i]:
                lag, regularity[i] = _stride(products, i - low)
                if regularity[i] >= RHYTHM:
                    cadence_spm[i] = 2.0 * 60.0 * GRID_HZ / lag
                    steps[i] = cadence_spm[i] / 60.0


@compiled
def _end(wanted: NDArray[np.bool_], first: int) -> int:
    """Find where a stretch ends: after the last wanted second before none is wanted for long."""
    last = first
    for i in range(first, len(wanted)):
        if i - last > BEFORE_S + AFTER_S:
            break
        last = i if wanted[i] else last
    return last + 1


@compiled
def _movement(xyz_g: NDArray[np.float64]) -> NDArray[np.float64]:
    """What is left of m samples without gravity, its three axes and its part along gravity, and zeros after it.

    Shape (4, m + `_LONGEST`). Gravity is the mean over a second around each sample. All values are rounded, so that
    sums of them and of their products are exact and do not depend on how many seconds are looked at together.
    """
    m = len(xyz_g)
    raw, gravity, left = _raw(xyz_g), np.empty((3, m)), np.zeros((3, m + 2))
    sums = np.zeros(4)
    for t in range(-2 * _AROUND, m):
        for axis in range(4):
            sums[axis] += raw[axis, t + 2 * _AROUND]
        if t >= 0:
            count, known = max(sums[3], 1.0), raw[3, t + _AROUND]
            for axis in range(3):
                gravity[axis, t] = sums[axis] / count
                moving = (raw[axis, t + _AROUND] - gravity[axis, t]) * known
                left[axis, t + 1] = np.rint(moving * _QUANTUM) / _QUANTUM
            for axis in range(4):
                sums[axis] -= raw[axis, t]
    return _smooth(left, gravity)


@compiled
def _raw(xyz_g: NDArray[np.float64]) -> NDArray[np.float64]:
    """Lay samples out axis by axis, shape (4, m + 24), the fourth whether they are known, between zeros."""
    raw = np.zeros((4, len(xyz_g) + 2 * _AROUND))
    for t in range(len(xyz_g)):
        if np.isfinite(xyz_g[t, 0]) and np.isfinite(xyz_g[t, 1]) and np.isfinite(xyz_g[t, 2]):
            raw[3, t + _AROUND] = 1.0
            for axis in range(3):
                raw[axis, t + _AROUND] = np.rint(xyz_g[t, axis] * _GRID_QUANTUM) / _GRID_QUANTUM
    return raw


@compiled
def _smooth(left: NDArray[np.float64], gravity: NDArray[np.float64]) -> NDArray[np.float64]:
    """Take the mean of three samples each, shape (3, m + 2), and its part along gravity, shape (3, m)."""
    m = gravity.shape[1]
    moving = np.zeros((4, m + _LONGEST))
    for axis in range(3):
        for t in range(m):
            three = left[axis, t] + left[axis, t + 1] + left[axis, t + 2]
            moving[axis, t] = np.rint(three * (_QUANTUM / 3.0)) / _QUANTUM
    for t in range(m):
        x, y, z = gravity[0, t], gravity[1, t], gravity[2, t]
        up = (moving[0, t] * x + moving[1, t] * y + moving[2, t] * z) / (math.sqrt(x * x + y * y + z * z) + _TINY)
        moving[3, t] = np.rint(up * _QUANTUM) / _QUANTUM
    return moving


@compiled
def _products(moving: NDArray[np.float64], seconds: int) -> NDArray[np.float64]:
    """Sum, second by second, the movement times itself up to `_LONGEST` samples later: all of it, then that along up.

    Shape (seconds, `_LAGS` + `_LAGS_UP`).
    """
    products = np.zeros((seconds, _LAGS + _LAGS_UP))
    for second in range(seconds):
        sums, sums_up = products[second, :_LAGS], products[second, _LAGS:]
        for t in range(second * GRID_HZ, (second + 1) * GRID_HZ):
            x, y, z, up = moving[0, t : t + _LAGS], moving[1, t : t + _LAGS], moving[2, t : t + _LAGS], moving[3, t:]
            for lag in range(_LAGS):  # from views: an index that is a sum would keep the loop from being vectorised
                sums[lag] += x[0] * x[lag] + y[0] * y[lag] + z[0] * z[lag]
            for lag in range(_LAGS_UP):
                sums_up[lag] += up[0] * up[lag]
    return products


@compiled
def _stride(products: NDArray[np.float64], second: int) -> tuple[float, float]:
    """Find the length of the stride around a second, in samples, and how alike one is to the next."""
    alike, score, shape = np.empty(_LAGS + _LAGS_UP), np.empty(len(_STRIDES)), np.empty(len(_STRIDES))
    _window(products, second, _OCTAVE_FIRST_S, alike)
    _score(alike, score, shape)
    octave = _STRIDES[np.argmax(score)]
    _window(products, second, _FIRST_S, alike)
    _score(alike, score, shape)
    pick, best = 0, -np.inf
    for k in range(len(_STRIDES)):
        if abs(_STRIDES[k] / octave - 1.0) <= _OCTAVE_REACH and score[k] > best:
            pick, best = k, score[k]
    pick = min(max(pick, 1), len(_STRIDES) - 2)
    lag = _STRIDES[pick] + _vertex(shape[pick - 1], shape[pick], shape[pick + 1])
    return lag, alike[_STRIDES[pick]] / (alike[0] + _TINY)


@compiled
def _window(products: NDArray[np.float64], second: int, first_s: int, alike: NDArray[np.float64]) -> None:
    """Add up the seconds from `first_s` before to `_LAST_S` after; exact in any order."""
    for lag in range(len(alike)):
        alike[lag] = 0.0
    for at in range(max(second - first_s, 0), min(second + _LAST_S + 1, len(products))):
        for lag in range(len(alike)):
            alike[lag] += products[at, lag]


@compiled
def _score(alike: NDArray[np.float64], score: NDArray[np.float64], shape: NDArray[np.float64]) -> None:
    """Judge each stride length: the score, and the part of it that shapes the peak.

    A stride later the whole movement is the same again (Moe-Nilssen and Helbostad 2004, J Biomech 37:121). Half a
    stride later, one step, the rise and fall is the same too, while the sway from side to side is reversed and that
    forward and back is not: together they are about nothing. Taking two strides for one would show them alike half
    way; taking one step for a stride would show the rise and fall reversed half way. This is the octave check.
    """
    energy, energy_up = alike[0] + _TINY, alike[_LAGS] + _TINY
    level = max(alike[0] - alike[_LAGS], 0.0) + _TINY
    for k in range(len(_STRIDES)):
        lag = _SHORTEST + k
        low, high = lag // 2, (lag + 1) // 2
        half, half_up = 0.5 * (alike[low] + alike[high]), 0.5 * (alike[_LAGS + low] + alike[_LAGS + high])
        shape[k] = alike[lag] / energy + _STEP_WEIGHT * half_up / energy_up
        score[k] = shape[k] - _SWAY_WEIGHT * (half - half_up) / level - _UNUSUAL[k]


@compiled
def _vertex(before: float, here: float, after: float) -> float:
    """How far the top of the parabola through a peak and its neighbours lies from the peak, -1 to 1 lags."""
    bend = before - 2.0 * here + after
    return min(max(0.5 * (before - after) / bend, -1.0), 1.0) if bend < -_TINY else 0.0
