"""Stretches in which a trunk is held alike: their mean gravity and what their fine motion says, second by second.

A stretch goes on while the trunk keeps its angles; a move, a gap or a new angle ends it. A second is judged by the
part of its stretch that is near it, which turns breath, tremor and single samples from noise into knowledge. Sums of
rounded numbers are exact, so the cutting of a stream changes no bit.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from processing import orientation, statistics
from processing.compiled import compiled
from processing.fine_motion import WINDOW_S, numbers
from processing.frozen import frozen
from processing.grid import RATE_HZ
from processing.stretch_model import EIGHTH, FineModel, score

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
_FEW: Final = 8
_HALF_SURE: Final = 4.0
_POSTURES: Final = 6
_BROKEN, _WINDOWS = 3, 4
_COLUMNS: Final = 11
"""Columns of a second: mean specific force (3); whether it ends a stretch; windows that begin in it, and their
scores."""


@frozen
class StretchState:
    """The latest seconds that were looked at, from `first` (since 1970) on, and the second since when it is steady."""

    first: int
    rows: Array
    since: int


def begin() -> StretchState:
    """Return the state before the first second."""
    return StretchState(0, np.empty((0, _COLUMNS)), 0)


@frozen
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
    if state.first + len(state.rows) != looked.second:
        state = StretchState(looked.second, np.empty((0, _COLUMNS)), looked.second)
    known = len(state.rows)
    rows = np.zeros((known + looked.stop - looked.start, _COLUMNS))
    rows[:known] = state.rows
    windows = np.empty(len(rows) - known, dtype=np.int64)
    since, found = _follow(rows, known, state.since, looked.second, looked.table, looked.start, looked.held, windows)
    if model is not None and found:
        _hear(rows, known, windows[:found], looked.xyz_g.reshape(-1, 3), looked.held, *model.parts)
    return StretchState(state.first, rows, since)


@compiled
def _follow(
    rows: Array, known: int, since: int, second: int, table: Array, start: int, held: Array,
    windows: NDArray[np.int64],
) -> tuple[int, int]:  # fmt: skip
    """Fill the rows after the known ones, from row `start` of the table on; loops over seconds.

    Returns
    -------
    since
        The second since when the newest stretch goes on.
    found
        How many of the new seconds begin a window, often at first, seldom once a stretch is known, and only in one
        stretch: which ones is written to `windows`.
    """
    n = len(rows) - known
    judged = min(n + WINDOW_S - 1, len(table) - start)
    broken = np.empty(judged, dtype=np.bool_)
    for i in range(judged):
        broken[i] = _breaks(table, start + i)
    found = 0
    for i in range(n):
        for column in range(_BROKEN):
            rows[known + i, column] = table[start + i, statistics.GRAVITY.start + column]
        rows[known + i, _BROKEN] = broken[i]
        if broken[i]:
            since = second + i + 1
        elif _due(second + i, since) and _unbroken(broken, i) and _sits(rows, known + i, held, i):
            windows[found] = i
            found += 1
    return since, found


@compiled
def _breaks(table: Array, row: int) -> bool:
    """Tell whether a second is no part of a stretch: not measured, moving, or turned against those before."""
    if not table[row, statistics.COVERED] > 0.0 or table[row, statistics.MAD] > MOVING_G:
        return True
    x, y, z = _gravity(table, row)
    size = math.sqrt(x * x + y * y + z * z)
    for apart, most_cos in ((1, _TURNED_COS[0]), (4, _TURNED_COS[1])):
        if row >= apart and table[row - apart, statistics.COVERED] > 0.0:
            a, b, c = _gravity(table, row - apart)
            if x * a + y * b + z * c < most_cos * size * math.sqrt(a * a + b * b + c * c):
                return True
    return False


@compiled
def _gravity(table: Array, row: int) -> tuple[float, float, float]:
    first = statistics.GRAVITY.start
    return table[row, first], table[row, first + 1], table[row, first + 2]


@compiled
def _due(second: int, since: int) -> bool:
    return second % _APART_S == 0 and (second - since < _OFTEN_S or second % _SELDOM_S == 0)


@compiled
def _unbroken(broken: NDArray[np.bool_], i: int) -> bool:
    if i + WINDOW_S > len(broken):
        return False
    end = i
    while end < i + WINDOW_S and not broken[end]:
        end += 1
    return end == i + WINDOW_S


@compiled
def _sits(rows: Array, row: int, held: Array, i: int) -> bool:
    """Tell whether a second may be one of sitting, with known axes, of a clip that may be worn."""
    x, y, z = rows[row, 0], rows[row, 1], rows[row, 2]
    first = orientation.NEUTRAL.start
    a, b, c = held[i, first], held[i, first + 1], held[i, first + 2]
    sizes2 = (a * a + b * b + c * c) * (x * x + y * y + z * z)
    upright = a * x + b * y + c * z > _LYING_COS * math.sqrt(sizes2)  # False where not known
    return upright and math.isfinite(held[i, orientation.FORWARD.start]) and held[i, orientation.STILL_S] < _STILL_S


@compiled
def _hear(
    rows: Array, known: int, windows: NDArray[np.int64], samples_g: Array, held: Array,
    mean: Array, spread: Array, weights: Array,
) -> None:  # fmt: skip
    """Add the scores of the windows that begin at these of the new rows; loops over the windows."""
    n = len(windows)
    up, forward = np.empty((n, 3)), np.empty((n, 3))
    for i in range(n):
        for axis in range(3):
            up[i, axis] = rows[known + windows[i], axis]
            forward[i, axis] = held[windows[i], orientation.FORWARD.start + axis]
    scores, usable = score(numbers(samples_g, windows * RATE_HZ, up, forward), mean, spread, weights)
    for i in range(n):
        if usable[i]:
            row = known + windows[i]
            rows[row, _WINDOWS] = 1.0
            for posture in range(_POSTURES):
                rows[row, _WINDOWS + 1 + posture] = scores[i, posture]


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
    gravity, fine = np.empty((n, 3)), np.empty((n, _POSTURES), dtype=np.int8)
    fill_heard(state.rows, first - state.first, ahead_s, gravity, fine)
    return gravity, fine


@compiled
def fill_heard(rows: Array, skip: int, ahead_s: int, gravity: Array, fine: NDArray[np.int8]) -> None:
    """Do as `heard` for rows from `skip` on."""
    fine[:] = 0
    if _holds(rows, skip, len(gravity)):
        _heard(rows, skip, ahead_s, gravity, fine)
    else:
        gravity[:] = np.nan


@compiled
def _heard(rows: Array, skip: int, ahead_s: int, gravity: Array, fine: NDArray[np.int8]) -> None:
    """Loop over seconds, with sums up to each."""
    n, sums = len(gravity), np.empty(_COLUMNS)
    low, high = max(skip - MEMORY_S, 0), min(skip + n + ahead_s, len(rows))
    total, ends = np.zeros((high - low + 1, _COLUMNS)), np.empty(high - low, dtype=np.int64)
    for i in range(high - low):
        for column in range(_COLUMNS):
            total[i + 1, column] = total[i, column] + rows[low + i, column]
    end = high - low
    for i in range(high - low - 1, -1, -1):
        end = i if rows[low + i, _BROKEN] > 0.0 else end
        ends[i] = end
    begin = 0
    for i in range(skip - low + n):
        begin = i + 1 if ends[i] == i else begin
        k = i - (skip - low)
        if k < 0:
            continue
        stop = max(min(ends[i], i + 1 + ahead_s), i)
        near, far = min(max(begin, i + 1 - ANGLE_S), stop), min(max(begin, i + 1 - MEMORY_S), stop)
        for axis in range(3):
            gravity[k, axis] = rows[low + i, axis]
            if stop > near:
                gravity[k, axis] = (total[stop, axis] - total[near, axis]) / (stop - near)
        if total[stop, _WINDOWS] > total[far, _WINDOWS]:
            for column in range(_WINDOWS, _COLUMNS):
                sums[column] = total[stop, column] - total[far, column]
            _weigh(sums, fine, k)


@compiled
def _weigh(sums: Array, fine: NDArray[np.int8], row: int) -> None:
    """Turn the sums of windows into what they say, in eighths; fewer say less."""
    windows, most = sums[_WINDOWS], -np.inf
    for posture in range(_POSTURES):
        most = max(most, sums[_WINDOWS + 1 + posture] / windows)
    for posture in range(_POSTURES):
        says = (sums[_WINDOWS + 1 + posture] / windows - most) * (windows / (windows + _HALF_SURE)) * EIGHTH
        fine[row, posture] = np.int8(np.rint(max(says, -MOST * EIGHTH)))


@compiled
def _holds(rows: Array, skip: int, n: int) -> bool:
    """Tell whether there are `n` rows from `skip` on."""
    return skip >= 0 and skip + n <= len(rows)


@compiled
def steady(rows: Array, row: int) -> bool:
    """Tell whether the second of a row belongs to a stretch."""
    return bool(rows[row, _BROKEN] == 0.0)


@compiled
def fill_closing(rows: Array, skip: int, least_s: int, out: NDArray[np.bool_]) -> None:
    """Tell which seconds from row `skip` on are the last of a stretch that was steady for at least so long."""
    out[:] = False
    begin, end = max(skip - least_s, 0), skip + len(out) if _holds(rows, skip, len(out)) else 0
    for i in range(begin, end):
        if rows[i, _BROKEN] > 0.0:
            begin = i + 1
        elif i >= skip and i + 1 < len(rows) and rows[i + 1, _BROKEN] > 0.0:
            out[i - skip] = i + 1 - begin >= least_s


def forget(state: StretchState, given: int) -> StretchState:
    """Drop the rows that no second from `given` on hears."""
    rows = min(max(given - MEMORY_S - state.first, 0), len(state.rows))
    if not rows:
        return state
    kept = state.rows[rows:] if rows <= _FEW else state.rows[rows:].copy()  # a view keeps the few that are dropped
    return StretchState(state.first + rows, kept, state.since)
