"""A wearable's own clock: it starts at boot and runs a little fast or slow."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from firmware_sim.firmware.base import Times


@dataclass(frozen=True, slots=True)
class Oscillator:
    """A quartz that started at `boot_ns` and is `drift_ppm` fast (20 ppm between two wearables is usual).

    Elapsed times are turned with float64; over 30 days that is exact to a nanosecond.
    """

    boot_ns: int
    drift_ppm: float = 0.0

    def elapsed_ns(self, t_ns: int) -> int:
        """Return what the wearable counts, nanoseconds since boot, at a true time."""
        return round((t_ns - self.boot_ns) * (1.0 + self.drift_ppm * 1e-6))

    def sample_times_ns(self, first: int, n: int, rate_hz: float) -> Times:
        """Return the true times of samples ``first .. first + n - 1`` of a sensor clocked by this quartz."""
        ticks = np.arange(first, first + n, dtype=np.float64)
        elapsed = np.rint(ticks * (1e9 / (rate_hz * (1.0 + self.drift_ppm * 1e-6))))
        return self.boot_ns + elapsed.astype(np.int64)

    def next_sample(self, t_ns: int, rate_hz: float) -> int:
        """Return the index of the first sample after a true time."""
        index = int(self.elapsed_ns(t_ns) * rate_hz / 1e9)
        while int(self.sample_times_ns(index, 1, rate_hz)[0]) <= t_ns:
            index += 1
        return max(index, 0)
