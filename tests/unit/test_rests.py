"""Promise: who sits down or gets up before any walk is seen to do so, however the clip is turned; fidgets are not."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from firmware_sim.motion import Motion
from firmware_sim.person import Pose
from firmware_sim.script import Stretch, lies, sits, stands, walks
from processing import changes, clip, orientation, rests, statistics
from processing.activity import CLASSES
from processing.changes import LYING, SITTING, STANDING
from processing.clip import ClipSetup
from processing.epochs import Epochs, State
from processing.grid import RATE_HZ, Seconds
from processing.rests import RestState
from processing.samples import Block
from processing.stories import CHANGED
from spineclip.contract.placement import Placement

START_NS = 1_700_000_000_000_000_000
FIRST = 1_700_000_000
MORNING = (stands(25.0), sits(30.0, Pose.UPRIGHT), stands(25.0), sits(30.0, Pose.UPRIGHT))
REST_S = 12
Array = NDArray[np.float64]


def _said(script: tuple[Stretch, ...], seed: int) -> tuple[Epochs, list[str]]:
    motion = Motion(script, start_ns=START_NS, seed=seed, placement=Placement.LOWER_BACK)
    t_ns = START_NS + np.arange(int(motion.duration_s * 50), dtype=np.int64) * 20_000_000
    turn = Rotation.random(rng=np.random.default_rng(seed)).as_matrix()
    state, output = clip.step(clip.begin(ClipSetup(Placement.LOWER_BACK)), Block(t_ns, motion.samples(t_ns) @ turn.T))
    said = Epochs.concat([output.final, clip.finish(state).final])
    return said, [str(one) for one in motion.truth(START_NS, int(t_ns[-1])).state]


@pytest.mark.parametrize("seed", range(6))
def test_sitting_and_standing_are_told_before_any_walk(seed: int) -> None:
    said, truth = _said(MORNING, seed)
    n = min(len(said), len(truth))
    state = [list(State)[code].value for code in said.state[:n].tolist()]
    claimed = [(mine, true) for mine, true in zip(state, truth[:n], strict=True) if mine in ("sitting", "standing")]
    assert len(claimed) > 0.5 * n, "from the first change on, most rests are known"
    assert np.mean([mine == true for mine, true in claimed]) >= 0.9
    assert (said.confidence[:n][np.isin(state, ["sitting"])] < 0.9).all(), "what only a story says is never sure"


def _rest(tilt_deg: float = 0.0) -> Array:
    tilt = np.radians(tilt_deg)
    return np.tile([np.cos(tilt), np.sin(tilt), 0.0], (REST_S * RATE_HZ, 1))


def _moves(height_m: float, lasts_s: float = 2.0, *, bow_deg: float = 25.0, to_deg: float = 0.0) -> Array:
    """A lift with the least jerk (Flash and Hogan 1985), a bow in the middle, a turn to where the next rest is held."""
    share = np.arange(int(lasts_s * RATE_HZ)) / (lasts_s * RATE_HZ)
    lift = height_m * (60.0 * share - 180.0 * share**2 + 120.0 * share**3) / lasts_s**2
    smooth = share**3 * (10.0 - 15.0 * share + 6.0 * share**2)
    tilt = np.radians(bow_deg * np.sin(np.pi * share) ** 2 + to_deg * smooth)
    size = 1.0 + lift / 9.80665
    return np.stack([size * np.cos(tilt), size * np.sin(tilt), np.zeros(len(share))], axis=1)


def _seconds(parts: list[Array], turn: Array | None = None) -> Array:
    xyz = np.concatenate(parts)
    xyz = xyz if turn is None else xyz @ turn.T
    return xyz[: len(xyz) // RATE_HZ * RATE_HZ].reshape(-1, RATE_HZ, 3)


def _follow(xyz_g: Array, coverage: Array | None = None, mount: Array | None = None) -> Array:
    """Chances by second, with a network that knows nothing."""
    n = len(xyz_g)
    table, _ = statistics.statistics(Seconds(FIRST, xyz_g, np.ones(n) if coverage is None else coverage))
    known = np.zeros((n, orientation.HELD))
    known[:, orientation.REFERENCE] = np.nan
    known[:, orientation.MOUNT] = 0.0 if mount is None else mount
    said = np.full((n, len(CLASSES)), -np.log(len(CLASSES)))
    return rests.follow(RestState(), FIRST, table, 0, said, known, xyz_g, 0, np.empty((0, 4)))[1]


@pytest.mark.parametrize("height_m", [0.4, -0.4, 0.05, -0.1, 0.33, -0.33])
@pytest.mark.parametrize("turned", [False, True])
def test_the_height_between_two_rests_is_seen_however_the_clip_is_turned(height_m: float, turned: bool) -> None:
    turn = Rotation.random(rng=np.random.default_rng(5)).as_matrix() if turned else None
    xyz = _seconds([_rest(), _moves(height_m), _rest()], turn)
    table, _ = statistics.statistics(Seconds(FIRST, xyz, np.ones(len(xyz))))
    height, bow, differ = changes.seen(xyz, 0, table, REST_S - 1, REST_S + 3)
    assert height == pytest.approx(height_m, abs=0.04)
    assert bow == pytest.approx(25.0, abs=6.0)
    assert differ < 0.01


@pytest.mark.parametrize(("height_m", "before", "after"), [(0.4, SITTING, STANDING), (-0.4, STANDING, SITTING)])
def test_a_lift_tells_what_was_before_and_what_is_after(height_m: float, before: int, after: int) -> None:
    chances = _follow(_seconds([_rest(), _moves(height_m), _rest()]))
    assert chances[-1, after] > 0.8
    assert chances[REST_S - 3, before] > 0.8, "what came some seconds later tells of this one"
    assert chances[0, before] < 0.6, "it was given before"
    assert np.allclose(chances[:, :CHANGED].sum(axis=1), 1.0)


def test_a_fidget_is_no_change() -> None:
    chances = _follow(_seconds([_rest(), _moves(0.4), _rest(), _moves(0.03, bow_deg=8.0), _rest()]))
    assert chances[-1, STANDING] > 0.8


def test_a_lift_without_any_bow_is_a_ride_and_no_change() -> None:
    """A lift in a house raises who stands in it."""
    ride = [part for height_m in (0.3, -0.3) * 3 for part in (_moves(height_m, bow_deg=0.0), _rest())]
    chances = _follow(_seconds([_rest(), _moves(0.4), _rest(), *ride]))
    assert chances[-1, STANDING] > 0.6


def test_a_long_movement_leaves_less_known() -> None:
    known = [_rest(), _moves(0.4), _rest()]
    noise = 1.0 + 0.2 * np.sin(np.arange(15 * RATE_HZ))[:, None] * np.array([1.0, 0.0, 0.0])
    noise[:, 1:] = 0.0
    chances = _follow(_seconds([*known, noise, _rest(20.0)]))
    before = chances[2 * REST_S, STANDING]
    assert chances[-1, STANDING] < before
    assert chances[-1, SITTING] > 0.2


def test_from_standing_a_quarter_turn_is_lying() -> None:
    laid = _moves(-0.5, 3.0, bow_deg=0.0, to_deg=90.0)
    chances = _follow(_seconds([_rest(), _moves(0.4), _rest(), laid, _rest(90.0)]))
    assert chances[-1, LYING] > 0.9


def test_what_a_rest_was_is_known_again_by_how_it_is_held() -> None:
    parts = [_rest(), _moves(-0.4, to_deg=20.0), _rest(20.0)]
    noise = np.tile([1.0, 0.0, 0.0], (15 * RATE_HZ, 1)) * (1.0 + 0.2 * np.sin(np.arange(15 * RATE_HZ)))[:, None]
    assert _follow(_seconds([*parts, noise, _rest(20.0)]))[-1, SITTING] > 0.7
    assert _follow(_seconds([*parts, noise, _rest()]))[-1, STANDING] > 0.7


def test_a_gap_leaves_less_known_and_another_mount_nothing() -> None:
    xyz = _seconds([_rest(), _moves(0.4), _rest()])
    n = len(xyz)
    whole = _follow(xyz)[-1, STANDING]
    coverage = np.ones(n)
    coverage[REST_S + 6] = 0.0
    assert 0.4 < _follow(xyz, coverage)[-1, STANDING] < whole
    anew = _follow(xyz, mount=np.where(np.arange(n) < REST_S + 8, 0.0, 1.0))
    assert anew[REST_S + 7, STANDING] == pytest.approx(_follow(xyz)[REST_S + 7, STANDING], abs=0.1)
    assert anew[-1, STANDING] < 0.5
    assert anew[-1, CHANGED] == 0.0


def test_without_a_walk_an_unmoved_rest_stays_unsure() -> None:
    said, _ = _said((sits(60.0, Pose.UPRIGHT),), 3)
    assert not (said.state == State.SITTING.code).any()


def test_after_a_walk_nothing_is_overruled() -> None:
    said, truth = _said((walks(60.0), stands(20.0), lies(30.0)), 2)
    state = [list(State)[code].value for code in said.state.tolist()]
    assert state[70:78] == truth[70:78]
