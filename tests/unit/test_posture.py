"""Promise: angles are exact in any plane and mounting, and a placement claims only the postures that it sees."""

from __future__ import annotations

import math

import numpy as np
import pytest

from firmware_sim.motion import Motion
from firmware_sim.mount import Mount, random_rotation
from firmware_sim.person import Person
from firmware_sim.person import Pose as Acted
from firmware_sim.script import sits
from processing.epochs import POSTURES, Posture
from processing.pose_model import PoseModel, fit
from processing.posture import SITTING, SURE, angles, classify_two, model, personal, shown, usual_neutral, weigh
from spineclip.contract.placement import Placement
from tests.unit.postures import leaning, named

UP, RIGHT, FORWARD = np.eye(3)
TRUNK = [placement for placement in Placement if placement.sees_trunk]


@pytest.mark.parametrize(
    ("flexion", "lateral"), [(f, 0.0) for f in (-95, -30, 0, 5, 60, 120)] + [(0.0, -80), (0.0, 25)]
)
@pytest.mark.parametrize("turn", range(4))
def test_an_angle_in_one_plane_is_exact_at_any_size_and_mounting(flexion: float, lateral: float, turn: int) -> None:
    sensor = random_rotation(np.random.default_rng(turn))
    got = angles(0.8 * sensor @ leaning(flexion, lateral), sensor @ UP, sensor @ (FORWARD + 0.3 * UP))
    assert got[0][0] == pytest.approx(flexion, abs=1e-6)
    assert got[1][0] == pytest.approx(lateral, abs=1e-6)


def test_the_two_angles_are_the_parts_of_one_tilt() -> None:
    rng = np.random.default_rng(1)
    gravity = rng.normal(size=(200, 3))
    flexion, lateral = angles(gravity, UP, FORWARD)
    tilt = np.degrees(np.arccos(gravity[:, 0] / np.linalg.norm(gravity, axis=1)))
    assert np.hypot(flexion, lateral) == pytest.approx(tilt)


def test_what_is_not_known_is_nan_and_unknown() -> None:
    gravity = np.array([[np.nan, 0.0, 0.0], [0.0, 0.0, 0.0], [1.0, 0.0, 0.0]])
    flexion, lateral = angles(gravity, UP, FORWARD)
    assert np.isnan(flexion).tolist() == [True, True, False]
    no_forward = angles(gravity, UP, np.full(3, np.nan))
    along_up = angles(gravity, UP, UP)
    for one in (no_forward, along_up):
        assert np.isnan(one[0]).all()
    codes, _ = named(Placement.STERNUM, flexion, lateral)
    assert [POSTURES[code] for code in codes] == [Posture.UNKNOWN, Posture.UNKNOWN, Posture.UPRIGHT]
    far, _ = named(Placement.STERNUM, np.array([85.0, -90.0]), np.zeros(2))
    assert set(far.tolist()) == {Posture.UNKNOWN.code}


@pytest.mark.parametrize("placement", TRUNK, ids=str)
def test_a_sitting_person_is_seen_within_3_degrees_and_named_right(placement: Placement) -> None:
    poses = list(Acted)[:6]
    mount = Mount.turned(3)
    motion = Motion(
        tuple(sits(30.0, pose, still=True) for pose in poses),
        start_ns=0, placement=placement, person=Person(), mount=mount,
    )  # fmt: skip
    x = motion.samples(np.arange(180 * 50, dtype=np.int64) * 20_000_000).reshape(180, 50, 3).mean(axis=1)
    truth = motion.truth(0, 180 * 10**9)
    flexion, lateral = angles(x, np.array(motion.neutral_g()), np.array(motion.forward()))
    settled = np.arange(180) % 30 >= 3
    assert np.abs(flexion - truth.flexion_deg)[settled].max() < 3.0
    assert np.abs(lateral - truth.lateral_deg)[settled].max() < 3.0
    codes, _ = named(placement, flexion, lateral)
    said = np.array([POSTURES[code] for code in codes])
    upper = placement in {Placement.STERNUM, Placement.UPPER_BACK, Placement.COLLAR}
    for i, pose in enumerate(poses):
        here = said[i * 30 + 3 : i * 30 + 30]
        if pose in {Acted.SLOUCHED, Acted.LEANING_FORWARD} and not upper:
            continue
        assert np.mean(here == str(pose)) > 0.9, f"{pose}: {here}"


@pytest.mark.parametrize("placement", [Placement.BELT, Placement.LOWER_BACK], ids=str)
def test_a_low_clip_never_claims_a_slouch_unless_it_was_taught(placement: Placement) -> None:
    flexion, lateral = (grid.ravel() for grid in np.meshgrid(np.arange(-70, 71, 2.0), np.arange(-60, 61, 4.0)))
    assert Posture.SLOUCHED.code not in named(placement, flexion, lateral)[0]
    taught, _ = named(placement, np.array([12.0, 0.0]), np.zeros(2), {"slouched": (12.0, 0.0)})
    assert taught.tolist() == [Posture.SLOUCHED.code, Posture.UPRIGHT.code]


def test_a_thigh_says_nothing_of_the_trunk() -> None:
    assert not named(Placement.THIGH, np.array([0.0, 30.0]), np.zeros(2))[0].any()


def test_a_slouch_is_told_from_upright_at_the_upper_back() -> None:
    slouch, _ = named(Placement.UPPER_BACK, np.array([24.5]), np.zeros(1))
    assert POSTURES[slouch[0]] is Posture.SLOUCHED
    small, _ = named(Placement.UPPER_BACK, np.linspace(-8.0, 6.0, 20), np.zeros(20))
    assert set(small.tolist()) == {Posture.UPRIGHT.code}


