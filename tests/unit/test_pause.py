"""Promise: a pause of reminders is kept, said in the patient's own time, and ends by itself."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from collections.abc import Iterator
from pathlib import Path

import pytest

from dashboards.patient.pause_card import pause_sentence
from dashboards.words import Words
from processing.stores.sqlite import SqliteStore
from spineclip.contract.clock import DrivenClock
from spineclip.contract.errors import SettingsError
from spineclip.desk import StoreDesk
from spineclip.patients import Patients, store_file

BERLIN = zoneinfo.ZoneInfo("Europe/Berlin")
EVENING = dt.datetime(2026, 3, 28, 20, 30, tzinfo=BERLIN)  # the next day has 23 hours


@pytest.fixture
def clock() -> DrivenClock:
    """A clock on the eve of the day on which clocks are put forward."""
    return DrivenClock(int(EVENING.timestamp()) * 10**9)


@pytest.fixture
def desk(tmp_path: Path, clock: DrivenClock) -> Iterator[StoreDesk]:
    """A desk beside a core."""
    store = SqliteStore(store_file(tmp_path))
    yield StoreDesk(store, "p-1", lambda: BERLIN, clock, patients=Patients(tmp_path))
    store.close()


def test_an_hour_is_an_hour_and_ends_by_itself(desk: StoreDesk, clock: DrivenClock, tmp_path: Path) -> None:
    assert desk.paused_until() is None
    assert desk.pause("hour") == EVENING + dt.timedelta(hours=1)
    kept = Patients(tmp_path).config("p-1").nudging.paused_until_ns
    assert kept == int(EVENING.timestamp() + 3600) * 10**9
    clock.advance(3599)
    assert desk.paused_until() == EVENING + dt.timedelta(hours=1)
    clock.advance(1)
    assert desk.paused_until() is None


def test_tomorrow_begins_at_the_patients_midnight(desk: StoreDesk) -> None:
    assert desk.pause("tomorrow") == dt.datetime(2026, 3, 29, 0, 0, tzinfo=BERLIN)


def test_a_pause_can_be_ended(desk: StoreDesk) -> None:
    desk.pause("tomorrow")
    assert desk.pause("on") is None
    assert desk.paused_until() is None


def test_without_settings_no_pause_is_offered(tmp_path: Path, clock: DrivenClock) -> None:
    store = SqliteStore(store_file(tmp_path))
    desk = StoreDesk(store, "p-1", lambda: BERLIN, clock)
    assert not desk.can_pause()
    with pytest.raises(SettingsError):
        desk.pause("hour")
    store.close()


def test_it_is_said_in_a_sentence() -> None:
    words, today = Words("en"), EVENING.date()
    assert pause_sentence(None, today, words) == "Reminders are on."
    assert pause_sentence(EVENING, today, words) == "Paused until 20:30."
    assert pause_sentence(EVENING + dt.timedelta(days=1), today, words) == "Paused until tomorrow."
