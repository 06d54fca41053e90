"""The fit of what the fine motion of a stretch says of its posture."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from processing.fine_motion import MIRROR
from processing.stretch_model import SCALE, FineModel, scaled

Array = NDArray[np.float64]
_RIDGE: Final = 1.0
_ROUNDS: Final = 80  # stopping early keeps weights small too (Hastie et al., Elements of Statistical Learning, 11.5)
_MIRRORED: Final = np.array([0, 1, 2, 4, 3, 5])  # rows of `processing.posture.SITTING`, left for right


def fit(numbers: Array, posture: NDArray[np.intp]) -> FineModel:
    """Fit the model to stretches: mean numbers of their fine motion (n, d), and the rows of their postures (n,).

    Each stretch is also shown as its mirror image, left for right.
    """
    x = np.concatenate([numbers, numbers * MIRROR])
    truth = np.eye(6)[np.concatenate([posture, _MIRRORED[posture]])]
    mean, spread = np.nanmean(x, axis=0), np.nanstd(x, axis=0) + 1e-9
    x = scaled(x, mean, spread)

    def loss(flat: Array) -> tuple[float, Array]:
        weights = flat.reshape(x.shape[1] + 1, 6)
        logs = x @ weights[:-1] + weights[-1]
        logs -= logs.max(axis=1, keepdims=True)
        chances = np.exp(logs)
        total = chances.sum(axis=1, keepdims=True)
        miss = -0.5 * float((truth * (logs - np.log(total))).sum())
        away = 0.5 * (chances / total - truth)
        slope = np.concatenate([x.T @ away + _RIDGE * weights[:-1], away.sum(axis=0)[None]])
        return miss + 0.5 * _RIDGE * float((weights[:-1] ** 2).sum()), slope.ravel()

    start = np.zeros((x.shape[1] + 1) * 6)
    found = minimize(  # type: ignore[no-untyped-call, unused-ignore]
        loss, start, jac=True, method="L-BFGS-B", options={"maxiter": _ROUNDS}
    )
    weights = np.asarray(found.x).reshape(-1, 6)
    weights[:-1] *= SCALE
    return FineModel(mean, spread, weights)
