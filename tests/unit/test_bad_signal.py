"""A signal that cannot be a worn clip in order ends in ``unknown`` or ``not_worn``: no error, no claim."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from firmware_sim.motion import Motion
from firmware_sim.script import sits, walks
from processing import clip, wear
from processing.clip import ClipSetup
from processing.epochs import SEDENTARY, STATES, Epochs, State
from processing.samples import Block
from spineclip.contract.placement import Placement

START_NS = 1_700_000_000_000_000_000
NOTHING_CLAIMED = {State.UNKNOWN, State.NOT_WORN}


def _said(t_s: NDArray[np.float64], xyz_g: NDArray[np.float64]) -> Epochs:
    t_ns = START_NS + np.rint(t_s * 1e9).astype(np.int64)
    state, output = clip.step(clip.begin(ClipSetup(Placement.BELT)), Block(t_ns, xyz_g))
    return Epochs.concat([output.final, clip.finish(state).final])


def _states(epochs: Epochs) -> set[State]:
    return {STATES[code] for code in np.unique(epochs.state)}


def _walk(
    rate_hz: float = 50.0, seconds: float = 60.0, *, jitter: float = 0.0
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    t_s = np.arange(0.0, 2 * seconds, 1.0 / rate_hz)
    t_s = t_s + np.random.default_rng(0).uniform(0.0, jitter / rate_hz, len(t_s))
    motion = Motion((walks(seconds), sits(seconds)), start_ns=START_NS, seed=1, placement=Placement.BELT)
    return t_s, motion.samples(START_NS + np.rint(t_s * 1e9).astype(np.int64))


def test_a_constant_signal_is_not_worn_and_nothing_is_sure_before() -> None:
    t_s = np.arange(0.0, 1200.0, 0.02)
    said = _said(t_s, np.tile([0.1, -0.2, 0.97], (len(t_s), 1)))
    assert STATES[int(said.state[-1])] is State.NOT_WORN
    assert _states(said.slice(100, 1190)) <= NOTHING_CLAIMED


@pytest.mark.parametrize("noise_g", [0.0005, 0.004])
@pytest.mark.parametrize("coarse_g", [0.0, 0.004])
def test_a_clip_on_a_table_is_not_worn(noise_g: float, coarse_g: float) -> None:
    t_s = np.arange(0.0, 1200.0, 0.02)
    xyz = np.array([0.02, 0.7, 0.7]) + np.random.default_rng(1).normal(0, noise_g, (len(t_s), 3))
    said = _said(t_s, np.rint(xyz / coarse_g) * coarse_g if coarse_g else xyz)
    assert np.mean(said.state[700:] == State.NOT_WORN.code) > 0.95
    assert _states(said.slice(170, 1190)) <= NOTHING_CLAIMED


def test_a_clip_laid_on_a_table_after_a_walk_is_not_sure_and_soon_unknown() -> None:
    """A minute of quiet is a minute of rest; past that a state is not sure, and after four minutes none is claimed."""
    xyz = _walk(50.0, 120.0)[1][: 120 * 50]
    laid = np.array([0.0, 0.3, 0.95]) + np.random.default_rng(3).normal(0, 0.002, (900 * 50, 3))
    said = _said(np.arange(len(xyz) + len(laid)) / 50.0, np.concatenate([xyz, laid]))
    assert said.confidence[120 + 64 + wear.UNSURE_S + 2 : 700].max() <= wear.UNSURE
    assert _states(said.slice(120 + 64 + wear.DOUBT_S + 2, 1000)) <= NOTHING_CLAIMED
    assert STATES[int(said.state[-1])] is State.NOT_WORN


@pytest.mark.parametrize("level_g", [2.0, 16.0])
def test_saturated_axes_claim_nothing(level_g: float) -> None:
    t_s = np.arange(0.0, 300.0, 0.02)
    xyz = np.full((len(t_s), 3), level_g) + np.random.default_rng(2).normal(0, 0.003, (len(t_s), 3))
    assert _states(_said(t_s, np.minimum(xyz, level_g))) <= NOTHING_CLAIMED


def test_one_dead_axis_claims_nothing_while_the_others_move() -> None:
    t_s, xyz = _walk()
    xyz[:, 1] = 0.0
    said = _said(t_s, xyz)
    assert _states(said.slice(5, 55)) <= NOTHING_CLAIMED


def test_an_axis_of_nan_is_not_measured() -> None:
    t_s, xyz = _walk()
    xyz[:, 2] = np.nan
    assert len(_said(t_s, xyz)) == 0, "two axes are no measurement, so nothing was ever begun"


def test_a_stretch_of_nan_is_a_gap() -> None:
    t_s, xyz = _walk()
    xyz[1000:1500, 0] = np.nan  # seconds 20 to 30
    said = _said(t_s, xyz)
    assert len(said) == 120
    assert not said.coverage[21:29].any()
    assert _states(said.slice(21, 29)) == {State.UNKNOWN}
    assert np.isnan(said.intensity_mg[21:29]).all()
    assert said.steps[21:29].sum() == 0


@pytest.mark.parametrize(
    ("rate_hz", "jitter"), [(10.0, 0.0), (12.5, 0.3), (25.0, 0.9), (50.0, 0.9), (104.0, 0.2), (400.0, 0.5)]
)
def test_any_rate_says_walking_and_then_rest(rate_hz: float, jitter: float) -> None:
    said = _said(*_walk(rate_hz, jitter=jitter))
    assert np.mean(said.state[4:56] == State.WALKING.code) > (0.7 if rate_hz < 20 else 0.9)
    assert not np.any(said.state[65:] == State.WALKING.code)
    assert said.coverage[2:-2].min() == 1.0


@pytest.mark.parametrize("gain", [0.75, 1.06])
def test_a_clip_that_reads_rest_as_another_weight_says_the_same(gain: float) -> None:
    t_s, xyz = _walk()
    one, other = _said(t_s, xyz), _said(t_s, xyz * gain)
    assert np.mean(one.state == other.state) >= 0.9


def test_silence_of_an_hour_is_unknown_second_by_second() -> None:
    t_s, xyz = _walk()
    later = t_s >= 60.0
    t_s[later] += 3600.0
    said = _said(t_s, xyz)
    assert len(said) == 3720
    assert np.array_equal(np.diff(said.start_ns), np.full(3719, 10**9))
    assert set(said.state[61:3659]) == {State.UNKNOWN.code}
    assert not np.any(np.isin(said.state[61:3659], [state.code for state in SEDENTARY]))


def test_silence_of_a_month_starts_a_new_table() -> None:
    t_s, xyz = _walk()
    t_s[t_s >= 60.0] += 30 * 86400.0
    said = _said(t_s, xyz)
    assert len(said) <= 122
