"""Half a stride later, a walking trunk moves alike forward and back, and reversed from side to side."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from processing import swing
from processing.grid import RATE_HZ

UP, RIGHT, FORWARD = np.eye(3)


def _walk(
    cadence_spm: float, *, sideways_g: float = 0.1, stride_g: float = 0.0, seconds: int = 12
) -> NDArray[np.float64]:
    """Samples, shape (seconds, 25, 3), of an even gait: up and forward with each step, sideways with each stride."""
    turn = 2.0 * np.pi * cadence_spm / 60.0 * np.arange(seconds * RATE_HZ) / RATE_HZ
    up = 1.0 + 0.2 * np.cos(turn) + stride_g * np.cos(turn / 2)
    sides = sideways_g * np.cos(turn / 2 + 0.4)
    return np.stack([up, sides, 0.1 * np.cos(turn - 1.8)], axis=1).reshape(seconds, RATE_HZ, 3)


def _forward(xyz_g: NDArray[np.float64], push: NDArray[np.float64], up: NDArray[np.float64]) -> NDArray[np.float64]:
    total, found = np.zeros((3, 3)), np.empty(3)
    for at in range(swing.WINDOW_S - 1, len(xyz_g)):
        swing.add(xyz_g, at, total)
    swing.forward(push, total, up, found)
    return found


def _degrees(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    return float(np.degrees(np.arccos(np.clip(a @ b / np.linalg.norm(a) / np.linalg.norm(b), -1.0, 1.0))))


@pytest.mark.parametrize("cadence_spm", [60.0, 75.0, 96.0, 112.0, 140.0])
@pytest.mark.parametrize("sideways_g", [0.03, 0.1, 0.25])
def test_forward_is_found_at_any_cadence_with_a_push_that_is_thirty_degrees_off(
    cadence_spm: float, sideways_g: float
) -> None:
    """A step is no whole number of samples: by half a one, 20 ms, what is sideways turns into nothing forward."""
    push = np.array([0.02, 0.5, np.sqrt(0.75)])
    assert _degrees(_forward(_walk(cadence_spm, sideways_g=sideways_g), push, UP), FORWARD) < 3.0


def test_the_push_tells_forward_from_backward() -> None:
    xyz = _walk(112.0)
    for sign in (1.0, -1.0):
        found = _forward(xyz, sign * np.array([0.0, 0.3, 1.0]), UP)
        assert _degrees(found, sign * FORWARD) < 3.0


def test_a_step_is_not_taken_for_a_stride_where_one_leg_pushes_more() -> None:
    """At a stride's lag everything is alike, and sideways would be as good as forward."""
    xyz = _walk(104.0, sideways_g=0.25, stride_g=0.06)
    assert _degrees(_forward(xyz, np.array([0.0, 0.4, 1.0]), UP), FORWARD) < 3.0


def test_however_the_clip_sits_forward_turns_with_it() -> None:
    xyz, push = _walk(100.0), np.array([0.0, 0.3, 1.0])
    before = _forward(xyz, push, UP)
    for turn in Rotation.random(12, rng=np.random.default_rng(4)).as_matrix():
        assert _degrees(_forward(xyz @ turn.T, turn @ push, turn @ UP), turn @ before) < 0.1


def test_without_a_rhythm_the_push_stands() -> None:
    rng = np.random.default_rng(5)
    push = np.array([0.3, 0.3, 1.0])
    still = np.broadcast_to(UP, (12, RATE_HZ, 3)).copy()
    assert _degrees(_forward(still, push, UP), np.array([0.0, 0.3, 1.0])) < 1e-4
    noise = still + rng.normal(0.0, 0.05, still.shape)
    assert _degrees(_forward(noise, push, UP), np.array([0.0, 0.3, 1.0])) < 60.0, "noise cannot turn it round"


def test_without_push_or_up_no_forward_is_known() -> None:
    xyz = _walk(100.0)
    assert np.isnan(_forward(xyz, np.zeros(3), UP)).all()
    assert np.isnan(_forward(xyz, FORWARD, np.full(3, np.nan))).all()


def test_nothing_is_added_where_the_first_samples_of_a_window_are_missing() -> None:
    total = np.zeros((3, 3))
    swing.add(_walk(100.0), swing.WINDOW_S - 2, total)
    assert not total.any()
