"""The past of a generated person, as the core would have stored it: so that a visitor's page is not empty.

Sampling weeks at 50 Hz and measuring them again would take minutes; the generated person knows the truth of every
second, so the seconds are written down directly and go through the same day totals as measured ones.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from firmware_sim.motion import Motion
from firmware_sim.scenario import Day, eight_weeks, typical_day
from processing import days, pipeline, slots
from processing.days import DaysState
from processing.epochs import EPOCH_NS, Epochs, Posture, State
from processing.metrics import Point, Value
from processing.pipeline import PatientState
from spineclip import clip_past
from spineclip.clip_past import Lapse
from spineclip.contract.config import PatientConfig, zone
from spineclip.contract.days import day_of, day_start_ns
from spineclip.demo_person import Person
from spineclip.story import WEEKS, first_day, story

_INTENSITY_MG: Final = {
    State.UNKNOWN: 10.0,
    State.NOT_WORN: 1.0,
    State.LYING: 4.0,
    State.SITTING: 6.0,
    State.STANDING: 12.0,
    State.ACTIVE: 45.0,
    State.WALKING: 130.0,
    State.RUNNING: 420.0,
    State.CYCLING: 90.0,
}
"""Usual movement by state (median of the labelled sets, rounded)."""
_UNSURE_S: Final = 2
"""Seconds after a change of state in which a measuring core is not sure yet."""
_MINUTE_NS: Final = 60 * EPOCH_NS
_COUNTED: Final = frozenset({"daily", "hourly", "bout"})
"""What the core makes of seconds; the diary, goals and nudges of a day that is written closely are the story's."""


def day_epochs(day: Day, *, tz: str) -> Epochs:
    """Write down the seconds of one local day of a generated person.

    Parameters
    ----------
    day
        What the day is like.

    Returns
    -------
    Whole seconds from the first second of the local day on, all covered.
    """
    start_ns = day_start_ns(day.date, zone(tz))
    end_ns = day_start_ns(day.date + dt.timedelta(days=1), zone(tz))
    truth = Motion(typical_day(day, tz=tz), start_ns=start_ns).truth(start_ns, end_ns)
    rng = np.random.default_rng([day.date.toordinal(), 5])
    n = len(truth)
    state = _codes(truth.state, {str(one): one.code for one in State})
    posture = _codes(truth.posture, {str(one): one.code for one in Posture})
    sure = ~_just_changed(state)
    state = np.where(sure, state, np.int8(State.UNKNOWN.code)).astype(np.int8)
    gait = np.isin(state, (State.WALKING.code, State.RUNNING.code))
    typical = np.array([_INTENSITY_MG[one] for one in State])[state]
    return Epochs(
        start_ns=truth.start_ns,
        state=state,
        posture=np.where(sure, posture, np.int8(Posture.UNKNOWN.code)).astype(np.int8),
        flexion_deg=truth.flexion_deg + rng.normal(0.0, 0.6, n),
        lateral_deg=truth.lateral_deg + rng.normal(0.0, 0.6, n),
        walking_s=gait.astype(np.float64),
        cadence_spm=np.where(gait, truth.cadence_spm, np.nan),
        steps=np.where(gait, truth.steps, 0.0),
        intensity_mg=typical * np.exp(rng.normal(0.0, 0.25, n)),
        confidence=np.where(sure, rng.uniform(0.86, 0.99, n), 0.4),
        coverage=np.ones(n),
    )


def _codes(names: NDArray[np.str_], table: dict[str, int]) -> NDArray[np.int8]:
    found, where = np.unique(names, return_inverse=True)
    return np.array([table[str(name)] for name in found], dtype=np.int8)[where]


def _just_changed(state: NDArray[np.int8]) -> NDArray[np.bool_]:
    changed = np.zeros(len(state), dtype=bool)
    for at in np.flatnonzero(np.diff(state)) + 1:
        changed[at : at + _UNSURE_S] = True
    return changed


