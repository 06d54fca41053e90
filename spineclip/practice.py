"""The agreements behind the therapist's view: the same files and rules as ``spineclip goals``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from zoneinfo import ZoneInfo

from dashboards.days import by_date, met_days
from dashboards.therapist.desk import Reasons
from processing import goals as rules
from processing.attention import reasons
from processing.metrics import Value
from processing.stores.base import MetricReader, MetricStore
from spineclip.contract.clock import Clock
from spineclip.contract.config import Goals, PatientConfig, zone
from spineclip.contract.days import day_of, day_start_ns
from spineclip.patients import Patients


class FilePractice:
    """A `Practice` for the therapist's view on a data folder."""

    def __init__(self, patients: Patients, store: MetricStore, clock: Clock) -> None:
        self._patients = patients
        self._store = store
        self._clock = clock

    def zone(self, patient: str) -> ZoneInfo:
        """Return a patient's time zone."""
        return zone(self._patients.config(patient).time_zone)

    def language(self, patient: str) -> str:
        """Return a patient's language."""
        return self._patients.config(patient).language

    def goals(self, patient: str) -> Goals:
        """Return what is asked at present, with what the graded plan has added."""
        today = day_of(self._clock.utc_ns(), self.zone(patient))
        return present_goals(self._patients.config(patient), self._store, patient, today)

    def reasons(self, day: Mapping[str, Value]) -> Reasons:
        """Return what one would ask about on a day."""
        return tuple((reason.name, reason.numbers) for reason in reasons(day))

    def agree(self, patient: str, goals: Goals) -> None:
        """Keep a new agreement, in the settings and as a metric."""
        config = self._patients.change(patient, lambda config: agreed(config, goals))
        self._store.commit(patient, [rules.point(goals, patient, zone(config.time_zone))], None)


def present_goals(config: PatientConfig, reader: MetricReader, patient: str, today: date) -> Goals:
    """Return what is asked of a patient today, so that a new agreement begins where the plan has led them."""
    since = date.fromisoformat(rules.agreement_on(config.goals, today).since)
    local = zone(config.time_zone)
    start_ns, end_ns = day_start_ns(since, local), day_start_ns(today, local)
    daily = by_date(reader.points("daily", patient, min(start_ns, end_ns), end_ns))
    met = {day.isoformat(): was for day, was in met_days(daily).items()}
    return rules.goals_on(config.goals, today, met)


def agreed(config: PatientConfig, goals: Goals) -> PatientConfig:
    """Return the settings with a new agreement; the built-in defaults are nobody's, so it takes their place."""
    history = tuple(goal for goal in config.goals if goal != Goals())
    return replace(config, goals=rules.with_goals(history, goals))
