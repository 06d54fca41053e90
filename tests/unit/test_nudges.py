"""Promise: nudges come within the second of their cause, and never when they would be wrong or a nuisance."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest

from processing import nudge_words
from processing.epochs import State
from processing.metrics import check
from processing.nudges import REST_S, UP_ENDS_S, WALKED_ENDS_S, WARM_UP_S, Today, is_quiet, step
from processing.seating import AHEAD_S, RESUMED_S, SURE, UP_RESETS_S
from processing.streaks import (
    BENT_LATE_S,
    RELIEF_S,
    SHAKEN_MG,
    SURE_MEAN,
    Cause,
    Moment,
    Nudge,
)
from spineclip.contract.config import Nudging
from spineclip.contract.days import local_time
from tests.unit.bodies import BERLIN, ENOUGH, NOON_NS, Body


@pytest.fixture
def body() -> Body:
    """Somebody who has worn the clip long enough for the warm-up to be over."""
    person = Body()
    person.be(WARM_UP_S)
    return person


def test_a_slouch_is_nudged_in_the_second_in_which_it_becomes_too_long(body: Body) -> None:
    assert body.slouch(119 - BENT_LATE_S) == [], "it is known a little later than it began"
    [nudge] = body.slouch(1)
    assert (nudge.cause, nudge.time_ns, nudge.measured_min, nudge.limit_min) == (Cause.SLOUCHED, body.now_ns, 2, 2)


def test_the_first_second_of_all_is_one_second() -> None:
    person = Body()
    person.slouch(1)
    assert (person.state.slouched_s, person.state.bent_sure_s) == (BENT_LATE_S + 1, 1)


def test_it_is_said_once_however_long_it_lasts(body: Body) -> None:
    assert len(body.slouch(3600)) == 1 + 1, "one for the slouch, one for the hour of sitting"


def test_sitting_up_ends_it_and_says_for_how_long_it_stood(body: Body) -> None:
    [started] = body.slouch(150 - BENT_LATE_S)
    [ended] = body.be(RELIEF_S)
    assert ended == replace(started, ended_s=30 + RELIEF_S)


def test_to_end_it_nobody_has_to_be_sure_whether_one_sits_or_stands(body: Body) -> None:
    body.slouch(150)
    [ended] = body.be(RELIEF_S, State.STANDING, confidence=0.55)
    assert ended.ended_s is not None


def test_a_glance_up_neither_ends_nor_restarts_it(body: Body) -> None:
    body.slouch(100)
    body.be(RELIEF_S - 1)
    assert len(body.slouch(20)) == 1, "the slouch goes on where it was"
    assert body.be(RELIEF_S - 1) == []


@pytest.mark.parametrize(("seen", "guessed", "said"), [(20, 20, 0), (14, 6, 0), (16, 4, 1)])
def test_a_bend_of_which_less_than_three_quarters_was_seen_is_not_said(
    body: Body, seen: int, guessed: int, said: int
) -> None:
    for _ in range(600 // (seen + guessed)):
        body.slouch(seen)
        body.be(guessed, bent=None)
    assert len(body.said) == said


def test_after_a_nudge_the_same_cause_rests(body: Body) -> None:
    body.slouch(120)
    body.be(RELIEF_S)
    assert body.slouch(REST_S - 1) == []
    assert len(body.slouch(1)) == 1


def test_sitting_too_long_is_nudged_and_ends_on_the_feet(body: Body) -> None:
    body.be(45 * 60 - WARM_UP_S - AHEAD_S - 1)
    assert body.said == []
    [started] = body.be(1)
    assert (started.cause, started.measured_min) == (Cause.SEDENTARY, 45)
    assert body.be(UP_ENDS_S - 1, State.STANDING) == []
    [ended] = body.be(1, State.STANDING)
    assert ended.ended_s == UP_ENDS_S


def test_standing_at_a_desk_is_not_sitting(body: Body) -> None:
    assert body.be(3 * 3600, State.STANDING) == []


def test_a_minute_on_the_feet_begins_the_sitting_anew_and_less_does_not(body: Body) -> None:
    body.be(30 * 60)
    body.be(59, State.STANDING)
    assert [n.cause for n in body.be(15 * 60)] == [Cause.SEDENTARY]
    other = Body()
    other.be(30 * 60)
    other.be(60, State.STANDING)
    assert other.be(44 * 60) == []


def test_a_short_unsure_spell_amid_sitting_was_sitting(body: Body) -> None:
    body.be(1200)
    body.be(30, confidence=0.3)
    assert body.be(45 * 60 - WARM_UP_S - 1200 - 30 - AHEAD_S - 1) == []
    assert [n.measured_min for n in body.be(1)] == [45]
    other = Body()
    other.be(1200)
    other.be(90, confidence=0.3)
    assert other.be(45 * 60 - 1200 - AHEAD_S - 1) == [], "a long one is not held against anybody"


def test_a_flicker_of_sitting_amid_standing_is_none(body: Body) -> None:
    for _ in range(60):
        body.be(30, State.STANDING)
        body.be(RESUMED_S - 1)
    assert body.be(44 * 60) == [], "the sitting begins now, not before the standing"


def test_where_it_is_hardly_surer_than_standing_nothing_is_said() -> None:
    person = Body()
    assert person.be(2 * 3600, confidence=SURE + 0.05) == []
    assert SURE_MEAN > SURE + 0.05


@pytest.mark.parametrize(("seen", "guessed", "said"), [(60, 59, 0), (70, 30, 0), (80, 20, 1)])
def test_a_sitting_of_which_less_than_three_quarters_was_seen_is_not_said(seen: int, guessed: int, said: int) -> None:
    person = Body()
    for _ in range(48 * 60 // (seen + guessed)):
        person.be(seen)
        person.be(guessed, confidence=0.3)
    assert len(person.said) == said


def test_sitting_down_is_dated_to_the_last_movement(body: Body) -> None:
    body.walk(UP_RESETS_S)
    body.be(8, State.STANDING)  # quiet rest that is not named at once
    body.be(45 * 60 - 8 - AHEAD_S - 1)
    assert body.said == []
    assert len(body.be(1)) == 1


def test_lying_is_not_sitting_and_ends_it(body: Body) -> None:
    body.be(40 * 60)
    assert body.be(3600, State.LYING) == []
    assert body.be(44 * 60) == [], "who rests and sits up again has not been sitting all the time"
    assert [n.cause for n in body.be(60)] == [Cause.SEDENTARY]


@pytest.mark.parametrize(
    "so",
    [
        {"state": State.NOT_WORN, "bent": None},
        {"bent": None},
        {"oriented": False},
        {"state": State.UNKNOWN, "bent": None},
        {"vibration_mg": 2 * SHAKEN_MG},
    ],
    ids=["not worn", "unsure", "not oriented", "unknown", "driving"],
)
def test_no_nudge_where_it_would_be_wrong(body: Body, so: dict[str, object]) -> None:
    body.slouch(60)
    body.be(600, **{"bent": True, **so})  # type: ignore[arg-type]
    assert [n for n in body.said if n.cause is not Cause.SEDENTARY] == []


def test_time_that_nobody_saw_is_not_held_against_the_person(body: Body) -> None:
    body.be(40 * 60)
    body.skip(600)
    assert body.be(44 * 60) == []


@pytest.mark.parametrize(("skipped", "sure"), [(4, 5), (5, 1), (50, 1)])
def test_a_bend_lasts_over_what_was_not_measured_and_is_not_surer_for_it(body: Body, skipped: int, sure: int) -> None:
    body.slouch(30)
    before = body.state
    body.skip(skipped)
    body.slouch(1)
    now = body.state
    assert now.slouched_s - before.slouched_s == skipped + 1
    assert now.bent_sure_s - before.bent_sure_s == sure, "a live second is at most five behind"


def test_how_the_clip_sits_matters_for_posture_and_not_for_sitting() -> None:
    person = Body()
    assert [n.cause for n in person.be(46 * 60, bent=None, oriented=False)] == [Cause.SEDENTARY]


def test_after_the_clip_is_put_on_anew_there_is_a_warm_up() -> None:
    person = Body()
    person.be(60, State.NOT_WORN)
    person.be(30, oriented=False)
    assert person.slouch(WARM_UP_S) == []
    assert len(person.slouch(1)) == 1


def test_clipped_on_anew_without_having_been_off_there_is_a_warm_up_and_no_bend_so_far() -> None:
    person = Body(Nudging(slouched_min=1, sedentary_min=0))
    person.be(WARM_UP_S)
    person.slouch(55)
    assert person.be(WARM_UP_S, bent=True, mount=1) == [], "what it is bent against is known for too short a time"
    assert len(person.be(1, bent=True, mount=1)) == 1
    assert person.said[0].measured_min == (WARM_UP_S + BENT_LATE_S) / 60, "nothing of the mount before"


def test_clipped_on_anew_what_was_said_of_the_mount_before_is_over(body: Body) -> None:
    body.slouch(120)
    [ended] = body.be(1, bent=True, mount=1)
    assert ended.ended_s is not None


def test_taking_the_clip_off_ends_what_is_said(body: Body) -> None:
    body.slouch(120 - BENT_LATE_S)
    [ended] = body.be(1, State.NOT_WORN)
    assert ended.ended_s == 1


def test_the_day_has_a_cap_and_a_new_day_a_new_one() -> None:
    person = Body(Nudging(slouched_min=2, sedentary_min=0, daily_cap=3, quiet_from_hour=0, quiet_until_hour=0))
    for _ in range(60):
        person.slouch(200)
        person.be(REST_S)
    dates = [local_time(n.time_ns, BERLIN).date().day for n in person.said if n.ended_s is None]
    assert dates.count(4) == 3
    assert dates.count(5) == 3


def test_quiet_hours_are_quiet_and_end_what_is_said() -> None:
    evening_ns = int(datetime(2026, 5, 4, 20, 55, tzinfo=BERLIN).timestamp()) * 10**9
    person = Body(start_ns=evening_ns)
    started, ended = person.slouch(3600)
    assert (started.ended_s, ended.cause) == (None, Cause.SLOUCHED)
    assert local_time(person.start_ns + 300 * 10**9, BERLIN).hour == 21
    assert ended.time_ns + round((ended.ended_s or 0) * 1e9) == person.start_ns + 300 * 10**9


def test_quiet_hours_may_pass_midnight() -> None:
    def quiet(hour: int, since: int, until: int) -> bool:
        at = datetime(2026, 5, 4, hour, tzinfo=BERLIN)
        return is_quiet(Nudging(quiet_from_hour=since, quiet_until_hour=until), at)

    assert [quiet(h, 21, 8) for h in (20, 21, 0, 7, 8)] == [False, True, True, True, False]
    assert [quiet(h, 9, 17) for h in (8, 9, 16, 17)] == [False, True, True, False]
    assert not quiet(3, 0, 0)


@pytest.mark.parametrize("night", [(2026, 3, 29), (2026, 10, 25)], ids=["23 hours", "25 hours"])
def test_quiet_hours_end_by_the_clock_on_the_wall_when_clocks_change(night: tuple[int, int, int]) -> None:
    evening = int(datetime(*night, 0, 30, tzinfo=BERLIN).timestamp()) * 10**9
    person = Body(Nudging(slouched_min=2, sedentary_min=0), evening)
    person.slouch(10 * 3600)
    [started] = person.said
    assert local_time(started.time_ns, BERLIN) == datetime(*night, 8, tzinfo=BERLIN)


def test_a_pause_is_a_pause() -> None:
    person = Body(Nudging(slouched_min=2, paused_until_ns=NOON_NS + 1800 * 10**9))
    assert person.slouch(1799) == []
    assert len(person.slouch(1)) == 1


def test_switched_off_is_switched_off() -> None:
    assert Body(Nudging(enabled=False)).slouch(3 * 3600) == []


def test_a_missing_walk_is_mentioned_once_late_in_the_day_and_ends_with_a_walk() -> None:
    person = Body(Nudging(sedentary_min=0), NOON_NS + 4 * 3600 * 10**9, ENOUGH)
    assert person.be(3599) == []
    [started] = person.be(1)
    assert (started.cause, started.measured_min, started.limit_min) == (Cause.WALK_MISSING, 3, 20)
    assert person.walk(WALKED_ENDS_S - 1) == []
    [ended] = person.walk(1)
    assert ended.ended_s == WALKED_ENDS_S
    assert person.be(2 * 3600) == []


@pytest.mark.parametrize(
    "today",
    [replace(ENOUGH, walking_min=20), replace(ENOUGH, goal_walking_min=0), replace(ENOUGH, worn_min=100)],
    ids=["walked", "no goal", "hardly worn"],
)
def test_a_walk_is_not_called_missing_without_ground(today: Today) -> None:
    person = Body(Nudging(sedentary_min=0), NOON_NS + 5 * 3600 * 10**9, today)
    assert person.be(3 * 3600) == []


def test_a_second_that_comes_twice_changes_nothing(body: Body) -> None:
    again = Moment(body.now_ns, State.SITTING, True, 0.9, True)
    assert step(body.state, again, Today(), body.nudging, local_time(body.now_ns, BERLIN)) == (body.state, ())


@pytest.mark.parametrize("cause", Cause)
@pytest.mark.parametrize("language", [*nudge_words.LANGUAGES, "tlh"])
def test_each_nudge_says_why_with_its_numbers_in_each_language(cause: Cause, language: str) -> None:
    nudge = Nudge(cause, NOON_NS, measured_min=12.99, limit_min=47.5)
    why = nudge_words.reason(nudge, language)
    assert "12" in why
    assert "47.5" in why
    assert "13" not in why, "a minute that is not complete is not claimed"
    started, ended = (nudge_words.point(n, "p-1", language) for n in (nudge, replace(nudge, ended_s=30.0)))
    check(started)
    check(ended)
    assert (started.time_ns, started.tags) == (ended.time_ns, ended.tags), "the end amends the start"
