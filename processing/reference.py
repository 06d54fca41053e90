"""The newest seconds of walking, and what they say of upright: rows of specific force times weight, and the weight.

All sums are exact in any order (see `processing.grid`).
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from processing import statistics
from processing.compiled import borrowing

REFERENCE_S: Final = 64
"""Seconds of the latest walking that make the reference."""

SURE_WALK: Final = 0.5
"""A second that counts for this much or more was certainly walking."""

LAST_S: Final = 8
"""Seconds of the latest walking that make the last walk."""

WALKED_S: Final = REFERENCE_S + LAST_S
"""Walking seconds that are kept: the last walk, and what would be the reference without it."""

KNOWN: Final = 2.0
"""Weight of walking from which on upright counts as known."""

WHOLE: Final = 0
LATEST: Final = 1
BEFORE: Final = 2
"""Rows of the sums: what makes the reference, the last walk, and what was before that."""

_GRAVITY: Final = statistics.GRAVITY.start
_CERTAIN: Final = 0.7
_ALSO_BEFORE: Final = 0.3
_AS_ONE: Final = 0.9
_TURN_COS: Final = float(np.cos(np.radians(25.0)))
_STEADY_COS: Final = float(np.cos(np.radians(15.0)))


@borrowing
def weight(table: NDArray[np.float64], i: int) -> float:
    """How much the gravity of a row counts as that of walking: 0, or the cubed likeness.

    A second in which the trunk turned against the one before (bending, getting up), or that follows one that was
    nothing like walking, does not count.
    """
    likeness = table[i, statistics.WALK]
    if likeness < 0.5 or i == 0 or table[i - 1, statistics.WALK] < _ALSO_BEFORE:
        return 0.0
    along, now2, before2 = 0.0, 0.0, 0.0
    for axis in range(_GRAVITY, _GRAVITY + 3):
        now, before = table[i, axis], table[i - 1, axis]
        along += now * before
        now2 += now * now
        before2 += before * before
    steady = along > math.sqrt(now2 * before2) * _STEADY_COS
    return float(np.rint(likeness * likeness * likeness * 64.0) / 64.0) if steady else 0.0


@borrowing
def lay(old: NDArray[np.float64], walked: NDArray[np.float64]) -> None:
    """Lay the seconds of before, shape (at most `WALKED_S`, 4), at the end of `walked`."""
    first = WALKED_S - len(old)
    for k in range(WALKED_S):
        for column in range(4):
            walked[k, column] = old[k - first, column] if k >= first else 0.0


@borrowing
def add(table: NDArray[np.float64], i: int, weight: float, walked: NDArray[np.float64]) -> None:
    """Add a row of the table as the newest second, and let go of the oldest."""
    for k in range(1, WALKED_S):
        for column in range(4):
            walked[k - 1, column] = walked[k, column]
    for axis in range(3):
        walked[WALKED_S - 1, axis] = table[i, _GRAVITY + axis] * weight
    walked[WALKED_S - 1, 3] = weight


@borrowing
def forget(walked: NDArray[np.float64], keep: int) -> None:
    """Forget all but the newest `keep` seconds."""
    for k in range(WALKED_S - keep):
        for column in range(4):
            walked[k, column] = 0.0


@borrowing
def sum_up(walked: NDArray[np.float64], walks: NDArray[np.float64]) -> None:
    """Sum what makes the reference, what the last walk, and what was before it; exact in any order (see `grid`)."""
    for column in range(4):
        before, latest = 0.0, 0.0
        for k in range(REFERENCE_S):
            before += walked[k, column]
        for k in range(REFERENCE_S, WALKED_S):
            latest += walked[k, column]
        whole = before + latest
        for k in range(LAST_S):
            whole -= walked[k, column]
        walks[BEFORE, column], walks[LATEST, column], walks[WHOLE, column] = before, latest, whole


@borrowing
def turned(walks: NDArray[np.float64]) -> bool:
    """Tell whether the last walk has another upright than those before it, all of it and not only a part."""
    before, now = walks[BEFORE], walks[LATEST]
    before2, now2 = dot(before, before), dot(now, now)
    as_one = now2 * (before[3] * before[3]) > _AS_ONE * before2 * (now[3] * now[3])
    sure = before[3] >= KNOWN and now[3] >= _CERTAIN * LAST_S
    return bool(sure and as_one and dot(before, now) < math.sqrt(before2 * now2) * _TURN_COS)


@borrowing
def dot(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    """Inner product of the first three numbers of two rows."""
    return float(a[0] * b[0] + a[1] * b[1] + a[2] * b[2])
