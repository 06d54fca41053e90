"""However a clip is put on, the core says the same: it finds up and forward from the wearer's own movement."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from firmware_sim.motion import Motion
from firmware_sim.person import Pose
from firmware_sim.script import Stretch, lies, sits, stands, walks
from processing import clip, swing
from processing.clip import ClipSetup
from processing.epochs import Epochs
from processing.samples import Block
from spineclip import labelled
from spineclip.contract.placement import Placement

START_NS = 1_700_000_000_000_000_000
TOUR = (
    walks(60.0),
    stands(20.0),
    sits(60.0, Pose.UPRIGHT),
    sits(40.0, Pose.SLOUCHED),
    sits(40.0, Pose.LEANING_RIGHT),
    walks(40.0),
    lies(60.0),
    walks(40.0, 95.0),
)

_TRUNK = (Placement.LOWER_BACK, Placement.MID_BACK, Placement.UPPER_BACK, Placement.STERNUM)


def _said(t_ns: NDArray[np.int64], xyz_g: NDArray[np.float64], placement: Placement) -> Epochs:
    state, output = clip.step(clip.begin(ClipSetup(placement)), Block(t_ns, xyz_g))
    return Epochs.concat([output.final, clip.finish(state).final])


def _rotations(seed: int) -> list[NDArray[np.float64]]:
    return list(Rotation.random(24, rng=np.random.default_rng(seed)).as_matrix())


def _generated(
    script: tuple[Stretch, ...] = TOUR, *, seed: int = 5, placement: Placement = Placement.STERNUM
) -> tuple[NDArray[np.int64], NDArray[np.float64], Motion]:
    motion = Motion(script, start_ns=START_NS, seed=seed, placement=placement)
    t_ns = START_NS + np.arange(int(motion.duration_s * 50), dtype=np.int64) * 20_000_000
    return t_ns, motion.samples(t_ns), motion


def test_turning_the_clip_changes_no_state_and_no_angle() -> None:
    t_ns, xyz, _ = _generated()
    upright = _said(t_ns, xyz, Placement.STERNUM)
    for turn in _rotations(1):
        turned = _said(t_ns, xyz @ turn.T, Placement.STERNUM)
        assert np.mean(turned.state == upright.state) >= 0.98
        known = np.isfinite(upright.flexion_deg)
        assert np.array_equal(known, np.isfinite(turned.flexion_deg))
        assert np.abs(turned.flexion_deg - upright.flexion_deg)[known].max() <= 3.0
        assert np.abs(turned.lateral_deg - upright.lateral_deg)[known].max() <= 3.0


@pytest.mark.parametrize("placement", _TRUNK)
def test_angles_are_right_however_the_clip_is_turned_about_the_body(placement: Placement) -> None:
    """Truth of generated people; against the own upright of walking, so the constant part is left out."""
    off: dict[str, list[NDArray[np.float64]]] = {"flexion": [], "lateral": []}
    for seed in range(6):
        around = Rotation.from_euler("x", -60.0 + 24.0 * seed, degrees=True).as_matrix()
        t_ns, xyz, motion = _generated(seed=seed, placement=placement)
        said, truth = _said(t_ns, xyz @ around.T, placement), motion.truth(START_NS, int(t_ns[-1]))
        n = min(len(said), len(truth))
        known = np.isfinite(said.flexion_deg[:n]) & (truth.state[:n] == "sitting")
        assert known.sum() > 100
        for name, mine, true in (
            ("flexion", said.flexion_deg, truth.flexion_deg),
            ("lateral", said.lateral_deg, truth.lateral_deg),
        ):
            part = mine[:n][known] - true[:n][known]
            off[name].append(np.abs(part - np.median(part)))
            assert np.percentile(off[name][-1], 95) <= 5.0, "forward is some ten degrees off at worst"
    for name, parts in off.items():
        assert np.percentile(np.concatenate(parts), 95) <= 3.0, name


@pytest.mark.data
def test_the_swing_finds_forward_better_than_the_push_alone(shared_data: Path) -> None:
    """Against the documented axes of the lower back, z forward (of S009, whose clip lay back to front, backward)."""
    off: dict[bool, list[float]] = {True: [], False: []}
    for one in (
        one for part in ("harth", "har70plus") for one in labelled.recordings(shared_data / part, "lower_back")
    ):
        state, _ = clip.step(clip.begin(ClipSetup(one.placement)), Block(one.t_ns, one.xyz_g))
        known = state.orientation
        up, found, z = known.walked[:, :3].sum(axis=0), np.empty(3), np.array([0.0, 0.0, 1.0])
        up /= np.linalg.norm(up)
        across = z - z @ up * up
        for with_swing in (True, False):
            swing.forward(known.push, known.swing * with_swing, up, found)
            off[with_swing].append(np.degrees(np.arccos(np.clip(found @ across / np.linalg.norm(across), -1.0, 1.0))))
        if one.subject == "S009":
            off[True][-1], off[False][-1] = 180.0 - off[True][-1], 180.0 - off[False][-1]
    with_swing, push_alone = np.array(off[True]), np.array(off[False])
    assert np.mean(with_swing**2) < 0.75 * np.mean(push_alone**2)
    assert np.median(with_swing) <= 8.0, "a clip is taped on by hand: its own axes are some degrees off"
    assert np.percentile(with_swing, 90) <= 20.0


def test_clipping_on_anew_is_noticed_at_the_next_walk() -> None:
    t_ns, xyz, _ = _generated((walks(60.0), sits(60.0), walks(60.0), sits(60.0), walks(60.0)))
    flipped = np.array(xyz)
    later = t_ns >= START_NS + 120 * 10**9
    flipped[later] = flipped[later] @ Rotation.from_euler("z", 90, degrees=True).as_matrix().T
    whole, _ = clip.step(clip.begin(ClipSetup(Placement.STERNUM)), Block(t_ns, xyz))
    turned, _ = clip.step(clip.begin(ClipSetup(Placement.STERNUM)), Block(t_ns, flipped))
    assert whole.orientation.mounts == 0
    assert turned.orientation.mounts == 1
    before, after = _said(t_ns, xyz, Placement.STERNUM), _said(t_ns, flipped, Placement.STERNUM)
    settled = slice(200, len(before))
    assert np.nanmedian(np.abs(before.flexion_deg[settled] - after.flexion_deg[settled])) <= 3.0


@pytest.mark.data
@pytest.mark.parametrize("dataset", ["har70plus", "harth"])
def test_turning_a_real_recording_changes_no_state(dataset: str, shared_data: Path) -> None:
    for one in labelled.recordings(shared_data / dataset, "lower_back"):
        upright = _said(one.t_ns, one.xyz_g, one.placement)
        known = np.isfinite(upright.flexion_deg)
        for turn in _rotations(2):
            turned = _said(one.t_ns, one.xyz_g @ turn.T, one.placement)
            assert np.mean(turned.state == upright.state) >= 0.98, one.name
            off = np.abs(turned.flexion_deg - upright.flexion_deg)[known]
            assert np.percentile(off[np.isfinite(off)], 99) <= 3.0, one.name
