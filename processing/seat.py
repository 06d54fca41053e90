"""Sitting that follows from what was taught: who sat tall to teach the clip, and has not walked since, still sits.

Before the first walk of a mount the core knows no upright to tell sitting from lying by, and often says so. A neutral
that was taught is one: a trunk at rest near it does not lie.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from processing import orientation, statistics
from processing.epochs import State
from processing.stretches import MOVING_G

TILT_DEG: Final = 50.0
"""So far from sitting tall a trunk may be that still sits: acted reclines and leans stay within 48 degrees (1st to 99th
percentile, IMU Sitting Postures Dataset, L5); lying is some 90 away."""

CONFIDENCE: Final = 0.6
"""What is said by this rule alone is no more than likely (our choice): somebody may have stood up and not walked."""


def seated(
    codes: NDArray[np.int8],
    confidence: NDArray[np.float64],
    held: NDArray[np.float64],
    table: NDArray[np.float64],
) -> tuple[NDArray[np.int8], NDArray[np.float64]]:
    """Say `sitting` where the state was not known, or was said to be lying, and it follows from what was taught.

    Parameters
    ----------
    codes, confidence
        Shape (n,): states as the signal alone tells them.
    held
        Shape (n, `orientation.HELD`).
    table
        Shape (n, `statistics.COLUMNS`), the same seconds.
    """
    open_ = (codes == State.UNKNOWN.code) | (codes == State.LYING.code)
    open_ &= (held[:, orientation.OWN] == 2.0) & (held[:, orientation.STRENGTH] < orientation.KNOWN)
    if not open_.any():
        return codes, confidence
    gravity, neutral = table[:, statistics.GRAVITY], held[:, orientation.NEUTRAL]
    along = _dot(gravity, neutral)
    near = along > np.cos(np.radians(TILT_DEG)) * np.sqrt(_dot(gravity, gravity) * _dot(neutral, neutral))
    sits = open_ & near & (table[:, statistics.COVERED] > 0) & (table[:, statistics.MAD] <= MOVING_G)
    return (
        np.where(sits, np.int8(State.SITTING.code), codes),
        np.where(sits, CONFIDENCE, confidence),
    )


def _dot(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(a[:, 0] * b[:, 0] + a[:, 1] * b[:, 1] + a[:, 2] * b[:, 2])
