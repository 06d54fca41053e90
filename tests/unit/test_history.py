"""Promise: the made-up past has every second of a local day once, and says of it what the generated person did."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest

from firmware_sim.scenario import Day
from processing.epochs import EPOCH_NS, State
from spineclip.contract.clock import DrivenClock
from spineclip.contract.config import zone
from spineclip.contract.days import day_of, day_start_ns
from spineclip.demo_person import PATIENT, person
from spineclip.history import day_epochs, past

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


def test_the_same_seed_makes_the_same_past() -> None:
    who = person(DrivenClock(NOON_NS), "Europe/Berlin", speed=1.0)
    assert past(PATIENT, who).points == past(PATIENT, who).points
