"""Which way is up: gravity while the wearer walks, whatever way the clip was put on.

The trunk is held nearest to upright while walking, so its mean specific force then is the wearer's own upright
(the angle to it sets sitting apart from standing and lying: Vaha-Ypya et al. 2018, Scand J Med Sci Sports 28:1640).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from processing import posture, statistics

REFERENCE_S: Final = 64
"""Seconds of the latest walking that make the reference."""

HELD: Final = 8
REFERENCE: Final = slice(0, 3)
FORWARD: Final = slice(3, 6)
COUNT: Final = 6
SINCE_WALK: Final = 7
"""Columns of what is known of the mounting at each second: walking reference (3), forward (3), seconds behind the
reference, seconds since the last walking."""

_DIRECTIONS: Final = ("up", "down", "left", "right", "forward", "backward")


@dataclass(frozen=True, slots=True)
class OrientationState:
    """Walking seconds' gravity (newest last), the last walking second, and what was told."""

    walked: NDArray[np.float64]
    last_walk: int
    up: NDArray[np.float64]
    forward: NDArray[np.float64]
    neutral: NDArray[np.float64]


def begin(axes: Mapping[str, str], neutral: tuple[float, float, float] | None) -> OrientationState:
    """Return the state of a clip that was just put on."""
    up, forward = told(axes)
    none = np.full(3, np.nan)
    return OrientationState(np.empty((0, 3)), -1, up, forward, none if neutral is None else np.array(neutral))


def told(axes: Mapping[str, str]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Give up and forward in sensor axes from names such as ``{"x": "up", "y": "left"}``; NaN if not told."""
    found = {name: np.full(3, np.nan) for name in _DIRECTIONS}
    for axis, name in axes.items():
        unit = np.zeros(3)
        unit["xyz".index(axis)] = 1.0
        opposite = _DIRECTIONS[_DIRECTIONS.index(name) ^ 1]
        found[name], found[opposite] = unit, -unit
    up, right, forward = found["up"], found["right"], found["forward"]
    if np.isnan(forward).any():
        forward = np.cross(up, right)
    if np.isnan(up).any():
        up = np.cross(right, forward)
    return up, forward


def step(
    state: OrientationState, first: int, table: NDArray[np.float64], walks: NDArray[np.bool_]
) -> tuple[OrientationState, NDArray[np.float64]]:
    """Follow the mounting through the seconds from `first` on; gives one row of `HELD` columns for each."""
    n = len(table)
    held = np.full((n, HELD), np.nan)
    walked = np.concatenate([state.walked, table[walks, statistics.GRAVITY]])
    count = np.cumsum(walks) + len(state.walked)
    sums = np.concatenate([np.zeros((1, 3)), np.cumsum(walked, axis=0)])
    low = np.maximum(count - REFERENCE_S, 0)
    known = count > 0
    mean = (sums[count] - sums[low]) / np.maximum(count - low, 1)[:, None]
    held[:, REFERENCE] = np.where(known[:, None], mean, state.up)
    held[:, FORWARD] = state.forward
    held[:, COUNT] = np.minimum(count, REFERENCE_S)
    index = np.arange(first, first + n)
    latest = np.maximum.accumulate(np.where(walks, index, state.last_walk))
    held[:, SINCE_WALK] = np.where(latest >= 0, index - latest, 1e6)
    after = OrientationState(
        walked[-REFERENCE_S:], int(latest[-1]) if n else state.last_walk, state.up, state.forward, state.neutral
    )
    return after, held


def angles(held: NDArray[np.float64], table: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Flexion and lateral lean of seconds against the reference, degrees; NaN where forward is not known."""
    n = len(table)
    flexion, lateral = np.full(n, np.nan), np.full(n, np.nan)
    for i in np.flatnonzero(np.isfinite(held[:, :6]).all(axis=1) & (table[:, statistics.COVERED] > 0)).tolist():
        one, other = posture.angles(table[i : i + 1, statistics.GRAVITY], held[i, REFERENCE], held[i, FORWARD])
        flexion[i], lateral[i] = one[0], other[0]
    return flexion, lateral
