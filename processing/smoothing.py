"""From the log chances of single seconds to a state and how sure it is.

A second hears its neighbours: what is moving and what is rest over a few seconds, and which rest over longer, since
people do not change from sitting to standing without moving. Past seconds weigh in with a decay (a filter with
carried state), up to `AHEAD_S` later ones by a short sum, so a second is final that long after it. A hidden Markov
model in its place was no better on people left out, and fifty times slower.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter  # type: ignore[attr-defined, unused-ignore]

from processing.activity import CLASSES, RESTING

AHEAD_S: Final = 8
"""Seconds after a second that its state hears."""

_MOVING_DECAY: Final = 0.4
_RESTING_DECAY: Final = 0.8
_GROUPS: Final = len(CLASSES) - RESTING + 1
_COLUMNS: Final = _GROUPS + 1 + RESTING + 1
"""Per second: log chance of rest and of each moving state, the weight of the second; log chance of each rest given
rest, weighted by how likely rest is, and that weight."""

_DECAY: Final = np.array([_MOVING_DECAY] * (_GROUPS + 1) + [_RESTING_DECAY] * (RESTING + 1))


@dataclass(frozen=True, slots=True)
class SmoothingState:
    """Filter memory and the seconds (evidence, and its decaying past) that wait for the ones after them."""

    memory_moving: NDArray[np.float64]
    memory_resting: NDArray[np.float64]
    evidence: NDArray[np.float64]
    past: NDArray[np.float64]


def begin() -> SmoothingState:
    """Return the state before the first second."""
    return SmoothingState(
        np.zeros((1, _GROUPS + 1)), np.zeros((1, RESTING + 1)), np.empty((0, _COLUMNS)), np.empty((0, _COLUMNS))
    )


def observe(state: SmoothingState, log_chances: NDArray[np.float64], covered: NDArray[np.bool_]) -> SmoothingState:
    """Take in the log chances of the next seconds, shape (n, classes)."""
    evidence = np.empty((len(log_chances), _COLUMNS))
    resting = log_chances[:, :RESTING]
    top = np.maximum(np.maximum(resting[:, 0], resting[:, 1]), resting[:, 2])
    each = np.exp(resting - top[:, None])
    rest = top + np.log(each[:, 0] + each[:, 1] + each[:, 2])
    weight = np.exp(rest)
    evidence[:, 0] = rest
    evidence[:, 1:_GROUPS] = log_chances[:, RESTING:]
    evidence[:, _GROUPS] = 1.0
    evidence[:, _GROUPS + 1 : -1] = (resting - rest[:, None]) * weight[:, None]
    evidence[:, -1] = weight
    evidence[~covered] = 0.0
    split = _GROUPS + 1
    moving, memory_moving = lfilter([1.0], [1.0, -_MOVING_DECAY], evidence[:, :split], axis=0, zi=state.memory_moving)
    still, memory_resting = lfilter([1.0], [1.0, -_RESTING_DECAY], evidence[:, split:], axis=0, zi=state.memory_resting)
    return SmoothingState(
        memory_moving,
        memory_resting,
        np.concatenate([state.evidence, evidence]),
        np.concatenate([state.past, np.concatenate([moving, still], axis=1)]),
    )


def release(state: SmoothingState, *, last: bool = False) -> tuple[SmoothingState, NDArray[np.float64]]:
    """Hand out the chances of all seconds that are final (with `last`, of all), shape (n, classes)."""
    waiting = len(state.evidence)
    n = waiting if last else max(waiting - AHEAD_S, 0)
    if n == 0:
        return state, np.empty((0, len(CLASSES)))
    after = np.concatenate([state.evidence, np.zeros((AHEAD_S, _COLUMNS))]) if last else state.evidence
    total = state.past[:n].copy()
    share = np.ones(_COLUMNS)
    for ahead in range(1, AHEAD_S + 1):
        share = share * _DECAY
        total += after[ahead : ahead + n] * share
    kept = SmoothingState(state.memory_moving, state.memory_resting, state.evidence[n:].copy(), state.past[n:].copy())
    return kept, _chances(total)


def now(state: SmoothingState) -> NDArray[np.float64]:
    """Return the live chances of the newest second, from it and its past, shape (1, classes)."""
    return _chances(state.past[-1:])


def _chances(total: NDArray[np.float64]) -> NDArray[np.float64]:
    """Chances from the mean evidence: neighbours repeat each other, so they make a second surer only on average."""
    moving = _normal(total[:, :_GROUPS] / np.maximum(total[:, _GROUPS : _GROUPS + 1], 1e-9))
    resting = _normal(total[:, _GROUPS + 1 : -1] / np.maximum(total[:, -1:], 1e-9))
    return np.concatenate([moving[:, :1] * resting, moving[:, 1:]], axis=1)


def _normal(log_chances: NDArray[np.float64]) -> NDArray[np.float64]:
    each = np.exp(log_chances - log_chances.max(axis=1, keepdims=True))
    total = each[:, 0].copy()
    for column in range(1, each.shape[1]):
        total += each[:, column]
    return np.asarray(each / total[:, None])
