"""Products of long tables with small matrices, on one core.

A linear algebra library uses what a processor has for products better than any compiled loop, but hands a large one to
threads. For matrices as small as these the threads mostly wait for each other, and a core that follows many patients
has no use for them. So a long product is done in parts of a size that stays with the caller.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

_ON_ONE_CORE: Final = 4 * 65536
"""Multiplications up to which OpenBLAS does a product by itself (``interface/gemm.c``)."""


def product(rows: NDArray[np.float64], matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """Multiply long rows, shape (n, k), by a small matrix, shape (k, m)."""
    k, m = matrix.shape
    width = _ON_ONE_CORE // (k * m)
    if len(rows) <= width:
        return np.asarray(rows @ matrix)
    out = np.empty((len(rows), m))
    for a in range(0, len(rows), width):
        np.matmul(rows[a : a + width], matrix, out=out[a : a + width])
    return out
