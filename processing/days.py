"""From a person's seconds to everything that is stored of them: slots, bouts, streaks, hours, days."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import field, replace
from functools import lru_cache
from typing import Final

import numpy as np

from processing import bouts, goals, slots, totals
from processing.attention import attention
from processing.bout_rules import NIGHT_HOURS, NOT_WORN, SEDENTARY, SLOUCHED, WALKING
from processing.bouts import BoutsState, FinishedBout, Streaks
from processing.epochs import EPOCH_NS, Epochs
from processing.frozen import frozen
from processing.local_time import day_at, hours
from processing.metrics import Point, Value
from processing.slots import SlotState
from processing.totals import DayTotals, HourTotals
from spineclip.contract.config import Goals, PatientConfig

NS = EPOCH_NS
EMPTY_DAYS: Final = 60
"""So many days without any data are written after the last one with some (our choice: a month past the longest view);
then nobody waits for this patient."""
TOLD_EVERY_S: Final = 60
"""Hours and days are written at every full minute, when they are over, and at the end."""


@frozen
class DaysState:
    """All that is carried: the unfinished slot, open bouts, open hours and days, and how earlier days went."""

    slots: SlotState = field(default_factory=slots.begin)
    bouts: BoutsState = field(default_factory=BoutsState)
    hours: tuple[HourTotals, ...] = ()
    days: tuple[DayTotals, ...] = ()
    met: Mapping[str, bool] = field(default_factory=dict)
    told_s: int = 0
    """Up to which second hours and days have been written."""
    closed_s: int = 0
    """Up to which second days have been closed: of those before it, each has a point, worn or not."""


@frozen
class DaysOutput:
    """What has become final: whole slots (their seconds), and the points of everything but ``activity``."""

    seconds: Epochs
    points: tuple[Point, ...]


NOTHING: Final = DaysOutput(Epochs.empty(), ())


def begin() -> DaysState:
    """Return the state before the first second."""
    return DaysState()


def step(state: DaysState, epochs: Epochs, patient: str, config: PatientConfig) -> tuple[DaysState, DaysOutput]:
    """Take in final seconds of a person.

    The same seconds give the same points in the end, however they are cut: of points with the same time and tags the
    last one holds.
    """
    if not len(epochs):
        return state, NOTHING
    slotted, seconds = slots.step(state.slots, epochs)
    state = DaysState(slotted, state.bouts, state.hours, state.days, state.met, state.told_s, state.closed_s)
    if not len(seconds):
        return state, NOTHING
    state, points = _count(state, seconds, patient, config)
    return state, DaysOutput(seconds, tuple(points))


def amend(
    state: DaysState, late: Epochs, missing_s: tuple[int, int], patient: str, config: PatientConfig
) -> tuple[DaysState, DaysOutput]:
    """Take in seconds that came after their time had passed as missing.

    Hours, days, whole minutes and whole slots are amended. The late seconds make bouts of their own where the gap has
    ended those around it; a bout that bridged the gap stays as it is, with the coverage that says so.

    Parameters
    ----------
    late
        Seconds of the person, whatever of them was measured.
    missing_s
        The gap ``[start, end)``, seconds since 1970; only whole seconds within it are used.
    """
    second = late.start_ns // NS
    first = int(np.searchsorted(second, missing_s[0]))
    late = late.slice(first, max(first, int(np.searchsorted(second, missing_s[1]))))
    points: list[Point] = []
    if not len(late):
        return state, DaysOutput(late, ())
    apart = bouts.BoutsState()
    found: list[FinishedBout] = []
    changed: set[int] = set()
    hour_starts: set[int] = set()
    for hour, a, b in hours(config.time_zone, late.start_ns // NS):
        part, night = late.slice(a, b), hour.number in NIGHT_HOURS
        amended = totals.amend(state.hours, state.days, hour, totals.count(part, night=night))
        state = replace(state, hours=amended[0], days=amended[1])
        apart, finished, streaks = bouts.step(apart, part, night=night)
        points += _streak_points(streaks, patient)
        found += finished
        hour_starts.add(hour.start_s)
        changed.add(hour.day.start_s)
    length_s = missing_s[1] - missing_s[0]
    bridged = {rule.name for rule in (WALKING, SEDENTARY, SLOUCHED, NOT_WORN) if length_s <= rule.bridge_s}
    for bout in (*found, *bouts.finish(apart)):
        if bout.name not in bridged:
            points.append(_bout_point(bout, patient))
            state, day_starts = _enter(state, bout, config.time_zone)
            changed |= day_starts
    points += [totals.hour_point(row, patient) for row in state.hours if row.start_s in hour_starts]
    for day in state.days:
        if day.start_s in changed:
            state, point = _day_point(state, day, patient, config)
            points.append(point)
    return state, DaysOutput(_whole_slots(late, missing_s), tuple(points))


def _whole_slots(late: Epochs, missing_s: tuple[int, int]) -> Epochs:
    """Return the seconds of the slots that lie whole within a gap."""
    start_s = -(-missing_s[0] // slots.SLOT_S) * slots.SLOT_S
    end_s = missing_s[1] // slots.SLOT_S * slots.SLOT_S
    second = late.start_ns // NS
    first, end = (int(np.searchsorted(second, at)) for at in (start_s, end_s))
    return slots.step(slots.begin(), late.slice(first, max(first, end)), last=True)[1]


def close(state: DaysState, now_s: int, patient: str, config: PatientConfig) -> tuple[DaysState, tuple[Point, ...]]:
    """Write the local days that are over and of which nothing was measured, so that they are told as not worn.

    What comes late of such a day writes it anew. A patient who is new is known from the day of the first call on.
    """
    today = day_at(config.time_zone, now_s)
    if state.closed_s >= today.start_s:
        return state, ()
    from_s = state.closed_s or (state.days[-1].start_s if state.days else today.start_s)
    newest = dt.date.fromisoformat(state.days[-1].date if state.days else today.date)
    last = (newest + dt.timedelta(days=EMPTY_DAYS)).isoformat()
    known = {day.date for day in state.days}
    points: list[Point] = []
    day = day_at(config.time_zone, from_s)
    while day.end_s <= today.start_s and day.date <= last:
        if from_s <= day.start_s and day.date not in known:
            state, point = _day_point(state, DayTotals(day.start_s, day.end_s, day.date, day.end_s), patient, config)
            points.append(point)
        day = day_at(config.time_zone, day.end_s)
    return replace(state, closed_s=today.start_s), tuple(points)


def finish(state: DaysState, patient: str, config: PatientConfig) -> DaysOutput:
    """Hand out what still waits, and close what is open because the data end."""
    slotted, seconds = slots.step(state.slots, Epochs.empty(), last=True)
    state = replace(state, slots=slotted)
    points: list[Point] = []
    if len(seconds):
        state, points = _count(state, seconds, patient, config)
    state, written = _write(state, patient, config)
    state, closing = _close(state, bouts.finish(state.bouts), patient, config)
    return DaysOutput(seconds, (*points, *written, *closing))


def _count(state: DaysState, seconds: Epochs, patient: str, config: PatientConfig) -> tuple[DaysState, list[Point]]:
    """Count whole slots, one local hour after the other: so a day is written as it was when it ended."""
    points: list[Point] = []
    for hour, first, end in hours(config.time_zone, seconds.start_ns // NS):
        if state.hours and state.hours[-1].start_s != hour.start_s:
            state, left = _write(state, patient, config)
            points += left
        part = seconds.slice(first, end) if end - first < len(seconds) else seconds
        night = hour.number in NIGHT_HOURS
        strung, finished, streaks = bouts.step(state.bouts, part, night=night)
        through_s = int(part.start_ns[-1]) // NS + 1
        counted = totals.add(state.hours, state.days, hour, totals.count(part, night=night), through_s)
        state = DaysState(state.slots, strung, *counted, state.met, state.told_s, state.closed_s)
        if streaks.minute_s:
            points += _streak_points(streaks, patient)
        if finished:
            state, closed = _close(state, finished, patient, config)
            points += closed
        if state.hours[-1].through_s % TOLD_EVERY_S == 0:
            state, written = _write(state, patient, config)
            points += written
    return state, points


def _close(
    state: DaysState, finished: tuple[FinishedBout, ...], patient: str, config: PatientConfig
) -> tuple[DaysState, list[Point]]:
    """Write finished bouts, and the days that they have changed."""
    points = [_bout_point(bout, patient) for bout in finished]
    changed: set[int] = set()
    for bout in finished:
        state, day_starts = _enter(state, bout, config.time_zone)
        changed |= day_starts
    for day in state.days:
        if day.start_s in changed:
            state, point = _day_point(state, day, patient, config)
            points.append(point)
    return state, points


def _write(state: DaysState, patient: str, config: PatientConfig) -> tuple[DaysState, list[Point]]:
    """Write the newest hour and day as they are, unless they were written so already."""
    if not state.hours or state.told_s == state.hours[-1].through_s:
        return state, []
    hour, day = state.hours[-1], max(state.days, key=lambda day: day.through_s)
    state, point = _day_point(state, day, patient, config)
    return replace(state, told_s=hour.through_s), [totals.hour_point(hour, patient), point]


def _enter(state: DaysState, done: FinishedBout, zone_name: str) -> tuple[DaysState, set[int]]:
    """Enter a bout in the day that it began in, a break in the day that it came in."""
    bout = done.bout
    begun = day_at(zone_name, bout.start_s).start_s
    ended = day_at(zone_name, bout.end_s).start_s
    days, changed = [], set()
    for before in state.days:
        day = before
        if day.start_s == begun and done.name == WALKING.name:
            day = replace(day, longest_walk_s=max(day.longest_walk_s, bout.known_s))
        if day.start_s == begun and done.name == SEDENTARY.name:
            day = replace(day, longest_sedentary_s=max(day.longest_sedentary_s, bout.known_s))
        if day.start_s == ended and done.got_up:
            day = replace(day, breaks=day.breaks + 1)
        if day is not before:
            changed.add(day.start_s)
        days.append(day)
    return replace(state, days=tuple(days)), changed


def agreed_on(state: DaysState, config: PatientConfig, date: dt.date) -> Goals:
    """Return the goals of a local day, with the graded plan as far as earlier days have earned it."""
    grows = bool(state.met) and any(agreement.walking_step_min for agreement in config.goals)
    return _agreed(config.goals, date, tuple(state.met.items()) if grows else None)


@lru_cache(maxsize=4096)
def _agreed(history: tuple[Goals, ...], date: dt.date, met: tuple[tuple[str, bool], ...] | None) -> Goals:
    return goals.goals_on(history, date, {} if met is None else dict(met))


def _day_point(state: DaysState, day: DayTotals, patient: str, config: PatientConfig) -> tuple[DaysState, Point]:
    sitting = state.bouts.sedentary
    running_s = sitting.known if sitting.open and day.start_s <= sitting.start < day.end_s else 0
    numbers = totals.day_totals(day, running_s)
    date = dt.date.fromisoformat(day.date)
    agreed = agreed_on(state, config, date)
    verdict = goals.judge(numbers, agreed, float(numbers["worn_min"]))
    if "met_walking" in verdict:
        met_walking = bool(verdict["met_walking"])
        if state.met.get(day.date) is not met_walking:
            met = goals.plan_history({**state.met, day.date: met_walking}, config.goals, date)
            state = replace(state, met=met)
    fields: dict[str, Value] = {"date": day.date, **numbers, **verdict}
    fields |= attention(fields)
    return state, Point("daily", day.start_s * NS, {"patient": patient}, fields)


def _bout_point(done: FinishedBout, patient: str) -> Point:
    bout = done.bout
    fields: dict[str, Value] = {
        "state": done.name,
        "dur_s": float(bout.known_s),
        "breaks": bout.breaks,
        "coverage": round(done.coverage, 3),
    }
    if done.steps == done.steps:
        fields["steps"] = done.steps
    if done.cadence_spm == done.cadence_spm:
        fields["cadence_spm"] = done.cadence_spm
    return Point("bout", bout.start_s * NS + _OFFSET_NS[done.name], {"patient": patient}, fields)


_OFFSET_NS = {"walking": 0, "sedentary": 1, "slouched": 2, "not_worn": 3}
"""Bouts of different kinds may begin in the same second; a nanosecond each keeps them apart in the store."""


def _streak_points(streaks: Streaks, patient: str) -> list[Point]:
    """Write the streaks of whole minutes."""
    tags = {"patient": patient}
    return [
        Point("streak", minute_s * NS, tags, {"sedentary_s": float(sitting), "slouched_s": float(slouched)})
        for minute_s, sitting, slouched in zip(streaks.minute_s, streaks.sedentary_s, streaks.slouched_s, strict=True)
    ]
