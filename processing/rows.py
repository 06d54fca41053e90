"""Tables of seconds that grow: old rows first, and room for new ones, so that these need not be copied again."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def with_room(rows: NDArray[np.float64], n: int) -> NDArray[np.float64]:
    """Return a new array of these rows and, after them, of `n` that are not filled in yet."""
    held = len(rows)
    out = np.empty((held + n, *rows.shape[1:]))
    out[:held] = rows
    return out
