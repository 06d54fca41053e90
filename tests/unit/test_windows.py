"""Promise: windows hold the plain sums of their seconds, the same bits wherever a stream was cut."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from processing import statistics, windows

Array = NDArray[np.float64]
SPANS = {
    windows.NOW: (0, 1),
    windows.AROUND: (-1, 3),
    windows.PAST: (-7, -3),
    windows.NEXT: (0, 4),
    windows.SHORT: (-12, 4),
    windows.LONG: (-60, 4),
}
"""Each window's first second and the one after its last, from the second it belongs to."""


def _table(n: int) -> Array:
    rng = np.random.default_rng(5)
    table = rng.normal(size=(n, statistics.COLUMNS))
    table[:, statistics.COVERED] = rng.random(n) < 0.8
    table[:, statistics.FLAT] = rng.integers(0, 4, n)
    return table


def _summed(table: Array) -> Array:
    """What is summed of each second."""
    gravity, dead = table[:, statistics.GRAVITY], table[:, statistics.FLAT] == 3
    square = (gravity**2).sum(axis=1)
    return np.column_stack([square, table[:, : statistics.TOTAL.stop], dead])


@pytest.mark.parametrize("window", SPANS)
def test_a_window_is_the_sum_of_its_seconds(window: int) -> None:
    table = _table(150)
    near, low, high = windows.around(table, 0, 150), *SPANS[window]
    summed = _summed(table)
    expected = [summed[max(k + low, 0) : max(k + high, 0)].sum(axis=0) for k in range(150)]
    np.testing.assert_allclose(windows.sums(near, window), expected, atol=1e-12)


@pytest.mark.parametrize("window", SPANS)
def test_one_second_is_the_same_bits_as_among_many(window: int) -> None:
    table = _table(150)
    whole = windows.sums(windows.around(table, 70, 150), window)
    for k in range(70, 150):
        np.testing.assert_array_equal(windows.sums(windows.around(table, k, k + 1), window)[0], whole[k - 70])
