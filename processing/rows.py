"""Tables of seconds that grow: old rows first, and room for new ones, so that these need not be copied again."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def with_room(rows: NDArray[Any], n: int) -> NDArray[Any]:
    """Return a new array of these rows and, after them, of `n` that are not filled in yet."""
    out = np.empty((len(rows) + n, *rows.shape[1:]), dtype=rows.dtype)
    out[: len(rows)] = rows
    return out
