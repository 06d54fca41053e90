"""Promise: what is said over several days counts what is known, and holds no unknown day against anybody."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from dashboards.days import (
    NSAID_DAYS,
    REST_DAYS,
    asks_for_advice,
    best_week,
    by_date,
    met_days,
    nsaid_days_in_row,
    streak,
)
from processing.metrics import Point, Value

TODAY = date(2026, 5, 13)  # a Wednesday


def _met(days: str) -> dict[date, bool]:
    """Days that end today: ``+`` met, ``-`` not met, ``.`` not enough data."""
    dated = ((TODAY - timedelta(days=back), mark) for back, mark in enumerate(reversed(days)))
    return {day: mark == "+" for day, mark in dated if mark != "."}


def _points(days: dict[date, dict[str, Value]]) -> dict[date, Point]:
    named = [Point("daily", day.toordinal(), {"patient": "p"}, {"date": str(day), **f}) for day, f in days.items()]
    return by_date(named)


@pytest.mark.parametrize(
    ("days", "length"),
    [
        ("", 0),
        ("+++", 3),
        ("-++", 2),
        ("++-", 2),  # today is not over yet
        ("+-+", 1),
        ("++-.", 0),  # yesterday is
        ("+" + "." * (REST_DAYS - 1) + "+", 2),
        ("+" + "." * REST_DAYS + "+", 1),
        ("+" * 100, 100),
    ],
)
def test_a_streak_ends_with_a_day_not_met_or_a_week_not_seen(days: str, length: int) -> None:
    assert streak(_met(days), TODAY) == length


def test_a_day_that_could_not_be_judged_is_neither_met_nor_missed() -> None:
    days = _points({TODAY: {"met_walking": True}, TODAY - timedelta(days=1): {"walking_min": 0.0}})
    assert met_days(days) == {TODAY: True}


def test_what_was_written_again_holds() -> None:
    old = Point("daily", 1, {"patient": "p"}, {"date": str(TODAY), "walking_min": 1.0})
    new = Point("daily", 2, {"patient": "p"}, {"date": str(TODAY), "walking_min": 9.0})
    assert by_date([new, old])[TODAY].fields["walking_min"] == 9.0


def test_the_best_week_has_most_days_met_then_most_minutes_and_begins_on_monday() -> None:
    monday = date(2026, 5, 4)

    def week(back: int, met: int, minutes: float) -> dict[date, dict[str, Value]]:
        first = monday - timedelta(weeks=back)
        return {first + timedelta(days=k): {"walking_min": minutes, "met_walking": k < met} for k in range(7)}

    one = best_week(_points(week(0, 3, 50.0) | week(1, 4, 10.0) | week(2, 4, 11.0)))
    assert one is not None
    assert (one.monday, one.days_met, one.walking_min) == (monday - timedelta(weeks=2), 4, 77.0)
    same = best_week(_points(week(0, 4, 10.0) | week(1, 4, 10.0)))
    assert same is not None
    assert same.monday == monday, "of equals the newest"
    assert best_week(_points(week(0, 0, 90.0))) is None
    assert best_week({}) is None


def test_days_in_a_row_with_an_anti_inflammatory_are_those_written_down() -> None:
    def taken(days: str) -> int:
        dated = ((TODAY - timedelta(days=back), mark) for back, mark in enumerate(reversed(days)))
        return nsaid_days_in_row(_points({d: {"nsaid": m == "+"} for d, m in dated if m != "."}), TODAY)

    assert taken("+++") == 3
    assert taken("++.") == 2, "today is still unanswered"
    assert taken("++-") == 0
    assert taken("+.+") == 1, "what was not written down is not known"
    assert not asks_for_advice(NSAID_DAYS)
    assert asks_for_advice(NSAID_DAYS + 1)
