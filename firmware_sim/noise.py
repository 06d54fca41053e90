"""Randomness that is a function of time: an instant always has the same value, in whatever order one asks."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

_GOLDEN: Final = 0x9E3779B97F4A7C15
_MIX_1: Final = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2: Final = np.uint64(0x94D049BB133111EB)
_LANE: Final = np.uint64(0xFFFF)
_LANES: Final = 4
_LANE_MEAN: Final = _LANES * 65535.0 / 2.0
_LANE_SD: Final = float(np.sqrt(_LANES * (65536.0**2 - 1.0) / 12.0))


def white(t_ns: NDArray[np.int64], seed: int) -> NDArray[np.float64]:
    """Return nearly normal noise, mean 0 and SD 1, shape (n,), as a hash of each time.

    The hash is splitmix64 (Steele, Lea and Flood 2014); the sum of its four 16-bit lanes is close to normal
    (Irwin-Hall) and never beyond 3.5.
    """
    with np.errstate(over="ignore"):
        z = t_ns.astype(np.uint64) * np.uint64(_GOLDEN) + np.uint64((seed * _GOLDEN) % 2**64)
        z = (z ^ (z >> np.uint64(30))) * _MIX_1
        z = (z ^ (z >> np.uint64(27))) * _MIX_2
        z ^= z >> np.uint64(31)
    total = (z & _LANE).astype(np.float64)
    for lane in range(1, _LANES):
        total += (z >> np.uint64(16 * lane)) & _LANE
    return (total - _LANE_MEAN) / _LANE_SD


@dataclass(frozen=True)
class Band:
    """Coloured noise of unit SD in three independent channels, periodic and long, read at any time.

    Attributes
    ----------
    rate_hz
        Rows of `rows` a second.
    rows
        Shape (n, 3), float64.
    """

    rate_hz: float
    rows: NDArray[np.float64]

    def at(self, t_s: NDArray[np.float64], offset_s: float) -> NDArray[np.float64]:
        """Values at times in seconds, shape (n, 3), by linear interpolation; `offset_s` picks the stretch of noise."""
        place = (t_s + offset_s) * self.rate_hz
        low = np.floor(place)
        share = (place - low)[:, None]
        index = low.astype(np.int64) % len(self.rows)
        first = self.rows[index]
        second = self.rows[(index + 1) % len(self.rows)]
        return first + (second - first) * share


@cache
def band(low_hz: float, high_hz: float, slope: float) -> Band:
    """Make noise between two frequencies whose amplitude density falls as frequency to the power `-slope`."""
    rate_hz = max(8.0, 5.0 * high_hz)
    n = 2 ** int(np.ceil(np.log2(max(300.0, 40.0 / low_hz) * rate_hz)))
    frequency = np.fft.rfftfreq(n, 1.0 / rate_hz)
    weight = np.zeros_like(frequency)
    inside = (frequency >= low_hz) & (frequency <= high_hz)
    weight[inside] = frequency[inside] ** -slope
    rng = np.random.default_rng([int(low_hz * 1000), int(high_hz * 1000), int(slope * 1000)])
    spectrum = weight[:, None] * (rng.normal(size=(len(weight), 3)) + 1j * rng.normal(size=(len(weight), 3)))
    rows = np.fft.irfft(spectrum, n, axis=0)
    return Band(rate_hz, rows / rows.std(axis=0))
