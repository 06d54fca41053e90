"""What tells a change from one rest to another: the height between them, the bow on the way, how the trunk is held.

Between two rests the speed is zero, so the height follows from the size of the specific force alone, however the clip
is turned: integrated twice, with the mean taken away so that the body ends at rest (zero-velocity update; Skog et al.
2010, IEEE Trans Biomed Eng 57:2657). Who gets up or sits down bows on the way. Who lies has turned by some 90 degrees
against standing; and a trunk that is held as it was in an earlier rest most likely does what it did then.

All of it is soft: each function says how likely something is for a state before and a state after. Numbers are of
HARTH and HAR70+ (21 people; movements between two rests of one label, and mean directions of rests within a quarter
of an hour), or else physics and named as such, since no recording there holds whole changes.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from processing import elementary, statistics
from processing.compiled import borrowing, compiled
from processing.grid import RATE_HZ

STANDING: Final = 0
SITTING: Final = 1
LYING: Final = 2
KINDS: Final = 3
"""The rests, in the order of what goes by them."""

LIFT_M: Final = (0.40, 0.07)
"""A seat lies so far below standing, mean and spread: chairs are 0.40 to 0.50 m high, a belt is some 0.10 m above the
seat and 0.95 m above the floor."""

STAYS: Final = (0.95, 0.75, 0.6, 0.55)
"""How often somebody does the same after having moved for up to 1, 2, 10 or more seconds; of movements between two
rests of these recordings nearly all, of a laboratory's few: our choice between the two."""

STAYS_UNSEEN: Final = 0.34
"""The same after a gap: anything may have happened."""

BOW_DEG: Final = (25.0, 12.0)
"""The pelvis bows so far in getting up and sitting down, mean and spread (our choice, less than the upper trunk; see
Schenkman et al. 1990, Phys Ther 70:638), and by no more than 13 degrees in 19 of 20 other movements of two seconds
(measured)."""

_HEIGHT_M: Final = (0.03, 0.007)
"""Spread of the height of movements that were none: the first and the second times the square of the seconds; 0.05 m
for one second, 0.12 m for three, 0.24 m for five (half of them stay below 0.03, 0.07 and 0.16 m: measured)."""

_OUTLIERS: Final = 0.04  # share of heights that are wrong for reasons of their own (our choice)
_STANDARD_G: Final = 9.80665  # m/s2 (CGPM 1901)
_NARROW: Final = 1.0 / math.sqrt(2.0 * math.pi)
_SPHERE: Final = 1.0 / (4.0 * math.pi)
_ANY_DEG: Final = 1.0 / 60.0  # density of a bow that may be anything up to 60 degrees
_SMOOTHED: Final = 7  # samples to either side, 0.6 s in all: the direction, not the push
_TURNED: Final = 0.01  # squared chord, 6 degrees: who has turned less tells by time how far the turn is
_GRAVITY: Final = statistics.GRAVITY.start


@borrowing
def unit(table: NDArray[np.float64], row: int, out: NDArray[np.float64]) -> None:
    """Write the direction of the mean specific force of a second and the one before, shape (3,)."""
    size2 = 0.0
    for axis in range(3):
        out[axis] = table[row - 1, _GRAVITY + axis] + table[row, _GRAVITY + axis]
        size2 += out[axis] * out[axis]
    share = 1.0 / max(math.sqrt(size2), 1e-9)
    for axis in range(3):
        out[axis] *= share