@dataclass(frozen=True, slots=True)
class Life:
    """How far a person's seconds were written down.

    Attributes
    ----------
    through_ns
        The first second that was not (UTC nanoseconds).
    days
        What the days up to today are like; those after it are like today.
    counted
        What the core carries from second to second.
    """

    patient: str
    config: PatientConfig
    days: Mapping[dt.date, Day]
    through_ns: int
    counted: DaysState

    def day(self, date: dt.date) -> Day:
        """Return what a local day is like."""
        known = self.days.get(date)
        return known if known is not None else replace(self.days[max(self.days)], date=date)


def go_on(life: Life, until_ns: int) -> tuple[Life, list[Point]]:
    """Write down the seconds up to a time (UTC nanoseconds, whole seconds), and what the core makes of them."""
    tz = life.config.time_zone
    (device, worn), *_ = life.config.clips.items()
    points: list[Point] = []
    while life.through_ns < until_ns:
        date = day_of(life.through_ns, zone(tz))
        stop_ns = min(until_ns, day_start_ns(date + dt.timedelta(days=1), zone(tz)))
        if life.through_ns < (minute_ns := stop_ns // _MINUTE_NS * _MINUTE_NS):
            stop_ns = minute_ns  # at full minutes the core tells how hour and day stand
        lapses = (date - min(life.days)).days
        lapse, epochs = _heard(life.day(date), tz)
        tags = {"patient": life.patient, "device": device}
        clip = clip_past.points(epochs, lapse, tags, worn.placement, lapses=lapses)
        first, end = np.searchsorted(epochs.start_ns, (life.through_ns, stop_ns)).tolist()
        counted, output = days.step(life.counted, epochs.slice(first, end), life.patient, life.config)
        points += [*slots.points(slots.summarise(output.seconds), life.patient), *output.points]
        points += [point for known_ns, point in clip if life.through_ns <= known_ns < stop_ns]
        life = replace(life, through_ns=stop_ns, counted=counted)
    return life, points


@lru_cache(maxsize=1)
def _heard(day: Day, tz: str) -> tuple[Lapse, Epochs]:
    """Return when the clip was out of reach on a local day, and what was heard of the rest, all of the day."""
    lapse = clip_past.lapse_on(day, tz=tz)
    return lapse, clip_past.heard(day_epochs(day, tz=tz), lapse)


@dataclass(frozen=True, slots=True)
class Past:
    """What lies behind a person: the points to be stored, and how the core would carry on from there."""

    points: tuple[Point, ...]
    state: PatientState
    life: Life


def past(patient: str, person: Person, *, closely: int = 1) -> Past:
    """Write down eight weeks, the last days of them second by second.

    Parameters
    ----------
    patient
        The patient's id.
    person
        Who it is; the past ends where their wearable begins to be heard.
    closely
        So many days before today are written down second by second, as today is; of those before there are days,
        hours, and bouts.
    """
    tz = person.config.time_zone
    weeks = eight_weeks(first_day(person.yesterday), weeks=WEEKS)
    near = {day.date: day for day in (*weeks[len(weeks) - closely :], person.today)}
    near_ns = day_start_ns(min(near), zone(tz))
    points = [
        point
        for point in story(patient, person.yesterday, person.config)
        if point.time_ns < near_ns or point.measurement not in _COUNTED
    ]
    met = {
        str(point.fields["date"]): bool(point.fields["met_walking"])
        for point in points
        if point.measurement == "daily" and "met_walking" in point.fields
    }
    life = Life(patient, person.config, near, near_ns, days.DaysState(met=met))
    life, lived = go_on(life, person.begins_ns)
    points += lived
    minute_ns = (person.begins_ns // _MINUTE_NS - 1) * _MINUTE_NS
    if not any(point.measurement == "device" and point.time_ns >= minute_ns for point in lived):
        points.append(_on_the_charger(life, minute_ns))
    state = pipeline.begin(patient, person.config)
    given = replace(state.person, given=person.begins_ns // EPOCH_NS)
    return Past(tuple(points), replace(state, days=life.counted, person=given), life)


def _on_the_charger(life: Life, minute_ns: int) -> Point:
    """Write down that a clip that is not worn was heard, too."""
    (device, worn), *_ = life.config.clips.items()
    fields: dict[str, Value] = {"battery_pct": 100.0, "rssi_dbm": -62.0, "placement": str(worn.placement)}
    return Point("device", minute_ns, {"patient": life.patient, "device": device}, fields)
