"""Which way is up: gravity while the wearer walks, whatever way the clip was put on.

The trunk is held nearest to upright while walking, so its mean specific force then is the wearer's own upright
(the angle to it sets sitting apart from standing and lying: Vaha-Ypya et al. 2018, Scand J Med Sci Sports 28:1640).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from processing import posture, statistics, tilt, wear, windows
from processing.windows import Windows
from spineclip.contract.placement import Placement

REFERENCE_S: Final = 64
"""Seconds of the latest walking that make the reference."""

SURE_WALK: Final = 0.5
"""A second that counts for this much or more was certainly walking."""

LAST_S: Final = 8
"""Seconds of the latest walking that make the last walk."""

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
reference, seconds since the last walking, gravity of the latest `LAST_S` seconds of walking (3), neutral or else
reference (3), seconds of nothing but noise so far, whether it cannot be a clip in order, number of
the mount, what the neutral is: 2 taught, 1 from walking, 0 what is usual at this place."""

KNOWN: Final = 2.0
"""Weight of walking from which on upright counts as known."""

SILENT_S: Final = 1800
"""After a longer silence nobody knows whether the clip was put on anew."""

DOWN_S: Final = 15
"""Up pointing down for this long: nobody hangs so; the clip was put on upside down."""

_FEW: Final = 4
_CERTAIN: Final = 0.7
_ALSO_BEFORE: Final = 0.3
_AS_ONE: Final = 0.9
_TURN_COS: Final = float(np.cos(np.radians(25.0)))
_DOWN_COS: Final = float(np.cos(np.radians(130.0)))
_STEADY_COS: Final = float(np.cos(np.radians(15.0)))
_DIRECTIONS: Final = ("up", "down", "left", "right", "forward", "backward")


@dataclass(frozen=True, slots=True)
class OrientationState:
    """What is known of how a clip sits.

    Attributes
    ----------
    walked
        The latest walking seconds of this mount: gravity times weight, weight; newest last.
    push
        Sum of what points forward, over this mount.
    last_walk, last_moved, last_covered, last_upright
        Newest second that was walking; that was not still; that was measured; in which up was not down.
    neutral
        Mean specific force while the wearer sat tall; NaN if not known in this mount.
    up, forward
        What was told of the axes; NaN if nothing.
    usual
        Up as a clip at this place mostly lies while its wearer sits tall, where the axes were told; else NaN.
    mounts
        How often the clip was put on anew.
    newest
        Row of `HELD` columns of the newest second; None before the first.
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
    newest: NDArray[np.float64] | None = None


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
    return OrientationState(np.empty((0, 4)), np.zeros(3), -1, -1, -1, -1, known, up, forward, usual)


def told(axes: Mapping[str, str]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Give up and forward in sensor axes from names such as ``{"x": "up", "y": "left"}``; NaN if not told."""
    found = {name: np.full(3, np.nan) for name in _DIRECTIONS}
    for axis, name in axes.items():
        unit = np.zeros(3)
        unit["xyz".index(axis)] = 1.0
        opposite = _DIRECTIONS[_DIRECTIONS.index(name) ^ 1]
        found[name], found[opposite] = unit, -unit
    up, right, forward = found["up"], found["right"], found["forward"]
    if np.isnan(forward).any():
        forward = np.cross(up, right)
    if np.isnan(up).any():
        up = np.cross(right, forward)
    return up, forward


def walking_weight(table: NDArray[np.float64], start: int, stop: int) -> NDArray[np.float64]:
    """How much the gravity of the rows ``[start, stop)`` counts as that of walking: 0, or the cubed likeness.

    A second in which the trunk turned against the one before (bending, getting up), or that follows one that was
    nothing like walking, does not count.
    """
    likeness = table[start:stop, statistics.WALK]
    if likeness.max() < 0.5:
        return np.zeros(stop - start)
    gravity = table[start:stop, statistics.GRAVITY]
    before = table[max(start - 1, 0) : stop - 1, statistics.GRAVITY]
    likely = table[max(start - 1, 0) : stop - 1, statistics.WALK] >= _ALSO_BEFORE
    if start == 0:
        before = np.concatenate([gravity[:1], before])
        likely = np.concatenate([[False], likely])
    along = _dot(gravity, before)
    size = np.sqrt(_dot(gravity, gravity) * _dot(before, before))
    steady = along > size * _STEADY_COS
    return np.where(steady & likely & (likeness >= 0.5), np.rint(likeness**3 * 64.0) / 64.0, 0.0)


