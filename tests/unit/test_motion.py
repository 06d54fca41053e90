"""Promise: the generated person is a function of time whose truth can be trusted."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from firmware_sim.motion import Motion
from firmware_sim.mount import Mount
from firmware_sim.person import ANGLES_DEG, Person, Pose
from firmware_sim.scenario import demo_tour, eight_weeks, typical_day
from firmware_sim.script import Doing, Stretch, off, runs, sits, stands, walks
from spineclip.contract.placement import Placement

START_NS = 1_790_000_000 * 10**9
PERIOD_NS = 20_000_000  # 50 Hz


def times(seconds: float, start_ns: int = START_NS) -> np.ndarray:
    return start_ns + np.arange(round(seconds * 50), dtype=np.int64) * PERIOD_NS


@pytest.fixture(scope="module")
def tour() -> Motion:
    return Motion(demo_tour(), start_ns=START_NS, seed=5, repeat=True)


def test_an_instant_has_one_value_however_it_is_asked_for(tour: Motion) -> None:
    t_ns = times(700.0)  # passes the end of the script and begins it anew
    whole = tour.samples(t_ns)
    rng = np.random.default_rng(0)
    mixed = rng.permutation(len(t_ns))
    assert np.array_equal(tour.samples(t_ns[mixed]), whole[mixed])
    for low, high in rng.integers(0, len(t_ns), (20, 2)):
        assert np.array_equal(tour.samples(t_ns[low:high]), whole[low:high])


def test_the_same_seed_is_the_same_person_and_another_seed_is_not(tour: Motion) -> None:
    t_ns = times(5.0)
    again = Motion(demo_tour(), start_ns=START_NS, seed=5, repeat=True)
    other = Motion(demo_tour(), start_ns=START_NS, seed=6, repeat=True)
    assert np.array_equal(again.samples(t_ns), tour.samples(t_ns))
    assert not np.array_equal(other.samples(t_ns), tour.samples(t_ns))


@pytest.mark.parametrize("placement", [p for p in Placement if p.sees_trunk])
def test_gravity_at_rest_is_tilted_by_the_angles_of_the_truth(placement: Placement) -> None:
    pose_s = 20.0
    script = tuple(sits(pose_s, pose, still=True) for pose in list(Pose)[:6])
    person = Person()
    motion = Motion(script, start_ns=START_NS, placement=placement, person=person)
    x = motion.samples(times(pose_s * 6)).reshape(6, -1, 3)[:, 200:800].mean(axis=1)
    neutral, forward = np.array(motion.neutral_g()), np.array(motion.forward())
    right = np.cross(forward, neutral)
    for row, pose in zip(x, list(Pose)[:6], strict=True):
        flexion, lateral = ANGLES_DEG[placement].get(pose, (0.0, 0.0))
        tilt = np.degrees(np.arccos(row @ neutral / np.linalg.norm(row)))
        assert tilt == pytest.approx(np.hypot(flexion, lateral), abs=1.0)
        if flexion:
            assert np.sign(-(row @ forward)) == np.sign(flexion)
        if lateral:
            assert np.sign(-(row @ right)) == np.sign(lateral)


def test_truth_counts_the_very_steps_that_shake_the_clip() -> None:
    motion = Motion((stands(10.0), walks(60.0, 100.0), stands(10.0)), start_ns=START_NS, seed=2)
    truth = motion.truth(START_NS, START_NS + 80 * 10**9)
    strikes = motion.step_times_ns(START_NS, START_NS + 80 * 10**9)
    assert truth.steps.sum() == len(strikes) == pytest.approx(100.0, abs=4)
    assert set(truth.state[10:70]) == {"walking"}
    assert truth.cadence_spm[12:68].mean() == pytest.approx(100.0, abs=3.0)
    assert np.isnan(truth.cadence_spm[:10]).all()
    norm = np.linalg.norm(motion.samples(times(80.0)), axis=1)
    still, walking = norm[:400].std(), norm[600:3400].std()
    assert walking > 10 * still
    spectrum = np.abs(np.fft.rfft(norm[600:3400] - norm[600:3400].mean()))
    hz = np.fft.rfftfreq(2800, 0.02)
    near = (hz > 0.5) & (hz < 3.0)
    assert hz[near][np.argmax(spectrum[near])] == pytest.approx(100.0 / 60.0, abs=0.1)


def test_a_limp_makes_every_other_step_longer() -> None:
    motion = Motion((Stretch(Doing.WALKS, 120.0, cadence_spm=80.0, limp=0.3),), start_ns=START_NS, person=Person())
    lengths = np.diff(motion.step_times_ns(START_NS, START_NS + 120 * 10**9))
    assert lengths[::2].mean() / lengths[1::2].mean() == pytest.approx(1.3 / 0.7, rel=0.05)


def test_two_clips_are_on_one_person() -> None:
    script = (sits(10.0), walks(30.0), runs(10.0))
    back, thigh = (
        Motion(script, start_ns=START_NS, seed=9, placement=p) for p in (Placement.LOWER_BACK, Placement.THIGH)
    )
    end_ns = START_NS + 50 * 10**9
    assert np.array_equal(back.step_times_ns(START_NS, end_ns), thigh.step_times_ns(START_NS, end_ns))
    level = thigh.samples(times(10.0))[200:].mean(axis=0)
    assert abs(level @ np.array(thigh.neutral_g())) < 0.2, "a seated thigh lies level"


def test_turning_the_clip_turns_the_samples_and_nothing_else() -> None:
    script, t_ns = (sits(20.0), walks(20.0)), times(40.0)
    plain = Motion(script, start_ns=START_NS, seed=4, mount=Mount(np.eye(3), noise_g=0.0))
    turned = Mount.turned(8)
    quiet = Mount(turned.rotation, noise_g=0.0)
    other = Motion(script, start_ns=START_NS, seed=4, mount=quiet)
    assert np.allclose(other.samples(t_ns), plain.samples(t_ns) @ quiet.rotation.T)
    assert np.linalg.det(quiet.rotation) == pytest.approx(1.0)


def test_a_clip_on_the_table_is_still_and_is_put_on_anew_nearly_as_before() -> None:
    motion = Motion((sits(30.0), off(60.0), sits(30.0)), start_ns=START_NS, person=Person())
    truth = motion.truth(START_NS, START_NS + 120 * 10**9)
    assert list(truth.state[[10, 50, 100]]) == ["sitting", "not_worn", "sitting"]
    assert np.isnan(truth.flexion_deg[30:90]).all()
    x = motion.samples(times(120.0))
    assert x[1600:4400].std(axis=0).max() < 0.006
    before, after = motion.neutral_g(), motion.neutral_g(START_NS + 100 * 10**9)
    assert 0.5 < np.degrees(np.arccos(np.dot(before, after))) < 25.0


def test_a_clip_that_is_reclipped_is_turned_otherwise_from_then_on() -> None:
    script = (sits(30.0), replace(sits(30.0), reclip=True), stands(30.0))
    motion = Motion(script, start_ns=START_NS, person=Person())
    neutral = [np.array(motion.neutral_g(START_NS + s * 10**9)) for s in (10, 40, 70)]
    assert np.degrees(np.arccos(neutral[0] @ neutral[1])) > 30.0
    assert np.array_equal(neutral[1], neutral[2])


def test_before_and_after_the_script_the_person_stays_as_they_are() -> None:
    motion = Motion((sits(10.0),), start_ns=START_NS)
    far = motion.samples(times(4.0, START_NS + 3600 * 10**9))
    assert np.linalg.norm(far.mean(axis=0) - motion.neutral_g()) < 0.15


@pytest.mark.parametrize(
    ("day", "hours"),
    [(date(2026, 3, 29), 23), (date(2026, 10, 25), 25), (date(2026, 7, 1), 24)],
    ids=["clocks go forward", "clocks go back", "any day"],
)
def test_a_day_is_as_long_as_the_local_day(day: date, hours: int) -> None:
    plan = eight_weeks(day)[0]
    script = typical_day(plan, tz="Europe/Berlin")
    assert sum(stretch.seconds for stretch in script) == pytest.approx(hours * 3600.0)
    walked_s = sum(stretch.seconds for stretch in script if stretch.doing is Doing.WALKS)
    assert walked_s == pytest.approx(60.0 * plan.walking_min, abs=15.0)


def test_the_story_goes_from_five_minutes_through_a_flare_up_to_the_goal() -> None:
    days = eight_weeks(date(2026, 6, 1), seed=1)
    walked = np.array([day.walking_min for day in days])
    pain = np.array([day.pain for day in days])
    assert len(days) == 56
    assert walked[:5].mean() == pytest.approx(5.5, abs=2.0)
    assert walked[15:20].mean() < walked[8:13].mean()
    assert pain[15:20].mean() > pain[8:13].mean() > pain[-7:].mean()
    assert walked[-7:].mean() > 20.0


def test_a_script_that_nobody_can_follow_is_refused() -> None:
    with pytest.raises(ValueError, match="0 s"):
        sits(0.0)
    with pytest.raises(ValueError, match="500"):
        walks(10.0, 500.0)
    with pytest.raises(ValueError, match="axes"):
        Mount.named({"x": "up", "y": "right", "z": "backward"})
    with pytest.raises(ValueError, match="at least one"):
        Motion((), start_ns=0)
