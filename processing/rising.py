"""Getting up and sitting down, where nothing else tells whether a body at rest sits or stands.

Before the wearer has walked, the core knows no upright to judge a tilt by, and quiet standing looks much like quiet
sitting. But who gets up lifts the clip, and who sits down lowers it. Between two rests the speed is zero, so the
height between them follows from the size of the specific force alone, however the clip is turned: integrated
twice, with the mean taken away so that the body ends at rest (zero-velocity update; Skog et al. 2010, IEEE Trans
Biomed Eng 57:2657). Movements between two rests of one kind are 0.03 m high in the median and 0.16 m at the 95th
percentile (700 of them on HARTH and HAR70+, with one label all through); a seat is some 0.45 m above the floor.

Nothing is concluded that was not seen: a longer movement such as a walk, a height in between, or a gap end what was
known.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from processing import statistics
from processing.activity import SURE_OF_REST, UPRIGHT
from processing.compiled import compiled
from processing.epochs import State
from processing.grid import ENOUGH, RATE_HZ
from processing.orientation import TAUGHT
from processing.stretches import MOVING_G

NOTHING: Final = 0
DOWN: Final = 1
UP: Final = 2
LYING: Final = 3

RISE_M: Final = 0.25
"""Least height of getting up or sitting down; 2 % of other movements between rests reach it (measured, see above)."""

LEVEL_M: Final = 0.15
"""A movement below this was neither; between the two it may have been."""

LONGEST_S: Final = 4
"""Seconds that getting up may last: errors of the height grow with the square of the time."""

FROM_BED_M: Final = (0.3, 0.6)
"""From lying, below the first the wearer sat up, above the second got up."""

LYING_DEG: Final = 65.0
"""Turned further from how the trunk was held in standing, it lies (64.9 degrees, measured against the upright of
walking: Scand J Med Sci Sports 2018, doi 10.1111/sms.13017)."""

RISEN_DEG: Final = 60.0
"""Turned back to within this it lies no more."""

CONFIDENCE: Final = 0.75
"""No recording with truth holds whole changes from a chair, so that this is a choice: likely, and never sure."""

LEAD_S: Final = LONGEST_S + 4
"""Seconds before the first one that `follow` needs, where there are any."""

_STILL_G: Final = 0.012
_LEVEL_G: Final = 0.008  # a slow lift of a second changes the mean more than what varies about it
_STILL_COS: Final = float(np.cos(np.radians(4.0)))
_SAME_SIZE: Final = 0.02
_STANDARD_G: Final = 9.80665
_LYING_COS: Final = float(np.cos(np.radians(LYING_DEG)))
_RISEN_COS: Final = float(np.cos(np.radians(RISEN_DEG)))
_HALF: Final = RATE_HZ // 2


@dataclass(frozen=True, slots=True)
class RisingState:
    """What was seen last.

    Attributes
    ----------
    known
        `NOTHING`, `DOWN`, `UP` or `LYING`.
    rested
        Newest second (since 1970) that ended two still ones; -1 if there is none.
    mount
        Which mount this is of.
    held_g
        Shape (3,), mean specific force while the wearer stood, as far as is known.
    """

    known: int = NOTHING
    rested: int = -1
    mount: int = 0
    held_g: NDArray[np.float64] = field(default_factory=lambda: np.zeros(3))


def follow(
    state: RisingState,
    first: int,
    lead: int,
    xyz_g: NDArray[np.float64],
    coverage: NDArray[np.float64],
    mount: NDArray[np.float64],
) -> tuple[RisingState, NDArray[np.int8]]:
    """Follow a clip through seconds from `first` (since 1970) on.

    Parameters
    ----------
    lead
        How many seconds of `xyz_g` and `coverage` come before `first`: `LEAD_S`, or as many as there are.
    xyz_g, coverage
        Shapes (at least lead + n, 25, 3) and (lead + n,), see `processing.grid`.
    mount
        Shape (n,): which mount it is (column of `orientation.HELD`).

    Returns
    -------
    The state, and what is known of each second, shape (n,).
    """
    out = np.empty(len(mount), dtype=np.int8)
    held = state.held_g.copy()
    known, rested, worn = _follow(
        xyz_g, coverage, first - lead, lead, mount, state.known, state.rested, state.mount, held, out
    )
    return RisingState(known, rested, worn, held), out


@compiled
def told(
    codes: NDArray[np.int8],
    confidence: NDArray[np.float64],
    known: NDArray[np.int8],
    upright: NDArray[np.int64],
    table: NDArray[np.float64],
) -> tuple[NDArray[np.int8], NDArray[np.float64]]:
    """Say sitting, standing or lying by what was seen, where upright is not known well enough from walking.

    Parameters
    ----------
    codes, confidence, known
        Shape (n,): states as the signal of each second tells them, how sure, and what `follow` found.
    upright
        Shape (n,), see `orientation.upright`.
    table
        Shape (n, `statistics.COLUMNS`), the same seconds.
    """
    codes, confidence = codes.copy(), confidence.copy()
    for i in range(len(codes)):
        guessed = upright[i] < _LITTLE and codes[i] == _SITTING
        if known[i] == NOTHING or upright[i] > _LITTLE or (confidence[i] >= CONFIDENCE and not guessed):
            continue
        rests = table[i, statistics.COVERED] > 0 and table[i, statistics.MAD] <= MOVING_G
        if rests and codes[i] in (_UNKNOWN, _LYING, _SITTING, _STANDING):
            codes[i], confidence[i] = _SAID[known[i]], CONFIDENCE
    return codes, confidence


@compiled
def unsaid(
    codes: NDArray[np.int8],
    confidence: NDArray[np.float64],
    known: NDArray[np.int8],
    upright: NDArray[np.int64],
    own: NDArray[np.float64],
) -> tuple[NDArray[np.int8], NDArray[np.float64]]:
    """Take back sitting that only the signal of the seconds tells, before any walk and with nothing taught.

    It does not tell it then: short rests of people left out, put together so that no walk comes first, were called
    sitting whatever they were, and 4 of 10 were (see `benchmarks/before_a_walk.py`). Standing, where it is said, is
    right: quiet standing sways. Parameters are those of `told`, and the column `orientation.OWN`.
    """
    codes, confidence = codes.copy(), confidence.copy()
    for i in range(len(codes)):
        seen = known[i] == DOWN or own[i] == TAUGHT
        if codes[i] == _SITTING and upright[i] < _LITTLE and not seen:
            codes[i], confidence[i] = _UNKNOWN, min(confidence[i], SURE_OF_REST)
    return codes, confidence


_UNKNOWN: Final = np.int8(State.UNKNOWN.code)
_LYING: Final = np.int8(State.LYING.code)
_SITTING: Final = np.int8(State.SITTING.code)
_STANDING: Final = np.int8(State.STANDING.code)
_SAID: Final = np.array([_UNKNOWN, _SITTING, _STANDING, _LYING], dtype=np.int8)
_LITTLE: Final = UPRIGHT - 2  # upright is known from little walking


@compiled
def _follow(
    xyz_g: NDArray[np.float64],
    coverage: NDArray[np.float64],
    begin: int,
    lead: int,
    mount: NDArray[np.float64],
    known: int,
    rested: int,
    worn: int,
    held: NDArray[np.float64],
    out: NDArray[np.int8],
) -> tuple[int, int, int]:
    """Go through the seconds one by one; row 0 of the samples is the second `begin`."""
    count = lead + len(mount)
    mean, size, still = np.empty((count, 4)), np.empty((count, RATE_HZ)), np.empty(count, dtype=np.bool_)
    for row in range(count):
        still[row] = _still(xyz_g, row, coverage[row], mean, size)
    for i in range(len(mount)):
        row, second = lead + i, begin + lead + i
        if coverage[row] < ENOUGH or int(mount[i]) != worn:
            known, rested, worn = NOTHING, -1, int(mount[i])
        elif row > 0 and still[row] and still[row - 1] and abs(mean[row, 3] - mean[row - 1, 3]) < _LEVEL_G:
            last = rested - begin
            if rested >= 0 and last >= 1 and 2 < row - last <= LONGEST_S + 2:
                known = _moved(known, _height(size, mean, last, row), mean, last, row, held)
            elif rested >= 0 and row - last > 1 and known != LYING:
                known = NOTHING
            known = _turned(known, mean, row, held)
            rested = second
        out[i] = known
    return known, rested, worn


@compiled
def _still(
    xyz_g: NDArray[np.float64], row: int, coverage: float, mean: NDArray[np.float64], size: NDArray[np.float64]
) -> bool:
    """Tell whether a second is still; fills in its mean specific force, the mean size, and each sample's size."""
    for k in range(RATE_HZ):
        x, y, z = xyz_g[row, k, 0], xyz_g[row, k, 1], xyz_g[row, k, 2]
        size[row, k] = np.sqrt(x * x + y * y + z * z)
    along, first2, last2, total, apart = 0.0, 0.0, 0.0, 0.0, 0.0
    for axis in range(3):
        first, last = 0.0, 0.0
        for k in range(_HALF):
            first += xyz_g[row, k, axis]
            last += xyz_g[row, RATE_HZ - 1 - k, axis]
        mean[row, axis] = (first + last + xyz_g[row, _HALF, axis]) / RATE_HZ
        along += first * last
        first2 += first * first
        last2 += last * last
    for k in range(RATE_HZ):
        total += size[row, k]
    mean[row, 3] = total / RATE_HZ
    for k in range(RATE_HZ):
        apart += abs(size[row, k] - mean[row, 3])
    turns = along < _STILL_COS * np.sqrt(first2 * last2)
    return bool(coverage >= ENOUGH and apart < _STILL_G * RATE_HZ and not turns)


