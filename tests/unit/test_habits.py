"""Promise: how a wearer sits is learned without being told, does no harm, and does not depend on the cutting."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from firmware_sim.motion import Motion
from firmware_sim.mount import AXES
from firmware_sim.person import Person, Pose
from firmware_sim.script import sits, walks
from processing import clip, habits, posture
from processing.checkpoint import Registry
from processing.clip import ClipState
from processing.epochs import Epochs, Posture
from processing.habits import Habits
from processing.posture import SITTING
from processing.samples import Block
from spineclip.contract.config import Calibration
from spineclip.contract.placement import Placement

PLACE = Placement.UPPER_BACK
MODEL = posture.model(PLACE)
NOTHING = np.zeros(6, dtype=np.int8)
UPRIGHT, SLOUCHED, FORWARD = 0, 1, 2


def _lived(*stretches_deg: tuple[float, float]) -> Habits:
    learned = habits.begin(0, 2)
    for angles in stretches_deg:
        learned = habits.learn(learned, MODEL, np.array(angles), NOTHING)
    return learned


def test_a_posture_is_told_by_the_wearers_other_ones() -> None:
    """At 18 degrees people lean or slouch; who also sits at 8 and at 0 leans at 8, so that 18 is the slouch."""
    probe = np.array([[18.0, 0.0]])
    before = MODEL.chances(probe)[0]
    after = habits.chances(_lived(*[(0.0, 0.0), (18.0, 0.0), (8.0, 0.0)] * 3), MODEL, probe)[0]
    assert after[SLOUCHED] > before[SLOUCHED] + 0.1
    assert after[FORWARD] < before[FORWARD]


@pytest.mark.parametrize("row", range(6))
def test_who_takes_one_posture_alone_keeps_its_name(row: int) -> None:
    at = MODEL.mean[row]
    rng = np.random.default_rng(row)
    learned = _lived(*(tuple(at + rng.normal(0.0, 1.5, 2)) for _ in range(40)))
    assert np.argmax(habits.chances(learned, MODEL, at[None])[0]) == row


def test_one_odd_stretch_decides_nothing() -> None:
    learned = _lived(*[(0.0, 0.0), (25.0, 0.0)] * 5)
    odd = habits.learn(learned, MODEL, np.array([-60.0, 50.0]), NOTHING)
    probes = np.array([[0.0, 0.0], [25.0, 0.0]])
    assert np.argmax(habits.chances(odd, MODEL, probes), axis=1).tolist() == [UPRIGHT, SLOUCHED]


def test_after_enough_stretches_nothing_more_is_learned() -> None:
    learned = _lived(*[(0.0, 0.0)] * habits.ENOUGH)
    assert learned.heard == habits.ENOUGH
    assert habits.learn(learned, MODEL, np.array([25.0, 0.0]), NOTHING) is learned
    assert habits.learn(habits.begin(), MODEL, np.array([np.nan, 0.0]), NOTHING).heard == 0


def test_chances_add_up_to_one_even_far_out() -> None:
    learned = _lived((0.0, 0.0), (20.0, 3.0))
    total = habits.chances(learned, MODEL, np.array([[0.0, 0.0], [1e4, -1e4]])).sum(axis=1)
    assert total == pytest.approx([1.0, 1.0])


def test_before_the_first_stretch_a_wearer_is_like_people_in_general() -> None:
    knows = posture.knowledge(PLACE, (), own_neutral=True, habits=habits.begin(0, 2))
    assert np.array_equal(knows.points, MODEL.points)
    assert not knows.personal


def _day() -> tuple[Block, Calibration]:
    poses = [Pose.UPRIGHT, Pose.SLOUCHED, Pose.LEANING_FORWARD, Pose.RECLINED, Pose.UPRIGHT, Pose.SLOUCHED]
    motion = Motion(
        (walks(40.0), *(sits(35.0, pose) for pose in poses)), start_ns=0, seed=4, placement=PLACE, person=Person()
    )
    t_ns = np.arange(250 * 50, dtype=np.int64) * 20_000_000
    return Block(t_ns, motion.samples(t_ns)), Calibration(0, motion.neutral_g())


def _played(cuts: list[int], *, restarts: bool = False, before: Habits | None = None) -> tuple[Epochs, ClipState]:
    block, calibration = _day()
    registry = Registry(ClipState)
    state, finals = clip.begin(clip.ClipSetup(PLACE, AXES, calibration)), []
    state = replace(state, habits=before or state.habits)
    for a, b in pairwise([0, *cuts, len(block)]):
        state, output = clip.step(state, block.slice(a, b))
        finals.append(output.final)
        if restarts:
            state = registry.loads(registry.dumps(state))
    return Epochs.concat([*finals, clip.finish(state).final]), state


def test_what_is_learned_does_not_depend_on_the_cutting() -> None:
    whole, state = _played([])
    assert state.habits.heard >= 3
    assert {Posture.UPRIGHT.code, Posture.SLOUCHED.code} <= set(whole.posture.tolist())
    for cuts, restarts in (([50 * k for k in range(1, 250)], False), ([333 * k for k in range(1, 37)], True)):
        cut, after = _played(cuts, restarts=restarts)
        for name in ("posture", "beyond", "state", "confidence"):
            assert getattr(cut, name).tobytes() == getattr(whole, name).tobytes(), name
        for name in ("logs", "counts", "sums"):
            assert getattr(after.habits, name).tobytes() == getattr(state.habits, name).tobytes(), name


def test_a_new_mount_begins_anew_whatever_was_learned_before_and_however_it_is_cut() -> None:
    of_another = replace(_lived(*[(30.0, 20.0)] * habits.ENOUGH), mount=-2)
    fresh, _ = _played([])
    for cuts in ([], [50 * k for k in range(1, 250)]):
        after, state = _played(cuts, before=of_another)
        assert state.habits.mount == 0
        assert after.posture.tobytes() == fresh.posture.tobytes()
        assert after.beyond.tobytes() == fresh.beyond.tobytes()


def test_a_state_with_habits_stays_small() -> None:
    _, state = _played([])
    assert len(Registry(ClipState).dumps(state)) < 40_000
    assert len(SITTING) == state.habits.counts.shape[1]
