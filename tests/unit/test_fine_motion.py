"""Promise: the fine motion of a trunk says how strong it is, along which axis, and what goes with what."""

from __future__ import annotations

import numpy as np
import pytest

from processing import posture
from processing.fine_motion import COUNT, EDGES_HZ, MIRROR, fine_motion
from processing.grid import RATE_HZ
from processing.stretch_model import FineModel
from spineclip.contract.placement import Placement

FORWARD = np.array([[0.0, 0.0, -1.0]])
T_S = np.arange(100) / RATE_HZ


def _beating(hz: float, *, up: float = 0.0, forward: float = 0.0, right: float = 0.0, late: float = 0.0) -> np.ndarray:
    """Up is x and forward is -z, so right is -y; forward comes `late` radians after up."""
    turn = 2.0 * np.pi * hz * T_S
    return np.stack([1.0 + up * np.cos(turn), -right * np.cos(turn), -forward * np.cos(turn - late)], axis=1)


def _numbers(xyz_g: np.ndarray) -> np.ndarray:
    return fine_motion(xyz_g[None], xyz_g.mean(axis=0)[None], FORWARD)[0]


def _band(numbers: np.ndarray, hz: float) -> np.ndarray:
    return numbers.reshape(-1, 9)[np.searchsorted(EDGES_HZ, hz, side="right") - 1]


def test_energy_is_that_of_the_wave_in_its_own_band() -> None:
    band = _band(_numbers(_beating(7.0, up=0.01)), 7.0)
    assert np.exp(band[0]) == pytest.approx(0.5 * 0.01**2, rel=0.05)
    assert band[1] < np.log(1e-8)


@pytest.mark.parametrize(
    ("late", "at_once", "quarter"),
    [(0.0, 1.0, 0.0), (np.pi, -1.0, 0.0), (np.pi / 2, 0.0, 1.0), (-np.pi / 2, 0.0, -1.0)],
)
def test_up_goes_with_forward_by_its_phase(late: float, at_once: float, quarter: float) -> None:
    band = _band(_numbers(_beating(7.0, up=0.01, forward=0.01, late=late)), 7.0)
    assert band[3] == pytest.approx(at_once, abs=0.02)
    assert band[4] == pytest.approx(quarter, abs=0.02)


def test_any_mounting_gives_the_same_numbers() -> None:
    rng = np.random.default_rng(1)
    xyz_g = rng.normal([1.0, 0.05, -0.1], 0.01, (100, 3))
    turn, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    turn *= np.linalg.det(turn)
    turned = xyz_g @ turn.T
    again = fine_motion(turned[None], turned.mean(axis=0)[None], FORWARD @ turn.T)[0]
    np.testing.assert_allclose(again, _numbers(xyz_g), atol=1e-4)


def test_a_mirrored_trunk_has_mirrored_numbers() -> None:
    noise = np.random.default_rng(3).normal([1.0, 0.05, -0.1], 0.01, (100, 3))
    np.testing.assert_allclose(_numbers(noise * [1.0, -1.0, 1.0]), _numbers(noise) * MIRROR, atol=1e-4)


def test_a_straight_drift_is_no_fine_motion() -> None:
    drifting = _beating(7.0, up=0.01) + 0.02 * np.linspace(-1.0, 1.0, 100)[:, None]
    still = _beating(7.0, up=0.01)
    same_up = np.array([[1.0, 0.0, 0.0]])
    got, truth = (fine_motion(xyz[None], same_up, FORWARD)[0] for xyz in (drifting, still))
    np.testing.assert_allclose(got[:9], truth[:9], atol=0.05)


def test_nothing_is_said_where_there_is_no_direction() -> None:
    numbers = fine_motion(np.zeros((1, 100, 3)), np.zeros((1, 3)), FORWARD)
    assert np.isnan(numbers.reshape(-1, 9)[:, 3:]).all()
    _, usable = _model().scores(numbers)
    assert not usable[0]


def test_one_window_has_the_bits_of_many() -> None:
    windows = np.rint(np.random.default_rng(4).normal([1.0, 0.0, 0.1], 0.01, (300, 100, 3)) * 65536) / 65536
    up, forward = windows.mean(axis=1), np.tile(FORWARD, (300, 1))
    many = fine_motion(windows, up, forward)
    for k in (0, 1, 7, 299):
        assert fine_motion(windows[k : k + 1], up[k : k + 1], forward[:1]).tobytes() == many[k : k + 1].tobytes()
        scores, _ = _model().scores(many[k : k + 1])
        assert scores.tobytes() == _model().scores(many)[0][k : k + 1].tobytes()


def _model() -> FineModel:
    model = posture.fine_model(Placement.UPPER_BACK)
    assert model is not None
    return model


def test_a_window_like_nothing_that_was_learnt_has_no_say() -> None:
    model = _model()
    _, usable = model.scores(np.stack([model.mean, model.mean + 10.0 * model.spread]))
    assert usable.tolist() == [True, False]


def test_the_mean_says_what_the_last_row_of_weights_says() -> None:
    weights = np.zeros((COUNT + 1, 6))
    weights[-1] = [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]
    model = FineModel(np.zeros(COUNT), np.ones(COUNT), weights)
    assert model.scores(np.zeros((1, COUNT)))[0].tolist() == [[0.0, 1.0, 2.0, 3.0, 4.0, 5.0]]
