"""Whether a body at rest stands, sits or lies, by what it has done so far: a filter over whole stories.

A second of quiet standing looks much like one of quiet sitting, least of all before any walk has shown what upright is.
But the rests of somebody hang together: by the height between them, the bow on the way, and how the trunk is held in
each (`processing.changes`); a walk begins and ends in standing; and the network's chances say a little of every rest.
So a few stories of what the wearer did are followed side by side, each with its own memory of how standing, sitting
and lying were held in it. A movement between two rests splits every story in three; the likeliest go on (a
multiple-hypothesis filter; Reid 1979, IEEE Trans Autom Control 24:843). Chances of a second are those of the stories
in which it was spent so, some seconds later, so that sitting down tells that one stood before.

Nothing but an order of rests is assumed, so it holds in any mounting; what was told of the axes is one more hint. A
clip that is put on anew begins anew.
"""

from __future__ import annotations

from dataclasses import field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from processing import changes, orientation, reference, smoothing, statistics, stories
from processing.activity import CLASSES
from processing.changes import KINDS
from processing.compiled import borrowing, compiled
from processing.epochs import State
from processing.frozen import frozen
from processing.grid import RATE_HZ
from processing.rows import with_room
from processing.stories import ANCHOR, AT_FIRST, PAST_S, REST, SECONDS, STORIES, SUMS
from spineclip.contract.placement import Placement

STILL_G: Final = 0.025
"""Mean amplitude deviation below which a second is still: 97 of 100 seconds of rest in HARTH and HAR70+."""

PLACES: Final = (Placement.LOWER_BACK, Placement.BELT)
"""Where a clip is lifted and turned as `processing.changes` knows it: nothing was measured elsewhere."""

COLUMNS: Final = KINDS + 1
"""Columns of what `follow` says of a second."""

LONGEST_S: Final = 9
"""A longer movement tells no height: its error would be more than half a metre."""

# Two seconds are one rest below these: our choices, looked at on quiet seconds of HARTH and HAR70+.
_STILL_COS: Final = float(np.cos(np.radians(4.0)))  # from second to second
_INSIDE_COS: Final = float(np.cos(np.radians(6.0)))  # from a second's first half to its other
_SLID_COS: Final = float(np.cos(np.radians(10.0)))  # from where the rest began: slowly lying back is a movement, too
_SAME_G: Final = 0.012  # in size: a lift has begun, or is not over, if it differs by more
_HALF: Final = RATE_HZ // 2
_NETWORK: Final = (0.6, 1.2)  # what its log chances count for before and after a walk; seconds repeat each other
_LEANS: Final = (0.45, 0.0, 1.2)  # before a walk it errs to the side of sitting (fitted on half of the people)
_COLUMN: Final = tuple(CLASSES.index(state) for state in (State.STANDING, State.SITTING, State.LYING))
_UP_COUNTS: Final = (2.0, 1.0)  # rests that up counts for, as told and as walked: told axes are there from the start
_GRAVITY: Final = statistics.GRAVITY.start


def _begun() -> NDArray[np.float64]:
    odds = np.full(STORIES, -np.inf)
    odds[:KINDS] = np.log(AT_FIRST)
    return odds


def _kinds() -> NDArray[np.int64]:
    return np.arange(STORIES, dtype=np.int64) % KINDS


@frozen
class RestState:
    """What is carried from second to second.

    Attributes
    ----------
    odds, now
        Shape (`STORIES`,): log chance of each story, none: -inf; and its present state, in the order of
        `processing.changes`.
    held
        Shape (`STORIES`, 3, 4): sum of directions in which each state was held, and how many.
    past
        Shape (`STORIES`, 12): states of the latest seconds, by their number since 1970.
    rest
        Shape (10,): direction of the present rest, that at its beginning, what the network said of it, its seconds.
    last
        Newest second that ended two still ones or two of walking; -1 if there is none.
    rested
        Whether those were of rest.
    unseen
        Whether a second since then was not measured.
    mount, since
        Which mount this is of, and its first second.
    """

    odds: NDArray[np.float64] = field(default_factory=_begun)
    now: NDArray[np.int64] = field(default_factory=_kinds)
    held: NDArray[np.float64] = field(default_factory=lambda: np.zeros((STORIES, KINDS, 4)))
    past: NDArray[np.int64] = field(default_factory=lambda: np.tile(_kinds()[:, None], (1, PAST_S)))
    rest: NDArray[np.float64] = field(default_factory=lambda: np.zeros(REST))
    last: int = -1
    rested: bool = False
    unseen: bool = False
    mount: int = 0
    since: int = 0