@compiled
def seen(
    xyz_g: NDArray[np.float64], begins: int, table: NDArray[np.float64], last: int, row: int
) -> tuple[float, float, float]:
    """Look at a movement from the rest that ends with second `last` to the one that `row` is the second second of.

    Parameters
    ----------
    xyz_g, begins
        Shape (k, 25, 3), see `processing.grid`, and the row of the table that its first second has.
    table, last, row
        Shape (m, `statistics.COLUMNS`), and rows of it, with two seconds of rest before each.

    Returns
    -------
    Height of the second rest above the first, m; how far the trunk bowed against both, degrees; by how much the size of
    the two differs, g, since axes with gains of their own add what nobody knows on the way.
    """
    count = (row - last) * RATE_HZ
    before, after, turned = np.empty(3), np.empty(3), np.empty(count)
    unit(table, last, before)
    unit(table, row, after)
    bow = _turn(xyz_g, last - begins, before, after, turned)
    apart2 = 2.0 - 2.0 * _dot(before, after)
    with_turn = apart2 / (apart2 + _TURNED)
    first, second = _size(table, last - 1), _size(table, row)  # their neighbours may already, or still, move a little
    total = 0.0
    for k in range(count):
        share = with_turn * turned[k] + (1.0 - with_turn) * k / (count - 1)
        x, y, z = _sample(xyz_g, last - begins, k)
        turned[k] = math.sqrt(x * x + y * y + z * z) / max(first + (second - first) * share, 1e-6) - 1.0
        total += turned[k]
    speed, height = 0.0, 0.0
    for k in range(count):
        speed += turned[k] - total / count
        height += speed
    return height * _STANDARD_G / (RATE_HZ * RATE_HZ), bow, abs(second - first)


@compiled
def _turn(
    xyz_g: NDArray[np.float64],
    start: int,
    before: NDArray[np.float64],
    after: NDArray[np.float64],
    turned: NDArray[np.float64],
) -> float:
    """Write which share of the turn is done at each sample; return the bow: the least far from both, degrees."""
    mean, low, high, nearest = np.zeros(3), 0, 0, 1.0
    for k in range(len(turned)):
        while high < min(k + _SMOOTHED + 1, len(turned)):
            _add(mean, _sample(xyz_g, start, high), 1.0)
            high += 1
        while low < k - _SMOOTHED:
            _add(mean, _sample(xyz_g, start, low), -1.0)
            low += 1
        size = max(math.sqrt(_dot(mean, mean)), 1e-9)
        to_before, to_after = _dot(mean, before) / size, _dot(mean, after) / size
        nearest = min(nearest, max(to_before, to_after))
        done = math.sqrt(max(2.0 - 2.0 * to_before, 0.0))
        left = math.sqrt(max(2.0 - 2.0 * to_after, 0.0))
        turned[k] = done / max(done + left, 1e-9)
    return elementary.arccos(max(nearest, -1.0)) * 180.0 / math.pi


@compiled
def _sample(xyz_g: NDArray[np.float64], start: int, k: int) -> tuple[float, float, float]:
    second, sample = start + k // RATE_HZ, k % RATE_HZ
    return xyz_g[second, sample, 0], xyz_g[second, sample, 1], xyz_g[second, sample, 2]


@compiled
def _add(total: NDArray[np.float64], sample: tuple[float, float, float], times: float) -> None:
    total[0] += sample[0] * times
    total[1] += sample[1] * times
    total[2] += sample[2] * times


@compiled
def stays_or_goes(before: int, after: int, lasted_s: int, unseen: bool) -> float:
    """Chance of a state after a movement of so many seconds, given the one before, from nothing but the time."""
    stays = STAYS[3]
    stays = STAYS[2] if lasted_s <= 10 else stays
    stays = STAYS[1] if lasted_s <= 2 else stays
    stays = STAYS[0] if lasted_s <= 1 else stays
    stays = STAYS_UNSEEN if unseen else stays
    if before == after:
        return stays
    first = 0.5  # of the two others, the one that comes first in `KINDS`
    if not unseen:
        first = 0.7 if before == STANDING else (0.75 if before == SITTING else 0.4)
    return (1.0 - stays) * (first if after == (1 if before == STANDING else 0) else 1.0 - first)


@compiled
def lifted(before: int, after: int, height_m: float, lasted_s: int, differ_g: float) -> float:
    """How likely a height is (a density, 1/m) for a movement from one state to another.

    Lying is some 0.1 m below sitting, on beds of any height.
    """
    middle, spread = 0.0, 0.03
    if before != after:
        low, high = max(before, after), min(before, after)
        middle, spread = (0.1, 0.12) if high == SITTING else (LIFT_M[0] + 0.1, 0.15)
        if low == SITTING:
            middle, spread = LIFT_M
        middle = -middle if after == low else middle
    squared = float(lasted_s * lasted_s)
    wrong, gains = _HEIGHT_M[0] + _HEIGHT_M[1] * squared, differ_g * _STANDARD_G * squared / 16.0
    spread = math.sqrt(spread * spread + wrong * wrong + gains * gains)
    near = _normal(height_m - middle, spread)
    return (1.0 - _OUTLIERS) * near + _OUTLIERS * _normal(height_m - 0.5 * middle, 3.0 * spread + 0.15)


