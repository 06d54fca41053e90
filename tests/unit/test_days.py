"""Promise: what is said over several days follows from the days, and unknown days are not held against anybody."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from dashboards.days import asks_for_advice, best_week, by_date, met_days, nsaid_days_in_row, streak, weeks
from processing.metrics import Point

TODAY = date(2026, 5, 10)  # a Sunday


def _back(*answers: bool | None) -> dict[date, bool]:
    """Days from today backwards."""
    return {TODAY - timedelta(days=i): answer for i, answer in enumerate(answers) if answer is not None}


def _daily(day: date, walking_min: float, met: bool | None) -> Point:
    verdict = {} if met is None else {"met_walking": met}
    return Point(
        "daily", day.toordinal(), {"patient": "p"}, {"date": day.isoformat(), "walking_min": walking_min, **verdict}
    )


def _diary(*nsaid: bool | None) -> dict[date, Point]:
    return {
        day: Point("diary", day.toordinal(), {"patient": "p"}, {"date": day.isoformat(), "nsaid": took})
        for day, took in _back(*nsaid).items()
    }


@pytest.mark.parametrize(
    ("answers", "length"),
    [
        ((), 0),
        ((True, True, False, True), 2),
        ((False, True, True), 2),  # today is not over
        ((None, True, None, True, False), 2),
        ((None,) * 6 + (True,), 1),
        ((None,) * 7 + (True,), 0),
        ((True, False), 1),
        ((None, False, True), 0),
    ],
)
def test_a_streak_counts_days_met_and_forgives_days_unseen(answers: tuple[bool | None, ...], length: int) -> None:
    assert streak(_back(*answers), TODAY) == length


def test_weeks_begin_on_monday_and_the_best_has_most_days_met() -> None:
    monday = TODAY - timedelta(days=6)
    points = [_daily(monday - timedelta(days=1), 90.0, True)]
    points += [_daily(monday + timedelta(days=i), 10.0, i < 2) for i in range(7)]
    daily = by_date(points)
    assert [(w.monday, w.walking_min, w.days_met, w.days_judged) for w in weeks(daily)] == [
        (monday - timedelta(days=7), 90.0, 1, 1),
        (monday, 70.0, 2, 7),
    ]
    best = best_week(daily)
    assert best is not None
    assert best.monday == monday


def test_without_a_day_met_there_is_no_best_week() -> None:
    assert best_week(by_date([_daily(TODAY, 5.0, False)])) is None
    assert best_week({}) is None


def test_days_without_a_verdict_are_left_out_and_the_newest_of_two_holds() -> None:
    twice = Point("daily", 1, {"patient": "p"}, {"date": TODAY.isoformat(), "met_walking": False})
    daily = by_date([_daily(TODAY, 1.0, True), twice, _daily(TODAY - timedelta(days=1), 1.0, None)])
    assert met_days(daily) == {TODAY: True}


@pytest.mark.parametrize(
    ("nsaid", "in_row"),
    [
        ((), 0),
        ((True,) * 11, 11),
        ((None, *(True,) * 11), 11),  # today is not answered yet
        ((False, *(True,) * 11), 0),
        ((True, True, None, True), 2),
        ((None, None, True), 0),
    ],
)
def test_days_in_a_row_are_only_those_written_down(nsaid: tuple[bool | None, ...], in_row: int) -> None:
    assert nsaid_days_in_row(_diary(*nsaid), TODAY) == in_row


def test_advice_is_asked_for_after_ten_days_and_not_at_ten() -> None:
    assert [asks_for_advice(n) for n in (9, 10, 11)] == [False, False, True]
