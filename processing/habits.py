"""How one wearer's postures lie, learned while they sit, without being told which posture was which.

People differ more from each other than from themselves: a slouch that is another's lean is told apart once both have
been seen. Each stretch of sitting may have been any posture, more or less likely; a few ways to name all stretches so
far are carried on (a Gaussian mixture whose labels are unknown, followed as in multiple hypothesis tracking: Reid 1979,
IEEE Trans Autom Control 24:843), and each is a way in which `processing.pose_model` learns from poses that were shown.
Nothing is assumed of how often a posture is taken. What stretches say is weighed down, because stretches of one wearer
are wrong together: on people left out nobody is worse off who takes one or two postures alone, and all are better off
who take several.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from processing import elementary, pose_model
from processing.compiled import compiled
from processing.pose_model import PoseModel
from processing.stretch_model import EIGHTH

Array = NDArray[np.float64]

LEAST_S: Final = 20
"""A shorter stretch teaches nothing."""

ENOUGH: Final = 64
"""Stretches of one mount after which nothing more is learned: what could be known is known."""

WAYS: Final = 6
"""Ways to name the stretches that are carried on; more are no better (8, 16 and 32 tried)."""

TAIL: Final = 1e-5
"""Density, per square degree, of angles that are like no posture: one odd stretch must not decide."""

_NOISE: Final = 3.0  # a stretch counts as a third of one: those of a wearer are wrong together
_ANGLE_SHARE: Final = 0.5
_FINE_SHARE: Final = 0.3
_WORTH: Final = 12.0
_KINDS: Final = 6
_COLUMNS: Final = 6


@dataclass(frozen=True, slots=True, eq=False)  # one is like no other, so that what follows from it can be kept for it
class Habits:
    """What was learned in one mount.

    Attributes
    ----------
    mount, kind
        Which mount, and what its neutral is (columns of `processing.orientation`); -1 before the first stretch.
    heard
        Stretches learned from.
    logs
        Shape (m,): how likely each way is, natural log.
    counts, sums
        Shape (m, 6) and (m, 6, 2): stretches of each posture, and their angles added up, degrees.
    """

    mount: int
    kind: int
    heard: int
    logs: Array
    counts: Array
    sums: Array


def begin(mount: int = -1, kind: int = -1) -> Habits:
    """Return what is known of a wearer before the first stretch of a mount."""
    return Habits(mount, kind, 0, np.zeros(1), np.zeros((1, _KINDS)), np.zeros((1, _KINDS, 2)))


def learn(habits: Habits, model: PoseModel, angles_deg: Array, fine: NDArray[np.int8]) -> Habits:
    """Learn from a stretch: its angles, shape (2,), and what its fine motion says, shape (6,).

    `model` is that of people in general, or what shown poses made of it; the same for all stretches of a mount.
    """
    if habits.heard >= ENOUGH or not np.isfinite(angles_deg).all():
        return habits
    logs, counts, sums = _learnt(ways(habits, model)[0], habits.logs, habits.counts, habits.sums, angles_deg, fine)
    return Habits(habits.mount, habits.kind, habits.heard + 1, logs, counts, sums)


def chances(habits: Habits, model: PoseModel, angles_deg: Array) -> Array:
    """Chance of each posture for rows of angles, shape (n, 2) to (n, 6), by what was learned (at least one stretch)."""
    return pose_model.chances(*ways(habits, model), angles_deg, _KINDS)


def ways(habits: Habits, model: PoseModel) -> tuple[Array, float]:
    """Where each posture lies in each way, shape (6, 6 m), as much as it is likely, and the tail of all ways.

    Both as `pose_model.likely` takes them. They follow from what was learned, and are no part of what is carried on.
    """
    points = _conditioned(habits.logs, habits.counts, habits.sums, *model.precision, model.noise)
    return points, TAIL * float(np.exp(habits.logs).sum())


@compiled
def _conditioned(
    logs: Array, counts: Array, sums: Array, inverse: Array, start: Array, sure: Array, noise: Array
) -> Array:
    """Condition a normal distribution on all that was seen; loops over ways."""
    size = 2 * _KINDS
    out = np.empty((_COLUMNS, len(counts) * _KINDS))
    root, along = np.empty((size, size)), np.empty(size)
    for way in range(len(counts)):
        for row in range(size):
            along[row] = start[row]
            for column in range(size):
                root[row, column] = inverse[row, column]
        for posture in range(_KINDS):
            for i in range(2):
                row = 2 * posture + i
                for j in range(2):
                    root[row, 2 * posture + j] += counts[way, posture] * (sure[posture, i, j] / _NOISE)
                    along[row] += sums[way, posture, j] * (sure[posture, i, j] / _NOISE)
        _rooted(root)
        _uprooted(root)
        _place(root, along, noise, out, way * _KINDS)
        for posture in range(_KINDS):
            out[0, way * _KINDS + posture] += logs[way]
    return out


@compiled
def _rooted(matrix: Array) -> None:
    """Cholesky's root of a symmetric matrix, in its lower triangle (Golub and Van Loan, Matrix Computations, 4.2)."""
    for k in range(len(matrix)):
        matrix[k, k] = math.sqrt(matrix[k, k])
        for i in range(k + 1, len(matrix)):
            matrix[i, k] /= matrix[k, k]
        for j in range(k + 1, len(matrix)):
            for i in range(j, len(matrix)):
                matrix[i, j] -= matrix[i, k] * matrix[j, k]