def follow(
    state: RestState,
    first: int,
    table: NDArray[np.float64],
    start: int,
    log_chances: NDArray[np.float64],
    known: NDArray[np.float64],
    xyz_g: NDArray[np.float64],
    begins: int,
    waiting: NDArray[np.float64],
) -> tuple[RestState, NDArray[np.float64]]:
    """Follow a clip through seconds from `first` (since 1970) on.

    Parameters
    ----------
    table, start
        Shape (m, `statistics.COLUMNS`), and the row of the second `first` in it; before it as many as there are.
    log_chances, known
        Shapes (n, classes) and (n, `orientation.HELD`), of the seconds to follow.
    xyz_g, begins
        Shape (k, 25, 3), see `processing.grid`, and the row of the table that its first second has: at least
        `LONGEST_S` + 4 before `start`, or as many as there are.
    waiting
        Shape (w, 4): what was said of the seconds before `first` that are not final yet.

    Returns
    -------
    The state; and chances of standing, sitting and lying of the waiting seconds and these, and the chance that a change
    was seen in this mount at all, shape (w + n, 4): final `smoothing.AHEAD_S` seconds after the block that a second is
    of.
    """
    chances = with_room(waiting, len(log_chances))
    odds, now, held = state.odds.copy(), state.now.copy(), state.held.copy()
    past, rest = state.past.copy(), state.rest.copy()
    last, rested, unseen, mount, since = _follow(
        (odds, now, held, past, rest), (state.last, state.rested, state.unseen, state.mount, state.since),
        first, table, start, log_chances, known, xyz_g, begins, len(waiting), chances,
    )  # fmt: skip
    return RestState(odds, now, held, past, rest, last, rested, unseen, mount, since), chances


@compiled
def _follow(
    followed: tuple[
        NDArray[np.float64], NDArray[np.int64], NDArray[np.float64], NDArray[np.int64], NDArray[np.float64]
    ],
    marks: tuple[int, bool, bool, int, int],
    first: int,
    table: NDArray[np.float64],
    start: int,
    log_chances: NDArray[np.float64],
    known: NDArray[np.float64],
    xyz_g: NDArray[np.float64],
    begins: int,
    waits: int,
    chances: NDArray[np.float64],
) -> tuple[int, bool, bool, int, int]:
    """Go through the seconds one by one."""
    odds, now, held, past, rest = followed
    last, rested, unseen, mount, since = marks
    still_before = start > 0 and _still(table, start - 1, xyz_g, begins)
    direction, up, weights, n = np.empty(3), np.empty(3), np.empty(STORIES), len(log_chances)
    for i in range(n):
        second, row = first + i, start + i
        worn = int(known[i, orientation.MOUNT])
        if worn != mount:
            stories.weigh(odds, now, rest, weights)
            stories.tell(
                weights, (now, held, past), max(_final(second - 1), since), second, waits + i - second, chances
            )
            last, rested, unseen, mount, since = -1, False, False, worn, second
            stories.begin(odds, now, held, past, rest)
        unseen = unseen or not table[row, statistics.COVERED] > 0
        still = _still(table, row, xyz_g, begins)
        pair = still and still_before and _alike(table, row)
        still_before = still
        walks = row > 0 and not pair and _walks(table, row) and _walks(table, row - 1)
        if pair or walks:
            changes.unit(table, row, direction)
            slid = pair and rested and last == second - 1 and stories.along(rest, ANCHOR, direction) < _SLID_COS
            if last < 0 or slid or (rested and (walks or last < second - 1)) or (pair and not rested):
                lasted_s = 2 if slid else max(second - 2 - last, 0)
                movement = (lasted_s, np.nan, 0.0, 0.0, unseen)
                from_row = last - first + start
                whole = pair and rested and not (slid or unseen) and lasted_s <= LONGEST_S
                if whole and from_row > max(begins, 0):
                    height, bow, differ = changes.seen(xyz_g, begins, table, from_row, row)
                    movement = (lasted_s, height, bow, differ, unseen)
                counts, walked = _up(known, i, up)
                if last >= 0:
                    stories.close(odds, now, held, rest, rested)
                    stories.split(
                        (odds, now, held, past), rest, movement, (pair, rested), direction, (up, counts, walked), second
                    )
                else:
                    stories.meet(odds, now, pair, direction, (up, counts, walked))
                _come_to_rest(rest, direction)
                unseen = False
            if pair:
                _hear(rest, direction, log_chances, i, known[i, orientation.STRENGTH] >= orientation.LITTLE)
            last, rested = second, pair
        for k in range(stories.alive(odds)):
            past[k, second % PAST_S] = now[k]
        low, high = _final(second - 1), _final(second)
        if high > low or i == n - 1:
            stories.weigh(odds, now, rest, weights)
            stories.tell(
                weights,
                (now, held, past),
                max(low, since),
                second + 1 if i == n - 1 else high,
                waits + i - second,
                chances,
            )
    return last, rested, unseen, mount, since


