"""Which way is up: gravity while the wearer walks, whatever way the clip was put on.

The trunk is held nearest to upright while walking, so its mean specific force then is the wearer's own upright
(the angle to it sets sitting apart from standing and lying: Vaha-Ypya et al. 2018, Scand J Med Sci Sports 28:1640).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from processing import carried, posture, reference, statistics, swing, tilt, wear, windows
from processing.compiled import borrowing, compiled
from processing.epochs import Neutral
from processing.frozen import frozen
from processing.grid import RATE_HZ
from processing.named_axes import told
from spineclip.contract.placement import Placement

HELD: Final = 18
REFERENCE: Final = slice(0, 3)
FORWARD: Final = slice(3, 6)
STRENGTH: Final = 6
SINCE_WALK: Final = 7
LAST_WALK: Final = slice(8, 11)
NEUTRAL: Final = slice(11, 14)
STILL_S: Final = 14
ODD: Final = 15
MOUNT: Final = 16
OWN: Final = 17
"""Columns of what is known of the mounting at each second: walking reference (3), forward (3), weight behind the
reference, seconds since the last walking, gravity of the latest `reference.LAST_S` seconds of walking (3), neutral or
else reference (3), seconds of nothing but noise so far, 1 if it cannot be a clip in order plus signs that nobody wears
it (`processing.carried`), number of the mount, what the neutral is (codes of `Neutral`)."""

LITTLE: Final = 1.0
"""Weight of walking from which on there was a walk at all: somebody who shifts in a seat moves as if walking for a
second or two, with weights below it."""

SILENT_S: Final = 1800
"""After a longer silence nobody knows whether the clip was put on anew."""

DOWN_S: Final = 15
"""Up pointing down for this long: nobody hangs so; the clip was put on upside down."""

TAUGHT: Final = float(Neutral.TAUGHT)
"""What the column `OWN` says of a neutral that was taught."""

_GRAVITY: Final = statistics.GRAVITY.start
_PUSH: Final = statistics.PUSH.start
_NEVER_S: Final = 1e6
_NO_SAMPLES: Final = np.empty((0, RATE_HZ, 3))
_DOWN_COS: Final = float(np.cos(np.radians(130.0)))

_Vector = NDArray[np.float64]
Marks = tuple[int, int, int, int, int, int]
Mounting = tuple[_Vector, _Vector, tuple[_Vector, _Vector], _Vector, tuple[_Vector, _Vector, _Vector], Marks]
"""What `follow` works on: seconds of walking so far and room for those to come, what points forward (push and swing),
neutral, what was told (up, forward, usual), and marks and counts."""


@frozen
class OrientationState:
    """What is known of how a clip sits.

    Attributes
    ----------
    walked
        Shape (`reference.WALKED_S`, 4), the latest walking seconds of this mount: gravity times weight, weight; newest
        last, 0 before the first. (Older checkpoints leave out what is 0.)
    push, swing
        Sums over this mount of what points forward, and of the trunk's swing (`processing.swing`).
    last_walk, last_moved, last_covered, last_upright
        Newest second that was walking; that was not still; that was measured; in which up was not down.
    neutral
        Mean specific force while the wearer sat tall; NaN if not known in this mount.
    up, forward
        What was told of the axes; NaN if nothing.
    usual
        Up as a clip at this place mostly lies while its wearer sits tall, where the axes were told; else NaN.
    mounts, alive_s
        How often the clip was put on anew; seconds of a body at rest that were seen since then.
    """

    walked: NDArray[np.float64]
    push: NDArray[np.float64]
    last_walk: int
    last_moved: int
    last_covered: int
    last_upright: int
    neutral: NDArray[np.float64]
    up: NDArray[np.float64]
    forward: NDArray[np.float64]
    usual: NDArray[np.float64]
    mounts: int = 0
    swing: NDArray[np.float64] = field(default_factory=lambda: np.zeros((3, 3)))
    alive_s: int = 0


def begin(
    axes: Mapping[str, str],
    neutral: tuple[float, float, float] | None,
    placement: Placement = Placement.LOWER_BACK,
) -> OrientationState:
    """Return the state of a clip that was just put on."""
    up, forward = told(axes)
    known = np.full(3, np.nan) if neutral is None else np.array(neutral, dtype=np.float64)
    usual = up
    if placement.sees_trunk and np.isfinite(up).all() and np.isfinite(forward).all():
        along = posture.usual_neutral(placement)
        usual = along[0] * up + along[1] * np.cross(forward, up) + along[2] * forward
    return OrientationState(np.zeros((reference.WALKED_S, 4)), np.zeros(3), -1, -1, -1, -1, known, up, forward, usual)


def step(
    state: OrientationState, first: int, table: NDArray[np.float64], start: int, stop: int
) -> tuple[OrientationState, NDArray[np.float64]]:
    """Follow the mounting through the rows ``[start, stop)``; gives one row of `HELD` columns for each.

    Row `start` is the second `first` (since 1970). Without samples, forward is found by the push alone.
    """
    mounting, held = opened(state, first), np.empty((stop - start, HELD))
    marks = follow(mounting, first, table, start, windows.around(table, start, stop), _NO_SAMPLES, 0, held)
    return closed(state, mounting, marks), held


def opened(state: OrientationState, first: int) -> Mounting:
    """Give what `follow` takes of a state: copies of all that it brings up to date."""
    marks = state.last_walk, state.last_moved, state.last_covered, state.last_upright
    if state.last_moved < 0:
        marks = state.last_walk, first - 1, first - 1, first - 1
    ahead, walked = (state.push.copy(), state.swing.copy()), np.empty((reference.WALKED_S, 4))
    told = state.up, state.forward, state.usual
    return state.walked, walked, ahead, state.neutral.copy(), told, (*marks, state.mounts, state.alive_s)


def closed(state: OrientationState, mounting: Mounting, marks: Marks) -> OrientationState:
    """Return the state after `follow` has brought a mounting up to date."""
    _, walked, (push, swung), neutral, _, _ = mounting
    last_walk, last_moved, last_covered, last_upright, mounts, alive_s = marks
    return OrientationState(
        walked, push, last_walk, last_moved, last_covered, last_upright,
        neutral, state.up, state.forward, state.usual, mounts, swung, alive_s,
    )  # fmt: skip


@compiled
def follow(
    mounting: Mounting,
    first: int,
    table: NDArray[np.float64],
    start: int,
    folded: NDArray[np.float64],
    xyz_g: NDArray[np.float64],
    begins: int,
    held: NDArray[np.float64],
) -> Marks:
    """Go through the rows of the table, second by second, one for each of `held`, and bring the mounting up to date.

    Parameters
    ----------
    mounting
        From `opened`.
    first, start
        The first second (since 1970), and its row in the table.
    folded
        Windows of the rows (`windows.around`).
    xyz_g, begins
        Shape (n, 25, 3), the samples from row `begins` on, from two rows before `start` if there are any: without
        them, forward is found by the push alone.

    Returns
    -------
    The marks and counts in the order of `OrientationState`.
    """
    old, walked, ahead, neutral, (up, forward, usual), marks = mounting
    near = windows.sums(folded, windows.NOW), windows.sums(folded, windows.SHORT), windows.sums(folded, windows.LONG)
    reference.lay(old, walked)
    walks, known, own = np.empty((3, 4)), np.empty(HELD), np.empty(3)
    reference.sum_up(walked, walks)
    _tell(known, walks, ahead, neutral, up, forward, usual)
    sums, axes = (walked, walks, known, own), (neutral, up, forward, usual)
    return _go(sums, ahead, axes, swing.room(), marks, first, table, start, near, xyz_g, begins, held)


@borrowing
def _go(
    sums: tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]],
    ahead: tuple[NDArray[np.float64], NDArray[np.float64]],
    axes: tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]],
    room: swing.Room,
    marks: Marks,
    first: int,
    table: NDArray[np.float64],
    start: int,
    near: tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]],
    xyz_g: NDArray[np.float64],
    begins: int,
    held: NDArray[np.float64],
) -> Marks:
    """Do as `follow`, with room for all that is made on the way; loops over seconds."""
    walked, walks, known, own = sums
    last_walk, last_moved, last_covered, last_upright, mounts, alive_s = marks
    now, short, minute = near
    neutral, up, forward, usual = axes
    for i in range(start, start + len(held)):
        second, mount = first + i - start, mounts
        still, odd = wear.still_and_odd(table[i, statistics.FLAT], now, minute, i - start)
        covered = table[i, statistics.COVERED] > 0
        silent = covered and second - last_covered > SILENT_S
        last_moved, last_covered = last_moved if still else second, second if covered else last_covered
        anew = silent or second - last_moved == wear.NOT_WORN_S
        if anew:
            mounts += 1
            _put_on(walked, walks, ahead, neutral, 0)
        weight = reference.weight(table, i)
        last_walk = second if weight >= reference.SURE_WALK else last_walk
        if weight > 0:
            reference.add(table, i, weight, walked)
            _add_ahead(table, i, weight, ahead, xyz_g, i - begins, room)
            reference.sum_up(walked, walks)
        if anew or weight > 0:
            _tell(known, walks, ahead, neutral, up, forward, usual)
        # newest seconds of walking that are of a new mount
        keep = reference.LAST_S if weight > 0 and reference.turned(walks) else -1
        if keep < 0:
            last_upright = last_upright if _is_down(known, table, i) else second
            keep = int(weight > 0) if second - last_upright >= DOWN_S else -1
        if keep >= 0:
            mounts, last_upright = mounts + 1, second
            _put_on(walked, walks, ahead, neutral, keep)
            if weight > 0:
                _add_ahead(table, i, weight, ahead, xyz_g, i - begins, room)
            _tell(known, walks, ahead, neutral, up, forward, usual)
        for axis in range(3):
            own[axis] = known[REFERENCE.start + axis] if known[STRENGTH] >= reference.KNOWN else np.nan
        against = carried.signs(table, i, short, i - start, own)
        alive_s = (alive_s if mounts == mount else 0) + (against & carried.LIFELESS == 0)
        against += int(odd) + (carried.UNSEEN if alive_s < carried.PROVEN_S else 0)
        known[SINCE_WALK] = second - last_walk if last_walk >= 0 else _NEVER_S
        known[STILL_S], known[ODD], known[MOUNT] = second - last_moved, against, mounts
        _put(held, i - start, known)
    return last_walk, last_moved, last_covered, last_upright, mounts, alive_s


@borrowing
def _put(rows: NDArray[np.float64], at: int, row: NDArray[np.float64]) -> None:
    for column in range(len(row)):  # an assignment of a slice takes a second to compile
        rows[at, column] = row[column]


@borrowing
def _add_ahead(
    table: NDArray[np.float64],
    i: int,
    weight: float,
    ahead: tuple[NDArray[np.float64], NDArray[np.float64]],
    xyz_g: NDArray[np.float64],
    at: int,
    room: swing.Room,
) -> None:
    """Add what a walking second says of forward: its push, and the swing of the window that ends with it."""
    push, swung = ahead
    for axis in range(3):
        push[axis] += table[i, _PUSH + axis] * weight
    in_walk = 0 <= at < len(xyz_g)
    for back in range(1, swing.WINDOW_S):
        in_walk = in_walk and i > back and reference.weight(table, i - back) > 0
    if in_walk:
        swing.add_in(xyz_g, at, swung, room)


@borrowing
def _put_on(
    walked: NDArray[np.float64],
    walks: NDArray[np.float64],
    ahead: tuple[NDArray[np.float64], NDArray[np.float64]],
    neutral: NDArray[np.float64],
    keep: int,
) -> None:
    """Forget what held for the mount before, all but the newest `keep` seconds of walking.

    The axes are as told, since they are told of the clip, not of the day.
    """
    reference.forget(walked, keep)
    reference.sum_up(walked, walks)
    for axis in range(3):
        ahead[0][axis], neutral[axis] = 0.0, np.nan
        for other in range(3):
            ahead[1][axis, other] = 0.0


@borrowing
def _tell(
    known: NDArray[np.float64],
    walks: NDArray[np.float64],
    ahead: tuple[NDArray[np.float64], NDArray[np.float64]],
    neutral: NDArray[np.float64],
    up: NDArray[np.float64],
    forward: NDArray[np.float64],
    usual: NDArray[np.float64],
) -> None:
    """Write the axes: as told and taught, else from walking, else as usual at this place.

    Where axes were told, less walking than `reference.KNOWN` takes nothing from them.
    """
    least = reference.KNOWN if np.isfinite(up[0]) else 0.0
    for part, column in ((reference.WHOLE, REFERENCE.start), (reference.LATEST, LAST_WALK.start)):
        strength = walks[part, 3]
        for axis in range(3):
            mean = walks[part, axis] / strength
            known[column + axis] = mean if strength > 0 and strength >= least else up[axis]
    strength = walks[reference.WHOLE, 3] if walks[reference.WHOLE, 3] >= least else 0.0
    taught = _is_known(neutral)
    known[STRENGTH], known[OWN] = strength, TAUGHT if taught else strength > 0
    for axis in range(3):
        own = known[REFERENCE.start + axis] if strength > 0 else usual[axis]
        known[NEUTRAL.start + axis] = neutral[axis] if taught else own
        known[FORWARD.start + axis] = forward[axis]
    if strength >= reference.KNOWN and not _is_known(forward):
        swing.forward(ahead[0], ahead[1], known[REFERENCE], known[FORWARD])


@borrowing
def _is_down(known: NDArray[np.float64], table: NDArray[np.float64], i: int) -> bool:
    """Tell whether the wearer's up points down; no where it is not known."""
    up, gravity = known[REFERENCE], table[i, statistics.GRAVITY]
    return bool(
        reference.dot(up, gravity) < _DOWN_COS * math.sqrt(reference.dot(up, up) * reference.dot(gravity, gravity))
    )


