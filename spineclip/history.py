"""The past of a generated person, as the core would have stored it: so that a visitor's page is not empty.

Sampling weeks at 50 Hz and measuring them again would take minutes; the generated person knows the truth of every
second, so the seconds are written down directly and go through the same day totals as measured ones.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from firmware_sim.motion import Motion
from firmware_sim.scenario import Day, eight_weeks, start_of, typical_day
from processing import days, pipeline, slots
from processing.epochs import EPOCH_NS, Epochs, Posture, State
from processing.metrics import Point, Value
from processing.pipeline import PatientState
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


def day_epochs(day: Day, *, tz: str, seed: int = 0, until_ns: int | None = None) -> Epochs:
    """Write down the seconds of one local day of a generated person.

    Parameters
    ----------
    day
        What the day is like.
    until_ns
        Where to stop (UTC nanoseconds); the end of the day by default.

    Returns
    -------
    Whole seconds from the first second of the local day on, all covered.
    """
    start_ns = start_of(day.date, tz)
    end_ns = start_of(day.date + dt.timedelta(days=1), tz)
    stop_ns = end_ns if until_ns is None else min(end_ns, until_ns)
    truth = Motion(typical_day(day, seed=seed, tz=tz), start_ns=start_ns, seed=seed).truth(start_ns, stop_ns)
    rng = np.random.default_rng([seed, day.date.toordinal(), 5])
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


def _heard_last(patient: str, person: Person) -> Point:
    """Write down how the clip did when it was heard last, in the minute before it is heard again."""
    (device, worn), *_ = person.config.clips.items()
    minute_ns = (person.begins_ns // (60 * EPOCH_NS) - 1) * 60 * EPOCH_NS
    fields: dict[str, Value] = {"battery_pct": 91.0, "rssi_dbm": -62.0, "placement": str(worn.placement)}
    return Point("device", minute_ns, {"patient": patient, "device": device}, fields)


@dataclass(frozen=True, slots=True)
class Past:
    """What lies behind a person: the points to be stored, and how the core would carry on from there."""

    points: tuple[Point, ...]
    state: PatientState


def past(patient: str, person: Person, *, seed: int = 0) -> Past:
    """Write down eight weeks, the last day and a half of them second by second.

    Parameters
    ----------
    patient
        The patient's id.
    person
        Who it is; the past ends where their wearable begins to be heard.
    """
    tz = person.config.time_zone
    points = story(patient, person.yesterday, person.config, seed=seed)
    met = {
        str(point.fields["date"]): bool(point.fields["met_walking"])
        for point in points
        if point.measurement == "daily" and "met_walking" in point.fields
    }
    met.pop(person.yesterday.isoformat(), None)
    counted = days.DaysState(met=met)
    last_day = eight_weeks(first_day(person.yesterday), seed=seed, weeks=WEEKS)[-1]
    for day in (last_day, person.today):
        epochs = day_epochs(day, tz=tz, seed=seed, until_ns=person.begins_ns)
        counted, output = days.step(counted, epochs, patient, person.config)
        points += [*slots.points(slots.summarise(output.seconds), patient), *output.points]
    points.append(_heard_last(patient, person))
    state = pipeline.begin(patient, person.config)
    given = replace(state.person, given=person.begins_ns // EPOCH_NS)
    return Past(tuple(points), replace(state, days=counted, person=given))