def step(
    state: OrientationState,
    first: int,
    table: NDArray[np.float64],
    start: int,
    stop: int,
    *,
    near: Windows | None = None,
) -> tuple[OrientationState, NDArray[np.float64]]:
    """Follow the mounting through the rows ``[start, stop)``; gives one row of `HELD` columns for each.

    Row `start` is the second `first` (since 1970); `near` are the rows' windows, where they are known already.
    """
    n = stop - start
    flat = table[start:stop, statistics.FLAT]
    still, odd = wear.still_and_odd(flat if n > 1 else float(flat[0]), near or windows.around(table, start, stop))
    if n == 1 and table[start, statistics.WALK] < 0.5:
        going_on = _rests(state, first, table[start], still, odd)
        if going_on is not None:
            return going_on
    if state.last_moved < 0:
        state = replace(state, last_moved=first - 1, last_covered=first - 1, last_upright=first - 1)
    weight = walking_weight(table, start, stop)
    rows = table[start:stop]
    held = np.full((HELD, n), np.nan).T  # column by column: long ones are read as such
    second = np.arange(first, first + n)
    moved = np.maximum.accumulate(np.where(still, state.last_moved, second))
    seen = np.maximum.accumulate(np.where(rows[:, statistics.COVERED] > 0, second, state.last_covered))
    held[:, STILL_S] = second - moved
    held[:, ODD] = odd
    walk = np.maximum.accumulate(np.where(weight >= SURE_WALK, second, state.last_walk))
    held[:, SINCE_WALK] = np.where(walk >= 0, second - walk, 1e6)
    silent = np.concatenate([[state.last_covered], seen[:-1]])
    anew = (held[:, STILL_S] == wear.NOT_WORN_S) | ((seen == second) & (second - silent > SILENT_S))
    a = 0
    while a < n:
        state = _put_on(state) if anew[a] else state
        anew[a] = False
        later = np.flatnonzero(anew[a + 1 :])
        b = a + 1 + int(later[0]) if len(later) else n
        state, done = _mount(state, rows[a:b], weight[a:b], held[a:b], second[a:b])
        a += done
    return replace(
        state,
        last_walk=int(walk[-1]),
        last_moved=int(moved[-1]),
        last_covered=int(seen[-1]),
        newest=held[-1].copy(),
    ), held


def _rests(
    state: OrientationState, second: int, row: NDArray[np.float64], still: bool, odd: bool
) -> tuple[OrientationState, NDArray[np.float64]] | None:
    """Do the same for one second without walking in which the clip stays on, as a live stream brings most of them.

    Nothing is learnt then: what was known of the mounting a second before still holds. None where that is not so.
    """
    newest = state.newest
    if newest is None:
        return None
    _, x, y, z = row[:4].tolist()
    covered = row[statistics.COVERED] > 0
    moved = state.last_moved if still else second
    if second - moved == wear.NOT_WORN_S or (covered and second - state.last_covered > SILENT_S):
        return None
    up_x, up_y, up_z = newest[REFERENCE].tolist()
    along = up_x * x + up_y * y + up_z * z
    sizes2 = (up_x * up_x + up_y * up_y + up_z * up_z) * (x * x + y * y + z * z)
    upright = state.last_upright if along < _DOWN_COS * math.sqrt(sizes2) else second
    if second - upright >= DOWN_S:
        return None
    newest = newest.copy()
    newest[SINCE_WALK] = second - state.last_walk if state.last_walk >= 0 else 1e6
    newest[STILL_S], newest[ODD] = second - moved, odd
    seen = second if covered else state.last_covered
    return OrientationState(
        state.walked, state.push, state.last_walk, moved, seen, upright,
        state.neutral, state.up, state.forward, state.usual, state.mounts, newest,
    ), newest[None]  # fmt: skip


