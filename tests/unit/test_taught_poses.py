"""Promise: a pose that the wearer has taught is used for as long as the clip sits as it was taught."""

from __future__ import annotations

import numpy as np
import pytest

from firmware_sim.motion import Motion
from firmware_sim.mount import AXES
from firmware_sim.person import Person
from firmware_sim.script import Doing, Stretch, stands, walks
from processing import clip
from processing.epochs import Epochs, Posture
from processing.samples import Block
from spineclip.contract.config import Calibration
from spineclip.contract.placement import Placement

SLOUCH_DEG = 12.0


def _postures(poses: dict[str, tuple[float, float, float]], cuts: int = 1) -> tuple[Epochs, np.ndarray]:
    """A person who slouches by 12 degrees at the belt, after a walk that tells where forward is."""
    script = (
        stands(20.0), walks(60.0), stands(20.0),
        Stretch(Doing.STANDS, 60.0, flexion_deg=SLOUCH_DEG, lateral_deg=0.0, still=True),
    )  # fmt: skip
    motion = Motion(script, start_ns=0, seed=1, placement=Placement.BELT, person=Person())
    told = Calibration(0, motion.neutral_g(), poses)
    state, tables = clip.begin(clip.ClipSetup(Placement.BELT, AXES, told)), []
    t_ns = np.arange(160 * 50, dtype=np.int64) * 20_000_000
    for part in np.array_split(t_ns, cuts):
        state, out = clip.step(state, Block(part, motion.samples(part)))
        tables.append(out.final)
    epochs = Epochs.concat([*tables, clip.finish(state).final])
    return epochs, epochs.posture[110:150]


def _at(flexion_deg: float) -> tuple[float, float, float]:
    motion = Motion(
        (Stretch(Doing.SITS, 10.0, flexion_deg=flexion_deg, lateral_deg=0.0, still=True),),
        start_ns=0, seed=2, placement=Placement.BELT, person=Person(),
    )  # fmt: skip
    x, y, z = motion.samples(np.arange(100, 400, dtype=np.int64) * 20_000_000).mean(axis=0)
    return (float(x), float(y), float(z))


def test_a_belt_claims_a_slouch_that_it_was_taught_and_only_then() -> None:
    _, plain = _postures({})
    _, taught = _postures({"slouched": _at(SLOUCH_DEG)})
    assert Posture.SLOUCHED.code not in plain
    known = taught[taught != Posture.UNKNOWN.code]
    assert len(known) > 20
    assert np.mean(known == Posture.SLOUCHED.code) > 0.8


@pytest.mark.parametrize("cuts", [3, 40])
def test_what_was_taught_does_not_depend_on_the_cutting(cuts: int) -> None:
    poses = {"slouched": _at(SLOUCH_DEG)}
    whole, cut = _postures(poses)[0], _postures(poses, cuts)[0]
    assert np.array_equal(whole.posture, cut.posture)
