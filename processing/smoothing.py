"""From evidence by second to chances by second: a hidden Markov model with a fixed lag.

States stick (Rabiner 1989 for the recursions). Live chances come from the past alone; final ones also hear the
seconds after, in blocks of `BLOCK_S` whole seconds on absolute time, so that they do not depend on the cutting.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from processing.activity import CLASSES, STAY

BLOCK_S: Final = 3
"""Seconds that become final together."""

AHEAD_S: Final = 8
"""Seconds after a block that its chances hear."""

_N: Final = len(CLASSES)


@dataclass(frozen=True, slots=True)
class SmoothingState:
    """Evidence (as likelihoods) and forward chances from `first` on; `filtered` is the last forward chance given."""

    first: int
    likelihood: NDArray[np.float64]
    forward: NDArray[np.float64]


def begin() -> SmoothingState:
    """Return the state before the first second."""
    return SmoothingState(0, np.empty((0, _N)), np.full((1, _N), 1.0 / _N))


def observe(state: SmoothingState, first: int, log_evidence: NDArray[np.float64]) -> SmoothingState:
    """Take in the evidence of the seconds from `first` on, shape (n, classes)."""
    likelihood = np.exp(log_evidence - log_evidence.max(axis=1, keepdims=True))
    forward = np.empty((len(likelihood) + 1, _N))
    forward[0] = state.forward[-1]
    for i in range(len(likelihood)):
        chance = _spread(forward[i : i + 1]) * likelihood[i]
        forward[i + 1] = chance / chance.sum()
    return replace(
        state,
        first=state.first if len(state.likelihood) else first,
        likelihood=np.concatenate([state.likelihood, likelihood]),
        forward=np.concatenate([state.forward, forward[1:]]),
    )


def now(state: SmoothingState) -> NDArray[np.float64]:
    """Return the live chances of the newest second, shape (1, classes)."""
    return state.forward[-1:]


def release(state: SmoothingState, *, last: bool = False) -> tuple[SmoothingState, NDArray[np.float64]]:
    """Hand out the chances of all blocks that are final; with `last`, of everything."""
    n = len(state.likelihood)
    stop = state.first + n if last else (state.first + n - AHEAD_S) // BLOCK_S * BLOCK_S
    count = stop - state.first
    if count <= 0:
        return state, np.empty((0, _N))
    chances = np.empty((count, _N))
    a = 0
    while a < count:
        b = min(count, a + BLOCK_S - (state.first + a) % BLOCK_S)
        end = min(n, b + AHEAD_S)
        later = np.ones((1, _N))
        for i in range(end - 1, a - 1, -1):
            if i < b:
                both = state.forward[i + 1] * later
                chances[i] = both / both.sum()
            later = _spread(later * state.likelihood[i], back=True)
            later = later / later.sum()
        a = b
    return SmoothingState(stop, state.likelihood[count:], state.forward[count:]), chances


def _spread(chance: NDArray[np.float64], *, back: bool = False) -> NDArray[np.float64]:
    """One second on (or back): stay, or change to any other state."""
    change = (1.0 - STAY) / (_N - 1)
    del back
    return np.asarray(chance * (STAY - change) + change * chance.sum(axis=1, keepdims=True))