@compiled
def _uprooted(root: Array) -> None:
    """Inverse of a lower triangle, in its place."""
    for j in range(len(root)):
        root[j, j] = 1.0 / root[j, j]
        for i in range(j + 1, len(root)):
            total = 0.0
            for k in range(j, i):
                total -= root[i, k] * root[k, j]
            root[i, j] = total / root[i, i]


@compiled
def _place(root: Array, along: Array, noise: Array, out: Array, first: int) -> None:
    """Mean and spread of the angles of each posture, from the inverse root of the precision; loops over postures."""
    size = len(along)
    seen = np.zeros(size)
    for i in range(size):
        for j in range(i + 1):
            seen[i] += root[i, j] * along[j]
    for posture in range(_KINDS):
        a, b = 2 * posture, 2 * posture + 1
        x = y = 0.0
        xx, xy, yy = noise[posture, 0, 0], noise[posture, 0, 1], noise[posture, 1, 1]
        for i in range(a, size):
            right = root[i, b] if i >= b else 0.0
            x += root[i, a] * seen[i]
            y += right * seen[i]
            xx += root[i, a] * root[i, a]
            xy += root[i, a] * right
            yy += right * right
        determinant = xx * yy - xy * xy
        xx, xy, yy = yy / determinant, -xy / determinant, xx / determinant
        at, flexed, leant = first + posture, xx * x + xy * y, xy * x + yy * y
        out[0, at] = -0.5 * (elementary.log(determinant) + flexed * x + leant * y)
        out[1, at], out[2, at] = flexed, leant
        out[3, at], out[4, at], out[5, at] = -0.5 * xx, -xy, -0.5 * yy


@compiled
def _learnt(
    points: Array, logs: Array, counts: Array, sums: Array, angles_deg: Array, fine: NDArray[np.int8]
) -> tuple[Array, Array, Array]:
    """Carry on the likeliest ways to name one stretch more; loops over ways and postures."""
    total, most, products = np.empty(len(logs) * _KINDS), -np.inf, np.empty((_COLUMNS, 1))
    pose_model.multiply(angles_deg.reshape((2, 1)), 1, products)
    for k in range(len(total)):
        way_log, density = logs[k // _KINDS], 0.0
        for row in range(_COLUMNS):
            density += points[row, k] * products[row, 0]
        density = elementary.exp(density - way_log) + TAIL
        total[k] = way_log + _ANGLE_SHARE * elementary.log(density) + _FINE_SHARE * fine[k % _KINDS] / EIGHTH
        most = max(most, total[k])
    new_logs, new_counts, new_sums = np.empty(WAYS), np.empty((WAYS, _KINDS)), np.empty((WAYS, _KINDS, 2))
    for way in range(WAYS):
        best = np.argmax(total)
        if not total[best] - most > -_WORTH:
            return new_logs[:way].copy(), new_counts[:way].copy(), new_sums[:way].copy()
        new_logs[way] = total[best] - most
        total[best] = -np.inf
        for posture in range(_KINDS):
            new_counts[way, posture] = counts[best // _KINDS, posture]
            for i in range(2):
                new_sums[way, posture, i] = sums[best // _KINDS, posture, i]
        new_counts[way, best % _KINDS] += 1.0
        for i in range(2):
            new_sums[way, best % _KINDS, i] += angles_deg[i]
    return new_logs, new_counts, new_sums