def _put_on(state: OrientationState) -> OrientationState:
    """Forget what held for the mount before; the axes are as told, since they are told of the clip, not of the day."""
    return replace(
        state, walked=np.empty((0, 4)), push=np.zeros(3), neutral=np.full(3, np.nan), mounts=state.mounts + 1
    )


def _mount(
    state: OrientationState,
    rows: NDArray[np.float64],
    weight: NDArray[np.float64],
    held: NDArray[np.float64],
    second: NDArray[np.int64],
) -> tuple[OrientationState, int]:
    """Fill `held` for rows of one mount; gives the number of rows until the clip shows to be put on anew."""
    n = len(rows)
    end, mounts = n, state.mounts
    walks = _walks(state, rows, weight)
    turned = walks.turned
    if turned is not None:
        end = int(np.flatnonzero(weight > 0)[turned - len(state.walked)])
    up, strength = _mean(walks.whole, state.up)
    gravity = rows[:, statistics.GRAVITY]
    down = _dot(up, gravity) < _DOWN_COS * np.sqrt(_dot(up, up) * _dot(gravity, gravity))
    upright = np.maximum.accumulate(np.where(down, state.last_upright, second))
    over = np.flatnonzero(second - upright >= DOWN_S)
    if len(over) and int(over[0]) < end:
        end, turned = int(over[0]), None
    part = slice(0, end)
    up, strength = up[: max(end, 1)], strength[: max(end, 1)]  # one row stands for all where nothing was walked
    held[part, REFERENCE] = up
    held[part, STRENGTH] = strength
    held[part, LAST_WALK] = _mean(walks.latest[: max(end, 1)], state.up)[0]
    own = (strength >= KNOWN)[:, None]
    told_forward = np.isfinite(state.forward).all()
    held[part, FORWARD] = state.forward if told_forward else np.where(own, walks.push[: max(end, 1)], np.nan)
    own_walk = (strength > 0).astype(np.float64)
    taught = bool(np.isfinite(state.neutral).all())
    held[part, NEUTRAL] = state.neutral if taught else np.where(own_walk[:, None] > 0, up, state.usual)
    held[part, OWN] = 2.0 if taught else own_walk
    held[part, MOUNT] = mounts
    if end == n:
        kept = replace(
            state, walked=walks.walked[-REFERENCE_S - LAST_S :], push=walks.push[-1], last_upright=int(upright[-1])
        )
        return kept, n
    if turned is not None:  # the walk that showed it is the first of the new mount
        return replace(
            _put_on(state), walked=walks.walked[turned - LAST_S + 1 : turned], last_upright=int(second[end])
        ), end
    return replace(_put_on(state), last_upright=int(second[end])), end


@dataclass(frozen=True, slots=True)
class _Walks:
    """Sums over the walking up to each row (one row stands for all where nothing is walked), and the first turned."""

    walked: NDArray[np.float64]
    whole: NDArray[np.float64]
    latest: NDArray[np.float64]
    push: NDArray[np.float64]
    turned: int | None


def _walks(state: OrientationState, rows: NDArray[np.float64], weight: NDArray[np.float64]) -> _Walks:
    counts = weight > 0
    if not counts.any():
        walked = state.walked
        return _Walks(
            walked,
            walked[-REFERENCE_S:].sum(axis=0)[None],  # exact in any order: see `grid`
            walked[-LAST_S:].sum(axis=0)[None],
            state.push[None],
            None,
        )
    index = np.cumsum(counts)
    new = np.empty((int(index[-1]), 4))
    new[:, 3] = weight[counts]
    new[:, :3] = rows[counts, statistics.GRAVITY] * new[:, 3:]
    walked = np.concatenate([state.walked, new])
    whole, latest = _folded(walked, REFERENCE_S), _folded(walked, LAST_S)
    push = np.cumsum(np.concatenate([[state.push], rows[counts, statistics.PUSH] * new[:, 3:]]), axis=0)
    at = index + len(state.walked)
    return _Walks(walked, whole[at], latest[at], push[index], _turned(whole, latest, len(state.walked)))