@compiled
def bowed(before: int, after: int, bow_deg: float, lasted_s: int) -> float:
    """How likely a bow is (a density, 1/degree) for a movement from one state to another; lying down, any."""
    if before == after:
        return 1.8 * _normal(bow_deg, min(5.0 + lasted_s, 14.0)) + 0.1 * _ANY_DEG
    if LYING in (before, after):
        return _ANY_DEG
    return 0.9 * _normal(bow_deg - BOW_DEG[0], BOW_DEG[1]) + 0.1 * _ANY_DEG


@compiled
def held(state: int, other: int, along: NDArray[np.float64], out: NDArray[np.float64]) -> None:
    """How likely directions are (densities on the sphere) in one state, at these cosines to that held in another.

    Two rests of standing are 4 degrees apart in the median and 13 at the 95th percentile, of sitting 9 and 43; sitting
    is 33 degrees from standing (10th to 90th percentile 5 to 57; nearer in laboratories), lying 91 (76 to 105) from
    standing and 62 (37 to 94) from sitting. Loops over cosines, side by side.
    """
    if state != other and LYING in (state, other):
        middle, spread = (0.0, 0.22) if STANDING in (state, other) else (0.42, 0.32)
        for k in range(len(along)):
            out[k] = _ring(along[k], middle, spread)
        return
    near_share, near_deg, far_share, far_deg = 0.5, 8.0, 0.5, 28.0
    if state == other:
        near_share, near_deg, far_share, far_deg = 0.8, 6.0, 0.2, 15.0
        if state == STANDING:
            near_share, near_deg, far_share, far_deg = 0.8, 3.5, 0.2, 10.0
        elif state == SITTING:
            near_share, near_deg, far_share, far_deg = 0.55, 5.0, 0.45, 20.0
    near2, far2 = _squared(near_deg), _squared(far_deg)
    for k in range(len(along)):
        out[k] = near_share * _spread_by(along[k], near2) + far_share * _spread_by(along[k], far2)


@compiled
def against_up(state: int, along: float, walked: bool) -> float:
    """How likely a direction is at this cosine to up, as it was told of the clip or as it was in walking."""
    if state == STANDING:
        return _around(along, 7.0 if walked else 12.0)
    if state == SITTING:
        return 0.3 * _around(along, 14.0) + 0.7 * _around(along, 28.0)
    return _ring(along, 0.0, 0.25)


@compiled
def unmoved(along: float) -> float:
    """How likely a direction is after a fidget that left the trunk as it was."""
    return _around(along, 3.5)


@compiled
def anywhere() -> float:
    """How likely any direction is, where nothing is known."""
    return _SPHERE


@compiled
def _around(along: float, spread_deg: float) -> float:
    """Von Mises and Fisher's density at a cosine, for small spreads."""
    return _spread_by(along, _squared(spread_deg))


@compiled
def _spread_by(along: float, spread2: float) -> float:
    return elementary.exp((along - 1.0) / spread2) / (2.0 * math.pi * spread2)


@compiled
def _squared(spread_deg: float) -> float:
    spread = spread_deg * math.pi / 180.0
    return spread * spread


@compiled
def _ring(along: float, middle: float, spread: float) -> float:
    """Density of directions whose cosine is spread around a middle."""
    return _normal(along - middle, spread) / (2.0 * math.pi)


@compiled
def _normal(x: float, spread: float) -> float:
    share = x / spread
    return _NARROW / spread * elementary.exp(-0.5 * share * share)


@compiled
def _size(table: NDArray[np.float64], row: int) -> float:
    x, y, z = table[row, _GRAVITY], table[row, _GRAVITY + 1], table[row, _GRAVITY + 2]
    return math.sqrt(x * x + y * y + z * z)


@compiled
def _dot(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    return float(a[0] * b[0] + a[1] * b[1] + a[2] * b[2])
