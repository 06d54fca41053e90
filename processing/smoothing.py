"""From the log chances of single seconds to a state and how sure it is.

A second hears its neighbours: what is moving and what is rest over a few seconds, and which rest over longer, since
people do not change from sitting to standing without moving. Past seconds weigh in with a decay (a filter with
carried state), up to `AHEAD_S` later ones by a short sum, so a second is final that long after it. A hidden Markov
model in its place was no better on people left out, and fifty times slower.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from processing import elementary
from processing.activity import CLASSES, RESTING
from processing.compiled import compiled
from processing.frozen import frozen

BLOCK_S: Final = 3
"""Seconds that become final together (whole blocks of UTC, whatever the cutting)."""

AHEAD_S: Final = 8
"""Seconds after a second that its state hears."""

_MOVING_DECAY: Final = 0.4
_RESTING_DECAY: Final = 0.9
_TURNED_RESTING_DECAY: Final = 0.5
_TURN_DECAY: Final = 0.75
_TURNED: Final = 0.1
_TURN: Final = 0.6
_GROUPS: Final = len(CLASSES) - RESTING + 1
_REST: Final = RESTING + 1
_SPLITS: Final = (
    (0, _GROUPS + 1, _MOVING_DECAY),
    (_GROUPS + 1, _GROUPS + 1 + _REST, _RESTING_DECAY),
    (_GROUPS + 1 + _REST, _GROUPS + 1 + 2 * _REST, _TURNED_RESTING_DECAY),
    (_GROUPS + 1 + 2 * _REST, _GROUPS + 2 + 2 * _REST, _TURN_DECAY),
)
"""Columns of a second and their decay: log chance of rest and of each moving state, and the weight of the second; log
chance of each rest given rest, weighted by how likely rest is, and that weight; the same again, to forget faster when
the trunk has just turned; whether it turns."""

_COLUMNS: Final = _SPLITS[-1][1]
_DECAY: Final = np.concatenate([np.full(stop - start, decay) for start, stop, decay in _SPLITS])
_SHARES: Final = np.multiply.accumulate([_DECAY] * AHEAD_S)
"""What a second that lies 1, 2, ... seconds ahead counts for."""
_REST_AT: Final = _SPLITS[1][0]
_TURNED_AT: Final = _SPLITS[2][0]
_LOGS: Final = _GROUPS + RESTING
_LEAST: Final = 1e-9


@frozen
class SmoothingState:
    """Filter memory and the seconds (evidence, and its decaying past) that wait for the ones after them."""

    memory: NDArray[np.float64]
    evidence: NDArray[np.float64]
    past: NDArray[np.float64]


def begin() -> SmoothingState:
    """Return the state before the first second."""
    return SmoothingState(np.zeros((1, _COLUMNS)), np.empty((0, _COLUMNS)), np.empty((0, _COLUMNS)))


def observe(
    state: SmoothingState,
    log_chances: NDArray[np.float64],
    covered: NDArray[np.bool_],
    turning: NDArray[np.float64],
) -> SmoothingState:
    """Take in the next seconds: log chances, shape (n, classes), and the feature ``turning``, shape (n,)."""
    memory, turning = state.memory.copy(), np.ascontiguousarray(turning)
    shape = len(state.evidence) + len(log_chances), _COLUMNS
    evidence, past = np.empty(shape), np.empty(shape)
    _observe(log_chances, covered, turning, state.evidence, state.past, memory, evidence, past)
    return SmoothingState(memory, evidence, past)


@compiled
def _observe(
    log_chances: NDArray[np.float64], covered: NDArray[np.bool_], turning: NDArray[np.float64],
    waiting: NDArray[np.float64], waiting_past: NDArray[np.float64],
    memory: NDArray[np.float64], evidence: NDArray[np.float64], past: NDArray[np.float64],
) -> None:  # fmt: skip
    """Loop over seconds, which follow the waiting ones: what each says, added to what is remembered of those before."""
    for row in range(len(waiting)):
        for k in range(_COLUMNS):
            evidence[row, k], past[row, k] = waiting[row, k], waiting_past[row, k]
    n = len(log_chances)
    rest, weight = np.empty(n), np.empty(n)
    for i in range(n):
        a, b, c = log_chances[i, 0], log_chances[i, 1], log_chances[i, 2]
        top = a if a > b else b
        top = top if top > c else c
        total = elementary.exp(a - top) + elementary.exp(b - top) + elementary.exp(c - top)
        rest[i] = elementary.log(total) + top
        weight[i] = elementary.exp(rest[i])
    for i in range(n):
        row = len(waiting) + i
        if covered[i]:
            _say(log_chances[i], rest[i], weight[i], evidence[row])
            evidence[row, _COLUMNS - 1] = 1.0 if turning[i] >= _TURN else 0.0
        else:
            evidence[row] = 0.0
        for k in range(_COLUMNS):
            past[row, k] = evidence[row, k] + memory[0, k]
            memory[0, k] = past[row, k] * _DECAY[k]


@compiled
def _say(log_chances: NDArray[np.float64], rest: float, weight: float, evidence: NDArray[np.float64]) -> None:
    """Lay out the columns of a second, from its chances, those of rest together, and what it weighs there."""
    evidence[0] = rest
    for k in range(1, _GROUPS):
        evidence[k] = log_chances[RESTING - 1 + k]
    evidence[_GROUPS] = 1.0
    for k in range(RESTING):
        given_rest = (log_chances[k] - rest) * weight
        evidence[_REST_AT + k], evidence[_TURNED_AT + k] = given_rest, given_rest
    evidence[_REST_AT + RESTING], evidence[_TURNED_AT + RESTING] = weight, weight


def release(state: SmoothingState, first: int, *, last: bool = False) -> tuple[SmoothingState, NDArray[np.float64]]:
    """Hand out the chances of all blocks that are final (with `last`, of all seconds), shape (n, classes).

    `first` is the second (since 1970) of the oldest one that waits.
    """
    waiting = len(state.evidence)
    n = waiting if last else (first + waiting - AHEAD_S) // BLOCK_S * BLOCK_S - first
    if n <= 0:
        return state, np.empty((0, len(CLASSES)))
    out = np.empty((n, len(CLASSES)))
    _release(state.past, state.evidence, _LOGS, out)
    return SmoothingState(state.memory, state.evidence[n:], state.past[n:]), out


def now(state: SmoothingState) -> NDArray[np.float64]:
    """Return the live chances of the newest second, from it and its past, shape (1, classes)."""
    out = np.empty((1, len(CLASSES)))
    _release(state.past[-1:], state.evidence[-1:], _LOGS, out)
    return out


@compiled
def _release(past: NDArray[np.float64], evidence: NDArray[np.float64], length: int, out: NDArray[np.float64]) -> None:
    """Loop over seconds: the mean evidence, and the chances that it gives.

    Neighbours repeat each other, so they make a second surer only on average.
    """
    total, each = np.empty(_COLUMNS), np.empty(length)
    for i in range(len(out)):
        for k in range(_COLUMNS):
            total[k] = past[i, k]
        for ahead in range(1, min(AHEAD_S + 1, len(evidence) - i)):
            for k in range(_COLUMNS):
                total[k] += evidence[i + ahead, k] * _SHARES[ahead - 1, k]
        _lay(total, 0, _GROUPS, each, 0)
        _lay(total, _TURNED_AT if past[i, _COLUMNS - 1] > _TURNED else _REST_AT, RESTING, each, _GROUPS)
        for k in range(len(each)):
            each[k] = elementary.exp(each[k])
        _normalise(each, 0, _GROUPS)
        _normalise(each, _GROUPS, _LOGS)
        for k in range(RESTING):
            out[i, k] = each[0] * each[_GROUPS + k]
        for k in range(1, _GROUPS):
            out[i, RESTING - 1 + k] = each[k]


@compiled
def _lay(total: NDArray[np.float64], start: int, count: int, each: NDArray[np.float64], at: int) -> None:
    """Lay out the mean log chances of a group, whose weight follows them, against the largest."""
    share = 1.0 / max(total[start + count], _LEAST)
    top = total[start] * share
    for k in range(count):
        each[at + k] = total[start + k] * share
        top = max(top, each[at + k])
    for k in range(count):
        each[at + k] -= top


@compiled
def _normalise(each: NDArray[np.float64], start: int, stop: int) -> None:
    total = 0.0
    for k in range(start, stop):
        total += each[k]
    share = 1.0 / total
    for k in range(start, stop):
        each[k] *= share
