"""A run of samples of one clip: what comes in, cut however it was cut on the way."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Block:
    """Samples of one clip in order of time.

    Attributes
    ----------
    t_ns
        Shape (n,), int64, UTC nanoseconds, strictly rising.
    xyz_g
        Shape (n, 3), float64, specific force in sensor axes, g. A row that holds a NaN counts as not measured.
    """

    t_ns: NDArray[np.int64]
    xyz_g: NDArray[np.float64]

    def __len__(self) -> int:
        """Number of samples."""
        return len(self.t_ns)

    def slice(self, start: int, stop: int) -> Block:
        """Samples ``[start, stop)`` as views."""
        return Block(self.t_ns[start:stop], self.xyz_g[start:stop])

    @staticmethod
    def empty() -> Block:
        """Return a block without samples."""
        return Block(np.empty(0, dtype=np.int64), np.empty((0, 3)))
