"""Who the demo shows: the patient of the eight-week story, with a clip on, and what they do while we look."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from dataclasses import dataclass, replace
from typing import Final

from firmware_sim.motion import Motion
from firmware_sim.mount import Mount
from firmware_sim.scenario import Day, demo_tour, typical_day
from firmware_sim.script import Stretch
from spineclip.contract.clock import Clock
from spineclip.contract.config import Calibration, Clip, PatientConfig
from spineclip.contract.days import day_of, day_start_ns
from spineclip.contract.ids import wearable_id
from spineclip.contract.placement import Placement
from spineclip.story import story_config

PATIENT: Final = "p-demo"
ADDRESS: Final = "C0:57:49:54:00:01"
DEVICE: Final = wearable_id("witmotion", ADDRESS)
PLACEMENT: Final = Placement.STERNUM
DAY_SPEED: Final = 10.0
"""From this speed on whole days are played, from the morning; below it a tour of everything, again and again."""
_MORNING: Final = dt.time(7, 25)
_WORN_FROM_H: Final = 7.0
"""Early enough that the clip is worn when the tour of the morning ends."""
_AXES: Final = {"x": "up", "y": "left", "z": "backward"}
_FUTURE_DAYS: Final = 14
_SEED: Final = 1


@dataclass(frozen=True)
class _Habit(Mount):
    """Clipped on the same way every morning, as the mark on the clip says."""

    def reclipped(self, seed: int, times: int, *, turned: bool) -> Mount:
        """Wear it as ever."""
        return self


@dataclass(frozen=True)
class Person:
    """The generated patient.

    Attributes
    ----------
    begins_ns
        When the wearable begins to be heard, UTC nanoseconds.
    yesterday
        The last local day of the story behind them.
    today
        What the local day of `begins_ns` is like.
    motion
        What the body does from `begins_ns` on.
    config
        What patient and therapist agreed on, and how the clip is worn.
    """

    begins_ns: int
    yesterday: dt.date
    today: Day
    motion: Motion
    config: PatientConfig


def person(clock: Clock, tz: str, *, speed: float, language: str = "en") -> Person:
    """Make up who is seen today.

    Parameters
    ----------
    clock
        Tells which day today is.
    tz
        The patient's time zone.
    speed
        At ten and more whole days are played, beginning with this morning; below that, a tour of about five
        minutes that shows everything, over and over, beginning now.
    """
    zone = zoneinfo.ZoneInfo(tz)
    today = day_of(clock.utc_ns(), zone)
    day = Day(
        today,
        walking_min=30.0,
        longest_walk_min=14.0,
        upright_share=0.6,
        sitting_bout_min=34.0,
        worn_from_h=_WORN_FROM_H,
    )
    mount = _Habit(Mount.named(_AXES).rotation)
    if speed >= DAY_SPEED:
        morning = dt.datetime.combine(today, _MORNING, zone)
        begins_ns = round(morning.timestamp()) * 10**9
        script = (*demo_tour(), *_from_morning(day, tz, begins_ns))
        motion = Motion(script, start_ns=begins_ns, seed=_SEED, placement=PLACEMENT, mount=mount)
    else:
        begins_ns = clock.utc_ns() // 10**9 * 10**9
        motion = Motion(demo_tour(), start_ns=begins_ns, seed=_SEED, placement=PLACEMENT, mount=mount, repeat=True)
    yesterday = today - dt.timedelta(days=1)
    calibration = Calibration(since_ns=begins_ns - 10**9, neutral=motion.neutral_g())
    config = replace(
        story_config(yesterday, time_zone=tz, language=language),
        clips={DEVICE: Clip(PLACEMENT, dict(_AXES), calibration)},
    )
    return Person(begins_ns, yesterday, day, motion, config)


def _from_morning(day: Day, tz: str, begins_ns: int) -> tuple[Stretch, ...]:
    """Go on with the day, and the days after it, from where the tour ends."""
    stretches: list[Stretch] = []
    since_s = (begins_ns - day_start_ns(day.date, zoneinfo.ZoneInfo(tz))) / 1e9 + sum(
        one.seconds for one in demo_tour()
    )
    for stretch in typical_day(day, seed=_SEED, tz=tz):
        if since_s >= stretch.seconds:
            since_s -= stretch.seconds
        else:
            stretches.append(stretch if since_s <= 0 else replace(stretch, seconds=stretch.seconds - since_s))
            since_s = 0.0
    for more in range(1, _FUTURE_DAYS + 1):
        later = Day(
            day.date + dt.timedelta(days=more), walking_min=30.0, cadence_spm=day.cadence_spm, upright_share=0.6
        )
        stretches += typical_day(later, seed=_SEED, tz=tz)
    return tuple(stretches)
