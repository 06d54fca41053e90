"""Promise: steps and cadence are right within 3 a minute, from slow and limping to brisk, and no octave off."""

from __future__ import annotations

import numpy as np
import pytest

from firmware_sim.motion import Motion
from firmware_sim.mount import Mount
from firmware_sim.script import Doing, Stretch, cycles, drives, runs, stands, walks
from processing import walking
from processing.walking import GRID_HZ, gait
from spineclip.contract.placement import Placement

SECOND_NS = 10**9


def grid(motion: Motion, seconds: int) -> np.ndarray:
    """Mean of two samples, a hundredth of a second to either side of each grid point, as from 50 Hz."""
    t_ns = motion.start_ns + np.arange(seconds * GRID_HZ, dtype=np.int64) * 40_000_000 + 20_000_000
    return 0.5 * (motion.samples(t_ns - 10_000_000) + motion.samples(t_ns + 10_000_000))


def everything(seconds: int) -> np.ndarray:
    return np.ones(seconds, dtype=np.bool_)


def error_spm(stretch: Stretch, placement: Placement, seed: int) -> tuple[float, float]:
    """Median of the cadence's error by second, and the error of the steps of the stretch, both in steps a minute."""
    seconds = round(stretch.seconds)
    motion = Motion((stretch,), start_ns=0, seed=seed, placement=placement, mount=Mount.turned(seed))
    found, truth = gait(grid(motion, seconds), everything(seconds)), motion.truth(0, seconds * SECOND_NS)
    by_second = np.abs(found.cadence_spm - truth.cadence_spm)[2:-2]
    return float(np.nanmedian(by_second)), abs(float(found.steps.sum() - truth.steps.sum())) * 60.0 / seconds


@pytest.mark.parametrize("placement", [Placement.LOWER_BACK, Placement.STERNUM], ids=str)
@pytest.mark.parametrize("cadence_spm", range(60, 141, 10))
def test_cadence_and_steps_are_within_3_a_minute(cadence_spm: int, placement: Placement) -> None:
    for seed in (1, 2, 3):
        cadence, steps = error_spm(walks(60.0, float(cadence_spm)), placement, seed)
        assert cadence < 3.0
        assert steps < 3.0


@pytest.mark.parametrize("limp", [0.15, 0.3])
@pytest.mark.parametrize("cadence_spm", [60, 75, 90, 105])
def test_a_weak_and_uneven_gait_is_counted_too(cadence_spm: int, limp: float) -> None:
    for seed in (1, 2, 3):
        cadence, steps = error_spm(walks(60.0, float(cadence_spm), limp=limp, strength=0.5), Placement.LOWER_BACK, seed)
        assert cadence < 3.0
        assert steps < 3.0


def test_running_is_not_halved() -> None:
    cadence, steps = error_spm(runs(60.0, 165.0), Placement.LOWER_BACK, 4)
    assert cadence < 3.0
    assert steps < 3.0


def test_a_short_walk_between_standing_keeps_its_cadence() -> None:
    motion = Motion((stands(20.0), walks(8.0, 104.0), stands(20.0)), start_ns=0, seed=2)
    wanted = np.zeros(48, dtype=np.bool_)
    wanted[20:28] = True
    found = gait(grid(motion, 48), wanted)
    assert np.nanmedian(found.cadence_spm) == pytest.approx(104.0, abs=5.0)
    assert found.steps.sum() == pytest.approx(motion.truth(0, 48 * SECOND_NS).steps.sum(), abs=1.5)
    assert found.steps[~wanted].sum() == 0.0
    assert np.isnan(found.cadence_spm[~wanted]).all()


@pytest.mark.parametrize(
    "stretch",
    [stands(120.0), drives(120.0), cycles(120.0), Stretch(Doing.SCRATCHES, 120.0), Stretch(Doing.TURNS, 120.0)],
    ids=lambda stretch: str(stretch.doing),
)
def test_what_is_no_walk_is_less_regular_than_any_walk(stretch: Stretch) -> None:
    other = gait(grid(Motion((stretch,), start_ns=0, seed=3), 120), everything(120)).regularity
    walk = gait(grid(Motion((walks(120.0, 75.0, limp=0.2),), start_ns=0, seed=3), 120), everything(120)).regularity
    assert np.nanpercentile(other, 90) < np.nanpercentile(walk, 10)


def test_a_hole_in_the_measurement_is_no_step() -> None:
    x = grid(Motion((walks(60.0, 100.0),), start_ns=0, seed=1), 60)
    x[25 * GRID_HZ : 32 * GRID_HZ] = np.nan
    found = gait(x, everything(60))
    assert np.nanmedian(np.abs(found.cadence_spm - 100.0)) < 3.0
    assert np.isnan(found.cadence_spm[28:29]).all()
    assert found.steps[28:29].sum() == 0.0


def test_nothing_wanted_and_nothing_measured_are_answered() -> None:
    empty = gait(np.empty((0, 3)), np.empty(0, dtype=np.bool_))
    assert len(empty.steps) == 0
    blind = gait(np.full((10 * GRID_HZ, 3), np.nan), everything(10))
    assert blind.steps.sum() == 0.0
    assert np.isnan(blind.cadence_spm).all()
    still = gait(np.ones((10 * GRID_HZ, 3)), everything(10))
    assert still.steps.sum() == 0.0


def test_the_reach_that_is_named_is_the_reach_there_is() -> None:
    """Changing what lies outside of `BEFORE_S` and `AFTER_S` changes nothing; inside it does."""
    rng = np.random.default_rng(0)
    x = grid(Motion((walks(40.0),), start_ns=0, seed=1), 40)
    wanted = np.zeros(40, dtype=np.bool_)
    wanted[20] = True
    before = gait(x, wanted)
    far = x.copy()
    far[: (20 - walking.BEFORE_S) * GRID_HZ] = rng.normal(size=((20 - walking.BEFORE_S) * GRID_HZ, 3))
    rest = (39 - 20 - walking.AFTER_S) * GRID_HZ
    far[-rest:] = rng.normal(size=(rest, 3))
    after = gait(far, wanted)
    assert before.cadence_spm[20] == after.cadence_spm[20]
    assert before.regularity[20] == after.regularity[20]
