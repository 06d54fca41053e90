"""Products of small matrices with many columns, on one core.

A linear algebra library uses what a processor has for products better than any compiled loop, but hands a large one to
threads. For matrices as small as these the threads mostly wait for each other, and a core that follows many patients
has no use for them. So seconds are worked on in pieces of a size whose products stay with the caller.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from processing.compiled import compiled

ON_ONE_CORE: Final = 4 * 65536
"""Multiplications up to which OpenBLAS does a product by itself (``interface/gemm.c``)."""


@compiled
def product(matrix: NDArray[np.float64], columns: NDArray[np.float64]) -> NDArray[np.float64]:
    """Multiply a small matrix, shape (m, k), by columns, shape (k, n): no more than `ON_ONE_CORE` in all."""
    out = np.empty((len(matrix), columns.shape[1]))
    np.dot(matrix, columns, out)
    return out
