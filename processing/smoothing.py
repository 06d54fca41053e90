"""From the log chances of single seconds to a state and how sure it is.

A second hears its neighbours: what is moving and what is rest over a few seconds, and which rest over longer, since
people do not change from sitting to standing without moving. Past seconds weigh in with a decay (a filter with
carried state), up to `AHEAD_S` later ones by a short sum, so a second is final that long after it. A hidden Markov
model in its place was no better on people left out, and fifty times slower.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from importlib import import_module
from typing import Final

import numpy as np
from numpy.typing import NDArray

from processing.activity import CLASSES, RESTING, summed

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

_FEW: Final = 4
_COLUMNS: Final = _SPLITS[-1][1]
_DECAY: Final = np.concatenate([np.full(stop - start, decay) for start, stop, decay in _SPLITS])
_SHARES: Final = tuple(np.multiply.accumulate([_DECAY] * AHEAD_S)[:, :, None])
"""What a second that lies 1, 2, ... seconds ahead counts for."""


@dataclass(frozen=True, slots=True)
class SmoothingState:
    """Filter memory and the seconds (evidence, and its decaying past) that wait for the ones after them."""

    memory: NDArray[np.float64]
    evidence: NDArray[np.float64]
    past: NDArray[np.float64]


def prepare() -> None:
    """Load what long stretches need, which takes seconds, before the first comes."""
    import_module("scipy.signal")


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
    n = len(log_chances)
    if n == 1:
        return _observe_one(state, log_chances[0], bool(covered[0]), bool(turning[0] >= _TURN))
    columns, evidence = log_chances.T, np.empty((_COLUMNS, n))  # seconds last: long rows
    resting = columns[:RESTING]
    top = np.maximum.reduce(resting)
    rest = np.log(summed(np.exp(resting - top)))
    rest += top
    weight = np.exp(rest)
    evidence[0] = rest
    evidence[1:_GROUPS] = columns[RESTING:]
    evidence[_GROUPS] = 1.0
    (start, stop, _), (again, end, _) = _SPLITS[1:3]
    given_rest = evidence[start : stop - 1]
    np.subtract(resting, rest, out=given_rest)
    given_rest *= weight
    evidence[stop - 1] = weight
    evidence[again:end] = evidence[start:stop]
    evidence[-1] = turning >= _TURN
    if not covered.all():
        evidence[:, ~covered] = 0.0
    past = np.empty((_COLUMNS, n))
    if n <= _FEW:  # the same sums without a library's set-up, since a live stream brings second by second
        memory = state.memory[0]
        for row in range(n):
            np.add(evidence[:, row], memory, out=past[:, row])
            memory = past[:, row] * _DECAY
    else:
        memory = _filtered(evidence, state.memory[0], past)
    if len(state.evidence):
        evidence, past = _after(state.evidence, evidence), _after(state.past, past)
    return SmoothingState(memory[None], evidence.T, past.T)


def _observe_one(state: SmoothingState, log_chances: NDArray[np.float64], covered: bool, turns: bool) -> SmoothingState:
    """Do the same for one second, as a live stream brings it."""
    logs = log_chances.tolist()
    resting, top = logs[:RESTING], max(logs[:RESTING])
    a, b, c = np.exp(log_chances[:RESTING] - top).tolist()
    rest = float(np.log(a + b + c)) + top
    weight = float(np.exp(rest))
    given_rest = [*((log - rest) * weight for log in resting), weight]
    now = [rest, *logs[RESTING:], 1.0, *given_rest, *given_rest, float(turns)] if covered else [0.0] * _COLUMNS
    past = [new + old for new, old in zip(now, state.memory[0].tolist(), strict=True)]
    both = np.array([now, past])
    evidence, heard = both[:1], both[1:]
    memory = heard * _DECAY
    if len(state.evidence):
        evidence, heard = np.concatenate([state.evidence, evidence]), np.concatenate([state.past, heard])
    return SmoothingState(memory, evidence, heard)


def _after(before: NDArray[np.float64], columns: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.concatenate([before.T, columns], axis=1)


def _filtered(
    evidence: NDArray[np.float64], before: NDArray[np.float64], past: NDArray[np.float64]
) -> NDArray[np.float64]:
    # loaded here, since it takes seconds and a live stream without gaps never comes by
    from scipy.signal import lfilter  # type: ignore[attr-defined, unused-ignore]  # noqa: PLC0415

    memory = np.empty((_COLUMNS, 1))
    for start, stop, decay in _SPLITS:
        own = slice(start, stop)
        past[own], memory[own] = lfilter([1.0], [1.0, -decay], evidence[own], zi=before[own, None])
    return memory[:, 0]


def release(state: SmoothingState, first: int, *, last: bool = False) -> tuple[SmoothingState, NDArray[np.float64]]:
    """Hand out the chances of all blocks that are final (with `last`, of all seconds), shape (n, classes).

    `first` is the second (since 1970) of the oldest one that waits.
    """
    waiting = len(state.evidence)
    n = waiting if last else (first + waiting - AHEAD_S) // BLOCK_S * BLOCK_S - first
    if n <= 0:
        return state, np.empty((0, len(CLASSES)))
    after, past = state.evidence.T, state.past.T[:, :n]
    if last:
        after = np.concatenate([after, np.zeros((_COLUMNS, AHEAD_S))], axis=1)
    total = past.copy()
    for ahead, share in enumerate(_SHARES, 1):
        total += after[:, ahead : ahead + n] * share
    kept = SmoothingState(state.memory, state.evidence[n:], state.past[n:])
    return kept, _chances(total, past[-1] > _TURNED)


def now(state: SmoothingState) -> list[float]:
    """Return the live chances of the newest second, from it and its past, by `CLASSES`."""
    total = state.past[-1].tolist()
    start, stop, _ = _SPLITS[2] if total[-1] > _TURNED else _SPLITS[1]
    moving = _normal_of_one(total[:_GROUPS], total[_GROUPS])
    resting = _normal_of_one(total[start : stop - 1], total[stop - 1])
    return [moving[0] * chance for chance in resting] + moving[1:]


def _normal_of_one(log_chances: list[float], weight: float) -> list[float]:
    weight = max(weight, 1e-9)
    top = max(log_chances) / weight
    each = [math.exp(value / weight - top) for value in log_chances]
    total = sum(each)
    return [chance / total for chance in each]


def _chances(total: NDArray[np.float64], turned: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Chances from the mean evidence: neighbours repeat each other, so they make a second surer only on average."""
    (a, b, _), (c, d, _) = _SPLITS[1:3]
    rest = total[a:b]
    if turned.any():
        rest = np.where(turned, total[c:d], rest)
    out = np.empty((len(CLASSES), total.shape[1]))
    moving = _normal(total[:_GROUPS] / np.maximum(total[_GROUPS], 1e-9))
    np.multiply(moving[0], _normal(rest[:-1] / np.maximum(rest[-1], 1e-9)), out=out[:RESTING])
    out[RESTING:] = moving[1:]
    return out.T


def _normal(log_chances: NDArray[np.float64]) -> NDArray[np.float64]:
    each = np.exp(log_chances - np.maximum.reduce(log_chances))
    each /= summed(each)
    return np.asarray(each)
