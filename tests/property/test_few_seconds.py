"""Promise: a live second, worked out in plain numbers, is bit for bit the same second as among many."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from processing import activity, posture, smoothing, statistics, stretches, walking
from processing.grid import RATE_HZ, Seconds
from spineclip.contract.placement import Placement

SEEDS = st.integers(0, 2**32 - 1)


def _vectors(rng: np.random.Generator, n: int) -> NDArray[np.float64]:
    rows = rng.normal(size=(n, 3))
    rows[rng.random(n) < 0.1] = 0.0
    rows[rng.random(n) < 0.1] = np.nan
    return rows


@given(SEEDS)
def test_angles_of_one(seed: int) -> None:
    rng = np.random.default_rng(seed)
    gravity, neutral, forward = (_vectors(rng, 20) for _ in range(3))
    many = np.stack(posture.angles(gravity, neutral, forward), axis=1)
    single = [posture.angles(*(rows[k] for rows in (gravity, neutral, forward))) for k in range(20)]
    np.testing.assert_array_equal(np.array(single)[:, :, 0], many)


@given(SEEDS)
def test_states_of_one(seed: int) -> None:
    rng = np.random.default_rng(seed)
    fitted, lean = activity.load(Placement.LOWER_BACK), activity.lean(Placement.LOWER_BACK)
    chances = rng.dirichlet(np.full(len(activity.CLASSES), 0.3), 40)
    covered, upright = rng.random(40) < 0.9, rng.integers(0, activity.UPRIGHT, 40)
    codes, confidence = activity.decide(chances, covered, upright, lean, fitted.confidence, True)
    for k in range(40):
        one = slice(k, k + 1)
        code, sure = activity.decide(chances[one], covered[one], upright[one], lean, fitted.confidence, True)
        assert (code[0], sure[0]) == (codes[k], confidence[k])


@settings(max_examples=30)
@given(SEEDS)
def test_statistics_and_evidence_of_one(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = 12
    xyz = np.rint((rng.normal(0, 0.2, (n, RATE_HZ, 3)) + np.array([0.9, 0.1, -0.3])) * 65536) / 65536
    xyz[3], xyz[5, :, 1] = 0.0, 0.25
    coverage = np.where(np.arange(n) == 3, 0.0, 1.0)
    table, waves = statistics.statistics(Seconds(1000, xyz, coverage))
    for k in range(n):
        row, wave = statistics.statistics(Seconds(1000 + k, xyz[k : k + 1], coverage[k : k + 1]))
        np.testing.assert_array_equal(row[0], table[k])
        np.testing.assert_array_equal(wave[0], waves[k])
    logs = np.log(rng.dirichlet(np.ones(len(activity.CLASSES)), n)).clip(-6.0, 0.0)
    turning = rng.uniform(0, 1.2, n)
    whole = smoothing.observe(smoothing.begin(), logs, coverage > 0, turning)
    state = smoothing.begin()
    for k in range(n):
        one = slice(k, k + 1)
        state = smoothing.observe(state, logs[one], coverage[one] > 0, turning[one])
    np.testing.assert_array_equal(state.evidence, whole.evidence)
    np.testing.assert_array_equal(state.past, whole.past)


@settings(max_examples=30)
@given(SEEDS)
def test_what_is_heard_of_a_stretch_by_one(seed: int) -> None:
    rng = np.random.default_rng(seed)
    rows = np.zeros((150, 11))
    rows[:, :3] = np.rint(rng.normal(size=(150, 3)) * 2**20) / 2**20
    rows[:, 3] = rng.random(150) < 0.05
    rows[:, 4] = rng.random(150) < 0.3
    rows[:, 5:] = np.rint(rng.normal(size=(150, 6)) * 1024) / 1024 * rows[:, 4:5]
    state = stretches.StretchState(500, rows, 500)
    for ahead_s in (0, stretches.AHEAD_S):
        gravity, fine = stretches.heard(state, 570, 60, ahead_s=ahead_s)
        for k in range(60):
            one, its = stretches.heard(state, 570 + k, 1, ahead_s=ahead_s)
            np.testing.assert_array_equal(one[0], gravity[k])
            np.testing.assert_array_equal(its[0], fine[k])


@pytest.mark.parametrize("spm", [70.0, 112.0])
def test_steps_of_a_few_seconds(spm: float) -> None:
    t_s = np.arange(60 * RATE_HZ) / RATE_HZ
    swing = np.sin(2 * np.pi * spm / 60 * t_s)
    xyz = np.stack([1.0 + 0.2 * swing, 0.1 * np.sin(np.pi * spm / 60 * t_s), 0.05 * swing], axis=1)
    many = walking.gait(xyz, np.ones(60, dtype=np.bool_))
    for at in range(walking.BEFORE_S, 60 - walking.AFTER_S):
        low, high = at - walking.BEFORE_S, at + walking.AFTER_S + 1
        wanted = np.zeros(high - low, dtype=np.bool_)
        wanted[walking.BEFORE_S] = True
        few = walking.gait(xyz[low * RATE_HZ : high * RATE_HZ], wanted)
        assert few.cadence_spm[walking.BEFORE_S] == many.cadence_spm[at]
        assert few.steps[walking.BEFORE_S] == many.steps[at]