def _turned(whole: NDArray[np.float64], latest: NDArray[np.float64], old: int) -> int | None:
    """Find the first walking second, from number `old` on, whose walk has another upright than the walks before."""
    n = len(whole) - 1
    if n <= LAST_S:
        return None
    before, now = whole[1 : n - LAST_S + 1], latest[LAST_S + 1 :]
    size = np.sqrt(_dot(before, before) * _dot(now, now))
    other = _dot(now, now) * before[:, 3] ** 2 > _AS_ONE * _dot(before, before) * now[:, 3] ** 2  # all turned, not some
    other &= (_dot(before, now) < size * _TURN_COS) & (before[:, 3] >= KNOWN) & (now[:, 3] >= _CERTAIN * LAST_S)
    found = np.flatnonzero(other)
    found = found[found + LAST_S >= old]
    return int(found[0]) + LAST_S if len(found) else None


def _folded(walked: NDArray[np.float64], size: int) -> NDArray[np.float64]:
    """Sums of the last `size` rows; row i of the result ends before row i. Folded by doubling."""
    total = np.concatenate([np.zeros((size, 4)), walked])
    width = 1
    while width < size:
        total[width:] = total[width:] + total[:-width]
        width *= 2
    return total[size - 1 :]


def _mean(total: NDArray[np.float64], fallback: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean of walking rows and its weight; where axes were told, less walking than `KNOWN` takes nothing from them."""
    strength = total[:, 3]
    if math.isfinite(fallback[0]):
        strength = np.where(strength >= KNOWN, strength, 0.0)
    mean = total[:, :3] / np.maximum(strength, 1e-9)[:, None]
    return np.where((strength > 0)[:, None], mean, fallback), strength


def _dot(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(a[:, 0] * b[:, 0] + a[:, 1] * b[:, 1] + a[:, 2] * b[:, 2])


def upright(held: NDArray[np.float64]) -> NDArray[np.int64]:
    """Tell how upright is known in each second: 0 not at all, 1 as told, 2 from little walking, 3 from enough."""
    found = np.isfinite(held[:, REFERENCE.start]).astype(np.int64)
    strength = held[:, STRENGTH]
    return np.asarray(found + (strength > 0) + (strength >= KNOWN))


def angles(held: NDArray[np.float64], table: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Flexion and lateral lean of seconds, degrees, forward and to the right positive.

    Against the taught neutral if it is known, else against the wearer's own upright of walking; NaN where up or
    forward is not known.
    """
    n = len(table)
    if n <= _FEW:
        few = np.array([_angles(row, gravity) for row, gravity in zip(held.tolist(), table.tolist(), strict=True)])
        return few[:, 0], few[:, 1]
    flexion, lateral = np.full(n, np.nan), np.full(n, np.nan)
    can = np.isfinite(held[:, NEUTRAL.start]) & np.isfinite(held[:, FORWARD.start])
    can &= table[:, statistics.COVERED] > 0
    if can.any():
        rows = table[can, statistics.GRAVITY]
        flexion[can], lateral[can] = posture.angles(rows, held[can, NEUTRAL], held[can, FORWARD])
    return flexion, lateral


def _angles(held: list[float], row: list[float]) -> tuple[float, float]:
    if not row[statistics.COVERED] > 0:
        return math.nan, math.nan
    x, y, z = row[statistics.GRAVITY]
    up_x, up_y, up_z = held[NEUTRAL]
    ahead_x, ahead_y, ahead_z = held[FORWARD]
    return tilt.angles((x, y, z), (up_x, up_y, up_z), (ahead_x, ahead_y, ahead_z))
