"""Promise: local days cover time without holes or overlaps in every zone, and goals follow them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

from hypothesis import given
from hypothesis import strategies as st

from processing.goals import PLAN_WEEKS, goals_on, plan_history
from spineclip.contract.config import Goals
from spineclip.contract.days import day_length_s, day_of, day_start_ns, local_time

ZONES = st.sampled_from(sorted(name for name in available_timezones() if "/" in name)).map(ZoneInfo)
INSTANTS = st.datetimes(datetime(1975, 1, 1), datetime(2037, 1, 1)).map(  # noqa: DTZ001 - given its zone on this line
    lambda naive: round(naive.replace(tzinfo=UTC).timestamp()) * 10**9
)
DAYS = st.dates(date(2024, 1, 1), date(2030, 1, 1))
GOALS = st.builds(
    Goals,
    since=DAYS.map(date.isoformat),
    walking_min=st.integers(0, 60),
    walking_step_min=st.integers(0, 10),
    walking_ceiling_min=st.integers(0, 60),
    days_per_week=st.integers(0, 7),
)
HISTORY = st.dictionaries(DAYS.map(date.isoformat), st.booleans(), max_size=400)


@given(INSTANTS, ZONES)
def test_every_instant_lies_in_its_day(time_ns: int, zone: ZoneInfo) -> None:
    day = day_of(time_ns, zone)
    assert day_start_ns(day, zone) <= time_ns < day_start_ns(day + timedelta(days=1), zone)


@given(DAYS, ZONES)
def test_a_day_of_this_century_has_23_to_25_hours_and_begins_with_its_date(day: date, zone: ZoneInfo) -> None:
    assert 23 * 3600 <= day_length_s(day, zone) <= 25 * 3600
    assert local_time(day_start_ns(day, zone), zone).date() == day


def test_known_days_of_changing_clocks() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    assert day_length_s(date(2026, 3, 29), berlin) == 23 * 3600
    assert day_length_s(date(2026, 10, 25), berlin) == 25 * 3600
    assert day_length_s(date(2011, 12, 30), ZoneInfo("Pacific/Apia")) == 0
    # Clocks in Santiago skip from 24:00 to 01:00: the day begins at one o'clock.
    santiago = ZoneInfo("America/Santiago")
    assert local_time(day_start_ns(date(2026, 9, 6), santiago), santiago).hour == 1


@given(st.lists(GOALS, min_size=1, max_size=4), INSTANTS, ZONES, HISTORY)
def test_one_local_day_has_one_goal(goals: list[Goals], time_ns: int, zone: ZoneInfo, met: dict[str, bool]) -> None:
    day = day_of(time_ns, zone)
    first, last = day_start_ns(day, zone), day_start_ns(day + timedelta(days=1), zone) - 1
    assert {goals_on(goals, day_of(t, zone), met) for t in (first, time_ns, last)} == {goals_on(goals, day, met)}


@given(GOALS, DAYS, HISTORY)
def test_the_plan_stays_between_its_start_and_its_ceiling(plan: Goals, day: date, met: dict[str, bool]) -> None:
    for history in (met, None):
        asked = goals_on((plan,), day, history).walking_min
        assert plan.walking_min <= asked <= max(plan.walking_min, plan.walking_ceiling_min)


@given(GOALS, DAYS, HISTORY)
def test_the_plan_never_asks_more_than_the_calendar_allows(plan: Goals, day: date, met: dict[str, bool]) -> None:
    assert goals_on((plan,), day, met).walking_min <= goals_on((plan,), day).walking_min


@given(GOALS, DAYS, HISTORY)
def test_today_and_later_days_do_not_change_the_goal_of_today(plan: Goals, day: date, met: dict[str, bool]) -> None:
    past = {iso: was for iso, was in met.items() if date.fromisoformat(iso) < day}
    assert goals_on((plan,), day, met) == goals_on((plan,), day, past)


@given(GOALS, DAYS, st.integers(0, 800), HISTORY)
def test_the_carried_history_is_bounded_and_enough(plan: Goals, day: date, later: int, met: dict[str, bool]) -> None:
    kept = plan_history(met, (plan,), day)
    assert len(kept) <= 7 * PLAN_WEEKS
    future = max(day, date.fromisoformat(plan.since)) + timedelta(days=later)
    assert goals_on((plan,), future, kept) == goals_on((plan,), future, met)
