"""The axes of a clip by name, as a person tells them: which way each points on the body."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from spineclip.contract.axes import DIRECTIONS


def told(axes: Mapping[str, str]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Give up and forward in sensor axes from names such as ``{"x": "up", "y": "left"}``; NaN if not told."""
    found = {name: np.full(3, np.nan) for name in DIRECTIONS}
    for axis, name in axes.items():
        unit = np.zeros(3)
        unit["xyz".index(axis)] = 1.0
        opposite = DIRECTIONS[DIRECTIONS.index(name) ^ 1]
        found[name], found[opposite] = unit, -unit
    up, right, forward = found["up"], found["right"], found["forward"]
    if np.isnan(forward).any():
        forward = np.cross(up, right)
    if np.isnan(up).any():
        up = np.cross(right, forward)
    return up, forward
