"""Stories of what a wearer did: each a state now, a memory of how every state was held in it, and how likely it is.

They are followed by `processing.rests`: split by movements, weighed by what was seen, and the likeliest kept (a
multiple-hypothesis filter; Reid 1979, IEEE Trans Autom Control 24:843).
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from processing import changes, elementary
from processing.changes import KINDS, LYING, SITTING, STANDING
from processing.compiled import borrowing, compiled

STORIES: Final = 24
"""How many are followed at most (our choice: some microseconds for each movement)."""

AT_FIRST: Final = (0.45, 0.4, 0.15)
"""Chance of standing, sitting and lying when nothing was seen yet (our choice: who puts on a clip is up)."""

PAST_S: Final = 12
"""Seconds whose states a story remembers."""

CHANGED: Final = KINDS
"""Column of the chance that a change was seen."""

ANCHOR: Final = 3
SUMS: Final = 6
SECONDS: Final = 9
REST: Final = 10
"""Of the present rest: where its direction at its beginning stands, after the newest; what the network said of each
state; how many seconds it has; how many numbers there are."""

# Our choices, looked at on the people of HARTH and HAR70+; what was tried is in docs/validation.md.
_KEPT: Final = 6.0  # rests that a memory of how a state was held goes back over: people settle anew
_LEAST: Final = -9.0  # log odds against the likeliest below which a story is dropped: 1 in 8,000
_WALKED: Final = -3.0  # log odds of a walk that begins or ends in a seat: one gets up before one walks
_AT_ONCE: Final = -2.0  # and of getting up and walking within a second
_UNMOVED: Final = 0.6  # share of fidgets that leave the trunk as it was
_BOW_COUNTS: Final = 0.9  # what a bow counts for beside the height: both come of the same movement
_NEAR: Final = 1e-6  # keeps the logarithm of a density that is none finite
_HALFWAY_S: Final = 4.0  # length of a rest at which the network is believed by half
_OWN: Final = 3.0  # what a rest of the same state counts for against one of another
_STRAY: Final = 0.03  # share of rests held as nobody would have thought


@borrowing
def along(rest: NDArray[np.float64], start: int, direction: NDArray[np.float64]) -> float:
    """Cosine of the angle between a direction and one of the present rest."""
    return float(rest[start] * direction[0] + rest[start + 1] * direction[1] + rest[start + 2] * direction[2])


@borrowing
def alive(odds: NDArray[np.float64]) -> int:
    """How many stories there are: the likeliest come first."""
    n = 0
    while n < STORIES and odds[n] > -np.inf:
        n += 1
    return n


@borrowing
def begin(
    odds: NDArray[np.float64],
    now: NDArray[np.int64],
    held: NDArray[np.float64],
    past: NDArray[np.int64],
    rest: NDArray[np.float64],
) -> None:
    """Begin anew: three stories of a clip that was just put on."""
    for k in range(STORIES):
        now[k] = k % KINDS
        odds[k] = elementary.log(AT_FIRST[k]) if k < KINDS else -np.inf
        for s in range(PAST_S):
            past[k, s] = now[k]
        for kind in range(KINDS):
            for column in range(4):
                held[k, kind, column] = 0.0
    for k in range(len(rest)):
        rest[k] = 0.0


@borrowing
def _said(rest: NDArray[np.float64], kind: int) -> float:
    """What the network has said of the present rest: its mean, and little while it is short."""
    return float((rest[SUMS + kind] - rest[SUMS + SITTING]) / (rest[SECONDS] + _HALFWAY_S))


@borrowing
def close(
    odds: NDArray[np.float64],
    now: NDArray[np.int64],
    held: NDArray[np.float64],
    rest: NDArray[np.float64],
    rested: bool,
) -> None:
    """Add the rest that is over to every story."""
    for k in range(alive(odds)):
        odds[k] += _said(rest, now[k])
        if rested:
            mine = held[k, now[k]]
            less = _KEPT / (mine[3] + 1.0) if mine[3] + 1.0 > _KEPT else 1.0
            for axis in range(3):
                mine[axis] = (mine[axis] + rest[axis]) * less
            mine[3] = (mine[3] + 1.0) * less


@compiled
def meet(
    odds: NDArray[np.float64],
    now: NDArray[np.int64],
    pair: bool,
    direction: NDArray[np.float64],
    up: tuple[NDArray[np.float64], float, bool],
) -> None:
    """Weigh the stories by how the first rest is held, or by a walk."""
    likely = np.empty((KINDS, 1))
    _directed(direction, np.zeros((1, KINDS, 4)), up, likely)
    for k in range(KINDS):
        if pair:
            odds[k] += elementary.log(likely[now[k], 0])
        elif now[k] != STANDING:
            odds[k] += _WALKED


@compiled
def split(
    stories: tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.float64], NDArray[np.int64]],
    rest: NDArray[np.float64],
    movement: tuple[int, float, float, float, bool],
    ends: tuple[bool, bool],
    direction: NDArray[np.float64],
    up: tuple[NDArray[np.float64], float, bool],
    second: int,
) -> None:
    """Go on with every story in three ways after a movement, and keep the likeliest.

    `movement` is how long it lasted, what `changes.seen` saw of it, and whether a part was not measured; `ends` whether
    it led to a rest, and from one: if not, to or from a walk.
    """
    odds, now, held, _ = stories
    pair, rested = ends
    n = alive(odds)
    found, likely, seen = np.empty(KINDS * n), np.ones((KINDS, n)), np.empty((KINDS, KINDS))
    for before in range(KINDS):
        for after in range(KINDS):
            seen[before, after] = _moved(before, after, movement, pair)
    if pair:
        _directed(direction, held[:n], up, likely)
    same = changes.unmoved(along(rest, 0, direction))
    for k in range(n):
        if pair and rested:
            likely[now[k], k] = _UNMOVED * same + (1.0 - _UNMOVED) * likely[now[k], k]
    for after in range(KINDS):
        for k in range(n):
            likely[after, k] = elementary.log(likely[after, k])
        for k in range(n):
            found[KINDS * k + after] = odds[k] + seen[now[k], after] + likely[after, k]
    _keep(stories, found, second - 1 - movement[0] // 2, second)


@compiled
def _moved(before: int, after: int, movement: tuple[int, float, float, float, bool], pair: bool) -> float:
    """Log of how likely a movement is from one state to another, but for how the trunk is held after it."""
    lasted_s, height, bow, differ, unseen = movement
    found = elementary.log(changes.stays_or_goes(before, after, lasted_s, unseen))
    if not np.isnan(height):
        found += elementary.log(changes.lifted(before, after, height, lasted_s, differ) + _NEAR)
        found += _BOW_COUNTS * elementary.log(changes.bowed(before, after, bow, lasted_s) + _NEAR)
    if not pair:  # a walk, which nobody begins from a seat at once
        found += _WALKED if after != STANDING else 0.0
        found += _AT_ONCE if before != STANDING and lasted_s <= 1 else 0.0
    return found


@compiled
def _keep(
    stories: tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.float64], NDArray[np.int64]],
    found: NDArray[np.float64],
    changed: int,
    second: int,
) -> None:
    """Replace the stories by the likeliest of those found, whose state has changed with the second `changed`."""
    odds, now, held, past = stories
    n = len(found) // KINDS
    old_held, old_past, order = held[:n].copy(), past[:n].copy(), np.empty(STORIES, dtype=np.int64)
    kept = _likeliest(found, order)
    for k in range(STORIES):
        odds[k] = found[order[k]] - found[order[0]] if k < kept else -np.inf
    for k in range(kept):
        parent = order[k] // KINDS
        now[k] = order[k] % KINDS
        for kind in range(KINDS):
            for column in range(4):
                held[k, kind, column] = old_held[parent, kind, column]
        for s in range(PAST_S):
            past[k, s] = old_past[parent, s]
        for s in range(max(changed, second - PAST_S + 1), second):
            past[k, s % PAST_S] = now[k]


@compiled
def _likeliest(found: NDArray[np.float64], order: NDArray[np.int64]) -> int:
    """Write the places of the likeliest of those found, in order, the first of equals first; return how many count."""
    top, n = -np.inf, 0
    for one in range(len(found)):
        top = found[one] if found[one] > top else top
    for one in range(len(found)):
        if found[one] == -np.inf or found[one] < top + _LEAST:
            continue
        if n == STORIES and not found[one] > found[order[n - 1]]:
            continue
        at = min(n, STORIES - 1)
        while at > 0 and found[one] > found[order[at - 1]]:
            order[at] = order[at - 1]
            at -= 1
        order[at], n = one, min(n + 1, STORIES)
    return n


@compiled
def _directed(
    direction: NDArray[np.float64],
    held: NDArray[np.float64],
    up: tuple[NDArray[np.float64], float, bool],
    likely: NDArray[np.float64],
) -> None:
    """Write how likely a direction is for each state, shape (3, n), by how each was held in n stories, and by up.

    Loops over stories, side by side.
    """
    n = likely.shape[1]
    across, counts, dense, weight = np.empty((KINDS, n)), np.empty((KINDS, n)), np.empty(n), np.empty(n)
    for other in range(KINDS):
        for k in range(n):
            x, y, z, counts[other, k] = held[k, other, 0], held[k, other, 1], held[k, other, 2], held[k, other, 3]
            size = max(np.sqrt(x * x + y * y + z * z), 1e-9)
            across[other, k] = (x * direction[0] + y * direction[1] + z * direction[2]) / size
    axes, told, walked = up
    to_up = axes[0] * direction[0] + axes[1] * direction[1] + axes[2] * direction[2]
    for state in range(KINDS):
        total = likely[state]
        for k in range(n):
            total[k], weight[k] = 0.0, 0.0
        for other in range(KINDS):
            changes.held(state, other, across[other], dense)
            for k in range(n):
                count = counts[other, k]
                own = (min(_OWN * count, _OWN * _OWN) if other == state else 1.0) if count > 0.0 else 0.0
                total[k] += own * dense[k]
                weight[k] += own
        by_up = told * changes.against_up(state, to_up, walked) if told > 0.0 else 0.0
        for k in range(n):
            total[k], weight[k] = total[k] + by_up, weight[k] + told
            mean = total[k] / weight[k] if weight[k] > 0.0 else changes.anywhere()
            total[k] = (1.0 - _STRAY) * mean + _STRAY * changes.anywhere()


@borrowing
def weigh(
    odds: NDArray[np.float64], now: NDArray[np.int64], rest: NDArray[np.float64], weights: NDArray[np.float64]
) -> None:
    """Write the chance of each story, with what the network has said of the present rest."""
    top, total, n = -np.inf, 0.0, alive(odds)
    standing, sitting, lying = _said(rest, STANDING), _said(rest, SITTING), _said(rest, LYING)
    for k in range(n):
        weights[k] = odds[k] + (standing if now[k] == STANDING else (sitting if now[k] == SITTING else lying))
        top = weights[k] if weights[k] > top else top
    for k in range(n):
        weights[k] = elementary.exp(weights[k] - top)
    for k in range(n):
        total += weights[k]
    for k in range(STORIES):
        weights[k] = weights[k] / total if k < n else 0.0


@borrowing
def tell(
    weights: NDArray[np.float64],
    stories: tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.int64]],
    low: int,
    high: int,
    shift: int,
    chances: NDArray[np.float64],
) -> None:
    """Write the chances of the seconds ``[low, high)``; `shift` makes their rows of them."""
    now, held, past = stories
    changed, n = 0.0, STORIES
    while weights[n - 1] == 0.0:
        n -= 1
    for k in range(n):
        others = 0.0
        for kind in range(KINDS):
            others += held[k, kind, 3] if kind != now[k] else 0.0
        changed += weights[k] if others > 0.0 else 0.0
    for second in range(low, high):
        if second + shift < 0:
            continue
        standing, sitting, lying = 0.0, 0.0, 0.0
        for k in range(n):
            kind = past[k, second % PAST_S]
            standing += weights[k] if kind == STANDING else 0.0
            sitting += weights[k] if kind == SITTING else 0.0
            lying += weights[k] if kind == LYING else 0.0
        chances[second + shift, STANDING], chances[second + shift, SITTING] = standing, sitting
        chances[second + shift, LYING], chances[second + shift, CHANGED] = lying, changed
