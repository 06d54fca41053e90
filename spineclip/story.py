"""Eight made-up weeks of a patient as metrics, so that a visitor sees a full page, report and dashboards at once.

The days are those of `firmware_sim.scenario.eight_weeks`: what their scripts say was done is taken as what was
measured. No signal is made and no classifier runs, which is why two months take a second.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

import numpy as np
from numpy.typing import NDArray

from firmware_sim.person import Pose
from firmware_sim.scenario import Day, eight_weeks, typical_day
from firmware_sim.script import Doing, Stretch
from processing import diary, local_time, nudge_words
from processing.attention import attention
from processing.epochs import State
from processing.goals import goals_on, judge
from processing.goals import point as goal_point
from processing.metrics import Point, Value
from processing.seating import UP_RESETS_S
from processing.streaks import Cause, Nudge
from processing.totals import BRISK_SPM
from spineclip.contract.config import Goals, Nudging, PatientConfig, zone
from spineclip.contract.days import SECOND_NS, day_length_s, day_start_ns

WEEKS: Final = 8

_STATE: Final = {
    Doing.SITS: State.SITTING,
    Doing.STANDS: State.STANDING,
    Doing.LIES: State.LYING,
    Doing.WALKS: State.WALKING,
    Doing.RUNS: State.RUNNING,
    Doing.CYCLES: State.CYCLING,
    Doing.DRIVES: State.SITTING,
    Doing.TURNS: State.ACTIVE,
    Doing.SCRATCHES: State.ACTIVE,
    Doing.OFF: State.NOT_WORN,
}
_HOURLY: Final = {
    "walking_min": (State.WALKING, State.RUNNING),
    "standing_min": (State.STANDING,),
    "sitting_min": (State.SITTING,),
    "lying_min": (State.LYING,),
    "cycling_min": (State.CYCLING,),
    "active_min": (State.ACTIVE,),
    "not_worn_min": (State.NOT_WORN,),
    "unknown_min": (State.UNKNOWN,),
}


@dataclass(frozen=True, slots=True)
class _Seconds:
    """A day second by second; all columns have shape (seconds of the day,)."""

    state: NDArray[np.int8]
    upright: NDArray[np.int8]
    """1 upright, 0 not, -1 where the posture says nothing."""
    cadence_spm: NDArray[np.float64]


def story_config(last: date, *, time_zone: str = "Europe/Berlin", language: str = "en") -> PatientConfig:
    """Return what the made-up patient agreed on: five minutes at first, a little more after each good week."""
    agreed = Goals(
        since=first_day(last).isoformat(),
        walking_min=5.0,
        walking_step_min=3.0,
        walking_ceiling_min=30.0,
        longest_sedentary_min=75.0,
        upright_pct=40.0,
    )
    nudging = Nudging(sedentary_min=75.0)
    return PatientConfig(time_zone=time_zone, goals=(agreed,), nudging=nudging, language=language)


def first_day(last: date) -> date:
    """Return the first day of a story that ends with the local day `last`."""
    return last - timedelta(days=7 * WEEKS - 1)


def story(patient: str, last: date, config: PatientConfig, days: Sequence[Day] = ()) -> list[Point]:
    """Return the story's points: days, hours, walks and sitting, diary, nudges, goals.

    Parameters
    ----------
    last
        Its last local day (a demo that goes on live ends it yesterday).
    config
        The patient's time zone, language and goals (`story_config`).
    days
        What they are like, for another story than that of `eight_weeks`.
    """
    local = zone(config.time_zone)
    points = [goal_point(goal, patient, local) for goal in config.goals]
    met: dict[str, bool] = {}
    for day in days or eight_weeks(first_day(last), weeks=WEEKS):
        seconds = _seconds(typical_day(day, tz=config.time_zone), day_length_s(day.date, local))
        daily = _daily(day, seconds)
        verdict = judge(daily, goals_on(config.goals, day.date, met), daily["worn_min"])
        if "met_walking" in verdict:
            met[day.date.isoformat()] = bool(verdict["met_walking"])
        start_ns = day_start_ns(day.date, local)
        fields: dict[str, Value] = {"date": day.date.isoformat(), **daily, **verdict}
        fields["breaks"] = int(daily["breaks"])
        fields |= attention(fields)
        points.append(Point("daily", start_ns, {"patient": patient}, fields))
        points += _hours(patient, start_ns, seconds, config.time_zone)
        points += _bouts(patient, start_ns, seconds, config)
        points.append(diary.to_point(_entry(day), patient, start_ns))
    return points


def _seconds(script: tuple[Stretch, ...], length_s: int) -> _Seconds:
    ends = np.cumsum([stretch.seconds for stretch in script])
    number = np.minimum(np.searchsorted(ends, np.arange(length_s) + 0.5), len(script) - 1)
    state = np.array([_STATE[stretch.doing].code for stretch in script], dtype=np.int8)
    upright = np.array([_upright(stretch) for stretch in script], dtype=np.int8)
    cadence = np.array([stretch.cadence_spm if stretch.doing is Doing.WALKS else 0.0 for stretch in script])
    return _Seconds(state[number], upright[number], cadence[number])


def _upright(stretch: Stretch) -> int:
    if stretch.doing is not Doing.SITS:
        return -1
    return int(stretch.pose in (None, Pose.UPRIGHT))


def _is(seconds: _Seconds, *states: State) -> NDArray[np.bool_]:
    return np.isin(seconds.state, [state.code for state in states])


def _runs(flags: NDArray[np.bool_], longest_break_s: float = 0.0) -> list[tuple[int, int]]:
    """Return runs ``[start, end)`` of true seconds; breaks shorter than `longest_break_s` are bridged."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]]).astype(np.int8)))
    found: list[tuple[int, int]] = []
    for start, end in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        if found and start - found[-1][1] < longest_break_s:
            found[-1] = (found[-1][0], end)
        else:
            found.append((start, end))
    return found


