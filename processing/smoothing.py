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

_MOVING_DECAY: Final = 0.2  # by people left out: standing 0.5 points of F1 better than with 0.4, walking 0.2
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
_NO_CHANCES: Final = np.empty((0, len(CLASSES)))
_LEAST: Final = 1e-9
_PIECE: Final = 64
"""Seconds worked on side by side: they stay in the processor's cache."""


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
    memory = state.memory.copy()
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
    given, rest, weight = np.empty((RESTING, n)), np.empty(n), np.empty(n)
    for i in range(n):
        for k in range(RESTING):
            given[k, i] = log_chances[i, k]
    _rest(given, rest, weight)
    for i in range(n):
        row = len(waiting) + i
        if covered[i]:
            _say(log_chances, given, rest[i], weight[i], i, evidence, row)
            evidence[row, _COLUMNS - 1] = 1.0 if turning[i] >= _TURN else 0.0
        else:
            for k in range(_COLUMNS):
                evidence[row, k] = 0.0
        for k in range(_COLUMNS):
            past[row, k] = evidence[row, k] + memory[0, k]
            memory[0, k] = past[row, k] * _DECAY[k]


@compiled
def _say(
    log_chances: NDArray[np.float64], given: NDArray[np.float64], rest: float, weight: float, i: int,
    evidence: NDArray[np.float64], row: int,
) -> None:  # fmt: skip
    """Lay out the columns of second i: its chances, those of rest together and given rest, and what it weighs there."""
    evidence[row, 0] = rest
    for k in range(1, _GROUPS):
        evidence[row, k] = log_chances[i, RESTING - 1 + k]
    evidence[row, _GROUPS] = 1.0
    for k in range(RESTING):
        evidence[row, _REST_AT + k] = evidence[row, _TURNED_AT + k] = given[k, i]
    evidence[row, _REST_AT + RESTING] = evidence[row, _TURNED_AT + RESTING] = weight


@compiled
def _rest(given: NDArray[np.float64], rest: NDArray[np.float64], weight: NDArray[np.float64]) -> None:
    """Part log chances of states of rest, shape (3, n), into that of rest, and those given rest times its chance.

    Loops over seconds.
    """
    for i in range(len(rest)):
        a, b, c = given[0, i], given[1, i], given[2, i]
        top = a if a > b else b
        top = top if top > c else c
        total = elementary.exp(a - top) + elementary.exp(b - top) + elementary.exp(c - top)
        rest[i] = elementary.log(total) + top
    for i in range(len(rest)):
        weight[i] = elementary.exp(rest[i])
        for k in range(RESTING):
            given[k, i] = (given[k, i] - rest[i]) * weight[i]


def release(state: SmoothingState, first: int, *, last: bool = False) -> tuple[SmoothingState, NDArray[np.float64]]:
    """Hand out the chances of all blocks that are final (with `last`, of all seconds), shape (n, classes).

    `first` is the second (since 1970) of the oldest one that waits.
    """
    waiting = len(state.evidence)
    n = waiting if last else (first + waiting - AHEAD_S) // BLOCK_S * BLOCK_S - first
    if n <= 0:
        return state, _NO_CHANCES
    out = np.empty((n, len(CLASSES)))
    _release(state.past, state.evidence, out)
    return SmoothingState(state.memory, state.evidence[n:], state.past[n:]), out


def now(state: SmoothingState) -> NDArray[np.float64]:
    """Return the live chances of the newest second, from it and its past, shape (1, classes)."""
    out = np.empty((1, len(CLASSES)))
    _release(state.past[-1:], state.evidence[-1:], out)
    return out


@compiled
def _release(past: NDArray[np.float64], evidence: NDArray[np.float64], out: NDArray[np.float64]) -> None:
    """Find the mean evidence of seconds and the chances that it gives; loops over pieces, in them side by side.

    Neighbours repeat each other, so they make a second surer only on average.
    """
    for first in range(0, len(out), _PIECE):
        n = min(_PIECE, len(out) - first)
        total, turned = np.empty((_COLUMNS, n)), np.empty(n, dtype=np.bool_)
        _hear(past, evidence, first, total)
        for i in range(n):
            turned[i] = past[first + i, _COLUMNS - 1] > _TURNED
        groups, rests = total[: _GROUPS + 1], total[_REST_AT : _REST_AT + RESTING + 1]
        for k in range(RESTING + 1):
            for i in range(n):
                rests[k, i] = total[_TURNED_AT + k, i] if turned[i] else rests[k, i]
        _share_out(groups)
        _share_out(rests)
        for i in range(n):
            for k in range(RESTING):
                out[first + i, k] = groups[0, i] * rests[k, i]
            for k in range(1, _GROUPS):
                out[first + i, RESTING - 1 + k] = groups[k, i]


@compiled
def _hear(past: NDArray[np.float64], evidence: NDArray[np.float64], first: int, total: NDArray[np.float64]) -> None:
    """Add what the later seconds say to what was said up to each, shape (columns, n), from row `first` on."""
    n = total.shape[1]
    later = np.zeros((_COLUMNS, n + AHEAD_S))
    for i in range(n):
        for k in range(_COLUMNS):
            total[k, i] = past[first + i, k]
    for i in range(1, min(n + AHEAD_S, len(evidence) - first)):
        for k in range(_COLUMNS):
            later[k, i] = evidence[first + i, k]
    for k in range(_COLUMNS):
        for ahead in range(1, AHEAD_S + 1):
            share, heard, says = _SHARES[ahead - 1, k], total[k], later[k, ahead:]
            for i in range(n):
                heard[i] += says[i] * share


@compiled
def _share_out(sums: NDArray[np.float64]) -> None:
    """Turn sums of log chances, with that of their weights last, into the chances that their means give.

    Shape (k + 1, n); loops over seconds.
    """
    kinds, n = len(sums) - 1, sums.shape[1]
    share, most, total = np.empty(n), np.full(n, -np.inf), np.zeros(n)
    for i in range(n):
        share[i] = 1.0 / (sums[kinds, i] if sums[kinds, i] > _LEAST else _LEAST)
    for k in range(kinds):
        for i in range(n):
            mean = sums[k, i] * share[i]
            sums[k, i] = mean
            most[i] = mean if mean > most[i] else most[i]
    for k in range(kinds):
        for i in range(n):
            chance = elementary.exp(sums[k, i] - most[i])
            sums[k, i] = chance
            total[i] += chance
    for i in range(n):
        share[i] = 1.0 / total[i]
    for k in range(kinds):
        for i in range(n):
            sums[k, i] *= share[i]
