"""Promise: who sits on through an outage hears of it once, when it is over, and of nothing that is over by then."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from firmware_sim.motion import Motion
from firmware_sim.mount import AXES, Mount
from firmware_sim.person import Pose
from firmware_sim.script import sits, stands, walks
from processing import nudge_words
from processing.epochs import State
from processing.nudges import REST_S, UP_ENDS_S, untold
from processing.patient import Patient
from processing.seating import AHEAD_S, BRIDGED_S, UNSURE_RESETS_S, UP_RESETS_S
from processing.streaks import Cause, Nudge
from spineclip.contract.config import Calibration, Clip, Nudging, PatientConfig
from spineclip.contract.placement import Placement
from spineclip.contract.wire import SampleBatch
from tests.unit.bodies import ENOUGH, NOON_NS, Body

NS = 10**9
LIMIT_MIN = 10
LATE_AFTERNOON_NS = NOON_NS + 5 * 3600 * NS
WISHES = Nudging(slouched_min=0, sedentary_min=LIMIT_MIN, daily_cap=1)


def _sat_through(minutes: float, wishes: Nudging = WISHES) -> tuple[Body, Nudge]:
    """Somebody who sits, of whom the core learns it too late to say so."""
    person = Body(wishes)
    [missed] = person.be(60 * minutes)
    person.state = untold(person.state, missed)
    return person, missed


def test_as_soon_as_the_present_is_known_it_is_said_once_with_the_minutes_of_now() -> None:
    person, missed = _sat_through(LIMIT_MIN + 5)
    assert person.be(60) == [], "still of the past"
    person.present_ns = person.now_ns + NS
    ended, said = person.be(1)
    assert (ended.time_ns, ended.told) == (missed.time_ns, False)
    assert ended.ended_s == pytest.approx((said.time_ns - missed.time_ns) / NS)
    assert (said.cause, said.time_ns, said.told) == (Cause.SEDENTARY, person.now_ns, True)
    assert said.measured_min == pytest.approx(LIMIT_MIN + 6, abs=(AHEAD_S + 2) / 60)
    assert person.be(3600) == [], "once"
    [over] = person.be(UP_ENDS_S, State.STANDING)
    assert over == replace(said, ended_s=over.ended_s), "and it ends as any other"


def test_what_is_over_by_then_is_not_said() -> None:
    person, missed = _sat_through(LIMIT_MIN + 5)
    [ended] = person.be(UP_RESETS_S, State.STANDING)
    assert (ended.time_ns, ended.told) == (missed.time_ns, False)
    person.present_ns = 0
    assert person.be(60) == []


def test_it_is_said_only_in_a_second_that_is_sure_and_not_in_a_pause() -> None:
    person, _ = _sat_through(LIMIT_MIN + 5)
    person.present_ns = 0
    assert person.be(5, State.UNKNOWN, None, confidence=0.2) == []
    assert person.be(5, confidence=0.3) == []
    assert len(person.be(1)) == 2
    paused, _ = _sat_through(LIMIT_MIN + 5)
    paused.present_ns = 0
    paused.nudging = replace(WISHES, paused_until_ns=paused.now_ns + 60 * NS)
    assert [nudge.told for nudge in paused.be(59)] == [False], "it is over, and nothing is said"


def test_what_nobody_heard_takes_no_place_of_the_day_and_makes_no_pause() -> None:
    person, _ = _sat_through(LIMIT_MIN + 1)
    person.be(UP_RESETS_S, State.STANDING)
    soon = replace(WISHES, sedentary_min=LIMIT_MIN / 2)
    assert 60 * soon.sedentary_min < REST_S - 60
    person.nudging = soon
    assert [nudge.cause for nudge in person.be(60 * soon.sedentary_min)] == [Cause.SEDENTARY], "and the cap is one"


def test_a_walk_that_nobody_was_asked_for_is_asked_for_later() -> None:
    person = Body(Nudging(slouched_min=0, sedentary_min=0), LATE_AFTERNOON_NS, ENOUGH)
    [missed] = person.be(600)
    person.state = untold(person.state, missed)
    assert person.be(60) == []
    person.present_ns = 0
    assert [(nudge.cause, nudge.told) for nudge in person.be(1)] == [
        (Cause.WALK_MISSING, False),
        (Cause.WALK_MISSING, True),
    ]


def test_time_that_was_not_measured_makes_no_sitting_longer_and_a_long_one_ends_it() -> None:
    person = Body(WISHES)
    person.be(60 * LIMIT_MIN / 2)
    person.skip(BRIDGED_S + 60)
    assert person.be(60 * LIMIT_MIN / 2 - AHEAD_S - 1) == [], "the two minutes of which nothing is known do not count"
    assert len(person.be(2)) == 1
    other = Body(WISHES)
    other.be(60 * LIMIT_MIN - 10)
    other.skip(UNSURE_RESETS_S)
    assert other.be(60 * LIMIT_MIN - 10) == [], "of the time before nothing is held against anybody"


def test_whoever_was_not_told_stays_so_over_a_restart() -> None:
    """The core stops while an untold nudge stands; the nudge ends after it has come back."""
    place, from_ns = Placement.STERNUM, NOON_NS
    script = (walks(40.0), stands(10.0), sits(130.0, Pose.UPRIGHT), sits(80.0, Pose.SLOUCHED), walks(60.0))
    motion = Motion(script, start_ns=from_ns, seed=3, placement=place, mount=Mount.named(AXES))
    config = PatientConfig(
        clips={"clip-1": Clip(place, AXES, Calibration(from_ns, motion.neutral_g()))},
        nudging=Nudging(slouched_min=1, sedentary_min=0, quiet_from_hour=0, quiet_until_hour=0),
    )
    patient, stored = Patient("p-1", config), {}
    missed = None
    for k in range(300):
        t_ns = from_ns + k * NS + np.arange(50, dtype=np.int64) * 20_000_000
        counts = np.round(motion.samples(t_ns) * 2048).astype(np.int16)
        taken = patient.take(SampleBatch("clip-1", place, 1, k, int(t_ns[0]), 20_000_000, 1 / 2048, counts), now_s=0.0)
        for nudge in taken.nudges:
            if nudge.ended_s is None:
                missed = nudge
                patient.not_told(nudge)
        commit = patient.commit()
        stored |= {point.time_ns: point for point in commit.points if point.measurement == "nudge"}
        patient.stored()
        patient = Patient.resume("p-1", commit.checkpoint)
    assert missed is not None
    assert stored[missed.time_ns].fields["told"] is False
    assert float(stored[missed.time_ns].fields["ended_s"]) > 0
    assert nudge_words.point(missed, "p-1", "en").fields.get("told") is None, "told, as long as nobody says otherwise"
