"""Promise: who sits down or gets up before any walk is seen to do so, however the clip is turned; fidgets are not."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from firmware_sim.motion import Motion
from firmware_sim.person import Pose
from firmware_sim.script import Stretch, lies, sits, stands, walks
from processing import clip, rising, statistics
from processing.clip import ClipSetup
from processing.epochs import Epochs, State
from processing.grid import RATE_HZ, Seconds
from processing.rising import DOWN, LYING, NOTHING, UP, RisingState
from processing.samples import Block
from spineclip.contract.placement import Placement

START_NS = 1_700_000_000_000_000_000
MORNING = (stands(25.0), sits(30.0, Pose.UPRIGHT), stands(25.0), sits(30.0, Pose.UPRIGHT))


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
    assert len(claimed) > 0.3 * n, "from the first change on, most rests are known"
    assert np.mean([mine == true for mine, true in claimed]) >= 0.9
    assert (said.confidence[:n][np.isin(state, ["sitting"])] < 0.9).all(), "what only a rule says is never sure"


def _follow(norm_g: NDArray[np.float64], *, tilt_deg: NDArray[np.float64] | None = None) -> list[int]:
    """Follow seconds of a clip whose specific force has these sizes, tilted by so much."""
    tilt = np.radians(np.zeros(len(norm_g)) if tilt_deg is None else tilt_deg)
    xyz = np.stack([norm_g * np.cos(tilt), norm_g * np.sin(tilt), np.zeros(len(norm_g))], axis=1)
    n = len(norm_g) // RATE_HZ
    return _known(xyz.reshape(n, RATE_HZ, 3), np.ones(n), np.zeros(n))


def _known(xyz_g: NDArray[np.float64], coverage: NDArray[np.float64], mount: NDArray[np.float64]) -> list[int]:
    first = 1_700_000_000
    table, _ = statistics.statistics(Seconds(first, xyz_g, coverage))
    _, known = rising.follow(RisingState(), first, table, 0, mount, xyz_g, 0)
    return [int(code) for code in known]


def _lifted(height_m: float, lasts_s: float = 2.0) -> NDArray[np.float64]:
    """Ten seconds of rest, a lift with the least jerk (Flash and Hogan 1985), ten seconds of rest; in g."""
    share = np.arange(int(lasts_s * RATE_HZ)) / (lasts_s * RATE_HZ)
    lift = height_m * (60.0 * share - 180.0 * share**2 + 120.0 * share**3) / lasts_s**2
    rest = np.ones(10 * RATE_HZ)
    return np.concatenate([rest, 1.0 + lift / 9.80665, rest])


@pytest.mark.parametrize(
    ("height_m", "known"), [(0.4, UP), (-0.4, DOWN), (0.05, NOTHING), (-0.1, NOTHING), (0.3, UP), (-0.3, DOWN)]
)
def test_the_height_between_two_rests_tells(height_m: float, known: int) -> None:
    assert _follow(_lifted(height_m))[-5:] == [known] * 5


def test_a_height_between_the_two_ends_what_was_known() -> None:
    both = np.concatenate([_lifted(0.4), _lifted(-0.2)])
    assert _follow(both)[20] == UP
    assert _follow(both)[-1] == NOTHING


def test_a_longer_movement_ends_what_was_known() -> None:
    noise = 1.0 + 0.2 * np.sin(np.arange(10 * RATE_HZ))
    assert _follow(np.concatenate([_lifted(0.4), noise, np.ones(5 * RATE_HZ)]))[-1] == NOTHING


def test_from_standing_a_quarter_turn_is_lying() -> None:
    stood = _lifted(0.4)
    tilt = np.concatenate([np.zeros(len(stood)), np.linspace(0.0, 90.0, 3 * RATE_HZ), np.full(10 * RATE_HZ, 90.0)])
    sizes = np.concatenate([stood, np.ones(13 * RATE_HZ)])
    assert _follow(sizes, tilt_deg=tilt)[-1] == LYING


def test_a_gap_and_another_mount_end_what_was_known() -> None:
    xyz = np.stack([_lifted(0.4), np.zeros(550), np.zeros(550)], axis=1).reshape(22, RATE_HZ, 3)
    coverage, mount = np.ones(22), np.zeros(22)
    known = _known(xyz, coverage, mount)
    assert known[16] == known[21] == UP
    gap = coverage.copy()
    gap[16] = 0.0
    known = _known(xyz, gap, mount)
    assert known[15] == UP
    assert not any(known[16:])
    known = _known(xyz, coverage, np.where(np.arange(22) < 18, 0.0, 1.0))
    assert known[17] == UP
    assert not any(known[18:])


def test_without_a_walk_an_unmoved_rest_stays_unsure() -> None:
    said, _ = _said((sits(60.0, Pose.UPRIGHT),), 3)
    assert not (said.state == State.SITTING.code).any()


def test_after_a_walk_nothing_is_overruled() -> None:
    said, truth = _said((walks(60.0), stands(20.0), lies(30.0)), 2)
    state = [list(State)[code].value for code in said.state.tolist()]
    assert state[70:78] == truth[70:78]
