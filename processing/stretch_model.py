"""Which posture a whole stretch shows, from its angles and its fine motion together: a softmax in few lines."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from processing.fine_motion import COUNT

Array = NDArray[np.float64]
ANGLES: Final = 6
"""How many numbers come from the two angles of a site."""

WEIGHTS: Final = Path(__file__).parent / "weights" / "stretches.npz"
"""Fitted by ``python -m benchmarks.posture --fit`` on the IMU Sitting Postures Dataset (Ali et al.)."""

PARTS: Final = ("mean", "spread", "weights")

_FURTHEST: Final = 3.0  # spreads from the mean: beyond, a number says no more
_FINE_WEIGHT: Final = 0.2  # of a number of the fine motion against an angle: there are many, each a little sure


@dataclass(frozen=True)
class StretchModel:
    """Mean and spread of the numbers of a stretch, shape (d,), and weights, shape (d + 1, 6), the last row added."""

    mean: Array
    spread: Array
    weights: Array

    def chances(self, rows: Array) -> Array:
        """Chance of each posture of `processing.posture.SITTING` for rows of `numbers`, shape (n, d) to (n, 6)."""
        logs = scaled(rows, self.mean, self.spread) @ self.weights[:-1] + self.weights[-1]
        logs -= logs.max(axis=1, keepdims=True)
        size = np.exp(logs)
        return np.asarray(size / size.sum(axis=1, keepdims=True))


def numbers(angles_deg: Array, fine: Array) -> Array:
    """Lay out what the model judges.

    Parameters
    ----------
    angles_deg
        Shape (n, 2 s): flexion and lateral lean of each stretch at each of s sites, against a neutral.
    fine
        Shape (n, s `COUNT`): `processing.fine_motion.fine_motion` at the same sites.

    Returns
    -------
    Shape (n, s (6 + `COUNT`)).
    """
    sites = angles_deg.shape[1] // 2
    parts = []
    for site in range(sites):
        flexion, lateral = angles_deg[:, 2 * site] / 10.0, angles_deg[:, 2 * site + 1] / 10.0
        parts += [flexion, lateral, flexion * flexion, lateral * lateral, flexion * lateral, np.abs(lateral)]
    return np.concatenate([np.stack(parts, axis=1), fine], axis=1)


def scaled(rows: Array, mean: Array, spread: Array) -> Array:
    """Bring rows of `numbers` to one scale; what is missing counts as the mean."""
    weight = np.full(len(mean), _FINE_WEIGHT)
    weight[: len(mean) // (ANGLES + COUNT) * ANGLES] = 1.0
    away = np.clip((rows - mean) / spread, -_FURTHEST, _FURTHEST)
    return np.asarray(np.nan_to_num(away) * weight)


@cache
def shipped(site: str, *, own_neutral: bool = True) -> StretchModel:
    """Return the fitted model of a site of the dataset (``T4``) or of two (``L5+T4``), by what the angles are against.

    Raises
    ------
    KeyError
        For a site that was not fitted, or two without the wearer's own neutral.
    """
    kind = "own" if own_neutral else "usual"
    with np.load(WEIGHTS) as fields:
        return StretchModel(*(fields[f"{site}/{kind}/{part}"].astype(np.float64) for part in PARTS))
