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
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from processing import elementary
from processing.compiled import compiled
from processing.pose_model import PoseModel, distances, normalise
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


@dataclass(frozen=True, slots=True)
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
    logs, counts, sums = _learnt(columns(habits, model), habits.logs, habits.counts, habits.sums, angles_deg, fine)
    return Habits(habits.mount, habits.kind, habits.heard + 1, logs, counts, sums)


def chances(habits: Habits, model: PoseModel, angles_deg: Array) -> Array:
    """Chance of each posture for rows of angles, shape (n, 2) to (n, 6), by what was learned (at least one stretch)."""
    return _chances(columns(habits, model), shares(habits), np.ascontiguousarray(angles_deg, dtype=np.float64))


def shares(habits: Habits) -> Array:
    """Chance of each way against that of the likeliest, shape (m,)."""
    return np.asarray(np.exp(habits.logs - habits.logs.max()))


def columns(habits: Habits, model: PoseModel) -> Array:
    """Where each posture lies in each way, as `pose_model.distances` takes it, shape (6, 6 m): way by way."""
    return _columns(model, habits.counts.tobytes(), habits.sums.tobytes())


@lru_cache(maxsize=256)
def _columns(model: PoseModel, counts: bytes, sums: bytes) -> Array:
    """Work it out once, not for every second."""
    by_way = np.frombuffer(counts).reshape(-1, _KINDS).copy(), np.frombuffer(sums).reshape(-1, _KINDS, 2).copy()
    return _conditioned(*by_way, *model.precision, model.noise)


@compiled
def _conditioned(counts: Array, sums: Array, inverse: Array, start: Array, sure: Array, noise: Array) -> Array:
    """Condition a normal distribution on all that was seen; loops over ways."""
    size = 2 * _KINDS
    out = np.empty((_COLUMNS, len(counts) * _KINDS))
    root, along = np.empty((size, size)), np.empty(size)
    for way in range(len(counts)):
        root[:], along[:] = inverse, start
        for posture in range(_KINDS):
            for i in range(2):
                row = 2 * posture + i
                for j in range(2):
                    root[row, 2 * posture + j] += counts[way, posture] * (sure[posture, i, j] / _NOISE)
                    along[row] += sums[way, posture, j] * (sure[posture, i, j] / _NOISE)
        _rooted(root)
        _uprooted(root)
        _place(root, along, noise, out, way * _KINDS)
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
        at = first + posture
        out[0, at], out[1, at] = x, y
        out[2, at], out[3, at], out[4, at] = yy / determinant, -2.0 * xy / determinant, xx / determinant
        out[5, at] = elementary.log(determinant)


@compiled
def _learnt(
    points: Array, logs: Array, counts: Array, sums: Array, angles_deg: Array, fine: NDArray[np.int8]
) -> tuple[Array, Array, Array]:
    """Carry on the likeliest ways to name one stretch more; loops over ways and postures."""
    total = np.empty(len(logs) * _KINDS)
    densities(points, angles_deg.reshape((1, 2)), 0, total)
    most = -np.inf
    for k in range(len(total)):
        total[k] = logs[k // _KINDS] + _ANGLE_SHARE * elementary.log(total[k])
        total[k] += _FINE_SHARE * fine[k % _KINDS] / EIGHTH
        most = max(most, total[k])
    new_logs, new_counts, new_sums = np.empty(WAYS), np.empty((WAYS, _KINDS)), np.empty((WAYS, _KINDS, 2))
    for way in range(WAYS):
        best = np.argmax(total)
        if not total[best] - most > -_WORTH:
            return new_logs[:way].copy(), new_counts[:way].copy(), new_sums[:way].copy()
        new_logs[way] = total[best] - most
        total[best] = -np.inf
        new_counts[way], new_sums[way] = counts[best // _KINDS], sums[best // _KINDS]
        new_counts[way, best % _KINDS] += 1.0
        new_sums[way, best % _KINDS] += angles_deg
    return new_logs, new_counts, new_sums


@compiled
def densities(points: Array, angles_deg: Array, row: int, out: Array) -> None:
    """Density of a row of angles at each point, shape (6 m,)."""
    distances(points, angles_deg, row, out)
    for k in range(points.shape[1]):
        out[k] = elementary.exp(-0.5 * out[k]) + TAIL


@compiled
def likely(points: Array, by_way: Array, angles_deg: Array, row: int, work: Array, out: Array) -> None:
    """Chance of each posture for a row of angles by ways and their shares; `work` has room for a number a point."""
    densities(points, angles_deg, row, work)
    out[:] = 0.0
    for way in range(len(by_way)):
        for k in range(_KINDS):
            out[k] += work[way * _KINDS + k] * by_way[way]
    normalise(out)


@compiled
def _chances(points: Array, by_way: Array, angles_deg: Array) -> Array:
    """Loop over rows of angles."""
    out, work = np.empty((len(angles_deg), _KINDS)), np.empty(points.shape[1])
    for row in range(len(angles_deg)):
        likely(points, by_way, angles_deg, row, work, out[row])
    return out