@compiled
def _height(size: NDArray[np.float64], mean: NDArray[np.float64], last: int, row: int) -> float:
    """Height in m from the rest that ends with second `last` to the one that begins a second before `row`.

    NaN where rest has another size after it: the axes' gains differ, and there is no telling what they add on the way.
    """
    before, after = mean[last - 1, 3], mean[row, 3]  # their neighbours may already, or still, move a little
    if abs(after - before) > _SAME_SIZE * before:
        return np.nan
    count = (row - last) * RATE_HZ
    pull = np.empty(count)
    total = 0.0
    for k in range(count):
        rest = before + (after - before) * (k / (count - 1))
        pull[k] = size[last + k // RATE_HZ, k % RATE_HZ] / max(rest, 1e-6) - 1.0
        total += pull[k]
    speed, height = 0.0, 0.0
    for k in range(count):
        speed += pull[k] - total / count
        height += speed
    return height * _STANDARD_G / (RATE_HZ * RATE_HZ)


@compiled
def _moved(
    known: int, height_m: float, mean: NDArray[np.float64], last: int, row: int, held: NDArray[np.float64]
) -> int:
    """Tell what is known after a movement from the rest that ends at `last` to the one at `row`."""
    if known == LYING:
        return LYING if _along(mean, row, held) <= _RISEN_COS else _from_bed(height_m)
    if known != NOTHING and _along(mean, row, held) < _LYING_COS:
        return LYING
    if not abs(height_m) >= RISE_M:
        return known if abs(height_m) < LEVEL_M else NOTHING
    stands = row if height_m > 0.0 else last
    for axis in range(3):
        held[axis] = mean[stands - 1, axis] + mean[stands, axis]
    return UP if height_m > 0.0 else DOWN


@compiled
def _from_bed(height_m: float) -> int:
    """Tell sitting up from getting up; where the height is not known (NaN), neither."""
    if height_m > FROM_BED_M[1]:
        return UP
    return DOWN if abs(height_m) < FROM_BED_M[0] else NOTHING


@compiled
def _turned(known: int, mean: NDArray[np.float64], row: int, held: NDArray[np.float64]) -> int:
    """Tell lying from how far the trunk has turned since it was known to be held up."""
    if known == NOTHING:
        return NOTHING
    along = _along(mean, row, held)
    if known == LYING:
        return NOTHING if along > _RISEN_COS else LYING
    return LYING if along < _LYING_COS else known


@compiled
def _along(mean: NDArray[np.float64], row: int, held: NDArray[np.float64]) -> float:
    """Cosine of the angle between the rest at `row` and how the trunk was held."""
    now = np.empty(3)
    for axis in range(3):
        now[axis] = mean[row - 1, axis] + mean[row, axis]
    return _cosine(now, held)


@compiled
def _cosine(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    along = a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
    size = (a[0] * a[0] + a[1] * a[1] + a[2] * a[2]) * (b[0] * b[0] + b[1] * b[1] + b[2] * b[2])
    return float(along / np.sqrt(max(size, 1e-12)))
