"""Promise: the made-up past has every second of a local day once, and says of it what the generated person did."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from itertools import pairwise

import numpy as np
import pytest

from firmware_sim.scenario import Day
from processing.epochs import EPOCH_NS, State
from processing.metrics import Point
from processing.stores.influx_seen import Key, key_of
from spineclip.contract.clock import DrivenClock
from spineclip.contract.config import zone
from spineclip.contract.days import day_length_s, day_of, day_start_ns, local_time
from spineclip.demo_person import PATIENT, person
from spineclip.history import day_epochs, go_on, past
from spineclip.story import WEEKS, first_day, story, story_config

BERLIN = zone("Europe/Berlin")
NOON_NS = day_start_ns(dt.date(2026, 11, 21), BERLIN) + 12 * 3600 * EPOCH_NS


@pytest.mark.parametrize(
    ("date", "hours"), [(dt.date(2026, 3, 28), 24), (dt.date(2026, 3, 29), 23), (dt.date(2026, 10, 25), 25)]
)
def test_a_day_has_all_its_seconds_once(date: dt.date, hours: int) -> None:
    epochs = day_epochs(Day(date, walking_min=20.0), tz="Europe/Berlin")
    start_ns = day_start_ns(date, BERLIN)
    assert np.array_equal(epochs.start_ns, start_ns + np.arange(hours * 3600) * EPOCH_NS)
    walked_min = epochs.walking_s.sum() / 60
    assert walked_min == pytest.approx(20.0, abs=1.5), "all but the first two seconds of each walk"
    assert not np.any(epochs.steps[epochs.state != State.WALKING.code])


def test_the_past_ends_where_the_wearable_begins() -> None:
    who = person(DrivenClock(NOON_NS), "Europe/Berlin", speed=1.0)
    assert who.begins_ns == NOON_NS
    behind = past(PATIENT, who)
    newest = max(point.time_ns for point in behind.points if point.measurement == "activity")
    assert newest == NOON_NS - 5 * EPOCH_NS
    dates = [point.fields["date"] for point in behind.points if point.measurement == "daily"]
    assert {dt.date(2026, 11, 21) - dt.timedelta(days=k) for k in range(57)} == {
        dt.date.fromisoformat(str(date)) for date in dates
    }
    assert behind.state.person.given == NOON_NS // EPOCH_NS


def test_whole_days_begin_with_the_morning() -> None:
    who = person(DrivenClock(NOON_NS), "Europe/Berlin", speed=60.0)
    assert day_of(who.begins_ns, BERLIN) == dt.date(2026, 11, 21)
    assert who.begins_ns < NOON_NS


def test_the_same_day_has_the_same_past() -> None:
    who = person(DrivenClock(NOON_NS), "Europe/Berlin", speed=1.0)
    assert past(PATIENT, who).points == past(PATIENT, who).points


@pytest.mark.parametrize("hours", [0.1, 8.0])
def test_who_lives_on_has_the_past_of_whoever_begins_later(hours: float) -> None:
    """Promise: a life that is written as it goes is the one that is written at once."""
    later_ns = NOON_NS + round(hours * 3600) * EPOCH_NS
    then = past(PATIENT, person(DrivenClock(NOON_NS), "Europe/Berlin", speed=1.0))
    points = list(then.points)
    life = then.life
    for until_ns in (NOON_NS + 33 * EPOCH_NS, later_ns):
        life, more = go_on(life, until_ns)
        points += more
    at_once = past(PATIENT, person(DrivenClock(later_ns), "Europe/Berlin", speed=1.0))
    assert _final(points) == _final(at_once.points)


def test_no_day_is_told_twice() -> None:
    """Promise: a day that is written second by second does not have the story's bouts beside its own."""
    points = past(PATIENT, person(DrivenClock(NOON_NS), "Europe/Berlin", speed=1.0)).points
    walks = sorted(
        (p.time_ns, p.time_ns + round(float(p.fields["dur_s"]) * 1e9))
        for p in points
        if p.measurement == "bout" and p.fields["state"] == "walking"
    )
    assert len(walks) > 100
    assert all(before[1] <= after[0] for before, after in pairwise(walks))


def test_the_clip_was_out_of_reach_for_as_long_as_is_missing() -> None:
    points = past(PATIENT, person(DrivenClock(NOON_NS), "Europe/Berlin", speed=1.0)).points
    (gap,) = [p for p in points if p.measurement == "gap" and day_of(p.time_ns, BERLIN) == dt.date(2026, 11, 20)]
    (yesterday,) = [
        p for p in _final(points).values() if p.fields.get("date") == "2026-11-20" and p.measurement == "daily"
    ]
    missing_s = (1.0 - float(yesterday.fields["coverage"])) * 24 * 3600
    assert missing_s == pytest.approx(float(gap.fields["dur_s"]), abs=0.01)
    before, after = (
        [p for p in points if p.measurement == "device" and (p.time_ns > gap.time_ns) is late] for late in (False, True)
    )
    assert int(after[0].fields["reconnects"]) == int(before[-1].fields["reconnects"]) + 1


def _final(points: Iterable[Point]) -> dict[Key, Point]:
    """Of points with the same time and tags the last one holds."""
    return {key_of(point): point for point in points}


@pytest.mark.parametrize("tz", ["Europe/Berlin", "Australia/Lord_Howe", "America/Havana"])
def test_the_hours_of_the_story_are_those_on_the_wall(tz: str) -> None:
    """Clocks change by an hour, by half of one, and at midnight."""
    for last in (dt.date(2026, 4, 20), dt.date(2026, 11, 20)):
        hours = [one for one in story("p-1", last, story_config(last, time_zone=tz)) if one.measurement == "hourly"]
        walls = [local_time(one.time_ns, zone(tz)) for one in hours]
        assert [one.tags["hour"] for one in hours] == [f"{wall.hour:02d}" for wall in walls]
        days = [first_day(last) + dt.timedelta(days=k) for k in range(7 * WEEKS)]
        told_min = sum(float(value) for one in hours for value in one.fields.values())
        assert told_min == pytest.approx(sum(day_length_s(day, zone(tz)) for day in days) / 60)
