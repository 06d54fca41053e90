"""Promise: a nudge waits until it may be said, and ends as soon as it should not stand, whatever the reason is."""

from __future__ import annotations

from dataclasses import replace

import pytest

from processing.epochs import State
from processing.nudges import REST_S, WARM_UP_S, Today
from processing.seating import AHEAD_S, BRIDGED_S, DOUBTED_S, UNSURE_RESETS_S
from processing.streaks import BENT_LATE_S, RELIEF_S, SHAKEN_MEMORY_S, SHAKEN_MG, Cause, Nudge
from spineclip.contract.config import Nudging
from tests.unit.bodies import ENOUGH, NOON_NS, Body

FIVE_PM_NS = NOON_NS + 5 * 3600 * 10**9
SOON = Nudging(slouched_min=1, sedentary_min=1)


def _nudged(cause: Cause) -> Body:
    """Somebody to whom this has just been said."""
    person = Body(Nudging(slouched_min=0, sedentary_min=0), FIVE_PM_NS, ENOUGH)
    if cause is not Cause.WALK_MISSING:
        wishes = {Cause.SLOUCHED: Nudging(slouched_min=2, sedentary_min=0), Cause.SEDENTARY: Nudging(slouched_min=0)}
        person = Body(wishes[cause])
        person.be(WARM_UP_S)
    person.be(45 * 60 if cause is Cause.SEDENTARY else 150, bent=cause is Cause.SLOUCHED)
    assert [nudge.cause for nudge in person.state.active] == [cause]
    return person


def _over(said: list[Nudge]) -> bool:
    return bool(said) and all(nudge.ended_s is not None for nudge in said)


@pytest.mark.parametrize("cause", Cause)
def test_a_pause_ends_what_stands(cause: Cause) -> None:
    person = _nudged(cause)
    bent = cause is Cause.SLOUCHED
    person.nudging = replace(person.nudging, paused_until_ns=person.now_ns + 3600 * 10**9)
    assert _over(person.be(1, bent=bent))


@pytest.mark.parametrize("cause", Cause)
def test_switching_nudges_off_ends_what_stands(cause: Cause) -> None:
    person = _nudged(cause)
    person.nudging = replace(person.nudging, enabled=False)
    assert _over(person.be(1, bent=cause is Cause.SLOUCHED))


@pytest.mark.parametrize("cause", Cause)
def test_taking_the_clip_off_ends_what_stands(cause: Cause) -> None:
    assert _over(_nudged(cause).be(1, State.NOT_WORN, None))


def test_where_it_is_not_known_any_more_how_the_clip_sits_a_bend_is_over() -> None:
    assert _over(_nudged(Cause.SLOUCHED).be(1, bent=None, oriented=False))


def test_where_nobody_has_been_sure_for_long_a_sitting_is_over() -> None:
    person = _nudged(Cause.SEDENTARY)
    assert person.be(UNSURE_RESETS_S - 1, State.UNKNOWN, None) == [], "what stands is not taken back by a short doubt"
    assert _over(person.be(1, State.UNKNOWN, None))


def test_where_nobody_has_been_sure_for_long_a_bend_is_over() -> None:
    person = _nudged(Cause.SLOUCHED)
    assert person.be(UNSURE_RESETS_S - 1, bent=None) == []
    assert _over(person.be(1, bent=None))


def test_a_goal_that_was_met_ends_the_nudge_for_the_walk() -> None:
    person = _nudged(Cause.WALK_MISSING)
    person.today = replace(ENOUGH, walking_min=ENOUGH.goal_walking_min)
    assert _over(person.be(1))


def test_a_minute_of_walking_ends_it_only_in_one_piece() -> None:
    person = _nudged(Cause.WALK_MISSING)
    for _ in range(5):
        assert person.walk(30) == []
        assert person.be(5, State.STANDING) == []


def test_the_cap_is_one_for_all_causes_together() -> None:
    wishes = Nudging(slouched_min=2, sedentary_min=4, daily_cap=1, quiet_from_hour=0, quiet_until_hour=0)
    person = Body(wishes, FIVE_PM_NS, replace(ENOUGH, walking_min=20))
    person.slouch(600)
    assert [nudge.cause for nudge in person.said] == [Cause.SLOUCHED], "the sitting was too long as well"
    other = Body(replace(wishes, slouched_min=0), FIVE_PM_NS, ENOUGH)
    other.be(WARM_UP_S + 600)
    assert [nudge.cause for nudge in other.said] == [Cause.WALK_MISSING], "so was the walk, but it came first"