@borrowing
def _is_known(vector: NDArray[np.float64]) -> bool:
    return bool(np.isfinite(vector[0]) and np.isfinite(vector[1]) and np.isfinite(vector[2]))


@borrowing
def vector(rows: NDArray[np.float64], row: int, start: int) -> tuple[float, float, float]:
    """Three columns of a row from one on."""
    return rows[row, start], rows[row, start + 1], rows[row, start + 2]


@compiled
def upright(held: NDArray[np.float64]) -> NDArray[np.int64]:
    """Tell how upright is known in each second: 0 not at all, 1 as told, 2 from little walking, 3 from enough."""
    known = np.empty(len(held), dtype=np.int64)
    for i in range(len(held)):
        strength = held[i, STRENGTH]
        told = np.isfinite(held[i, REFERENCE.start]) and not 0.0 < strength < LITTLE
        known[i] = int(told) + int(strength >= LITTLE) + int(strength >= reference.KNOWN)
    return known


@compiled
def angles(
    held: NDArray[np.float64], table: NDArray[np.float64], flexion: NDArray[np.float64], lateral: NDArray[np.float64]
) -> None:
    """Find flexion and lateral lean of seconds, degrees, forward and to the right positive; loops over seconds.

    Against the taught neutral if it is known, else against the wearer's own upright of walking; NaN where up or
    forward is not known.
    """
    for i in range(len(held)):
        flexion[i] = lateral[i] = np.nan
        if table[i, statistics.COVERED] > 0:
            flexion[i], lateral[i] = tilt.angles(
                vector(table, i, _GRAVITY), vector(held, i, NEUTRAL.start), vector(held, i, FORWARD.start)
            )
