"""Promise: after more than ten days in a row with an anti-inflammatory the patient's page asks to talk to somebody."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from dashboards.days import NSAID_DAYS
from dashboards.words import LANGUAGES, Words
from processing.metrics import Point
from processing.stores.sqlite import SqliteStore
from spineclip.contract.clock import DrivenClock
from spineclip.contract.config import PatientConfig, zone
from spineclip.contract.days import day_start_ns
from spineclip.desk import StoreDesk
from spineclip.home import Home
from spineclip.patients import Patients, store_file

TODAY = date(2026, 5, 13)
NOW_NS = int(datetime(2026, 5, 13, 9, tzinfo=UTC).timestamp()) * 10**9


@pytest.mark.parametrize(("taken", "asked"), [(NSAID_DAYS, False), (NSAID_DAYS + 1, True)])
def test_more_than_ten_days_in_a_row_are_answered(taken: int, asked: bool, tmp_path: Path) -> None:
    patients = Patients(tmp_path)
    home = zone(PatientConfig().time_zone)
    store = SqliteStore(store_file(tmp_path))
    written = [
        Point("diary", day_start_ns(day, home), {"patient": "p-1"}, {"date": str(day), "nsaid": True})
        for day in (TODAY - timedelta(days=back) for back in range(taken))
    ]
    store.commit("p-1", written, None)
    desk = StoreDesk(store, "p-1", Home(patients, "p-1"), DrivenClock(NOW_NS), patients=patients)
    assert desk.nsaid_days() == taken
    assert desk.asks_for_advice() is asked
    store.close()


def test_the_advice_names_whom_to_ask() -> None:
    who = {"en": "doctor or pharmacist", "de": "Apotheke"}
    assert set(who) == set(LANGUAGES)
    for language, asked in who.items():
        assert asked in Words(language)("diary.advice")
