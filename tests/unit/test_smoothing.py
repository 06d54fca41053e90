"""Promise: a second hears its neighbours as the decays say, and is final eight seconds later, whatever the cutting."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from processing import smoothing
from processing.activity import CLASSES, RESTING

Array = NDArray[np.float64]
N = 60
MOVING_DECAY, RESTING_DECAY, TURNED_DECAY = 0.2, 0.9, 0.5


def _seconds() -> tuple[Array, NDArray[np.bool_], Array]:
    rng = np.random.default_rng(8)
    logs = np.log(rng.dirichlet(np.ones(len(CLASSES)), N)).clip(-6.0, 0.0)
    turning = np.where(np.arange(N) % 20 == 7, 1.0, 0.0)
    return logs, rng.random(N) < 0.9, turning


def _shares(at: int, decay: float) -> Array:
    """What each second counts for in the second `at`."""
    apart = np.arange(N) - at
    return np.where(apart > smoothing.AHEAD_S, 0.0, decay ** np.abs(apart))


def _expected(logs: Array, covered: NDArray[np.bool_], turning: Array, at: int) -> Array:
    """Chances of a second, from weighted means of what its neighbours say: rest or which moving; then which rest."""
    rest = np.log(np.exp(logs[:, :RESTING]).sum(axis=1))
    moving = np.column_stack([rest, logs[:, RESTING:]])
    share = _shares(at, MOVING_DECAY) * covered
    mean = np.exp(share @ moving / share.sum())
    turned = _shares(at, 0.75)[: at + 1] @ (covered & (turning >= 0.6))[: at + 1] > 0.1
    share = _shares(at, TURNED_DECAY if turned else RESTING_DECAY) * covered * np.exp(rest)
    which = np.exp(share @ (logs[:, :RESTING] - rest[:, None]) / share.sum())
    mean, which = mean / mean.sum(), which / which.sum()
    return np.concatenate([mean[0] * which, mean[1:]])


def test_seconds_hear_their_neighbours() -> None:
    logs, covered, turning = _seconds()
    state = smoothing.observe(smoothing.begin(), logs, covered, turning)
    _, chances = smoothing.release(state, 0, last=True)
    expected = [_expected(logs, covered, turning, at) for at in range(N)]
    np.testing.assert_allclose(chances, expected, atol=1e-12)


def test_cutting_changes_no_bit() -> None:
    logs, covered, turning = _seconds()
    state = smoothing.observe(smoothing.begin(), logs, covered, turning)
    _, whole = smoothing.release(state, 0, last=True)
    state, found = smoothing.begin(), []
    for k in range(N):
        one = slice(k, k + 1)
        state = smoothing.observe(state, logs[one], covered[one], turning[one])
        state, chances = smoothing.release(state, sum(map(len, found)))
        assert len(state.evidence) < smoothing.AHEAD_S + smoothing.BLOCK_S
        found.append(chances)
    found.append(smoothing.release(state, sum(map(len, found)), last=True)[1])
    np.testing.assert_array_equal(np.concatenate(found), whole)


def test_now_is_the_last_second_with_nothing_after_it() -> None:
    logs, covered, turning = _seconds()
    state = smoothing.observe(smoothing.begin(), logs, covered, turning)
    _, chances = smoothing.release(state, 0, last=True)
    np.testing.assert_array_equal(smoothing.now(state)[0], chances[-1])
