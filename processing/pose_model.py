"""Which posture a pair of angles means for a wearer: people differ, and so the model learns from what they show.

Each posture of each person is a point, spread around the point of people in general; angles measured in a posture
are spread around that person's point. All spreads are normal, and the points of one person's postures go together
(who slouches far also leans far). A pose that the wearer has shown once thus tells something of every posture: the
rule for it is that of conditioning a normal distribution (Gelman et al., Bayesian Data Analysis, ch. 3 and 15).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from processing import elementary
from processing.compiled import compiled

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class PoseModel:
    """Where the postures of a person lie.

    Attributes
    ----------
    mean
        Shape (k, d): the points of k postures, by angle, degrees.
    spread
        Shape (k d, k d): covariance of a person's points around `mean`.
    noise
        Shape (k, d, d): covariance of angles measured in a posture around the person's point.
    """

    mean: Array
    spread: Array
    noise: Array

    def taught(self, shown: Sequence[tuple[int, Array]]) -> PoseModel:
        """Learn from poses that the wearer has shown: pairs of a posture's row and its angles, shape (d,)."""
        k, d = self.mean.shape
        if not shown:
            return self
        pick = np.concatenate([np.arange(row * d, row * d + d) for row, _ in shown])
        seen = np.concatenate([np.asarray(angles, dtype=np.float64) for _, angles in shown])
        within = np.zeros((len(pick), len(pick)))
        for i, (row, _) in enumerate(shown):
            within[i * d : i * d + d, i * d : i * d + d] = self.noise[row]
        flat = self.mean.ravel()
        gain = np.linalg.solve(self.spread[np.ix_(pick, pick)] + within, self.spread[pick, :]).T
        spread = self.spread - gain @ self.spread[pick, :]
        mean = flat + gain @ (seen - flat[pick])
        return replace(self, mean=mean.reshape(k, d), spread=0.5 * (spread + spread.T))

    @cached_property
    def columns(self) -> Array:
        """The spread of angles around each posture's mean, as `distances` takes it, shape (columns, k)."""
        k, d = self.mean.shape
        own = [slice(row * d, row * d + d) for row in range(k)]
        around = np.stack([self.spread[at, at] for at in own]) + self.noise
        inverse = np.linalg.inv(around)
        first, second = np.triu_indices(d)
        both = inverse[:, first, second] * np.where(first == second, 1.0, 2.0)
        return np.ascontiguousarray(np.concatenate([self.mean, both, np.log(np.linalg.det(around))[:, None]], axis=1).T)

    @cached_property
    def precision(self) -> tuple[Array, Array, Array]:
        """Inverse of `spread`, that times `mean`, and the inverses of `noise`."""
        inverse = np.linalg.inv(self.spread)
        return np.asarray(inverse), np.asarray(inverse @ self.mean.ravel()), np.asarray(np.linalg.inv(self.noise))

    def chances(self, angles: Array) -> Array:
        """Chance of each posture for rows of angles, shape (n, d) to (n, k), all postures alike beforehand."""
        return _chances(self.columns, np.ascontiguousarray(angles, dtype=np.float64))


@compiled
def distances(columns: Array, angles: Array, row: int, out: Array) -> None:
    """How far a row of angles, shape (n, d), lies from points, as -2 log density but for a constant; loops over points.

    Parameters
    ----------
    columns
        Mean (d), the upper triangle of the inverse of the covariance, row by row, what stands twice in it doubled, and
        the log of its determinant; one column a point.
    out
        One number a point.
    """
    d, points = angles.shape[1], columns.shape[1]
    column = len(columns) - 1
    for k in range(points):
        out[k] = columns[column, k]
    column = d
    for i in range(d):
        for j in range(i, d):
            for k in range(points):
                away = (angles[row, i] - columns[i, k]) * (angles[row, j] - columns[j, k])
                out[k] += away * columns[column, k]
            column += 1


@compiled
def likely(columns: Array, angles: Array, row: int, out: Array) -> None:
    """Chance of each posture for a row of angles, all postures alike beforehand; shape (k,)."""
    distances(columns, angles, row, out)
    for k in range(len(out)):
        out[k] *= -0.5
    shared_out(out)


@compiled
def shared_out(logs: Array) -> None:
    """Turn log chances, up to a constant, into chances that add up to one."""
    most = logs[0]
    for k in range(1, len(logs)):
        most = max(most, logs[k])
    for k in range(len(logs)):
        logs[k] = elementary.exp(logs[k] - most)
    normalise(logs)


@compiled
def normalise(weights: Array) -> None:
    """Divide weights by their sum."""
    total = 0.0
    for k in range(len(weights)):
        total += weights[k]
    for k in range(len(weights)):
        weights[k] /= total


@compiled
def _chances(columns: Array, angles: Array) -> Array:
    """Loop over rows of angles."""
    out = np.empty((len(angles), columns.shape[1]))
    for row in range(len(angles)):
        likely(columns, angles, row, out[row])
    return out


def fit(angles: Array, posture: NDArray[np.intp], person: NDArray[np.intp], *, shrink: float = 0.3) -> PoseModel:
    """Fit the model to trials: angles (n, d), rows of postures (n,), and whose they are (n,).

    A person's point is the median of the trials, so that one trial that was acted or labelled wrongly does no harm;
    a person without a posture is left out. Correlations between postures are shrunk (Ledoit and Wolf 2004 give the
    reason: few people, many numbers).
    """
    k, d = int(posture.max()) + 1, angles.shape[1]
    points: list[Array] = []
    rests: list[list[Array]] = [[] for _ in range(k)]
    for one in np.unique(person):
        mine = [angles[(person == one) & (posture == row)] for row in range(k)]
        if any(len(rows) == 0 for rows in mine):
            continue
        points.append(np.stack([np.median(rows, axis=0) for rows in mine]).ravel())
        for row, rows in enumerate(mine):
            if len(rows) > 1:
                rests[row].append((rows - np.median(rows, axis=0)) * np.sqrt(len(rows) / (len(rows) - 1.0)))
    flat = np.stack(points)
    spread = np.cov(flat, rowvar=False)
    spread = (1.0 - shrink) * spread + shrink * np.diag(np.diag(spread))
    clipped = [np.clip(np.concatenate(rows), -15.0, 15.0) for rows in rests]
    every = np.concatenate(clipped)
    shared = every.T @ every / len(every)
    noise = np.stack([0.5 * (rows.T @ rows / len(rows)) + 0.5 * shared for rows in clipped])
    return PoseModel(np.median(flat, axis=0).reshape(k, d), spread, noise)
