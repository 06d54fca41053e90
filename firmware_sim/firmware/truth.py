"""The record of truth: what a simulated wearable really sent, to judge what arrived."""

from __future__ import annotations

import numpy as np

from firmware_sim.firmware.base import Samples, Times


class Truth:
    """Counts, and with `keep` every sample, of what a wearable handed to its radio.

    Parameters
    ----------
    keep
        Keep times and values too: 32 bytes a sample.
    """

    def __init__(self, *, keep: bool = True) -> None:
        self._keep = keep
        self._t: list[Times] = []
        self._xyz: list[Samples] = []
        self.notifications = 0
        self.samples = 0

    def add(self, t_ns: Times, xyz_g: Samples) -> None:
        """Note one data notification: true sample times (n,) and the values that its bytes say, g (n, 3)."""
        self.notifications += 1
        self.samples += len(t_ns)
        if self._keep:
            self._t.append(t_ns)
            self._xyz.append(xyz_g)

    @property
    def t_ns(self) -> Times:
        """True times of all samples sent, UTC nanoseconds, (n,)."""
        return np.concatenate(self._t) if self._t else np.empty(0, np.int64)

    @property
    def xyz_g(self) -> Samples:
        """Values of all samples sent as their bytes say them, g, (n, 3)."""
        return np.concatenate(self._xyz) if self._xyz else np.empty((0, 3))
