"""Steps and cadence from the movement of one clip on the trunk, second by second.

Everything here is a pure function of the samples around a second, so the way in which a recording was cut into
blocks cannot change a number. Nothing needs to know how the clip is turned, only which part of the movement is along
gravity. The stride, left and right together, is found first, since it stays whole when a limp makes the two steps
uneven; the steps are two to a stride.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

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

_STRIDE_LAGS: Final = np.arange(15, 61)
_LAGS: Final = np.concatenate([[0], np.arange(_STRIDE_LAGS[0] // 2, _STRIDE_LAGS[-1] + 1)])
_STRIDE_AT: Final = _STRIDE_LAGS - _LAGS[1] + 1
_HALF_LOW: Final = _STRIDE_LAGS // 2 - _LAGS[1] + 1
_HALF_HIGH: Final = (_STRIDE_LAGS + 1) // 2 - _LAGS[1] + 1
_UNUSUAL: Final = _PRIOR_WEIGHT * (np.log(2.0 * 60.0 * GRID_HZ / _STRIDE_LAGS / _PRIOR_SPM) / _PRIOR_WIDTH) ** 2
_FIRST_S: Final = 4
_LAST_S: Final = 1
_OCTAVE_FIRST_S: Final = 8
_OCTAVE_REACH: Final = 0.15
"""The octave is judged over the ten seconds from 8 before to 1 after; the cadence itself over the six from 4 before,
within 15 % of it."""
_FEW_S: Final = 32
_QUANTUM: Final = 16384.0
_GRID_QUANTUM: Final = 65536.0
_AROUND: Final = GRID_HZ // 2
_TINY: Final = 1e-9


@dataclass(frozen=True, slots=True)
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
    index = np.flatnonzero(wanted)
    if not len(index):
        return Gait(steps, cadence, regularity)
    near = np.zeros(n + BEFORE_S + AFTER_S, dtype=np.bool_)
    for shift in range(BEFORE_S + AFTER_S + 1):
        near[shift : shift + n] |= wanted
    near = near[BEFORE_S : BEFORE_S + n]
    up, moving = _movement(xyz_g.reshape(n, GRID_HZ, 3)[near].reshape(-1, 3))
    rows = (np.cumsum(near) - 1)[index]
    sums_up, sums = _products(up, moving)
    long, _ = _score(_window(sums_up, rows, _OCTAVE_FIRST_S), _window(sums, rows, _OCTAVE_FIRST_S))
    octave = _STRIDE_LAGS[np.argmax(long, axis=1)]
    alike = _window(sums, rows, _FIRST_S)
    score, shape = _score(_window(sums_up, rows, _FIRST_S), alike)
    far = np.abs(_STRIDE_LAGS / octave[:, None] - 1.0) > _OCTAVE_REACH
    pick = np.clip(np.argmax(np.where(far, -np.inf, score), axis=1), 1, len(_STRIDE_LAGS) - 2)
    lag = _STRIDE_LAGS[pick] + _vertex(shape, pick)
    every = np.arange(len(rows))
    regular = alike[every, _STRIDE_AT[pick]] / (alike[:, 0] + _TINY)
    found = np.where(regular >= RHYTHM, 2.0 * 60.0 * GRID_HZ / lag, np.nan)
    cadence[index], regularity[index] = found, regular
    steps[index] = np.where(np.isnan(found), 0.0, found / 60.0)
    return Gait(steps, cadence, regularity)


def _movement(xyz_g: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """What is left of the samples without gravity: its part along gravity (m,), and all of it (3, m).

    Gravity is the mean over a second around each sample. All values are rounded, so that sums of them and of their
    products are exact and do not depend on how many seconds are looked at together.
    """
    known = np.asarray(np.isfinite(xyz_g).all(axis=1))
    raw = np.where(known[:, None], xyz_g, 0.0).T
    raw = np.rint(raw * _GRID_QUANTUM) / _GRID_QUANTUM
    count = np.maximum(_around(known[None, :].astype(np.float64), _AROUND), 1.0)
    gravity = _around(raw, _AROUND) / count
    moving = np.rint((raw - gravity) * known * _QUANTUM) / _QUANTUM
    moving = np.rint(_around(moving, 1) * (_QUANTUM / 3.0)) / _QUANTUM
    size = np.sqrt(gravity[0] * gravity[0] + gravity[1] * gravity[1] + gravity[2] * gravity[2]) + _TINY
    up = (moving[0] * gravity[0] + moving[1] * gravity[1] + moving[2] * gravity[2]) / size
    return np.rint(up * _QUANTUM) / _QUANTUM, moving


def _around(rows: NDArray[np.float64], reach: int) -> NDArray[np.float64]:
    """Sum over `reach` columns to either side, and the one between."""
    around = 2 * reach + 1
    sums = np.zeros((len(rows), rows.shape[1] + around))
    sums[:, reach + 1 : -reach] = rows
    np.cumsum(sums, axis=1, out=sums)
    return np.asarray(sums[:, around:] - sums[:, :-around])


def _products(up: NDArray[np.float64], moving: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Running sums, second by second, of the movement times itself `_LAGS` later: shape (lags, seconds + 1) each."""
    m = len(up)
    after = int(_LAGS[-1])
    far_up = np.concatenate([up, np.zeros(after)])
    far = np.concatenate([moving, np.zeros((3, after))], axis=1)
    seconds = m // GRID_HZ
    one, all_axes = np.zeros((len(_LAGS), seconds + 1)), np.zeros((len(_LAGS), seconds + 1))
    near = _STRIDE_LAGS[-1] // 2 + 1 >= _LAGS
    if seconds <= _FEW_S:  # sums are exact: one product for each second is the same as one for each lag
        all_axes[:, 1:] = _by_second(moving, far, seconds)
        one[near, 1:] = _by_second(up[None], far_up[None], seconds)[near]
        return np.cumsum(one, axis=1), np.cumsum(all_axes, axis=1)
    for k, lag in enumerate(_LAGS.tolist()):
        later = far[:, lag : lag + m]
        product = moving[0] * later[0]
        product += moving[1] * later[1]
        product += moving[2] * later[2]
        all_axes[k, 1:] = product.reshape(seconds, GRID_HZ).sum(axis=1)
        if near[k]:
            one[k, 1:] = (up * far_up[lag : lag + m]).reshape(seconds, GRID_HZ).sum(axis=1)
    return np.cumsum(one, axis=1), np.cumsum(all_axes, axis=1)


