"""What the fine motion of a stretch says of its posture: a softmax in few lines, for each place on the trunk."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

PARTS: Final = ("mean", "spread", "weights")

FURTHEST: Final = 3.0
"""Spreads from the mean beyond which a number says no more."""

SCALE: Final = 0.2
"""Of a number in the fit: there are many, each a little sure."""

STRANGE: Final = 8.0
"""Mean squared distance of a window's numbers, in spreads, beyond which it is like nothing that was fitted (99 of 100
windows of the IMU Sitting Postures Dataset lie below 7.5; a clip that shows no noise at all lies at 9 and above)."""

EIGHTH: Final = 8.0
"""What fine motion says is kept in eighths of a natural log unit."""

_NEVER: Final = 6.0
_NUMBER_QUANTUM: Final = 1024.0
_WEIGHT_QUANTUM: Final = 65536.0


@dataclass(frozen=True)
class FineModel:
    """Mean and spread of the numbers of fine motion, shape (d,), and weights, shape (d + 1, 6), the last row added."""

    mean: Array
    spread: Array
    weights: Array

    def scores(self, numbers: Array) -> tuple[Array, NDArray[np.bool_]]:
        """Score each posture of `processing.posture.SITTING` for windows of `processing.fine_motion`.

        Scores of windows of one stretch are averaged; their softmax is the chance of each posture by the fine motion
        alone.

        Returns
        -------
        scores
            Shape (n, 6), rounded, so that their sums are exact.
        usable
            Shape (n,), False where a window has no numbers or is like nothing that was fitted.
        """
        away = np.nan_to_num((numbers - self.mean) / self.spread, nan=_NEVER)
        np.minimum(np.maximum(away, -_NEVER, out=away), _NEVER, out=away)
        squares = np.rint(away * away * _NUMBER_QUANTUM)
        usable = squares.sum(axis=1) <= STRANGE * _NUMBER_QUANTUM * len(self.mean)
        held = np.minimum(np.maximum(away, -FURTHEST), FURTHEST)
        rounded = np.rint(self.weights * _WEIGHT_QUANTUM) / _WEIGHT_QUANTUM
        scores = np.rint(held * _NUMBER_QUANTUM) / _NUMBER_QUANTUM @ rounded[:-1] + rounded[-1]
        return np.rint(scores * _NUMBER_QUANTUM) / _NUMBER_QUANTUM, usable


def scaled(rows: Array, mean: Array, spread: Array) -> Array:
    """Bring rows of numbers to one scale for a fit; what is missing counts as the mean."""
    return np.asarray(np.nan_to_num(np.clip((rows - mean) / spread, -FURTHEST, FURTHEST)) * SCALE)
