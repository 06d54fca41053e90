"""Rows of seconds that may be a single one: formulas written once, quick for a live second and for a whole day.

Where there are many seconds, a row is an array of them; where there is one, it is a plain number, since setting up
arrays for single numbers would cost many times as much as the sums themselves. Both are IEEE doubles, and every
operation here is one whose result is exactly rounded, so a second is the same bits either way. (Logarithms and such
are not: they are always taken by one library, see `packed`.)
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Row = Any
"""A number, or an array of shape (n,) with n > 1."""


def unpacked(table: NDArray[np.float64]) -> list[Row]:
    """Give the rows of a table of shape (k, n)."""
    return list(table) if table.shape[1] > 1 else table[:, 0].tolist()


def packed(rows: Sequence[Row]) -> NDArray[np.float64]:
    """Put rows into a table of shape (k, n)."""
    table = np.array(rows)
    return table if table.ndim == 2 else table[:, None]


def at_least(row: Row, low: float) -> Row:
    """Lift what is below a bound to it."""
    return row.clip(low, np.inf) if isinstance(row, np.ndarray) else max(row, low)


def between(row: Row, low: float, high: float) -> Row:
    """Hold a row within bounds."""
    return row.clip(low, high) if isinstance(row, np.ndarray) else min(max(row, low), high)


def root(row: Row) -> Row:
    """Square root."""
    return np.sqrt(row) if isinstance(row, np.ndarray) else math.sqrt(row)


def dot(a: Sequence[Row], b: Sequence[Row]) -> Row:
    """Inner product of two vectors of three rows."""
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


def cosine(a: Sequence[Row], b: Sequence[Row], sizes2: Row) -> Row:
    """Cosine of the angle between two vectors, whose squared lengths make the product `sizes2`; 1 where one is none."""
    size = root(sizes2)
    if isinstance(size, np.ndarray):
        none = size <= _NOTHING
        size[none] = 1.0
        cos = dot(a, b) / size
        cos[none] = 1.0
        return cos.clip(-1.0, 1.0, out=cos)
    return min(max(dot(a, b) / size, -1.0), 1.0) if size > _NOTHING else 1.0


def summed(table: NDArray[np.float64]) -> Row:
    """Add up the rows of a table, shape (k, n), in halves: the same additions for one second as for many."""
    if table.shape[1] == 1:
        numbers = table[:, 0].tolist()
        while len(numbers) > 1:
            half = len(numbers) // 2
            folded = [numbers[k] + numbers[k + half] for k in range(half)]
            if len(numbers) % 2:
                folded[0] += numbers[-1]
            numbers = folded
        return numbers[0]
    return halved(table)


def halved(table: NDArray[np.float64]) -> NDArray[np.float64]:
    """Add up what a table holds along its first axis, in halves."""
    while len(table) > 1:
        half = len(table) // 2
        part = table[:half] + table[half : 2 * half]
        if len(table) % 2:
            part[0] += table[-1]
        table = part
    return np.asarray(table[0])


def largest(rows: list[Row]) -> tuple[Row, Row]:
    """Return the largest of rows, second by second, and the number of the first row that has it."""
    if isinstance(rows[0], np.ndarray):
        table = np.array(rows)
        return np.maximum.reduce(table), table.argmax(axis=0)
    top = max(rows)
    return top, rows.index(top)


_NOTHING = 1e-9
