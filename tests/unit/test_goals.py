"""Promise: a day is judged by the goals of that day, kindly, and only when there is enough to judge."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from processing.goals import ENOUGH_WORN_MIN, JUDGED_DAYS_NEEDED, agreement_on, goals_on, judge, with_goals
from processing.metrics import Point, check
from spineclip.contract.config import Goals, Nudging, PatientConfig
from spineclip.contract.errors import SettingsError, WireError

MONDAY = date(2026, 3, 2)
PLAN = Goals(since="2026-03-02", walking_min=5, walking_step_min=2, walking_ceiling_min=10, days_per_week=5)


def _week(number: int, *met: bool | None) -> dict[str, bool]:
    days = (MONDAY + timedelta(weeks=number, days=i) for i in range(7))
    return {day.isoformat(): was for day, was in zip(days, met, strict=False) if was is not None}


GOOD = (True, True, True, True, True, False, False)
HALF = (True, True, True, False, False, False, False)
HARD = (True, True, False, False, False, False, False)
UNSEEN = (False, False, None, None, None, None, None)


def test_without_history_the_plan_grows_once_a_week_to_its_ceiling() -> None:
    asked = [goals_on((PLAN,), MONDAY + timedelta(weeks=w)).walking_min for w in range(5)]
    assert asked == [5, 7, 9, 10, 10]


def test_the_goal_is_the_same_on_every_day_of_a_week() -> None:
    assert {goals_on((PLAN,), MONDAY + timedelta(days=7 + i)).walking_min for i in range(7)} == {7}


@pytest.mark.parametrize(
    ("weeks", "goal_min"),
    [
        ([GOOD], 7),
        ([HALF], 5),
        ([HARD], 5),  # never below the start
        ([GOOD, HALF], 7),
        ([GOOD, HARD], 5),
        ([GOOD, GOOD, HARD, GOOD], 9),
        ([GOOD, UNSEEN], 7),  # a week hardly worn asks neither for more nor for less
        ([], 5),
        ([GOOD, GOOD, GOOD, GOOD, GOOD, HARD], 9),  # 5, 7, 9, 10, 10, 10, then back by one step of the plan
        ([(True, True, True)], 7),  # three judged days are a week
        ([GOOD, (True, False, False)], 5),  # 1 of 3 is 2.3 in seven, less than the half of 5
        ([(True, True, True, True, False, False)], 5),  # 4 of 6 are 4.7 in seven, not quite 5
    ],
)
def test_the_plan_grows_holds_or_steps_back_by_what_was_met(weeks: list[Any], goal_min: float) -> None:
    met = {day: was for number, week in enumerate(weeks) for day, was in _week(number, *week).items()}
    goal = goals_on((PLAN,), MONDAY + timedelta(weeks=len(weeks)), met)
    assert goal.walking_min == goal_min


def test_a_week_at_the_ceiling_earns_no_hidden_steps() -> None:
    met = {day: was for number in range(10) for day, was in _week(number, *GOOD).items()} | _week(10, *HARD)
    after = goals_on((PLAN,), MONDAY + timedelta(weeks=11), met).walking_min
    assert after < 10, "one hard week steps back from the ceiling, however long it was held"


def test_a_plan_has_said_all_it_can_after_a_year_of_weeks() -> None:
    endless = Goals(since="2026-03-02", walking_min=5, walking_step_min=2, walking_ceiling_min=300)
    asked = [goals_on((endless,), MONDAY + timedelta(weeks=w)).walking_min for w in (51, 52, 53, 70)]
    assert asked == [5 + 2 * 51, 5 + 2 * 52, 5 + 2 * 52, 5 + 2 * 52]


def test_fewer_judged_days_than_needed_hold_the_goal() -> None:
    all_met = _week(0, *([True] * (JUDGED_DAYS_NEEDED - 1)))
    assert goals_on((PLAN,), MONDAY + timedelta(weeks=1), all_met).walking_min == PLAN.walking_min


def test_the_agreement_that_has_begun_holds() -> None:
    later = Goals(since="2026-03-20", walking_min=20)
    history = (PLAN, later)
    assert agreement_on(history, date(2026, 3, 19)) == PLAN
    assert agreement_on(history, date(2026, 3, 20)) == later
    assert agreement_on(history, date(2020, 1, 1)) == PLAN
    assert agreement_on((), MONDAY) == Goals()


def test_of_two_goals_for_one_day_the_later_holds() -> None:
    first, second = Goals(since="2026-03-02", walking_min=10), Goals(since="2026-03-02", walking_min=12)
    assert agreement_on((first, second), MONDAY) == second
    assert with_goals((first,), second) == (second,)


def test_goals_are_kept_in_order_of_their_date() -> None:
    early, late = Goals(since="2026-01-01"), Goals(since="2026-02-01")
    assert with_goals((late,), early) == (early, late)


def test_a_day_without_enough_data_has_no_verdict() -> None:
    verdict = judge({"walking_min": 1.0, "longest_sedentary_min": 200.0}, Goals(), ENOUGH_WORN_MIN - 1)
    assert verdict["enough_data"] is False
    assert not [name for name in verdict if name.startswith("met_")]
    assert verdict["goal_walking_min"] == Goals().walking_min


def test_what_is_not_known_is_not_judged() -> None:
    verdict = judge({"walking_min": 30.0}, Goals(), ENOUGH_WORN_MIN)
    assert verdict["met_walking"] is True
    assert "met_upright" not in verdict


def test_a_limit_is_met_from_below_and_a_goal_from_above() -> None:
    goals = Goals(walking_min=20, longest_sedentary_min=45)
    at = judge({"walking_min": 20.0, "longest_sedentary_min": 45.0}, goals, 700)
    off = judge({"walking_min": 19.9, "longest_sedentary_min": 45.1}, goals, 700)
    assert (at["met_walking"], at["met_sedentary"]) == (True, True)
    assert (off["met_walking"], off["met_sedentary"]) == (False, False)


def test_a_goal_of_nothing_is_no_goal() -> None:
    verdict = judge({"brisk_min": 0.0, "walking_min": 0.0}, Goals(brisk_min=0, walking_min=0), 700)
    assert not {"goal_brisk_min", "met_brisk", "goal_walking_min", "met_walking"} & set(verdict)


def test_the_verdict_fits_the_table_of_metrics() -> None:
    goals = Goals(walking_min=5, brisk_min=1, breaks_per_hour=1, upright_pct=50)
    totals = dict.fromkeys(("walking_min", "brisk_min", "longest_sedentary_min", "breaks_per_hour", "upright_pct"), 1.0)
    verdict = judge(totals, goals, 700)
    assert len(verdict) == 11
    check(Point("daily", 0, {"patient": "p"}, verdict))


@pytest.mark.parametrize(
    "bad",
    [
        {"walking_min": 10_000},
        {"walking_min": -1},
        {"walking_min": float("nan")},
        {"walking_min": "ten"},
        {"days_per_week": 8},
        {"days_per_week": 2.5},
        {"upright_pct": 101},
        {"since": "next week"},
        {"since": "2026-02-30"},
        {"since": "20260302"},
        {"since": None},
    ],
)
def test_goals_that_nobody_can_mean_are_refused(bad: dict[str, Any]) -> None:
    with pytest.raises(SettingsError):
        Goals(**bad)
    good = PatientConfig(goals=(PLAN,)).to_json()
    assert PatientConfig.from_json(good).goals == (PLAN,)


def test_a_retained_config_with_such_goals_is_refused_as_a_whole() -> None:
    payload = PatientConfig().to_json().replace(b'"walking_min":20.0', b'"walking_min":10000')
    assert b"10000" in payload
    with pytest.raises(WireError):
        PatientConfig.from_json(payload)


def test_nudging_that_nobody_can_mean_is_refused() -> None:
    with pytest.raises(SettingsError):
        Nudging(quiet_from_hour=25)
