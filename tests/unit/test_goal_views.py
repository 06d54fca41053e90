"""Promise: the goals card says how today goes, never calls a day failed, and a nudge is shown while it stands."""

from __future__ import annotations

import datetime as dt

import pytest

from dashboards.patient.goals_view import GoalRow, goals_html, goals_view
from dashboards.patient.nudge_view import SHOWN_S, nudge_html
from dashboards.words import Words
from processing.metrics import Point

TODAY = dt.date(2026, 5, 13)
WORDS = Words("en")
NOW_NS = 10**18


def _daily(back: int, **fields: float | bool) -> Point:
    day = TODAY - dt.timedelta(days=back)
    return Point("daily", day.toordinal(), {"patient": "p"}, {"date": day.isoformat(), **fields})


def test_the_walking_goal_is_done_when_it_is_reached_and_not_before() -> None:
    def row(walked: float) -> GoalRow:
        return goals_view([_daily(0, walking_min=walked, goal_walking_min=20.0)], None, TODAY, WORDS).rows[0]

    assert row(20.0) == GoalRow("Walking today", "20 of 20 min", met=True)
    assert row(19.0).met is False
    assert "Done" not in goals_html(goals_view([_daily(0, goal_walking_min=20.0)], None, TODAY, WORDS), WORDS)


def test_what_the_rest_of_the_day_can_undo_is_not_called_done() -> None:
    view = goals_view(
        [
            _daily(
                0, longest_sedentary_min=30.0, goal_longest_sedentary_min=45.0, upright_pct=80.0, goal_upright_pct=50.0
            )
        ],
        None,
        TODAY,
        WORDS,
    )
    assert [(row.so_far, row.met) for row in view.rows] == [("30 min, limit 45", None), ("80 %, goal 50", None)]


def test_streak_best_week_and_plan_are_said() -> None:
    daily = [_daily(back, walking_min=20.0, goal_walking_min=20.0, met_walking=True) for back in range(3)]
    agreed = Point("goal", 0, {"patient": "p"}, {"walking_step_min": 2.0, "walking_ceiling_min": 30.0})
    said = goals_view(daily, agreed, TODAY, WORDS).sentences
    assert "3 days in a row" in said[0]
    assert "3 days, 60 minutes" in said[1]
    assert "2 minutes, up to 30" in said[2]


def test_what_is_no_goal_does_not_grow() -> None:
    fields = {"walking_step_min": 2.0, "walking_ceiling_min": 30.0}
    none, some = (Point("goal", 0, {"patient": "p-1"}, {**fields, "walking_min": least}) for least in (0.0, 5.0))
    assert goals_view([], none, TODAY, WORDS).sentences == (WORDS("goals.none"),)
    assert goals_view([], some, TODAY, WORDS).sentences == (WORDS("goals.grows", step="2", ceiling="30"),)


def test_without_goals_the_card_says_so() -> None:
    assert goals_view([], None, TODAY, WORDS).sentences == (WORDS("goals.none"),)


def _nudge(**more: float) -> Point:
    return Point("nudge", NOW_NS, {"patient": "p"}, {"cause": "slouched", "text": "Sit <tall>?", "reason": "R", **more})


@pytest.mark.parametrize(("after_s", "shown"), [(0.0, True), (SHOWN_S, True), (SHOWN_S + 1, False), (-1.0, False)])
def test_a_nudge_is_shown_while_it_stands(after_s: float, shown: bool) -> None:
    html = nudge_html(_nudge(), NOW_NS + round(after_s * 1e9))
    assert bool(html) is shown
    assert "<tall>" not in html


def test_a_nudge_that_is_over_is_gone() -> None:
    assert nudge_html(_nudge(ended_s=3.0), NOW_NS) == ""
    assert nudge_html(None, NOW_NS) == ""
