"""The present: the live seconds of all clips joined, with how long and how much of the day so far."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from processing import person, two_clips
from processing.bending import bent
from processing.clip import LiveSecond
from processing.days import DaysState, agreed_on
from processing.epochs import POSTURES, SEDENTARY, Epochs, Posture, State
from processing.frozen import frozen
from processing.local_time import day_at, wall_clock
from processing.nudges import Today
from processing.streaks import Moment
from processing.two_clips import Held
from spineclip.contract.config import PatientConfig
from spineclip.contract.live import Live
from spineclip.contract.placement import Placement

NS = 10**9


@frozen
class Present:
    """Since when the present state lasts, UTC nanoseconds."""

    state: str = ""
    since_ns: int = 0


def decider(seconds: Mapping[Placement, LiveSecond]) -> Placement:
    """Choose the clip that decides the state, as for final seconds: the first that knows, from the thigh up."""
    ordered = [place for place in person.STATE_ORDER if place in seconds]
    for unwanted in ((State.UNKNOWN, State.NOT_WORN), (State.UNKNOWN,)):
        for place in ordered:
            if seconds[place].state not in unwanted:
                return place
    return ordered[0]


def teller(seconds: Mapping[Placement, LiveSecond], who: Placement) -> Placement:
    """Choose the clip that tells posture and angles: the uppermost that knows them, or else the decider."""
    known = (place for place in person.POSTURE_ORDER if place in seconds and seconds[place].oriented)
    return next((place for place in known if math.isfinite(seconds[place].flexion_deg)), who)


def joined(seconds: Mapping[Placement, LiveSecond], decided: Placement, told: Placement) -> LiveSecond:
    """Take the state from the clip that has decided it, and posture and angles from the one that tells them."""
    second, upper = seconds[decided], seconds[told]
    if upper is second:
        return second
    posture = Posture.UNKNOWN
    if second.state in (State.SITTING, State.STANDING):
        posture = _told_by_two(upper.posture, seconds)
    elif second.state is State.UNKNOWN:
        posture = upper.posture
    return replace(
        second,
        posture=posture,
        flexion_deg=upper.flexion_deg,
        lateral_deg=upper.lateral_deg,
        oriented=upper.oriented,
        mount=upper.mount,
        neutral=upper.neutral,
        posture_confidence=upper.posture_confidence if posture is upper.posture else 0.0,
    )


def _told_by_two(posture: Posture, seconds: Mapping[Placement, LiveSecond]) -> Posture:
    lower = next((seconds[place] for place in two_clips.LOWER if place in seconds), None)
    upper = next((seconds[place] for place in two_clips.UPPER if place in seconds), None)
    if lower is None or upper is None:
        return posture
    said = two_clips.together(np.array([posture.code], dtype=np.int8), _held(lower), _held(upper))
    return POSTURES[int(said[0])]


def _held(second: LiveSecond) -> Held:
    return Held(
        np.array([second.flexion_deg]),
        np.array([second.lateral_deg]),
        np.array([second.neutral], dtype=np.int8),
        np.array([second.beyond], dtype=np.int8),
    )


def moment(second: LiveSecond, newest: Epochs, place: Placement) -> Moment:
    """Return the second as nudges see it.

    Parameters
    ----------
    newest
        Final seconds, perhaps none: the body is shaken as much as it was in the last of them.
    place
        Where the clip is worn that the angles of the second come from.
    """
    shaken_mg = float(newest.intensity_mg[-1]) if len(newest) else math.nan
    back = bent(second, place)
    return Moment(second.time_ns, second.state, back, second.confidence, second.oriented, shaken_mg, second.mount)


def today(state: DaysState, config: PatientConfig, now_ns: int) -> tuple[dt.datetime, Today]:
    """Return the patient's wall clock, to the quarter of an hour, and the day so far, up to the last final slot."""
    local, date = wall_clock(config.time_zone, now_ns // NS), day_at(config.time_zone, now_ns // NS).date
    goal_min = agreed_on(state, config, local.date()).walking_min
    for row in reversed(state.days):
        if row.date == date:
            return local, Today(row.value_s("walking") / 60, goal_min, row.worn_s / 60)
    return local, Today(0.0, goal_min, 0.0)


def live(
    before: Present, second: LiveSecond, state: DaysState, so_far: Today, *, device: str, battery_pct: int | None
) -> tuple[Present, Live]:
    """Write the live message; streaks are the final ones, lengthened to now while they go on."""
    name = str(second.state)
    now = before if before.state == name else Present(name, second.time_ns)
    behind_s = max(0.0, second.time_ns / NS - state.bouts.next) if state.bouts.next else 0.0
    sitting, slouching = state.bouts.sedentary, state.bouts.slouched
    still_sits = sitting.open and not sitting.away and second.state in SEDENTARY
    still_slouches = slouching.open and not slouching.away and second.posture is Posture.SLOUCHED
    return now, Live(
        time_ns=second.time_ns,
        state=name,
        posture=str(second.posture),
        confidence=round(second.confidence, 3),
        oriented=second.oriented,
        state_since_ns=now.since_ns,
        sedentary_s=_streak(sitting.open, sitting.known, still_sits, behind_s),
        slouched_s=_streak(slouching.open, slouching.known, still_slouches, behind_s),
        walking_min=so_far.walking_min,
        goal_walking_min=so_far.goal_walking_min,
        flexion_deg=_known(second.flexion_deg),
        lateral_deg=_known(second.lateral_deg),
        cadence_spm=_known(second.cadence_spm),
        battery_pct=battery_pct,
        device=device,
    )


def _streak(is_open: bool, known_s: int, goes_on: bool, behind_s: float) -> float:
    if not is_open:
        return 0.0
    return known_s + behind_s if goes_on else float(known_s)


def _known(value: float) -> float | None:
    return round(value, 2) if math.isfinite(value) else None