def test_a_taught_pose_moves_its_neighbours_too() -> None:
    """Somebody who slouches by 45 degrees leans forward by more than others do."""
    at = np.array([30.0])
    assert POSTURES[named(Placement.STERNUM, at, np.zeros(1))[0][0]] is Posture.SLOUCHED
    taught, _ = named(Placement.STERNUM, at, np.zeros(1), {"slouched": (45.0, 0.0)})
    assert POSTURES[taught[0]] is Posture.LEANING_FORWARD


def test_poses_are_taught_in_sensor_axes() -> None:
    sensor = random_rotation(np.random.default_rng(5))
    poses = {"slouched": tuple(sensor @ leaning(22.0, 0.0)), "leaning_left": tuple(sensor @ leaning(0.0, -15.0))}
    taught = shown({**poses, "dancing": (1.0, 0.0, 0.0), "reclined": (0.0, 0.0, 0.0)}, sensor @ UP, sensor @ FORWARD)
    assert [pose.posture for pose in taught] == [Posture.SLOUCHED, Posture.LEANING_LEFT]
    assert [taught[0].flexion_deg, taught[1].lateral_deg] == pytest.approx([22.0, -15.0])
    assert shown({}, UP, FORWARD) == ()


def test_two_clips_tell_leaning_from_slouching() -> None:
    zero, nothing_more = np.zeros(3), np.zeros((3, 6), dtype=np.int16)
    codes = classify_two((np.array([3.0, 20.0, np.nan]), zero), (np.array([20.0, 20.0, 20.0]), zero), nothing_more)
    assert [POSTURES[code] for code in codes] == [Posture.SLOUCHED, Posture.LEANING_FORWARD, Posture.UNKNOWN]


@pytest.mark.parametrize("placement", TRUNK, ids=str)
def test_the_usual_neutral_is_a_direction_and_mostly_up(placement: Placement) -> None:
    neutral = usual_neutral(placement)
    assert np.linalg.norm(neutral) == pytest.approx(1.0, abs=1e-3)
    assert neutral[0] > 0.8


def test_fine_motion_tells_apart_what_angles_cannot() -> None:
    """Between the two, at 20 degrees at T4: whatever the fine motion is sure of."""
    for row in (1, 2):
        fine = np.full((1, 6), -32, dtype=np.int8)
        fine[0, row] = 0
        chances = model(Placement.UPPER_BACK).chances(np.array([[20.0, 0.0]])).T.copy()
        weigh(chances, 1, fine, 0)
        assert np.argmax(chances) == row
        assert chances[row, 0] > 0.9


def test_what_is_known_of_a_wearer_is_told_in_eighths_of_a_log_unit_and_never_by_what_hardly_happens() -> None:
    mine = np.array([[0.8, 1e-9], [0.2, 0.5]])
    theirs = np.array([[0.4, 1e-6], [0.4, 1e-6]])
    raised = np.empty((2, 2))
    personal(mine, theirs, 2, raised)
    assert raised.tolist() == [
        [round(8 * math.log(0.8 / 0.4)), 0],
        [round(8 * math.log(0.2 / 0.4)), round(8 * math.log(0.5 / 0.001))],
    ]


def test_where_nobody_knows_nothing_is_named() -> None:
    flexion, lateral = (grid.ravel() for grid in np.meshgrid(np.arange(-70, 71, 2.0), np.arange(-60, 61, 4.0)))
    codes, chance = named(Placement.UPPER_BACK, flexion, lateral)
    assert (chance[codes != Posture.UNKNOWN.code] >= SURE).all()
    assert (chance[codes == Posture.UNKNOWN.code] == 0.0).all()


def test_naming_a_second_does_not_depend_on_the_others() -> None:
    rng = np.random.default_rng(2)
    flexion, lateral = rng.normal(0.0, 20.0, 500), rng.normal(0.0, 10.0, 500)
    whole, _ = named(Placement.STERNUM, flexion, lateral)
    each = [named(Placement.STERNUM, flexion[i : i + 1], lateral[i : i + 1])[0][0] for i in range(500)]
    assert whole.tolist() == each


def _people(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Forty people with two postures, at 0 and 20 degrees; the second is 5 degrees further or less by person."""
    bend = rng.normal(0.0, 5.0, 40)
    person, posture = np.repeat(np.arange(40), 6), np.tile([0, 0, 0, 1, 1, 1], 40)
    x = np.where(posture == 1, 20.0 + bend[person], 0.0) + rng.normal(0.0, 1.0, 240)
    return np.stack([x, rng.normal(0.0, 1.0, 240)], axis=1), posture, person


def test_a_fit_finds_the_points_and_the_spreads_that_made_the_trials() -> None:
    model = fit(*_people(np.random.default_rng(3)))
    assert model.mean[:, 0] == pytest.approx([0.0, 20.0], abs=2.0)
    assert np.sqrt(model.spread[2, 2]) == pytest.approx(5.0, rel=0.3)
    assert np.sqrt(model.noise[0, 0, 0]) == pytest.approx(1.0, rel=0.4)


def test_chances_add_up_to_one_and_survive_the_absurd() -> None:
    model = PoseModel(np.zeros((2, 2)), np.eye(4), np.stack([np.eye(2), np.eye(2)]))
    chances = model.chances(np.array([[0.0, 0.0], [1e6, -1e6]]))
    assert chances.sum(axis=1) == pytest.approx([1.0, 1.0])
    assert len(SITTING) == 6
