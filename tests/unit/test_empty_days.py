"""Promise: a day of which nothing came is told as not worn, at its end, once; what comes later takes its place."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

from processing.days import EMPTY_DAYS
from processing.metrics import Point
from processing.patient import Patient
from spineclip.contract.config import PatientConfig
from spineclip.contract.days import day_length_s, day_start_ns
from tests.system.collecting import T0_NS, day_of_somebody

ZONE = ZoneInfo("Europe/Berlin")
CONFIG = PatientConfig(time_zone="Europe/Berlin")
BATCHES = day_of_somebody(120)
FIRST = dt.datetime.fromtimestamp(T0_NS / 1e9, ZONE).date()


def midnight_after(day: dt.date) -> int:
    return day_start_ns(day + dt.timedelta(days=1), ZONE)


def days_of(patient: Patient) -> dict[str, Point]:
    points = patient.commit().points
    patient.stored()
    return {str(point.fields["date"]): point for point in points if point.measurement == "daily"}


def measured() -> Patient:
    patient = Patient("p-1", CONFIG)
    patient.take(*BATCHES, now_s=0.0)
    days_of(patient)
    return patient


def dates(first: dt.date, n: int) -> list[str]:
    return [(first + dt.timedelta(days=k)).isoformat() for k in range(n)]


def test_a_day_without_data_is_written_at_its_end_and_once() -> None:
    patient = measured()
    patient.close_days(midnight_after(FIRST))
    assert days_of(patient) == {}, "the day with data has its point already"
    patient.close_days(midnight_after(FIRST + dt.timedelta(days=1)) - 1)
    assert days_of(patient) == {}, "it is not over"
    patient.close_days(midnight_after(FIRST + dt.timedelta(days=1)))
    (empty,) = days_of(patient).values()
    assert empty.fields["date"] == (FIRST + dt.timedelta(days=1)).isoformat()
    assert (empty.fields["worn_min"], empty.fields["coverage"], empty.fields["enough_data"]) == (0.0, 0.0, False)
    told = (
        "walking_min",
        "longest_walk_min",
        "sedentary_min",
        "longest_sedentary_min",
        "breaks",
        "steps",
        "unknown_min",
    )
    assert {name: empty.fields[name] for name in told} == dict.fromkeys(told, 0), "nobody knows of any"
    assert empty.fields["attention_why"] == "not worn"
    assert not [name for name in empty.fields if name.startswith("met_")], "such a day has not failed"
    patient.close_days(midnight_after(FIRST + dt.timedelta(days=1)) + 3600 * 10**9)
    assert days_of(patient) == {}


def test_midnights_that_passed_while_the_core_was_down_are_made_up_for() -> None:
    patient = measured()
    patient.close_days(midnight_after(FIRST))
    resumed = Patient.resume("p-1", patient.commit().checkpoint)
    resumed.close_days(midnight_after(FIRST + dt.timedelta(days=4)))
    assert list(days_of(resumed)) == dates(FIRST + dt.timedelta(days=1), 4)
    again = Patient.resume("p-1", resumed.commit().checkpoint)
    again.close_days(midnight_after(FIRST + dt.timedelta(days=4)))
    assert days_of(again) == {}


def test_what_comes_late_of_such_a_day_writes_it_as_if_it_had_never_been_empty() -> None:
    patient = Patient("p-1", CONFIG)
    patient.close_days(T0_NS - 86_400 * 10**9)
    patient.close_days(midnight_after(FIRST + dt.timedelta(days=1)))
    empty = days_of(patient)
    assert empty[FIRST.isoformat()].fields["worn_min"] == 0.0
    patient.take(*BATCHES, now_s=0.0)
    patient.finish()
    late = days_of(patient)[FIRST.isoformat()]
    in_time = Patient("p-1", CONFIG)
    in_time.take(*BATCHES, now_s=0.0)
    in_time.finish()
    assert late == days_of(in_time)[FIRST.isoformat()]
    assert late.time_ns == empty[FIRST.isoformat()].time_ns, "the same series and time: it takes its place"


def test_a_new_patient_is_known_from_the_first_day_on_and_a_stranger_never() -> None:
    patient = Patient("p-1", CONFIG)
    patient.close_days(T0_NS)
    assert days_of(patient) == {}
    patient.close_days(midnight_after(FIRST))
    assert list(days_of(patient)) == [FIRST.isoformat()]
    stranger = Patient("p-2")
    stranger.close_days(T0_NS)
    stranger.close_days(midnight_after(FIRST))
    assert days_of(stranger) == {}


def test_days_are_the_patients_own_where_clocks_change() -> None:
    patient = Patient("p-1", CONFIG)
    autumn = dt.date(2025, 10, 26)
    assert day_length_s(autumn, ZONE) == 25 * 3600
    patient.close_days(day_start_ns(autumn, ZONE))
    patient.close_days(day_start_ns(autumn, ZONE) + 24 * 3600 * 10**9)
    assert days_of(patient) == {}
    patient.close_days(midnight_after(autumn))
    assert [point.time_ns for point in days_of(patient).values()] == [day_start_ns(autumn, ZONE)]


def test_nobody_is_waited_for_for_ever() -> None:
    patient = measured()
    patient.close_days(midnight_after(FIRST + dt.timedelta(days=400)))
    assert len(days_of(patient)) == EMPTY_DAYS
    patient.close_days(midnight_after(FIRST + dt.timedelta(days=401)))
    assert days_of(patient) == {}
