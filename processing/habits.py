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

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from processing.activity import summed
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
    points
        Shape (m, 6, 6): for each posture the mean angles (2), the inverse of their covariance (xx, xy, yy), and the log
        of its determinant.
    """

    mount: int
    kind: int
    heard: int
    logs: Array
    counts: Array
    sums: Array
    points: Array


def begin(mount: int = -1, kind: int = -1) -> Habits:
    """Return what is known of a wearer before the first stretch of a mount."""
    return Habits(
        mount, kind, 0, np.zeros(1), np.zeros((1, _KINDS)), np.zeros((1, _KINDS, 2)), np.zeros((1, _KINDS, _COLUMNS))
    )


def learn(habits: Habits, model: PoseModel, angles_deg: Array, fine: NDArray[np.int8]) -> Habits:
    """Learn from a stretch: its angles, shape (2,), and what its fine motion says, shape (6,).

    `model` is that of people in general, or what shown poses made of it; the same for all stretches of a mount.
    """
    if habits.heard >= ENOUGH or not np.isfinite(angles_deg).all():
        return habits
    points = habits.points if habits.heard else _points(habits.counts, habits.sums, model)
    density = _densities(points, angles_deg[None])[:, :, 0]
    total = habits.logs[:, None] + _ANGLE_SHARE * np.log(density) + _FINE_SHARE * fine / EIGHTH
    total -= total.max()
    flat = total.ravel()
    best = np.argsort(-flat, kind="stable")[:WAYS]
    best = best[flat[best] > -_WORTH]
    way, posture = np.divmod(best, _KINDS)
    counts, sums = habits.counts[way].copy(), habits.sums[way].copy()
    rows = np.arange(len(best))
    counts[rows, posture] += 1.0
    sums[rows, posture] += angles_deg
    logs = flat[best]
    return replace(
        habits, heard=habits.heard + 1, logs=logs, counts=counts, sums=sums, points=_points(counts, sums, model)
    )


def chances(habits: Habits, angles_deg: Array) -> Array:
    """Chance of each posture for rows of angles, shape (n, 2) to (n, 6), by what was learned (at least one stretch)."""
    density = _densities(habits.points, angles_deg)
    share = np.exp(habits.logs - habits.logs.max())
    total = density[0] * share[0]
    for way in range(1, len(share)):
        total += density[way] * share[way]
    total /= summed(total)
    return np.asarray(total.T)


def _points(counts: Array, sums: Array, model: PoseModel) -> Array:
    """Where each posture lies in each way, by conditioning a normal distribution on all that was seen."""
    inverse, start, sure = model.precision
    precision = np.repeat(inverse[None], len(counts), axis=0)
    along = np.repeat(start[None], len(counts), axis=0)
    for posture in range(_KINDS):
        own = slice(2 * posture, 2 * posture + 2)
        precision[:, own, own] += counts[:, posture, None, None] * (sure[posture] / _NOISE)
        along[:, own] += sums[:, posture] @ (sure[posture] / _NOISE)
    spread = np.linalg.inv(precision)
    mean = (spread @ along[:, :, None])[:, :, 0]
    out = np.empty((len(counts), _KINDS, _COLUMNS))
    for posture in range(_KINDS):
        own = slice(2 * posture, 2 * posture + 2)
        around = spread[:, own, own] + model.noise[posture]
        size = around[:, 0, 0] * around[:, 1, 1] - around[:, 0, 1] * around[:, 0, 1]
        out[:, posture, :2] = mean[:, own]
        out[:, posture, 2] = around[:, 1, 1] / size
        out[:, posture, 3] = -around[:, 0, 1] / size
        out[:, posture, 4] = around[:, 0, 0] / size
        out[:, posture, 5] = np.log(size)
    return out


def _densities(points: Array, angles_deg: Array) -> Array:
    """Density of rows of angles, shape (n, 2), in each way and posture, shape (m, 6, n): rows are long."""
    columns = points.transpose(2, 0, 1)[:, :, :, None]
    x, y = angles_deg[:, 0] - columns[0], angles_deg[:, 1] - columns[1]
    far = x * x * columns[2]
    far += 2.0 * x * y * columns[3]
    far += y * y * columns[4]
    far += columns[5]
    far *= -0.5
    return np.asarray(np.exp(far) + TAIL)
