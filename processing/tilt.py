"""The angles of one second's trunk in plain numbers, for loops: `processing.posture.angles` says what they mean."""

from __future__ import annotations

import math
from typing import Final

from processing import elementary
from processing.compiled import compiled

Vector = tuple[float, float, float]

_EPS: Final = 1e-12
_DEG: Final = 180.0 / math.pi


@compiled
def angles(gravity_g: Vector, neutral_g: Vector, forward: Vector) -> tuple[float, float]:
    """Flexion and lateral lean, degrees; NaN where they cannot be told."""
    x, y, z = neutral_g
    size = math.sqrt(_dot(neutral_g, neutral_g))
    if not size > _EPS:
        return math.nan, math.nan
    x, y, z = x / size, y / size, z / size
    along = _dot(forward, (x, y, z))
    a, b, c = forward[0] - along * x, forward[1] - along * y, forward[2] - along * z
    size = math.sqrt(_dot((a, b, c), (a, b, c)))
    if not size > _EPS:
        return math.nan, math.nan
    a, b, c = a / size, b / size, c / size
    up, ahead = _dot(gravity_g, (x, y, z)), _dot(gravity_g, (a, b, c))
    right = _dot(gravity_g, (b * z - c * y, c * x - a * z, a * y - b * x))
    across = math.sqrt(right * right + ahead * ahead)
    if not across + abs(up) > _EPS:
        return math.nan, math.nan
    share = elementary.arctan2(across, up) * _DEG / across if across > _EPS else 0.0
    return -ahead * share, -right * share


@compiled
def _dot(a: Vector, b: Vector) -> float:
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
