"""The line through bounds: each packet was ready not after one instant and usually not before another.

A line ``a + b x`` (x a packet's last sample) must lie below every upper bound; and above every lower bound, but for
those of packets that had to be sent again. So the line lies in a strip between two hulls, and where packets wander
over the connection interval that strip narrows at both edges. What is unknown is weighed the way of Bayes: for each
slope on a grid that is refined around the best, the highest line below the upper bounds, and from there down, each
lower bound that a line misses counts against it by the odds of a repeated transmission. The result is the mean and the
standard deviation of slope and height; where connection interval and packets keep step, the strip stays wide, and the
standard deviations say so.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

_SLOPES: Final = 25
_ROUNDS: Final = 12
_NEXT: Final = 8
"""So many missed bounds deep the heights of one slope are followed: beyond, nothing is likely any more."""
_MISS: Final = (0.5, 3.0)
"""Least and greatest cost (natural logarithm) of a missed lower bound ..."""
_TOGETHER: Final = 0.7
"""... which is less than its odds, since packets behind one that is sent again wait too."""
_LIKELY: Final = 14.0
_TAIL: Final = 3.0
"""Degrees of freedom of what is known beforehand (Student's t): a clock that has changed is believed in the end."""

Reals = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Strip:
    """A line with standard deviations, at the place `x`.

    `lead` is by how much the highest line below all upper bounds lies above this one; `missed` the share of lower
    bounds that the line misses.
    """

    x: float
    height: float
    height_error: float
    slope: float
    slope_error: float
    lead: float
    missed: float


def fit(
    x: Reals,
    upper: Reals,
    lower: Reals,
    *,
    prior: tuple[float, float],
    guess: tuple[float, float],
    at: float,
    gone: tuple[int, int] = (0, 0),
) -> Strip:
    """Find the line.

    Parameters
    ----------
    x, upper, lower
        Places and bounds, all (n,); a lower bound may be -inf.
    prior
        What is known of the slope: value and standard deviation.
    guess
        Where to look for it first: value and half width.
    at
        The place at which the height is wanted.
    gone
        Lower bounds that were let go: how many were missed, of how many.
    """
    known = np.isfinite(lower)
    x_lower, lower = x[known] - at, lower[known]
    x_upper = x - at
    widest = float(np.max(upper[known] - lower)) if lower.size else 0.0
    middle, half = guess
    for _ in range(_ROUNDS):
        slopes = np.linspace(middle - half, middle + half, _SLOPES)
        tops = np.min(upper[None, :] - slopes[:, None] * x_upper, axis=1)
        over = lower[None, :] - slopes[:, None] * x_lower - tops[:, None]
        weight, depth, depth_2, missed = _weigh(over, widest, gone)
        weight += -(_TAIL + 1) / 2 * np.log1p(((slopes - prior[0]) / prior[1]) ** 2 / _TAIL)
        likely = np.flatnonzero(weight > weight.max() - _LIKELY)
        left, right = int(likely[0]), int(likely[-1])
        if left == 0 or right == _SLOPES - 1:
            middle, half = float(slopes[int(np.argmax(weight))]), half * 4
            continue
        if right - left >= _SLOPES // 2:
            break
        middle = float(slopes[left - 1] + slopes[right + 1]) / 2
        half = float(slopes[right + 1] - slopes[left - 1]) / 2
    share = np.exp(weight - weight.max())
    share /= share.sum()
    slope = float(share @ slopes)
    heights = tops - depth
    height = float(share @ heights)
    spread = float(share @ (depth_2 - depth**2 + (heights - height) ** 2))
    best = int(np.argmax(share))
    return Strip(
        x=at,
        height=height,
        height_error=max(spread, 0.0) ** 0.5,
        slope=slope,
        slope_error=float(share @ (slopes - slope) ** 2) ** 0.5,
        lead=float(share @ depth),
        missed=float(missed[best]),
    )


def _weigh(over: Reals, widest: float, gone: tuple[int, int]) -> tuple[Reals, Reals, Reals, Reals]:
    """Weigh each slope by how far lower bounds lie over its highest line, (slopes, n).

    Returns the logarithm of the weight over all depths below that line, mean depth and mean squared depth, and the
    share of bounds that are missed at depth 0; all (slopes,).
    """
    n = over.shape[1]
    misses = np.count_nonzero(over >= 0, axis=1).astype(np.float64)
    if not n:
        return misses, misses, misses, misses
    share = (misses.min() + gone[0] + 1.0) / (n + gone[1] + 1.0)
    cost = float(np.clip(_TOGETHER * np.log((1 - share) / share) if share < 1 else 0.0, *_MISS))
    follow = min(_NEXT, n)
    below = np.where(over >= 0, -np.inf, over)
    nearest = -np.sort(np.partition(below, n - follow, axis=1)[:, n - follow :], axis=1)[:, ::-1]
    edges = np.minimum(np.concatenate([np.zeros((len(over), 1)), nearest], axis=1), widest)
    rate = np.exp(-cost * np.arange(follow))
    one = (np.diff(edges, axis=1) * rate).sum(axis=1)
    one = np.maximum(one, 1e-12)
    two = (np.diff(edges**2, axis=1) / 2 * rate).sum(axis=1) / one
    three = (np.diff(edges**3, axis=1) / 3 * rate).sum(axis=1) / one
    return np.log(one) - cost * misses, two, three, (misses + gone[0]) / (n + gone[1])
