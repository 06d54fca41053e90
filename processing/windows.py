"""Sums over the seconds around a second: what a moment, a few seconds and a minute have in common.

Windows are folded by doubling (1, 2, 4, ... seconds), so each is the same additions wherever a stream was cut.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from processing import statistics
from processing.rows import Row, unpacked

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
_ROWS: Final = DEAD + 1
"""What is summed: the square of gravity; the table's first columns; whether no axis changes at all."""

_FIRST: Final = (BEFORE_S, BEFORE_S - 1, BEFORE_S - 7, BEFORE_S, BEFORE_S - 12, BEFORE_S - 60)


@dataclass(frozen=True, slots=True)
class Windows:
    """Windows around n seconds.

    Attributes
    ----------
    sums
        Shape (6, 14, n), by window and row.
    count
        Shape (6, n), seconds of each window that were measured, at least 1.
    """

    sums: NDArray[np.float64]
    count: NDArray[np.float64]

    def rows(self, window: int) -> list[Row]:
        """Sums of a window, row by row."""
        return unpacked(self.sums[window])

    def seconds(self, window: int) -> Row:
        """Measured seconds of a window."""
        count = self.count[window]
        return count if len(count) > 1 else float(count[0])


def around(table: NDArray[np.float64], start: int, stop: int) -> Windows:
    """Sum over the windows of the rows ``[start, stop)`` of a table of seconds; rows that it lacks count as none."""
    n = stop - start
    rows = columns(table, start - BEFORE_S, stop + AHEAD_S, statistics.FLAT + 1)
    single = np.empty((_ROWS, rows.shape[1]))
    single[1:DEAD] = rows[: statistics.TOTAL.stop]
    gravity = rows[statistics.GRAVITY]
    gravity = gravity * gravity
    np.add(gravity[0], gravity[1], out=single[SQUARE])
    single[SQUARE] += gravity[2]
    np.equal(rows[statistics.FLAT], 3.0, out=single[DEAD])
    four = _doubled(_doubled(single, 1), 2)
    sixteen = _doubled(_doubled(four, 4), 8)
    sixty_four = _doubled(_doubled(sixteen, 16), 32)
    sums = np.empty((len(_FIRST), _ROWS, n))
    for window, (first, folded) in enumerate(zip(_FIRST, (single, four, four, four, sixteen, sixty_four), strict=True)):
        sums[window] = folded[:, first : first + n]
    return Windows(sums, np.maximum(sums[:, COVERED], 1.0))


def past_sums(column: NDArray[np.float64], start: int, stop: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Sum a column of the table over the 16 and the 64 seconds that end with each of the rows ``[start, stop)``.

    The column's values are multiples of a power of two: their sums are exact in any order.
    """
    if stop - start == 1:
        short, long = column[max(stop - 16, 0) : stop], column[max(stop - 64, 0) : stop]
        return np.add.reduce(short, keepdims=True), np.add.reduce(long, keepdims=True)
    low = max(start - 64, 0)
    total = np.concatenate([np.zeros(64 - (start - low) + 1), np.add.accumulate(column[low:stop])])
    end = total[65:]
    return end - total[49:-16], end - total[1:-64]


def columns(values: NDArray[np.float64], low: int, high: int, width: int) -> NDArray[np.float64]:
    """Rows ``[low, high)`` of the first `width` columns, as columns; zeros where the table has no rows."""
    first, last = max(low, 0), min(high, len(values))
    if first == low and last == high:
        return values[low:high, :width].T
    out = np.zeros((width, high - low))
    out[:, first - low : last - low] = values[first:last, :width].T
    return out


def _doubled(values: NDArray[np.float64], size: int) -> NDArray[np.float64]:
    """From sums over `size` columns, those over twice as many; column i of the result begins at column i."""
    return np.asarray(values[:, size:] + values[:, :-size])
