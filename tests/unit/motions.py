"""Motions for tests of simulated wearables."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


class Ramp:
    """x counts the samples of a given rate from `start_ns` on, in steps of 1/2048 g; y is 0 and z is 1 g."""

    def __init__(self, rate_hz: float, start_ns: int = 0, period: int = 30000) -> None:
        self._rate_hz = rate_hz
        self._start_ns = start_ns
        self._period = period

    def samples(self, t_ns: NDArray[np.int64]) -> NDArray[np.float64]:
        index = np.rint((t_ns - self._start_ns) * self._rate_hz / 1e9) % self._period
        x = (index - self._period // 2) / 2048
        return np.stack([x, np.zeros(len(x)), np.ones(len(x))], axis=1)


class Still:
    """The same specific force for ever."""

    def __init__(self, x_g: float = 0.0, y_g: float = 0.0, z_g: float = 1.0) -> None:
        self._row = (x_g, y_g, z_g)

    def samples(self, t_ns: NDArray[np.int64]) -> NDArray[np.float64]:
        return np.tile(self._row, (len(t_ns), 1))


class Interval:
    """Like `Still`, but only within ``[start_ns, end_ns)``."""

    def __init__(self, *spans_ns: tuple[int, int]) -> None:
        self._spans = spans_ns

    def samples(self, t_ns: NDArray[np.int64]) -> NDArray[np.float64]:
        out = np.full((len(t_ns), 3), np.nan)
        for start, end in self._spans:
            out[(t_ns >= start) & (t_ns < end)] = (0.0, 0.0, 1.0)
        return out

    def resumes_ns(self, t_ns: int) -> int | None:
        later = [max(start, t_ns) for start, end in self._spans if end > t_ns]
        return min(later) if later else None
