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
    def points(self) -> Array:
        """The normal distribution of angles in each posture, as `likely` takes it."""
        k, d = self.mean.shape
        own = [slice(row * d, row * d + d) for row in range(k)]
        around = np.stack([self.spread[at, at] for at in own]) + self.noise
        inverse = np.linalg.inv(around)
        first, second = np.triu_indices(d)
        square = -inverse[:, first, second] * np.where(first == second, 0.5, 1.0)
        along = np.einsum("kij,kj->ki", inverse, self.mean)
        level = -0.5 * (np.log(np.linalg.det(around)) + np.einsum("ki,ki->k", along, self.mean))
        return np.ascontiguousarray(np.concatenate([level[:, None], along, square], axis=1).T)

    @cached_property
    def precision(self) -> tuple[Array, Array, Array]:
        """Inverse of `spread`, that times `mean`, and the inverses of `noise`."""
        inverse = np.linalg.inv(self.spread)
        return np.asarray(inverse), np.asarray(inverse @ self.mean.ravel()), np.asarray(np.linalg.inv(self.noise))

    def chances(self, angles: Array) -> Array:
        """Chance of each posture for rows of angles, shape (n, d) to (n, k), all postures alike beforehand."""
        return chances(self.points, 0.0, angles, len(self.mean))


def chances(points: Array, tail: float, angles: Array, kinds: int) -> Array:
    """Chance of each of k postures for rows of angles, shape (n, d) to (n, k); parameters as those of `likely`."""
    rows = np.ascontiguousarray(angles.T, dtype=np.float64)
    out = np.empty((kinds, rows.shape[1]))
    products = np.empty((len(points), rows.shape[1]))
    multiply(rows, rows.shape[1], products)
    likely(points, tail, products, rows.shape[1], out)
    return np.ascontiguousarray(out.T)


@compiled
def multiply(angles: Array, n: int, products: Array) -> None:
    """Fill the first n columns of the products that log densities are sums of; loops over columns.

    Parameters
    ----------
    angles
        Shape (d, at least n).
    products
        One a row: 1, each angle, and each product of two (of one with itself and all after it, then of the next).
    """
    d = len(angles)
    row = d + 1
    for s in range(n):
        products[0, s] = 1.0
    for i in range(d):
        for s in range(n):
            products[i + 1, s] = angles[i, s]
        for j in range(i, d):
            for s in range(n):
                products[row, s] = angles[i, s] * angles[j, s]
            row += 1


@compiled
def likely(points: Array, tail: float, products: Array, n: int, out: Array) -> None:
    """Chance of each of k postures for n columns of angles, all postures alike beforehand; loops over columns.

    Parameters
    ----------
    points
        One normal distribution a column, as what each of the products adds to its log density: k columns, or k for
        each of a few ways to see it, which are added up.
    tail
        Density of angles that are like no posture; 0 where there are none such, as in one way alone.
    products
        From `multiply`.
    out
        Shape (k, at least n).
    """
    kinds = len(out)
    most, work = np.zeros(n), np.empty(n)
    if tail == 0.0:
        most[:] = -np.inf
        for point in range(points.shape[1]):
            _add_up(points, point, products, work)
            for s in range(n):
                most[s] = work[s] if work[s] > most[s] else most[s]
    for k in range(kinds):
        for s in range(n):
            out[k, s] = tail
    for point in range(points.shape[1]):
        _add_up(points, point, products, work)
        k = point % kinds
        for s in range(n):
            out[k, s] += elementary.exp(work[s] - most[s])
    share_out(out, n)


@compiled
def _add_up(points: Array, point: int, products: Array, out: Array) -> None:
    """Log density of columns of angles at a point, but for a constant; loops over columns."""
    constant = points[0, point]
    for s in range(len(out)):
        out[s] = constant
    for row in range(1, len(points)):
        share = points[row, point]
        for s in range(len(out)):
            out[s] += share * products[row, s]


@compiled
def share_out(weights: Array, n: int) -> None:
    """Make the first n columns of weights add up to one each; loops over columns."""
    total = np.zeros(n)
    for k in range(len(weights)):
        for s in range(n):
            total[s] += weights[k, s]
    for k in range(len(weights)):
        for s in range(n):
            weights[k, s] /= total[s]


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
