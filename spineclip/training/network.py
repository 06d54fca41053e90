"""Fit the likeness to walking and the network, in NumPy and SciPy alone.

The likeness is a logistic regression. The network's one hidden layer is fitted by Adam (Kingma and Ba 2015, ICLR) with
weight decay apart from it (Loshchilov and Hutter 2019, ICLR), dropout (Srivastava et al. 2014, JMLR 15:1929) and a rate
that falls as half a cosine. Sizes and rates are our choices, looked at on people left out.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from processing.activity import CLASSES
from spineclip.training.examples import Examples

HIDDEN: Final = 48
ROUNDS: Final = 10
_BATCH: Final = 1024
_RATE: Final = 2e-3
_DROPPED: Final = 0.2
_FEATURE_DROPPED: Final = 0.03
_DECAY: Final = 1e-3
_RARE_AT_MOST: Final = 3.0


def fit_walk(examples: Examples) -> dict[str, Any]:
    """Fit the log odds of walking, with a ridge of 1e-3."""
    rows = np.concatenate([examples.features, np.ones((len(examples.target), 1))], axis=1)
    target = examples.target.astype(np.float64)
    weight = examples.weight / examples.weight.sum()

    def loss(beta: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        odds = rows @ beta
        ridge = np.append(beta[:-1], 0.0) * 1e-3
        slope = rows.T @ (weight * (1.0 / (1.0 + np.exp(-odds)) - target)) + ridge
        value = float(weight @ (np.logaddexp(0.0, odds) - target * odds)) + 0.5 * float(ridge @ beta)
        return value, slope

    found: Any = minimize(loss, np.zeros(rows.shape[1]), jac=True, method="L-BFGS-B", options={"maxiter": 300})  # type: ignore[no-untyped-call]
    return {"walk": found.x[:-1], "walk_bias": found.x[-1]}


def fit_network(examples: Examples, seed: int = 0) -> dict[str, Any]:
    """Fit the network; rare classes count for more, with the root of how rare they are."""
    rng = np.random.default_rng(seed)
    share = np.bincount(examples.target, examples.weight, minlength=len(CLASSES))
    rare = np.sqrt(share.sum() / len(CLASSES) / np.maximum(share, 1.0))
    weight = examples.weight * np.minimum(rare, _RARE_AT_MOST)[examples.target]
    weight = (weight / weight.mean()).astype(np.float32)
    mean, spread = examples.features.mean(axis=0), examples.features.std(axis=0) + 1e-2
    rows = ((examples.features - mean) / spread).astype(np.float32)
    n, inputs = rows.shape
    values = [
        rng.normal(0.0, np.sqrt(2.0 / inputs), (inputs, HIDDEN)).astype(np.float32),
        np.zeros(HIDDEN, dtype=np.float32),
        rng.normal(0.0, 0.1, (HIDDEN, len(CLASSES))).astype(np.float32),
        np.zeros(len(CLASSES), dtype=np.float32),
    ]
    first, second = [np.zeros_like(v) for v in values], [np.zeros_like(v) for v in values]
    steps = max(ROUNDS * (n // _BATCH), 1)
    order = rng.permutation(n)
    for step in range(1, steps + 1):
        at = (step - 1) % max(n // _BATCH, 1) * _BATCH
        if at == 0:
            order = rng.permutation(n)
        batch = order[at : at + _BATCH]
        slopes = _slopes(values, rows[batch], examples.target[batch], weight[batch], rng)
        rate = _RATE * 0.5 * (1.0 + np.cos(np.pi * step / steps))
        for i, slope in enumerate(slopes):
            first[i] = 0.9 * first[i] + 0.1 * slope
            second[i] = 0.999 * second[i] + 0.001 * slope * slope
            move = (first[i] / (1 - 0.9**step)) / (np.sqrt(second[i] / (1 - 0.999**step)) + 1e-8)
            pull = _DECAY * values[i] if i in (0, 2) else np.zeros_like(values[i])
            values[i] = (values[i] - rate * (move + pull)).astype(np.float32)
    hidden, hidden_bias, out, out_bias = (value.astype(np.float64) for value in values)
    return {
        "hidden": hidden / spread[:, None],
        "hidden_bias": hidden_bias - (mean / spread) @ hidden,
        "out": out,
        "out_bias": out_bias,
    }


def _slopes(
    values: list[NDArray[np.float32]],
    rows: NDArray[np.float32],
    target: NDArray[np.int64],
    weight: NDArray[np.float32],
    rng: np.random.Generator,
) -> list[NDArray[np.float32]]:
    hidden, hidden_bias, out, out_bias = values
    rows = rows * (rng.random((1, rows.shape[1])) > _FEATURE_DROPPED).astype(np.float32)
    before = rows @ hidden + hidden_bias
    kept = (rng.random(before.shape) > _DROPPED).astype(np.float32) / np.float32(1.0 - _DROPPED)
    active = np.maximum(before, 0.0) * kept
    score = active @ out + out_bias
    score -= score.max(axis=1, keepdims=True)
    wrong = np.exp(score)
    wrong /= wrong.sum(axis=1, keepdims=True)
    wrong[np.arange(len(target)), target] -= 1.0
    wrong *= (weight / len(target))[:, None]
    back = (wrong @ out.T) * (before > 0) * kept
    return [rows.T @ back, back.sum(axis=0), active.T @ wrong, wrong.sum(axis=0)]
