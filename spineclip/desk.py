"""What the page may write, through the same rules and files as the commands: the diary, and a pause of reminders."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from collections.abc import Callable
from dataclasses import replace

from dashboards import days
from dashboards.patient.desk import DiaryDay, Kept
from processing import diary
from processing.stores.base import MetricStore
from spineclip.contract.clock import Clock
from spineclip.contract.days import day_of, day_start_ns, local_time
from spineclip.contract.errors import SettingsError
from spineclip.patients import Patients

_HOUR_NS = 3600 * 10**9


class StoreDesk:
    """A patient's desk on a metric store (a `Desk` for the page).

    Parameters
    ----------
    zone
        Tells the patient's time zone; asked each time, because patients move while pages are open.
    """

    def __init__(
        self,
        store: MetricStore,
        patient: str,
        zone: Callable[[], zoneinfo.ZoneInfo],
        clock: Clock,
        *,
        patients: Patients | None = None,
    ) -> None:
        self._patients = patients
        self._store = store
        self._patient = patient
        self._where = zone
        self._clock = clock

    @property
    def _zone(self) -> zoneinfo.ZoneInfo:
        return self._where()

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
        return days.nsaid_days(self._store, self._patient, self.today(), self._zone)

    def asks_for_advice(self) -> bool:
        """Return whether that is so long that the patient should ask a doctor or pharmacist."""
        return days.asks_for_advice(self.nsaid_days())

    def can_pause(self) -> bool:
        """Return whether reminders can be paused: where the patient's settings are at hand."""
        return self._patients is not None

    def paused_until(self) -> dt.datetime | None:
        """Return until when reminders are paused, on the patient's clock; None when they are not."""
        if self._patients is None:
            return None
        return self._later(self._patients.config(self._patient).nudging.paused_until_ns)

    def pause(self, choice: str) -> dt.datetime | None:
        """Pause reminders for an ``hour`` or until ``tomorrow``, or switch them ``on`` again."""
        if self._patients is None:
            raise SettingsError("reminders cannot be paused here", advice="Use the page beside the core")
        until_ns = {
            "hour": self._clock.utc_ns() + _HOUR_NS,
            "tomorrow": day_start_ns(self.today() + dt.timedelta(days=1), self._zone),
            "on": 0,
        }[choice]
        self._patients.change(
            self._patient, lambda config: replace(config, nudging=replace(config.nudging, paused_until_ns=until_ns))
        )
        return self._later(until_ns)

    def _later(self, until_ns: int) -> dt.datetime | None:
        return local_time(until_ns, self._zone) if until_ns > self._clock.utc_ns() else None


def _shown(entry: diary.Entry) -> DiaryDay:
    return DiaryDay(entry.day, entry.pain, entry.exercises, entry.relaxation_min, entry.nsaid, entry.note)


def _entry(shown: DiaryDay) -> diary.Entry:
    return diary.Entry(shown.day, shown.pain, shown.exercises, shown.relaxation_min, shown.nsaid, shown.note)
