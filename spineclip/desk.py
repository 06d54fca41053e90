"""The diary behind the page: what the page writes goes through the same rules as ``spineclip diary``."""

from __future__ import annotations

import datetime as dt
import zoneinfo

from dashboards import days
from dashboards.patient.desk import DiaryDay, Kept
from processing import diary
from processing.stores.base import MetricStore
from spineclip.contract.clock import Clock
from spineclip.contract.days import day_of, day_start_ns

_LOOK_BACK = dt.timedelta(days=60)


class StoreDesk:
    """A patient's desk on a metric store (a `Desk` for the page)."""

    def __init__(self, store: MetricStore, patient: str, zone: zoneinfo.ZoneInfo, clock: Clock) -> None:
        self._store = store
        self._patient = patient
        self._zone = zone
        self._clock = clock

    def today(self) -> dt.date:
        """Return the patient's local date."""
        return day_of(self._clock.utc_ns(), self._zone)

    def editable_days(self) -> int:
        """Return for how many days after its own a day can still be changed."""
        return diary.EDITABLE_DAYS

    def read(self, day: dt.date) -> DiaryDay:
        """Return a day as it is kept."""
        return _shown(diary.read(self._store, self._patient, day, day, self._zone).get(day) or diary.Entry(day))

    def write(self, mine: DiaryDay, seen: DiaryDay) -> Kept:
        """Keep what the writer changed."""
        saved = diary.save(
            self._store, self._patient, _entry(mine), self._zone, self._clock.utc_ns(), seen=_entry(seen)
        )
        return Kept(_shown(saved.entry), saved.conflicts)

    def nsaid_days(self) -> int:
        """Return for how many days in a row an anti-inflammatory was taken."""
        start_ns = day_start_ns(self.today() - _LOOK_BACK, self._zone)
        end_ns = day_start_ns(self.today() + dt.timedelta(days=1), self._zone)
        points = self._store.points("diary", self._patient, start_ns, end_ns)
        return days.nsaid_days_in_row(days.by_date(points), self.today())

    def asks_for_advice(self) -> bool:
        """Return whether that is so long that the patient should ask a doctor or pharmacist."""
        return days.asks_for_advice(self.nsaid_days())


def _shown(entry: diary.Entry) -> DiaryDay:
    return DiaryDay(entry.day, entry.pain, entry.exercises, entry.relaxation_min, entry.nsaid, entry.note)


def _entry(shown: DiaryDay) -> diary.Entry:
    return diary.Entry(shown.day, shown.pain, shown.exercises, shown.relaxation_min, shown.nsaid, shown.note)
