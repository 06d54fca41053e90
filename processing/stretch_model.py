"""What the fine motion of a stretch says of its posture: a softmax in few lines, for each place on the trunk."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from processing.compiled import compiled

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
        return score(numbers, *self.parts)

    @cached_property
    def parts(self) -> tuple[Array, Array, Array]:
        """What `score` takes: mean, spread and rounded weights."""
        return self.mean, self.spread, np.ascontiguousarray(np.rint(self.weights * _WEIGHT_QUANTUM) / _WEIGHT_QUANTUM)


@compiled
def score(numbers: Array, mean: Array, spread: Array, weights: Array) -> tuple[Array, NDArray[np.bool_]]:
    """Do as `FineModel.scores`; loops over windows, and over their numbers."""
    n, d = numbers.shape
    kinds = weights.shape[1]
    scores, usable, away, total = np.empty((n, kinds)), np.empty(n, dtype=np.bool_), np.empty(d), np.empty(kinds)
    for i in range(n):
        for k in range(d):
            spreads = (numbers[i, k] - mean[k]) / spread[k]
            spreads = spreads if spreads < _NEVER else _NEVER  # as is no number
            away[k] = spreads if spreads > -_NEVER else -_NEVER
        far = 0.0
        for k in range(d):
            far += np.rint(away[k] * away[k] * _NUMBER_QUANTUM)
        usable[i] = far <= STRANGE * _NUMBER_QUANTUM * d
        for j in range(kinds):
            total[j] = weights[d, j]
        for k in range(d):
            held = np.rint(min(max(away[k], -FURTHEST), FURTHEST) * _NUMBER_QUANTUM) * (1.0 / _NUMBER_QUANTUM)
            for j in range(kinds):
                total[j] += held * weights[k, j]
        for j in range(kinds):
            scores[i, j] = np.rint(total[j] * _NUMBER_QUANTUM) * (1.0 / _NUMBER_QUANTUM)
    return scores, usable


def scaled(rows: Array, mean: Array, spread: Array) -> Array:
    """Bring rows of numbers to one scale for a fit; what is missing counts as the mean."""
    return np.asarray(np.nan_to_num(np.clip((rows - mean) / spread, -FURTHEST, FURTHEST)) * SCALE)