@pytest.mark.parametrize("how", ["off", "lost"])
def test_after_it_was_off_or_out_of_reach_nothing_is_said_for_two_minutes(how: str) -> None:
    person = Body(SOON)
    person.slouch(50)
    if how == "off":
        person.be(30, State.NOT_WORN, None)
    else:
        person.skip(UNSURE_RESETS_S)
    assert person.slouch(WARM_UP_S) == [], "neither for the bend nor for the sitting"
    said = person.slouch(1)
    assert {nudge.cause for nudge in said} == set(Cause) - {Cause.WALK_MISSING}
    most_s = WARM_UP_S + 1 + max(BENT_LATE_S, AHEAD_S) + DOUBTED_S / 2
    assert all(60 * nudge.measured_min < most_s + 1 for nudge in said), "nothing of the fifty seconds before"


def test_a_nudge_comes_in_a_second_that_is_sure() -> None:
    until_ns = NOON_NS + 600 * 10**9
    person = Body(Nudging(slouched_min=0, sedentary_min=5, paused_until_ns=until_ns))
    assert person.be(590) == []
    assert person.be(20, confidence=0.3) == [], "the pause is over, but perhaps it stands up right now"
    assert [nudge.cause for nudge in person.be(1)] == [Cause.SEDENTARY]


def test_of_a_bend_a_long_doubt_is_left_out() -> None:
    person = Body(Nudging(slouched_min=2, sedentary_min=0))
    person.be(WARM_UP_S)
    person.slouch(50)
    person.be(BRIDGED_S + 30, bent=None)
    assert person.slouch(120 - 50 - BENT_LATE_S - 1) == []
    assert [nudge.measured_min for nudge in person.slouch(1)] == [2]


def test_nobody_is_nudged_while_looking_up() -> None:
    person = _nudged(Cause.SLOUCHED)
    person.be(RELIEF_S)
    person.slouch(REST_S - 2)
    assert person.be(RELIEF_S - 1) == [], "the pause is over, but just now the back is straight"
    assert len(person.slouch(1)) == 1


@pytest.mark.parametrize(
    ("state", "confidence"), [(State.WALKING, 0.9), (State.LYING, 0.9), (State.SITTING, 0.3), (State.STANDING, 0.3)]
)
def test_a_walk_is_called_missing_only_to_somebody_who_surely_rests(state: State, confidence: float) -> None:
    person = Body(Nudging(slouched_min=0, sedentary_min=0), FIVE_PM_NS, ENOUGH)
    person.be(WARM_UP_S)
    person.said.clear()
    fresh = Body(Nudging(slouched_min=0, sedentary_min=0), FIVE_PM_NS, Today(walking_min=3, worn_min=600))
    fresh.be(WARM_UP_S)
    fresh.today = ENOUGH
    assert fresh.be(50, state, confidence=confidence) == []
    assert [nudge.cause for nudge in fresh.be(1)] == [Cause.WALK_MISSING]


def test_one_bump_is_no_drive_and_a_drive_is_forgotten_on_the_feet() -> None:
    person = Body(Nudging(slouched_min=2, sedentary_min=0))
    person.be(WARM_UP_S)
    person.slouch(100)
    person.be(2, bent=True, vibration_mg=1000.0)
    assert len(person.slouch(20)) == 1
    driver = Body(Nudging(slouched_min=1, sedentary_min=0))
    driver.be(300, vibration_mg=4 * SHAKEN_MG)
    driver.be(2 * SHAKEN_MEMORY_S, State.STANDING, vibration_mg=4 * SHAKEN_MG)
    assert len(driver.slouch(60)) == 1, "the feet shake as well, and that is no drive"


def test_a_red_light_does_not_end_a_drive() -> None:
    driver = Body(Nudging(slouched_min=5, sedentary_min=5))
    driver.be(290, bent=True, vibration_mg=4 * SHAKEN_MG)
    assert driver.slouch(SHAKEN_MEMORY_S / 2) == []
