"""A recording as a motion: what the body did then, at whatever times a wearable samples it."""

from __future__ import annotations

from typing import Final, Literal

import numpy as np

from firmware_sim.firmware.base import Samples, Times

_GAP_PERIODS: Final = 4.5
"""A recording that has no sample for so many of its usual periods has a gap."""


class Player:
    """Plays recorded samples; silent before, after, and in the gaps.

    Parameters
    ----------
    t_ns
        Sample times, UTC nanoseconds, shape (n,), strictly rising.
    xyz_g
        Specific force, g, shape (n, 3).
    method
        ``linear`` interpolates between the two neighbours, ``nearest`` takes the nearer one (the earlier on a tie),
        which may be up to half a usual sample period before the first or after the last: a wearable of the recording's
        own rate then sends every sample, though the times in the file are rounded.

    Raises
    ------
    ValueError
        If the times do not rise or the shapes do not fit.
    """

    def __init__(self, t_ns: Times, xyz_g: Samples, *, method: Literal["linear", "nearest"] = "linear") -> None:
        if t_ns.ndim != 1 or len(t_ns) < 2 or xyz_g.shape != (len(t_ns), 3):
            raise ValueError(f"a recording of shapes {t_ns.shape} and {xyz_g.shape} cannot be played")
        steps = np.diff(t_ns)
        if int(steps.min()) <= 0:
            raise ValueError("the times of a recording must rise")
        self._t = t_ns
        self._xyz = xyz_g
        self._nearest = method == "nearest"
        self._max_step = _GAP_PERIODS * float(np.median(steps))
        self._reach_ns = int(np.median(steps)) // 2 if self._nearest else 0

    @property
    def start_ns(self) -> int:
        """Time of the first sample."""
        return int(self._t[0])

    @property
    def end_ns(self) -> int:
        """Time of the last sample."""
        return int(self._t[-1])

    def samples(self, t_ns: Times) -> Samples:
        """Return the recorded motion at the given times; rows of NaN where there is none."""
        after = np.clip(np.searchsorted(self._t, t_ns, side="left"), 1, len(self._t) - 1)
        t0, t1 = self._t[after - 1], self._t[after]
        step = (t1 - t0).astype(np.float64)
        part = (t_ns - t0) / step
        if self._nearest:
            part = (part > 0.5).astype(np.float64)
        before_xyz, after_xyz = self._xyz[after - 1], self._xyz[after]
        out = before_xyz + part[:, None] * (after_xyz - before_xyz)
        exact_before, exact_after = t_ns == t0, t_ns == t1
        out[exact_before] = before_xyz[exact_before]
        out[exact_after] = after_xyz[exact_after]
        distance = np.minimum(np.abs(t_ns - t0), np.abs(t1 - t_ns))
        outside = (step > self._max_step) | (t_ns < self._t[0]) | (t_ns > self._t[-1])
        out[outside & (distance > self._reach_ns)] = np.nan
        return out

    def resumes_ns(self, t_ns: int) -> int | None:
        """Return the first time at or after `t_ns` with something to play, or None when the recording is over."""
        index = int(np.searchsorted(self._t, t_ns - self._reach_ns, side="left"))
        if index == len(self._t):
            return None
        if index == 0 or float(self._t[index] - self._t[index - 1]) > self._max_step:
            return max(t_ns, int(self._t[index]) - self._reach_ns)
        return t_ns
