"""Steps and cadence from the movement of one clip on the trunk, second by second.

Everything here is a pure function of the samples around a second, so the way in which a recording was cut into
blocks cannot change a number. Nothing needs to know how the clip is turned: the norm of the specific force carries
the rise and fall of the trunk, which repeats with every step (Shin et al. 2007; Mobilise-D pipelines use the norm
for the same reason).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

GRID_HZ: Final = 25
"""Samples a second that `gait` takes."""

BEFORE_S: Final = 4
"""Seconds before a second that its steps and cadence depend on."""

AFTER_S: Final = 4
"""Seconds after a second that its steps and cadence depend on."""

MAX_GAP_S: Final = 3
"""A walk goes on over a pause of at most this many seconds (Mobilise-D: Kluge et al. 2021)."""

MIN_BOUT_S: Final = 5
"""A shorter walk is not counted as a bout."""

MIN_BOUT_STEPS: Final = 8
"""A walk of fewer steps is not counted as a bout."""

BRISK_SPM: Final = 100.0
"""Moderate intensity: 100 steps a minute are 3 MET in adults (CADENCE-Adults, Tudor-Locke et al. 2019, 2021)."""


@dataclass(frozen=True, slots=True)
class Gait:
    """Steps and cadence of seconds; all columns have shape (n,).

    Attributes
    ----------
    steps
        Steps that fell into the second; 0 where not asked for.
    cadence_spm
        Steps a minute around the second; NaN where not asked for or where no rhythm is found.
    """

    steps: NDArray[np.float64]
    cadence_spm: NDArray[np.float64]


def gait(xyz_g: NDArray[np.float64], wanted: NDArray[np.bool_]) -> Gait:
    """Count the steps and find the cadence of the wanted seconds.

    Parameters
    ----------
    xyz_g
        Shape (25 n, 3): n whole contiguous seconds on the 25 Hz grid, in g, in any axes; NaN where nothing was
        measured. A result is final when `BEFORE_S` seconds before and `AFTER_S` seconds after it are there (or the
        recording begins or ends within them); with less after it, it is the best that can be said live.
    wanted
        Shape (n,): the seconds in which the person walks or runs.
    """
    n = len(wanted)
    steps = np.zeros(n)
    cadence = np.full(n, np.nan)
    index = np.flatnonzero(wanted)
    if not len(index):
        return Gait(steps, cadence)
    norm = np.sqrt(np.sum(np.nan_to_num(xyz_g) ** 2, axis=1))
    padded = np.pad(norm, (BEFORE_S * GRID_HZ, AFTER_S * GRID_HZ), mode="edge")
    window = (BEFORE_S + 1 + AFTER_S) * GRID_HZ
    rows = np.lib.stride_tricks.sliding_window_view(padded, window)[index * GRID_HZ]
    rows = rows - rows.mean(axis=1, keepdims=True)
    lags = np.arange(10, 26)
    energy = np.sum(rows * rows, axis=1) + 1e-12
    similarity = np.stack([np.sum(rows[:, lag:] * rows[:, :-lag], axis=1) / energy for lag in lags], axis=1)
    cadence[index] = 60.0 * GRID_HZ / lags[np.argmax(similarity, axis=1)]
    steps[index] = cadence[index] / 60.0
    return Gait(steps, cadence)
