"""The angles of one second's trunk in plain numbers, for a live stream, which brings them one at a time.

Number by number the same as `processing.posture.angles` does for many, which says what they mean: for a handful of
seconds, setting up arrays would cost far more than the sums themselves.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Final

import numpy as np

Vector = tuple[float, float, float]

_EPS: Final = 1e-12
_DEG: Final = 180.0 / math.pi


def angles(gravity_g: Vector, neutral_g: Vector, forward: Vector) -> tuple[float, float]:
    """Flexion and lateral lean, degrees; NaN where they cannot be told."""
    axes = _axes(neutral_g, forward)
    if axes is None:
        return math.nan, math.nan
    up, right, ahead = (_dot(gravity_g, axis) for axis in axes)
    across = float(np.hypot(right, ahead))  # of this library, as for many: another's may differ in the last bit
    if not across + abs(up) > _EPS:
        return math.nan, math.nan
    share = float(np.arctan2(across, up)) * _DEG / across if across > _EPS else 0.0
    return -ahead * share, -right * share


@lru_cache(maxsize=4096)
def _axes(neutral_g: Vector, forward: Vector) -> tuple[Vector, Vector, Vector] | None:
    """Up, right and forward of the wearer: the same from one walk to the next."""
    up = _unit(neutral_g)
    if up is None:
        return None
    along = _dot(forward, up)
    ahead = _unit((forward[0] - along * up[0], forward[1] - along * up[1], forward[2] - along * up[2]))
    if ahead is None:
        return None
    right = (
        ahead[1] * up[2] - ahead[2] * up[1],
        ahead[2] * up[0] - ahead[0] * up[2],
        ahead[0] * up[1] - ahead[1] * up[0],
    )
    return up, right, ahead


def _unit(vector: Vector) -> Vector | None:
    size = math.sqrt(_dot(vector, vector))
    return (vector[0] / size, vector[1] / size, vector[2] / size) if size > _EPS else None


def _dot(a: Vector, b: Vector) -> float:
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
