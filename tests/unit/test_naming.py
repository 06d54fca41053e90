"""Promise: a posture is named of a trunk that rests upright, even where sitting and standing cannot be told apart."""

from __future__ import annotations

import numpy as np

from firmware_sim.motion import Motion
from firmware_sim.mount import AXES
from firmware_sim.person import Person, Pose
from firmware_sim.script import Stretch, lies, sits, walks
from processing import clip
from processing.epochs import Epochs, Posture, State
from processing.samples import Block
from spineclip.contract.placement import Placement

PLACE = Placement.STERNUM


def _said(*script: Stretch, worn: bool = True) -> Epochs:
    """What is said without a calibration and, unless it is in the script, without a walk; axes are told."""
    motion = Motion(script, start_ns=0, seed=7, placement=PLACE, person=Person())
    t_ns = np.arange(int(motion.duration_s) * 50, dtype=np.int64) * 20_000_000
    xyz_g = motion.samples(t_ns)
    if not worn:
        xyz_g = np.tile(xyz_g[100], (len(xyz_g), 1))
    state, output = clip.step(clip.begin(clip.ClipSetup(PLACE, AXES)), Block(t_ns, xyz_g))
    return Epochs.concat([output.final, clip.finish(state).final])


def test_a_posture_is_named_before_anybody_has_walked() -> None:
    said = _said(sits(60.0, Pose.UPRIGHT, still=True), sits(60.0, Pose.LEANING_RIGHT, still=True))
    upright, leaning = said.posture[10:55], said.posture[75:115]
    assert np.mean(upright == Posture.UPRIGHT.code) > 0.8
    assert np.mean(leaning == Posture.LEANING_RIGHT.code) > 0.8


def test_nobody_who_lies_or_walks_has_a_posture() -> None:
    said = _said(lies(90.0), walks(30.0))
    resting = np.isin(said.state, (State.SITTING.code, State.STANDING.code))
    assert not said.posture[10:85].any()
    assert not said.posture[95:115][~resting[95:115]].any()


def test_a_clip_that_shows_no_life_has_no_posture_in_the_end() -> None:
    said = _said(sits(400.0, Pose.UPRIGHT, still=True), worn=False)
    assert not said.posture[200:].any()
