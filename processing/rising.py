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

from dataclasses import field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from processing import statistics
from processing.activity import SURE_OF_REST, UPRIGHT
from processing.compiled import compiled
from processing.epochs import State
from processing.frozen import frozen
from processing.grid import RATE_HZ
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

_STILL_G: Final = 0.012
_LEVEL_G: Final = 0.008  # a slow lift of a second changes the mean more than what varies about it
_STILL_COS: Final = float(np.cos(np.radians(4.0)))
_SAME_SIZE: Final = 0.02
_STANDARD_G: Final = 9.80665
_LYING_COS: Final = float(np.cos(np.radians(LYING_DEG)))
_RISEN_COS: Final = float(np.cos(np.radians(RISEN_DEG)))
_GRAVITY: Final = statistics.GRAVITY.start


@frozen
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
    table: NDArray[np.float64],
    start: int,
    mount: NDArray[np.float64],
    xyz_g: NDArray[np.float64],
    begins: int,
) -> tuple[RisingState, NDArray[np.int8]]:
    """Follow a clip through seconds from `first` (since 1970) on.

    Parameters
    ----------
    table, start
        Shape (m, `statistics.COLUMNS`), and the row of the second `first` in it; before it as many as there are.
    mount
        Shape (n,): which mount it is (column of `orientation.HELD`).
    xyz_g, begins
        Shape (k, 25, 3), see `processing.grid`, and the row of the table that its first second has: at least
        `LONGEST_S` + 4 before `start`, or as many as there are.

    Returns
    -------
    The state, and what is known of each second, shape (n,).
    """
    out = np.empty(len(mount), dtype=np.int8)
    held = state.held_g.copy()
    known, rested, worn = _follow(
        table, start, first - start, mount, xyz_g, begins, state.known, state.rested, state.mount, held, out
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
    table: NDArray[np.float64],
    start: int,
    zero: int,
    mount: NDArray[np.float64],
    xyz_g: NDArray[np.float64],
    begins: int,
    known: int,
    rested: int,
    worn: int,
    held: NDArray[np.float64],
    out: NDArray[np.int8],
) -> tuple[int, int, int]:
    """Go through the seconds one by one; row 0 of the table is the second `zero`."""
    for i in range(len(mount)):
        row = start + i
        if not table[row, statistics.COVERED] > 0 or int(mount[i]) != worn:
            known, rested, worn = NOTHING, -1, int(mount[i])
        elif row > 0 and _rests(table, row):
            last = rested - zero
            if rested >= 0 and last > begins and 2 < row - last <= LONGEST_S + 2:
                known = _moved(known, _height(xyz_g, begins, table, last, row), table, last, row, held)
            elif rested >= 0 and row - last > 1 and known != LYING:
                known = NOTHING
            known = _turned(known, table, row, held)
            rested = zero + row
        out[i] = known
    return known, rested, worn


@compiled
def _rests(table: NDArray[np.float64], row: int) -> bool:
    """Tell whether a second and the one before are still, and alike in the size and the direction of the mean."""
    for one in (row - 1, row):
        if not table[one, statistics.COVERED] > 0 or table[one, statistics.MAD] >= _STILL_G:
            return False
    along, before2, now2 = 0.0, 0.0, 0.0
    for axis in range(statistics.GRAVITY.start, statistics.GRAVITY.stop):
        before, now = table[row - 1, axis], table[row, axis]
        along += before * now
        before2 += before * before
        now2 += now * now
    alike = abs(np.sqrt(now2) - np.sqrt(before2)) < _LEVEL_G
    return bool(alike and along > _STILL_COS * np.sqrt(before2 * now2))


@compiled
def _size(table: NDArray[np.float64], row: int) -> float:
    x, y, z = table[row, _GRAVITY], table[row, _GRAVITY + 1], table[row, _GRAVITY + 2]
    return float(np.sqrt(x * x + y * y + z * z))


@compiled
def _height(xyz_g: NDArray[np.float64], begins: int, table: NDArray[np.float64], last: int, row: int) -> float:
    """Height in m from the rest that ends with second `last` to the one that begins a second before `row`.

    NaN where rest has another size after it: the axes' gains differ, and there is no telling what they add on the way.
    """
    before, after = _size(table, last - 1), _size(table, row)  # their neighbours may already, or still, move a little
    if abs(after - before) > _SAME_SIZE * before:
        return np.nan
    count = (row - last) * RATE_HZ
    pull = np.empty(count)
    total = 0.0
    for k in range(count):
        second, sample = last - begins + k // RATE_HZ, k % RATE_HZ
        x, y, z = xyz_g[second, sample, 0], xyz_g[second, sample, 1], xyz_g[second, sample, 2]
        rest = before + (after - before) * (k / (count - 1))
        pull[k] = np.sqrt(x * x + y * y + z * z) / max(rest, 1e-6) - 1.0
        total += pull[k]
    speed, height = 0.0, 0.0
    for k in range(count):
        speed += pull[k] - total / count
        height += speed
    return float(height * _STANDARD_G / (RATE_HZ * RATE_HZ))


@compiled
def _moved(
    known: int, height_m: float, table: NDArray[np.float64], last: int, row: int, held: NDArray[np.float64]
) -> int:
    """Tell what is known after a movement from the rest that ends at `last` to the one at `row`."""
    if known == LYING:
        return LYING if _along(table, row, held) <= _RISEN_COS else _from_bed(height_m)
    if known != NOTHING and _along(table, row, held) < _LYING_COS:
        return LYING
    if not abs(height_m) >= RISE_M:
        return known if abs(height_m) < LEVEL_M else NOTHING
    stands = row if height_m > 0.0 else last
    for axis in range(3):
        held[axis] = table[stands - 1, _GRAVITY + axis] + table[stands, _GRAVITY + axis]
    return UP if height_m > 0.0 else DOWN


@compiled
def _from_bed(height_m: float) -> int:
    """Tell sitting up from getting up; where the height is not known (NaN), neither."""
    if height_m > FROM_BED_M[1]:
        return UP
    return DOWN if abs(height_m) < FROM_BED_M[0] else NOTHING


@compiled
def _turned(known: int, table: NDArray[np.float64], row: int, held: NDArray[np.float64]) -> int:
    """Tell lying from how far the trunk has turned since it was known to be held up."""
    if known == NOTHING:
        return NOTHING
    along = _along(table, row, held)
    if known == LYING:
        return NOTHING if along > _RISEN_COS else LYING
    return LYING if along < _LYING_COS else known


@compiled
def _along(table: NDArray[np.float64], row: int, held: NDArray[np.float64]) -> float:
    """Cosine of the angle between the rest at `row` and how the trunk was held."""
    along, now2, held2 = 0.0, 0.0, 0.0
    for axis in range(3):
        now = table[row - 1, _GRAVITY + axis] + table[row, _GRAVITY + axis]
        along += now * held[axis]
        now2 += now * now
        held2 += held[axis] * held[axis]
    return float(along / np.sqrt(max(now2 * held2, 1e-12)))