def _by_second(rows: NDArray[np.float64], far: NDArray[np.float64], seconds: int) -> NDArray[np.float64]:
    """Sum each second of rows, shape (k, m), times `far`, the same and what comes after, `_LAGS` later."""
    k = len(rows)
    row, one = far.strides
    shape = (seconds, k, GRID_HZ, int(_LAGS[-1]) + 1)
    later = as_strided(far, shape, (GRID_HZ * one, row, one, one)).reshape(seconds, k * GRID_HZ, -1)
    now = rows.reshape(k, seconds, GRID_HZ).transpose(1, 0, 2).reshape(seconds, 1, k * GRID_HZ)
    return np.asarray((now @ later)[:, 0, _LAGS].T)


def _window(sums: NDArray[np.float64], rows: NDArray[np.intp], first_s: int) -> NDArray[np.float64]:
    low, high = np.maximum(rows - first_s, 0), np.minimum(rows + _LAST_S + 1, sums.shape[1] - 1)
    return np.ascontiguousarray((sums[:, high] - sums[:, low]).T)


def _score(
    alike_up: NDArray[np.float64], alike: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Judge each stride length: the score, and the part of it that shapes the peak; shape (rows, stride lags) each.

    A stride later the whole movement is the same again (Moe-Nilssen and Helbostad 2004, J Biomech 37:121). Half a
    stride later, one step, the rise and fall is the same too, while the sway from side to side is reversed and that
    forward and back is not: together they are about nothing. Taking two strides for one would show them alike half
    way; taking one step for a stride would show the rise and fall reversed half way. This is the octave check.
    """
    energy, energy_up = alike[:, :1] + _TINY, alike_up[:, :1] + _TINY
    level = np.maximum(alike[:, :1] - alike_up[:, :1], 0.0) + _TINY
    half_up = 0.5 * (alike_up[:, _HALF_LOW] + alike_up[:, _HALF_HIGH])
    half = 0.5 * (alike[:, _HALF_LOW] + alike[:, _HALF_HIGH])
    shape = alike[:, _STRIDE_AT] / energy + _STEP_WEIGHT * half_up / energy_up
    return shape - _SWAY_WEIGHT * (half - half_up) / level - _UNUSUAL, shape


def _vertex(score: NDArray[np.float64], pick: NDArray[np.intp]) -> NDArray[np.float64]:
    """How far the top of the parabola through a peak and its neighbours lies from the peak, -0.5 to 0.5 lags."""
    every = np.arange(len(pick))
    before, here, after = score[every, pick - 1], score[every, pick], score[every, pick + 1]
    bend = before - 2.0 * here + after
    with np.errstate(divide="ignore", invalid="ignore"):
        shift = np.where(bend < -_TINY, 0.5 * (before - after) / bend, 0.0)
    return np.clip(shift, -1.0, 1.0)