def _daily(day: Day, seconds: _Seconds) -> dict[str, float]:
    walking = _is(seconds, State.WALKING, State.RUNNING)
    sedentary = _runs(_is(seconds, State.SITTING, State.LYING), UP_RESETS_S)
    sedentary_min = float(np.count_nonzero(_is(seconds, State.SITTING, State.LYING))) / 60
    known = np.count_nonzero(seconds.upright >= 0)
    daily = {
        "walking_min": np.count_nonzero(walking) / 60,
        "brisk_min": np.count_nonzero(seconds.cadence_spm >= BRISK_SPM) / 60,
        "longest_walk_min": max((end - start for start, end in _runs(walking)), default=0) / 60,
        "steps": float(np.sum(seconds.cadence_spm) / 60),
        "sedentary_min": sedentary_min,
        "longest_sedentary_min": max((end - start for start, end in sedentary), default=0) / 60,
        "breaks": float(max(len(sedentary) - 1, 0)),
        "standing_min": np.count_nonzero(_is(seconds, State.STANDING)) / 60,
        "cycling_min": np.count_nonzero(_is(seconds, State.CYCLING)) / 60,
        "running_min": 0.0,
        "slouched_min": np.count_nonzero(seconds.upright == 0) / 60,
        "worn_min": np.count_nonzero(~_is(seconds, State.NOT_WORN)) / 60,
        "unknown_min": 0.0,
        "coverage": 1.0,
    }
    if sedentary_min:
        daily["breaks_per_hour"] = daily["breaks"] / (sedentary_min / 60)
    if known:
        daily["upright_pct"] = 100.0 * np.count_nonzero(seconds.upright == 1) / known
    return {name: float(value) for name, value in daily.items()}


def _hours(patient: str, start_ns: int, seconds: _Seconds, tz: str) -> list[Point]:
    points = []
    for hour, first, end in local_time.hours(tz, start_ns // SECOND_NS + np.arange(len(seconds.state))):
        lasted_s = np.bincount(seconds.state[first:end], minlength=len(State))
        fields: dict[str, Value] = {
            name: float(sum(lasted_s[one.code] for one in states) / 60) for name, states in _HOURLY.items()
        }
        tags = {"patient": patient, "hour": f"{hour.number:02d}"}
        points.append(Point("hourly", hour.start_s * SECOND_NS, tags, {**fields, "missing_min": 0.0}))
    return points


def _bouts(patient: str, start_ns: int, seconds: _Seconds, config: PatientConfig) -> list[Point]:
    points: list[Point] = []
    tags: Mapping[str, str] = {"patient": patient}
    for start, end in _runs(_is(seconds, State.WALKING)):
        cadence = float(np.median(seconds.cadence_spm[start:end]))
        fields: dict[str, Value] = {
            "state": "walking",
            "dur_s": float(end - start),
            "steps": float(np.sum(seconds.cadence_spm[start:end]) / 60),
            "cadence_spm": cadence,
            "breaks": 0,
            "coverage": 1.0,
        }
        points.append(Point("bout", start_ns + start * SECOND_NS, tags, fields))
    limit_s = (config.nudging if config.nudging.sedentary_min else Nudging()).sedentary_min * 60
    for start, end in _runs(_is(seconds, State.SITTING, State.LYING), UP_RESETS_S):
        fields = {"state": "sedentary", "dur_s": float(end - start), "breaks": 0, "coverage": 1.0}
        points.append(Point("bout", start_ns + start * SECOND_NS, tags, fields))
        if end - start > limit_s:
            at_ns = start_ns + (start + round(limit_s)) * SECOND_NS
            nudge = Nudge(Cause.SEDENTARY, at_ns, limit_s / 60, limit_s / 60, ended_s=end - start - limit_s)
            points.append(nudge_words.point(nudge, patient, config.language))
    return points


def _entry(day: Day) -> diary.Entry:
    return diary.Entry(
        day.date,
        pain=day.pain,
        exercises=day.exercises,
        relaxation_min=day.relaxation_min,
        nsaid=day.nsaid,
        note=day.note or None,
    )
