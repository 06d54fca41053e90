"""Products of small matrices, on one core.

A linear algebra library hands a product to threads when it is large; for matrices as small as these the threads
mostly wait for each other, and a core that follows many patients has no use for them. So a wide product is done in
parts of a size that stays with the caller.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

_ON_ONE_CORE: Final = 4 * 65536
"""Multiplications up to which OpenBLAS does a product by itself (``interface/gemm.c``)."""
_ROW_ON_ONE_CORE: Final = 4 * 2304 - 1
"""The same where the table has but one row (``interface/gemv.c``)."""


def product(table: NDArray[np.float64], columns: NDArray[np.float64]) -> NDArray[np.float64]:
    """Multiply a small table, shape (m, k), by long rows, shape (k, n)."""
    m, k = table.shape
    n = columns.shape[1]
    width = _ON_ONE_CORE // (m * k) if m > 1 else _ROW_ON_ONE_CORE // k
    if n <= width:
        return table @ columns
    out = np.empty((m, n))
    for a in range(0, n, width):
        np.matmul(table, columns[:, a : a + width], out=out[:, a : a + width])
    return out
