"""Promise: the fine motion of a trunk says how strong it is, along which axis, and what goes with what."""

from __future__ import annotations

import numpy as np
import pytest

from processing.fine_motion import COUNT, EDGES_HZ, MIRROR, fine_motion
from processing.stretch_model import ANGLES, StretchModel, numbers, shipped

RATE_HZ = 50.0
FORWARD = np.array([0.0, 0.0, -1.0])
T_S = np.arange(1500) / RATE_HZ


def _beating(hz: float, *, up: float = 0.0, forward: float = 0.0, right: float = 0.0, late: float = 0.0) -> np.ndarray:
    """Up is x and forward is -z, so right is -y; forward comes `late` radians after up."""
    turn = 2.0 * np.pi * hz * T_S
    return np.stack([1.0 + up * np.cos(turn), -right * np.cos(turn), -forward * np.cos(turn - late)], axis=1)


def _band(numbers_: np.ndarray, hz: float) -> np.ndarray:
    return numbers_.reshape(-1, 9)[np.searchsorted(EDGES_HZ, hz, side="right") - 1]


def test_energy_is_that_of_the_wave_in_its_own_band() -> None:
    band = _band(fine_motion(_beating(7.0, up=0.01), FORWARD, RATE_HZ), 7.0)
    assert np.exp(band[0]) == pytest.approx(0.5 * 0.01**2, rel=0.05)
    assert band[1] < np.log(1e-8)


@pytest.mark.parametrize(("late", "at_once", "quarter"), [(0.0, 1.0, 0.0), (np.pi, -1.0, 0.0), (np.pi / 2, 0.0, 1.0)])
def test_up_goes_with_forward_by_its_phase(late: float, at_once: float, quarter: float) -> None:
    band = _band(fine_motion(_beating(7.0, up=0.01, forward=0.01, late=late), FORWARD, RATE_HZ), 7.0)
    assert band[3] == pytest.approx(at_once, abs=0.02)
    assert abs(band[4]) == pytest.approx(quarter, abs=0.02)


def test_a_mirrored_trunk_has_mirrored_numbers() -> None:
    noise = np.random.default_rng(3).normal([1.0, 0.05, -0.1], 0.01, (1500, 3))
    mirrored = fine_motion(noise * [1.0, -1.0, 1.0], FORWARD, RATE_HZ)
    np.testing.assert_allclose(mirrored, fine_motion(noise, FORWARD, RATE_HZ) * MIRROR, atol=1e-9)


def test_a_few_missing_values_change_little() -> None:
    whole = _beating(1.0, up=0.01, forward=0.004)
    holes = whole.copy()
    holes[::97] = np.nan
    np.testing.assert_allclose(
        _band(fine_motion(holes, FORWARD, RATE_HZ), 1.0)[:4],
        _band(fine_motion(whole, FORWARD, RATE_HZ), 1.0)[:4],
        atol=0.1,
    )


@pytest.mark.parametrize("bad", [np.zeros((0, 3)), np.zeros((1500, 3)), np.full((1500, 3), np.nan), np.ones((40, 3))])
def test_nothing_is_said_of_a_stretch_that_shows_nothing(bad: np.ndarray) -> None:
    assert np.isnan(fine_motion(bad, FORWARD, RATE_HZ)).all()


def test_what_is_missing_counts_as_the_mean() -> None:
    model = shipped("T4")
    fine = model.mean[None, ANGLES:]
    angles_deg = np.array([[20.0, 0.0]])
    missing = model.chances(numbers(angles_deg, np.full((1, COUNT), np.nan)))
    np.testing.assert_allclose(missing, model.chances(numbers(angles_deg, fine)), atol=1e-6)


def test_chances_are_those_of_a_softmax() -> None:
    weights = np.zeros((ANGLES + COUNT + 1, 6))
    weights[-1] = np.log([1.0, 2.0, 3.0, 4.0, 5.0, 5.0])
    model = StretchModel(np.zeros(ANGLES + COUNT), np.ones(ANGLES + COUNT), weights)
    chances = model.chances(numbers(np.zeros((2, 2)), np.zeros((2, COUNT))))
    np.testing.assert_allclose(chances, np.tile([0.05, 0.1, 0.15, 0.2, 0.25, 0.25], (2, 1)))
