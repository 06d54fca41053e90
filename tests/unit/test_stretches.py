"""Promise: a second is judged by the stretch that it belongs to, and by nothing beyond a move or a gap."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from processing import orientation, statistics, stretches
from processing.fine_motion import COUNT
from processing.stretch_model import EIGHTH, FineModel
from processing.stretches import StretchState

N = 120
AGREED = np.log([0.5, 0.1, 0.1, 0.1, 0.1, 0.1])


def _model() -> FineModel:
    """A model that says the same of every window."""
    return FineModel(np.zeros(COUNT), np.full(COUNT, 1e6), np.vstack([np.zeros((COUNT, 6)), AGREED]))


def _table(flexion_deg: np.ndarray, *, moving: tuple[int, ...] = (), missing: tuple[int, ...] = ()) -> np.ndarray:
    table = np.zeros((N, statistics.COLUMNS))
    turn = np.radians(flexion_deg)
    gravity = np.stack([np.cos(turn), np.zeros(N), -np.sin(turn)], axis=1)
    table[:, statistics.GRAVITY] = np.rint(gravity * 2**20) / 2**20
    table[:, statistics.COVERED] = 1.0
    table[list(moving), statistics.MAD] = 0.1
    table[list(missing)] = 0.0
    return table


def _looked(table: np.ndarray, cuts: tuple[int, ...] = ()) -> StretchState:
    held = np.zeros((N, orientation.HELD))
    held[:, orientation.NEUTRAL] = [1.0, 0.0, 0.0]
    held[:, orientation.FORWARD] = [0.0, 0.0, 1.0]
    xyz = np.repeat(table[:, None, statistics.GRAVITY], 25, axis=1)
    xyz = xyz + np.rint(np.random.default_rng(0).normal(0.0, 0.001, xyz.shape) * 2**16) / 2**16
    state = stretches.begin()
    edges = [0, *cuts, N - 3]
    for a, b in pairwise(edges):
        seen = stretches.Looked(1000 + a, a, b, table[: b + 3], xyz[a : b + 3], held[a:b])
        state = stretches.look(state, seen, _model())
    return state


def test_gravity_is_the_mean_of_the_stretch_around() -> None:
    state = _looked(_table(np.tile([1.0, -1.0], N // 2)))
    gravity, _ = stretches.heard(state, 1050, 1)
    assert gravity[0, 2] == pytest.approx(0.0, abs=1e-3), "one degree to and fro is none on average"


def test_a_new_angle_begins_a_new_stretch() -> None:
    flexion = np.where(np.arange(N) < 60, 0.0, 20.0)
    gravity, _ = stretches.heard(_looked(_table(flexion)), 1050, 40)
    said = np.degrees(np.arctan2(-gravity[:, 2], gravity[:, 0]))
    assert said == pytest.approx(flexion[50:90], abs=0.01)


@pytest.mark.parametrize("kind", ["moving", "missing"])
def test_what_was_before_a_move_or_a_gap_is_not_heard(kind: str) -> None:
    table = _table(np.zeros(N), **{kind: (60,)})
    _, fine = stretches.heard(_looked(table), 1061, 1, ahead_s=0)
    assert not fine.any(), "a stretch of one second has no window of four"
    _, before = stretches.heard(_looked(_table(np.zeros(N))), 1061, 1, ahead_s=0)
    assert before.any()


def test_what_the_fine_motion_says_grows_with_the_windows_heard() -> None:
    _, fine = stretches.heard(_looked(_table(np.zeros(N))), 1000, 30, ahead_s=0)
    sure = fine[:, 0] - fine[:, 1]
    assert (np.diff(sure) >= 0).all()
    windows = 10  # those that begin at even seconds up to 1018
    expected = np.log(5.0) * windows / (windows + 4) * EIGHTH
    assert sure[18] == pytest.approx(expected, abs=1.0)


@pytest.mark.parametrize("cuts", [(1,), (2, 3, 4, 60, 61), tuple(range(1, N - 3))])
def test_any_cutting_gives_the_same_bits(cuts: tuple[int, ...]) -> None:
    table = _table(np.where(np.arange(N) % 50 < 25, 0.0, 12.0), moving=(80,), missing=(33,))
    for one, other in zip(
        stretches.heard(_looked(table), 1000, N - 3), stretches.heard(_looked(table, cuts), 1000, N - 3), strict=True
    ):
        assert one.tobytes() == other.tobytes()


def test_what_no_second_hears_any_more_is_forgotten() -> None:
    state = stretches.forget(_looked(_table(np.zeros(N))), 1100)
    assert len(state.rows) == 1000 + N - 3 - (1100 - stretches.MEMORY_S)
    whole = stretches.heard(_looked(_table(np.zeros(N))), 1100, 5)
    for one, other in zip(stretches.heard(state, 1100, 5), whole, strict=True):
        assert one.tobytes() == other.tobytes()


def test_a_stream_that_goes_on_from_an_older_version_says_nothing_of_what_it_did_not_see() -> None:
    gravity, fine = stretches.heard(stretches.begin(), 1000, 3)
    assert np.isnan(gravity).all()
    assert not fine.any()
