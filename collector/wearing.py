"""Small judgements about a wearable in the hand or on the body: which one is shaken, whether the wearer sits still."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

SHAKEN_G: Final = 0.3
"""A hand that shakes moves a wearable by more than 1 g; walking beside one by less than a third of that."""
CLEARLY: Final = 3.0
"""So many times the movement of every other one it takes to tell which one is shaken (our choice)."""
STILL_G: Final = 0.03
"""Breathing moves a clip on the chest by some hundredths of a g; a shift on the chair by more."""
_ONE_G: Final = (0.85, 1.15)
"""Uncalibrated sensors are off by a few percent; beyond that something else is wrong."""


def movement_g(xyz_g: NDArray[np.float64]) -> float:
    """Return the standard deviation of the specific force, all axes together, g; 0 with fewer than two samples."""
    return float(np.sqrt(xyz_g.var(axis=0).sum())) if len(xyz_g) > 1 else 0.0


def most_shaken(movements_g: Mapping[str, float]) -> str | None:
    """Return the one that is shaken, if one clearly is: past `SHAKEN_G`, and `CLEARLY` times all others."""
    ranked = sorted(movements_g, key=movements_g.__getitem__, reverse=True)
    if not ranked or movements_g[ranked[0]] < SHAKEN_G:
        return None
    if len(ranked) > 1 and movements_g[ranked[0]] < CLEARLY * movements_g[ranked[1]]:
        return None
    return ranked[0]


@dataclass(frozen=True, slots=True)
class Stillness:
    """A stretch of sitting: the mean specific force, sensor axes, g, and why it cannot be used (empty when it can)."""

    mean_g: tuple[float, float, float]
    problem: str


def stillness(xyz_g: NDArray[np.float64], least: int) -> Stillness:
    """Judge a stretch that is to be the wearer's neutral.

    Parameters
    ----------
    xyz_g
        Shape (n, 3).
    least
        Samples that there must be.
    """
    if len(xyz_g) < least:
        return Stillness((0.0, 0.0, 0.0), f"only {len(xyz_g)} of {least} samples came; the link is too slow")
    x, y, z = (float(value) for value in xyz_g.mean(axis=0))
    moved_g = movement_g(xyz_g)
    length_g = (x * x + y * y + z * z) ** 0.5
    problem = ""
    if moved_g > STILL_G:
        problem = f"you moved ({moved_g * 1000:.0f} mg; at most {STILL_G * 1000:.0f} are still)"
    elif not _ONE_G[0] <= length_g <= _ONE_G[1]:
        problem = f"the wearable measures {length_g:.2f} g at rest instead of 1 g"
    return Stillness((x, y, z), problem)
