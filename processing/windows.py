"""Sums over the seconds around a second: what a moment, a few seconds and a minute have in common.

Windows are folded from one second to 4, to 16, to 64, each from four of those before, so a sum is the same additions
wherever a stream was cut.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from processing import statistics
from processing.compiled import compiled

AHEAD_S: Final = 3
"""Seconds after a second that its windows need."""

BEFORE_S: Final = 64
"""Seconds before a second that its windows need."""

NOW: Final = 0
AROUND: Final = 1
PAST: Final = 2
NEXT: Final = 3
SHORT: Final = 4
LONG: Final = 5
"""The windows: the second; four seconds from the one before it on; the four before that end four seconds before it;
it and the three after; the 16 and the 64 seconds up to three after it."""

SQUARE: Final = 0
COVERED: Final = 1 + statistics.COVERED
GRAVITY: Final = slice(1 + statistics.GRAVITY.start, 1 + statistics.GRAVITY.stop)
VERTICAL: Final = slice(1 + statistics.VERTICAL.start, 1 + statistics.VERTICAL.stop)
TOTAL: Final = slice(1 + statistics.TOTAL.start, 1 + statistics.TOTAL.stop)
DEAD: Final = 1 + statistics.TOTAL.stop
SUMS: Final = DEAD + 1
"""What is summed: the square of gravity; the table's first columns; whether no axis changes at all."""

_FIRST: Final = (BEFORE_S, BEFORE_S - 1, BEFORE_S - 7, BEFORE_S, BEFORE_S - 12, BEFORE_S - 60)
_LEVEL: Final = (0, 1, 1, 1, 2, 3)
_LEVELS: Final = 4
_X, _Y, _Z = range(statistics.GRAVITY.start, statistics.GRAVITY.stop)
_COPIED: Final = statistics.TOTAL.stop


@compiled
def sums(folded: NDArray[np.float64], window: int) -> NDArray[np.float64]:
    """Give the sums of a window, shape (n, 14), a row for each second, from what is folded by `around`."""
    first = _FIRST[window]
    return folded[_LEVEL[window], first : first + folded.shape[1] - BEFORE_S - AHEAD_S]


@compiled
def row(window: int, second: int, n: int) -> int:
    """Row of a window's sums for a second, where the levels of what is folded, of n rows each, lie in one table."""
    return _LEVEL[window] * n + _FIRST[window] + second


@compiled
def around(table: NDArray[np.float64], start: int, stop: int) -> NDArray[np.float64]:
    """Sum over the windows of the rows ``[start, stop)`` of a table of seconds; rows that it lacks count as none.

    Returns
    -------
    Shape (4, n + 67, 14) for n rows: sums over 1, 4, 16 and 64 seconds, each from its row on; the first row is the
    second `BEFORE_S` before the first of the n.
    """
    n = BEFORE_S + stop - start + AHEAD_S
    folded = np.empty((_LEVELS, n, SUMS))
    _single(table, start - BEFORE_S, folded)
    _fold(folded.reshape((_LEVELS, n * SUMS)))
    return folded


@compiled
def _single(table: NDArray[np.float64], first: int, folded: NDArray[np.float64]) -> None:
    """Lay out the rows of a table from row `first` on, second by second."""
    for i in range(folded.shape[1]):
        at = first + i
        if at < 0 or at >= len(table):
            for column in range(SUMS):
                folded[0, i, column] = 0.0
            continue
        for column in range(_COPIED):
            folded[0, i, 1 + column] = table[at, column]
        x, y, z = table[at, _X], table[at, _Y], table[at, _Z]
        folded[0, i, SQUARE] = x * x + y * y + z * z
        folded[0, i, DEAD] = 1.0 if table[at, statistics.FLAT] == 3.0 else 0.0


@compiled
def _fold(folded: NDArray[np.float64]) -> None:
    """Add up four sums of the level below for each of the next; sums that would pass the last row are left out."""
    apart = SUMS
    for level in range(1, _LEVELS):
        for k in range(folded.shape[1] - 3 * apart):
            one, other = folded[level - 1, k], folded[level - 1, k + 2 * apart]
            folded[level, k] = (one + folded[level - 1, k + apart]) + (other + folded[level - 1, k + 3 * apart])
        apart *= 4
