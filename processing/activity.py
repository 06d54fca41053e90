"""What the body does in a second, as evidence for each state: first rules from angle and energy."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from processing import orientation, statistics
from processing.epochs import State

CLASSES: Final = (
    State.LYING,
    State.SITTING,
    State.STANDING,
    State.ACTIVE,
    State.WALKING,
    State.RUNNING,
    State.CYCLING,
)
"""The states that evidence is given for, in the order of its columns."""

AHEAD_S: Final = 3
"""Seconds after a second that its features need."""

STAY: Final = 0.97
"""Chance that the state of a second is that of the second before."""

SURE: Final = 0.5
"""A state with a smaller chance than this is called unknown."""


def walks(table: NDArray[np.float64], waves: NDArray[np.float64], start: int, stop: int) -> NDArray[np.bool_]:
    """Tell which of the rows ``[start, stop)`` look like walking, from quantities that no mounting changes."""
    del waves
    total = table[start:stop, statistics.TOTAL]
    return np.asarray((total[:, 1] > 0.006) & (total[:, 1] < 0.6) & (total[:, 2] > 0.001))


def evidence(
    table: NDArray[np.float64],
    waves: NDArray[np.float64],
    held: NDArray[np.float64],
    start: int,
    stop: int,
) -> NDArray[np.float64]:
    """Log evidence of the rows ``[start, stop)`` for each of `CLASSES`, shape (n, classes)."""
    rows = table[start:stop]
    n = len(rows)
    going = walks(table, waves, start, stop)
    gravity, reference = rows[:, statistics.GRAVITY], held[:, orientation.REFERENCE]
    along = np.sum(gravity * reference, axis=1)
    size = np.sqrt(np.sum(gravity * gravity, axis=1) * np.sum(reference * reference, axis=1))
    tilt = np.degrees(np.arccos(np.clip(along / np.maximum(size, 1e-9), -1.0, 1.0)))
    out = np.zeros((n, len(CLASSES)))
    out[:, CLASSES.index(State.WALKING)] += 3.0 * going
    out[:, CLASSES.index(State.RUNNING)] += 4.0 * (rows[:, statistics.TOTAL][:, 1] > 0.4)
    known = np.isfinite(tilt) & ~going
    out[:, CLASSES.index(State.LYING)] += 3.0 * (known & (tilt > 64.9))
    out[:, CLASSES.index(State.SITTING)] += 3.0 * (known & (tilt > 15.0) & (tilt <= 64.9))
    out[:, CLASSES.index(State.STANDING)] += 3.0 * (known & (tilt <= 15.0))
    out[rows[:, statistics.COVERED] == 0] = 0.0
    return out
