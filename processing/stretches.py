"""Stretches in which a trunk is held alike: their mean gravity and what their fine motion says, second by second.

A stretch goes on while the trunk keeps its angles; a move, a gap or a new angle ends it. A second is judged by the
part of its stretch that is near it, which turns breath, tremor and single samples from noise into knowledge. Sums of
rounded numbers are exact, so the cutting of a stream changes no bit.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from processing import orientation, statistics
from processing.fine_motion import WINDOW_S, fine_motion
from processing.grid import RATE_HZ
from processing.rows import Row, dot
from processing.stretch_model import EIGHTH, FineModel

Array = NDArray[np.float64]

MEMORY_S: Final = 64
"""Seconds of a stretch, the second itself among them, whose fine motion is heard."""

ANGLE_S: Final = 24
"""Seconds of a stretch, the second itself among them, that make its mean gravity."""

AHEAD_S: Final = 8
"""Seconds after a final second that are heard, as those that tell its state (`processing.smoothing.AHEAD_S`)."""

MOVING_G: Final = 0.015
"""Mean amplitude deviation of a second that is no fine motion any more."""

TURNED_DEG: Final = (3.0, 5.0)
"""Change of angle within one second and within four that ends a stretch: of 540 stretches of acted sitting, 19 in 20
stay below (IMU Sitting Postures Dataset)."""

MOST: Final = 2.0
"""What fine motion says weighs no more than this, natural log units: on people left out as good as without a bound, and
another kind of clip or chair cannot overrule clear angles."""

_OFTEN_S: Final = 32
_SELDOM_S: Final = 16
_APART_S: Final = 2
_LYING_COS: Final = 0.26  # 75 degrees from neutral: nobody sits so
_STILL_S: Final = 60.0  # a clip that shows nothing but noise for so long may not be worn
_TURNED_COS: Final = tuple(float(np.cos(np.radians(most_deg))) for most_deg in TURNED_DEG)
_FEW: Final = 4
_HALF_SURE: Final = 4.0
_POSTURES: Final = 6
_BROKEN, _WINDOWS = 3, 4
_GRAVITY: Final = slice(0, 3)
_SCORES: Final = slice(5, 11)
_COLUMNS: Final = 11
"""Columns of a second: mean specific force (3); whether it ends a stretch; windows that begin in it, and their
scores."""


@dataclass(frozen=True, slots=True)
class StretchState:
    """The latest seconds that were looked at, from `first` (since 1970) on, and the second since when it is steady."""

    first: int
    rows: Array
    since: int


def begin() -> StretchState:
    """Return the state before the first second."""
    return StretchState(0, np.empty((0, _COLUMNS)), 0)


@dataclass(frozen=True, slots=True)
class Looked:
    """Seconds that are looked at: rows ``[start, stop)`` of the table, the first being `second` (since 1970).

    Attributes
    ----------
    table
        Shape (m, `statistics.COLUMNS`), with the rows before and after as far as there are any.
    xyz_g
        Shape (k, 25, 3): samples from row `start` on, as far as there are any.
    held
        Shape (stop - start, `orientation.HELD`).
    """

    second: int
    start: int
    stop: int
    table: Array
    xyz_g: Array
    held: Array


def look(state: StretchState, looked: Looked, model: FineModel | None) -> StretchState:
    """Take in seconds; without a model, nothing is made of the fine motion."""
    n = looked.stop - looked.start
    if state.first + len(state.rows) != looked.second:
        state = StretchState(looked.second, np.empty((0, _COLUMNS)), looked.second)
    if n == 1 and looked.start >= 4:
        broken_now = _breaks(looked.table[looked.start - 4 : looked.start + 1].tolist())
        since_now = looked.second + 1 if broken_now else state.since
        if model is None or broken_now or not _due(looked.second, since_now):
            row = np.zeros((1, _COLUMNS))
            row[0, _GRAVITY], row[0, _BROKEN] = looked.table[looked.start, statistics.GRAVITY], broken_now
            return StretchState(state.first, np.concatenate([state.rows, row]), since_now)
    broken = _broken(looked.table, looked.start, min(looked.stop + WINDOW_S - 1, len(looked.table)))
    rows = np.zeros((n, _COLUMNS))
    rows[:, _GRAVITY] = looked.table[looked.start : looked.stop, statistics.GRAVITY]
    rows[:, _BROKEN] = broken[:n]
    seconds = np.arange(looked.second, looked.second + n)
    since = np.maximum.accumulate(np.where(broken[:n], seconds + 1, state.since))
    if model is not None:
        _score(rows, _windows(broken, seconds, since), looked, model)
    return StretchState(state.first, np.concatenate([state.rows, rows]), int(since[-1]))


def _broken(table: Array, start: int, stop: int) -> NDArray[np.bool_]:
    """Tell which seconds are no part of a stretch: not measured, moving, or turned against those before."""
    back = max(start - 4, 0)
    gravity, covered = table[back:stop, statistics.GRAVITY], table[back:stop, statistics.COVERED] > 0
    size = np.sqrt(_dot(gravity, gravity))
    broken = ~covered | (table[back:stop, statistics.MAD] > MOVING_G)
    for apart, most_cos in zip((1, 4), _TURNED_COS, strict=True):
        if len(gravity) > apart:
            along = _dot(gravity[apart:], gravity[:-apart])
            turned = along < most_cos * size[apart:] * size[:-apart]
            broken[apart:] |= turned & covered[:-apart]
    return broken[start - back :]


def _breaks(rows: list[list[float]]) -> bool:
    """Do as `_broken` for one second, the last of five rows of the table."""
    now = rows[-1]
    if not now[statistics.COVERED] > 0 or now[statistics.MAD] > MOVING_G:
        return True
    gravity = now[statistics.GRAVITY]
    size = math.sqrt(dot(gravity, gravity))
    for before, most_cos in zip((rows[-2], rows[0]), _TURNED_COS, strict=True):
        then = before[statistics.GRAVITY]
        turned = dot(gravity, then) < most_cos * size * math.sqrt(dot(then, then))
        if turned and before[statistics.COVERED] > 0:
            return True
    return False


def _windows(broken: NDArray[np.bool_], seconds: NDArray[np.int64], since: NDArray[np.int64]) -> NDArray[np.intp]:
    """Rows at which a window begins: often at first, seldom once a stretch is known, and only in one stretch."""
    n = len(seconds)
    wanted = _due(seconds, since)
    for later in range(WINDOW_S):
        wanted[: max(len(broken) - later, 0)] &= ~broken[later : later + n]
    wanted[max(len(broken) - WINDOW_S + 1, 0) :] = False
    return np.flatnonzero(wanted)


def _due(second: Row, since: Row) -> Row:
    return (second % _APART_S == 0) & ((second - since < _OFTEN_S) | (second % _SELDOM_S == 0))


def _score(rows: Array, at: NDArray[np.intp], looked: Looked, model: FineModel) -> None:
    """Add the scores of the windows that begin at these rows."""
    if not len(at):
        return
    held = looked.held
    neutral, up = held[at, orientation.NEUTRAL], rows[at, _GRAVITY]
    upright = _dot(neutral, up) > _LYING_COS * np.sqrt(_dot(neutral, neutral) * _dot(up, up))  # False where not known
    at = at[upright & np.isfinite(held[at, orientation.FORWARD.start]) & (held[at, orientation.STILL_S] < _STILL_S)]
    if not len(at):
        return
    windows = looked.xyz_g[at[:, None] + np.arange(WINDOW_S)].reshape(len(at), WINDOW_S * RATE_HZ, 3)
    numbers = fine_motion(windows, rows[at, _GRAVITY], held[at, orientation.FORWARD])
    scores, usable = model.scores(numbers)
    rows[at[usable], _WINDOWS] = 1.0
    rows[at[usable], _SCORES] = scores[usable]


def heard(state: StretchState, first: int, n: int, *, ahead_s: int = AHEAD_S) -> tuple[Array, NDArray[np.int8]]:
    """Give what is known of the stretch around each of `n` seconds from `first` on.

    Returns
    -------
    gravity_g
        Shape (n, 3): mean specific force of the stretch, or of the second itself if it is in none.
    fine
        Shape (n, 6): log chance of each posture of `processing.posture.SITTING` by the fine motion against that of the
        likeliest, in eighths, down to `MOST`; all 0 where nothing is known. Few windows weigh less: `n / (n + 4)` of
        them, since the first are wrong most often (chosen where the log chance of the truth is best on people left
        out).
    """
    skip = first - state.first
    if skip < 0 or skip + n > len(state.rows):
        return np.full((n, 3), np.nan), np.zeros((n, _POSTURES), dtype=np.int8)
    if n <= _FEW:
        return _heard_by_few(state.rows, range(skip, skip + n), min(skip + n + ahead_s, len(state.rows)), ahead_s)
    rows = state.rows[max(skip - MEMORY_S, 0) : skip + n + ahead_s]
    skip = min(skip, MEMORY_S)
    m = len(rows)
    broken = rows[:, _BROKEN] > 0
    index = np.arange(m)
    begins = np.maximum.accumulate(np.where(broken, index + 1, 0))
    ends = np.minimum.accumulate(np.where(broken, index, m)[::-1])[::-1]
    own = slice(skip, skip + n)
    stop = np.minimum(ends[own], index[own] + 1 + ahead_s)
    total = np.zeros((m + 1, _COLUMNS))
    np.cumsum(rows, axis=0, out=total[1:])
    stop = np.maximum(stop, index[own])
    near = np.minimum(np.maximum(begins[own], index[own] + 1 - ANGLE_S), stop)
    gravity = (total[stop, _GRAVITY] - total[near, _GRAVITY]) / np.maximum(stop - near, 1)[:, None]
    gravity = np.where((stop > near)[:, None], gravity, rows[own, _GRAVITY])
    far = np.minimum(np.maximum(begins[own], index[own] + 1 - MEMORY_S), stop)
    return gravity, _evidence(total[stop] - total[far])


def _heard_by_few(rows: Array, seconds: range, end: int, ahead_s: int) -> tuple[Array, NDArray[np.int8]]:
    """Do the same for a few rows, without going through all that any of many could hear; `end` is after the last."""
    low = max(seconds[0] - MEMORY_S, 0)
    broken = [low + k for k in np.flatnonzero(rows[low:end, _BROKEN]).tolist()]
    gravity, fine = np.empty((len(seconds), 3)), np.zeros((len(seconds), _POSTURES), dtype=np.int8)
    for k, at in enumerate(seconds):
        begin = max((row + 1 for row in broken if row <= at), default=low)
        stop = max(min(next((row for row in broken if row >= at), end), at + 1 + ahead_s), at)
        near = min(max(begin, at + 1 - ANGLE_S), stop)
        gravity[k] = np.add.reduce(rows[near:stop, _GRAVITY]) / (stop - near) if stop > near else rows[at, _GRAVITY]
        sums = np.add.reduce(rows[min(max(begin, at + 1 - MEMORY_S), stop) : stop])
        if sums[_WINDOWS]:
            fine[k] = _evidence(sums[None])[0]
    return gravity, fine


def steady(state: StretchState, first: int, n: int) -> NDArray[np.bool_]:
    """Tell which of `n` seconds from `first` on belong to a stretch."""
    skip = first - state.first
    if skip < 0 or skip + n > len(state.rows):
        return np.zeros(n, dtype=np.bool_)
    return np.asarray(state.rows[skip : skip + n, _BROKEN] == 0)


def closing(state: StretchState, first: int, n: int, least_s: int) -> NDArray[np.bool_]:
    """Tell which of `n` seconds from `first` on are the last of a stretch that was steady for at least so long."""
    skip = first - state.first
    if skip < 0 or skip + n > len(state.rows):
        return np.zeros(n, dtype=np.bool_)
    broken = np.append(state.rows[max(skip - least_s, 0) : skip + n + 1, _BROKEN] > 0, [False])
    skip = min(skip, least_s)
    index = np.arange(len(broken))
    begins = np.maximum.accumulate(np.where(broken, index + 1, 0))
    own = slice(skip, skip + n)
    after = broken[skip + 1 : skip + n + 1]
    return np.asarray(after & ~broken[own] & (index[own] + 1 - begins[own] >= least_s))


def _evidence(sums: Array) -> NDArray[np.int8]:
    windows = sums[:, _WINDOWS]
    mean = sums[:, _SCORES].T / np.maximum(windows, 1.0)  # postures by rows: these are long
    mean -= np.maximum.reduce(mean)
    mean *= windows / (windows + _HALF_SURE)
    mean *= EIGHTH
    return np.rint(mean.clip(-MOST * EIGHTH, np.inf, out=mean)).astype(np.int8).T


def forget(state: StretchState, given: int) -> StretchState:
    """Drop the rows that no second from `given` on hears."""
    rows = min(max(given - MEMORY_S - state.first, 0), len(state.rows))
    return StretchState(state.first + rows, state.rows[rows:].copy(), state.since) if rows else state


def _dot(a: Array, b: Array) -> Array:
    return np.asarray(a[:, 0] * b[:, 0] + a[:, 1] * b[:, 1] + a[:, 2] * b[:, 2])
