"""A run of samples of one clip: what comes in, cut however it was cut on the way."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from processing.frozen import frozen


@frozen
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
        if start == 0 and stop == len(self.t_ns):
            return self
        return Block(self.t_ns[start:stop], self.xyz_g[start:stop])

    def cuts(self, length_ns: int) -> list[tuple[int, int]]:
        """Rows ``[start, stop)`` of parts of equal length in time, about `length_ns` at most; one if that is all."""
        n = len(self.t_ns)
        begin_ns, span_ns = (self.t_ns.item(0), self.t_ns.item(-1) - self.t_ns.item(0)) if n else (0, 0)
        if span_ns <= length_ns:
            return [(0, n)]
        parts = -(-span_ns // length_ns)
        edges = begin_ns + np.arange(1, parts, dtype=np.int64) * (span_ns // parts)
        return list(pairwise(np.unique([0, *np.searchsorted(self.t_ns, edges), n]).tolist()))

    @staticmethod
    def empty() -> Block:
        """Return a block without samples."""
        return Block(np.empty(0, dtype=np.int64), np.empty((0, 3)))