@borrowing
def _final(second: int) -> int:
    """Say up to which second all is said for good once this one was followed."""
    return (second + 1 - smoothing.AHEAD_S) // smoothing.BLOCK_S * smoothing.BLOCK_S


@borrowing
def _come_to_rest(rest: NDArray[np.float64], direction: NDArray[np.float64]) -> None:
    for k in range(len(rest)):
        rest[k] = 0.0
    for axis in range(3):
        rest[ANCHOR + axis] = direction[axis]


@borrowing
def _still(table: NDArray[np.float64], row: int, xyz_g: NDArray[np.float64], begins: int) -> bool:
    """Tell whether a second is quiet, and its second half held as the first."""
    if not table[row, statistics.COVERED] > 0 or table[row, statistics.MAD] >= STILL_G or row < begins:
        return False
    second = row - begins
    x, y, z, late_x, late_y, late_z = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    for k in range(_HALF):  # six sums side by side
        late = RATE_HZ - 1 - k
        x += xyz_g[second, k, 0]
        y += xyz_g[second, k, 1]
        z += xyz_g[second, k, 2]
        late_x += xyz_g[second, late, 0]
        late_y += xyz_g[second, late, 1]
        late_z += xyz_g[second, late, 2]
    along = x * late_x + y * late_y + z * late_z
    before2 = x * x + y * y + z * z
    after2 = late_x * late_x + late_y * late_y + late_z * late_z
    return bool(along > _INSIDE_COS * np.sqrt(before2 * after2))


@borrowing
def _alike(table: NDArray[np.float64], row: int) -> bool:
    """Tell whether a second and the one before are alike in the size and the direction of the mean."""
    along, before2, now2 = 0.0, 0.0, 0.0
    for axis in range(_GRAVITY, _GRAVITY + 3):
        before, now = table[row - 1, axis], table[row, axis]
        along += before * now
        before2 += before * before
        now2 += now * now
    alike = abs(np.sqrt(now2) - np.sqrt(before2)) < _SAME_G
    return bool(alike and along > _STILL_COS * np.sqrt(before2 * now2))


@borrowing
def _walks(table: NDArray[np.float64], row: int) -> bool:
    return bool(reference.weight(table, row) >= reference.SURE_WALK)


@borrowing
def _up(known: NDArray[np.float64], i: int, up: NDArray[np.float64]) -> tuple[float, bool]:
    """Write the direction that is up, as told or as walked; return what it counts for, and whether it was walked."""
    size2 = 0.0
    for axis in range(3):
        up[axis] = known[i, orientation.REFERENCE.start + axis]
        size2 += up[axis] * up[axis]
    strength = known[i, orientation.STRENGTH]
    walked = strength >= orientation.LITTLE
    if not size2 > 0.0 or not (walked or strength == 0.0):
        return 0.0, False
    for axis in range(3):
        up[axis] /= np.sqrt(size2)
    return _UP_COUNTS[1] if walked else _UP_COUNTS[0], walked


@borrowing
def _hear(
    rest: NDArray[np.float64], direction: NDArray[np.float64], log_chances: NDArray[np.float64], i: int, walked: bool
) -> None:
    """Take in a second of rest: how the trunk is held, and what the network says of it."""
    for axis in range(3):
        rest[axis] = direction[axis]
    counts = _NETWORK[1] if walked else _NETWORK[0]
    for kind in range(KINDS):
        rest[SUMS + kind] += counts * log_chances[i, _COLUMN[kind]] + (0.0 if walked else _LEANS[kind])
    rest[SECONDS] += 1.0
