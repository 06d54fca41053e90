"""Sitting that follows from what was taught: who sat tall to teach the clip, and has not walked since, still sits.

Before the first walk of a mount the core knows no upright to tell sitting from lying by, and often says so. A neutral
that was taught is one: a trunk at rest near it does not lie.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from processing import orientation, statistics
from processing.compiled import compiled
from processing.epochs import State
from processing.stretches import MOVING_G

TILT_DEG: Final = 50.0
"""So far from sitting tall a trunk may be that still sits: acted reclines and leans stay within 48 degrees (1st to 99th
percentile, IMU Sitting Postures Dataset, L5); lying is some 90 away."""

CONFIDENCE: Final = 0.6
"""What is said by this rule alone is no more than likely (our choice): somebody may have stood up and not walked."""

_NEAR_COS: Final = math.cos(math.radians(TILT_DEG))
_UNKNOWN: Final = State.UNKNOWN.code
_LYING: Final = State.LYING.code
_SITTING: Final = State.SITTING.code


@compiled
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
    codes, confidence = codes.copy(), confidence.copy()
    for i in range(len(codes)):
        if (codes[i] == _UNKNOWN or codes[i] == _LYING) and _sits(held, table, i):
            codes[i], confidence[i] = _SITTING, CONFIDENCE
    return codes, confidence


@compiled
def _sits(held: NDArray[np.float64], table: NDArray[np.float64], i: int) -> bool:
    """Tell whether a trunk is at rest near to a neutral that was taught, in a mount in which nobody has walked."""
    if held[i, orientation.OWN] != orientation.TAUGHT or held[i, orientation.STRENGTH] >= orientation.KNOWN:
        return False
    along, gravity2, neutral2 = 0.0, 0.0, 0.0
    for axis in range(3):
        gravity = table[i, statistics.GRAVITY.start + axis]
        neutral = held[i, orientation.NEUTRAL.start + axis]
        along += gravity * neutral
        gravity2 += gravity * gravity
        neutral2 += neutral * neutral
    near = along > _NEAR_COS * math.sqrt(gravity2 * neutral2)
    return bool(near and table[i, statistics.COVERED] > 0 and table[i, statistics.MAD] <= MOVING_G)
