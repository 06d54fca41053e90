"""What follows from what was taught and told: who sat tall to teach the clip, and has not walked since, still sits.

Before the first walk of a mount the core knows no upright to tell sitting from lying by, and often says so. A neutral
that was taught is one: a trunk at rest near it does not lie. So are axes that were told: a trunk at rest far from them
does.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from processing import orientation, reference, statistics
from processing.compiled import borrowing, compiled
from processing.epochs import State
from processing.stretches import MOVING_G

TILT_DEG: Final = 50.0
"""So far from sitting tall a trunk may be that still sits: acted reclines and leans stay within 48 degrees (1st to 99th
percentile, IMU Sitting Postures Dataset, L5); lying is some 90 away."""

CONFIDENCE: Final = 0.6
"""What is said by this rule alone is no more than likely (our choice): somebody may have stood up and not walked."""

FLAT_DEG: Final = 75.0
"""Nobody sits further than this from the upright that was told: who reclined most of 21 people did so by 72 degrees
(HAR70+)."""

CONFIDENCE_LAID: Final = 0.75
"""Likely, not sure: the axes are told of the clip, not of the person."""

_FLAT_COS: Final = math.cos(math.radians(FLAT_DEG))
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
def laid(
    codes: NDArray[np.int8],
    confidence: NDArray[np.float64],
    held: NDArray[np.float64],
    table: NDArray[np.float64],
) -> tuple[NDArray[np.int8], NDArray[np.float64]]:
    """Say `lying` where the trunk rests too far from the upright that was told to sit, whatever else was said of rest.

    This is for when only the axes tell up, before any walk. Parameters are those of `seated`.
    """
    codes, confidence = codes.copy(), confidence.copy()
    for i in range(len(codes)):
        told = np.isfinite(held[i, orientation.REFERENCE.start]) and held[i, orientation.STRENGTH] == 0.0
        far = told and _cosine(table, i, held, orientation.REFERENCE.start) < _FLAT_COS
        if (codes[i] == _UNKNOWN or codes[i] == _SITTING) and far and _rests(table, i):
            codes[i], confidence[i] = _LYING, CONFIDENCE_LAID
    return codes, confidence


@borrowing
def _sits(held: NDArray[np.float64], table: NDArray[np.float64], i: int) -> bool:
    """Tell whether a trunk is at rest near to a neutral that was taught, in a mount in which nobody has walked."""
    if held[i, orientation.OWN] != orientation.TAUGHT or held[i, orientation.STRENGTH] >= reference.KNOWN:
        return False
    return _cosine(table, i, held, orientation.NEUTRAL.start) > _NEAR_COS and _rests(table, i)


@borrowing
def _rests(table: NDArray[np.float64], i: int) -> bool:
    return bool(table[i, statistics.COVERED] > 0 and table[i, statistics.MAD] <= MOVING_G)


@borrowing
def _cosine(table: NDArray[np.float64], i: int, held: NDArray[np.float64], start: int) -> float:
    """Cosine of the angle between the gravity of a second and the vector that is held from column `start` on."""
    along, gravity2, held2 = 0.0, 0.0, 0.0
    for axis in range(3):
        gravity, other = table[i, statistics.GRAVITY.start + axis], held[i, start + axis]
        along += gravity * other
        gravity2 += gravity * gravity
        held2 += other * other
    return along / math.sqrt(max(gravity2 * held2, 1e-12))
