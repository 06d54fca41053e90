"""Who the demo shows: a generated patient, what lies behind them, and what they do while we look."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from dataclasses import dataclass, replace
from typing import Final

from firmware_sim.motion import Motion
from firmware_sim.mount import Mount
from firmware_sim.scenario import Day, demo_tour, eight_weeks, start_of, typical_day
from firmware_sim.script import Stretch
from spineclip.contract.clock import Clock
from spineclip.contract.config import Calibration, Clip, Goals, PatientConfig
from spineclip.contract.days import day_of
from spineclip.contract.ids import wearable_id
from spineclip.contract.placement import Placement

PATIENT: Final = "p-demo"
ADDRESS: Final = "C0:57:49:54:00:01"
DEVICE: Final = wearable_id("witmotion", ADDRESS)
PLACEMENT: Final = Placement.STERNUM
WEEKS: Final = 8
HISTORY_DAYS: Final = 14
DAY_SPEED: Final = 10.0
"""From this speed on whole days are played, from the morning; below it a tour of everything, again and again."""
_MORNING: Final = dt.time(7, 25)
_AXES: Final = {"x": "up", "y": "left", "z": "backward"}
_FUTURE_DAYS: Final = 14


@dataclass(frozen=True)
class _Habit(Mount):
    """Clipped on the same way every morning, as the mark on the clip says."""

    def reclipped(self, seed: int, times: int) -> Mount:
        """Wear it as ever."""
        return self


@dataclass(frozen=True)
class Story:
    """The generated patient.

    Attributes
    ----------
    begins_ns
        When the wearable begins to be heard, UTC nanoseconds.
    past
        The days before, oldest first; the last one is the day of `begins_ns` itself.
    motion
        What the body does from `begins_ns` on.
    config
        What patient and therapist agreed on, and how the clip is worn.
    """

    tz: str
    begins_ns: int
    past: tuple[Day, ...]
    motion: Motion
    config: PatientConfig


def tell(clock: Clock, tz: str, *, speed: float, seed: int = 1, language: str = "en") -> Story:
    """Make up the story of eight weeks that ends today.

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
    first = today - dt.timedelta(days=7 * WEEKS - 1)
    days = eight_weeks(first, seed=seed, weeks=WEEKS)
    mount = _Habit(Mount.named(_AXES).rotation)
    if speed >= DAY_SPEED:
        morning = dt.datetime.combine(today, _MORNING, zone)
        begins_ns = round(morning.timestamp()) * 10**9
        script = (*demo_tour(), *_from_morning(days[-1], tz, begins_ns, seed))
        motion = Motion(script, start_ns=begins_ns, seed=seed, placement=PLACEMENT, mount=mount)
    else:
        begins_ns = clock.utc_ns() // 10**9 * 10**9
        motion = Motion(demo_tour(), start_ns=begins_ns, seed=seed, placement=PLACEMENT, mount=mount, repeat=True)
    neutral = Calibration(since_ns=begins_ns - 10**9, neutral=motion.neutral_g())
    config = PatientConfig(
        time_zone=tz,
        language=language,
        clips={DEVICE: Clip(PLACEMENT, dict(_AXES), neutral)},
        goals=(
            Goals(
                since=first.isoformat(),
                walking_min=5.0,
                walking_step_min=3.0,
                walking_ceiling_min=30.0,
                longest_sedentary_min=45.0,
                upright_pct=50.0,
            ),
        ),
    )
    return Story(tz, begins_ns, days, motion, config)


def _from_morning(day: Day, tz: str, begins_ns: int, seed: int) -> tuple[Stretch, ...]:
    """Go on with the day, and the days after it, from where the tour ends."""
    stretches: list[Stretch] = []
    since_s = (begins_ns - start_of(day.date, tz)) / 1e9 + sum(one.seconds for one in demo_tour())
    for stretch in typical_day(day, seed=seed, tz=tz):
        if since_s >= stretch.seconds:
            since_s -= stretch.seconds
        else:
            stretches.append(stretch if since_s <= 0 else replace(stretch, seconds=stretch.seconds - since_s))
            since_s = 0.0
    for more in range(1, _FUTURE_DAYS + 1):
        later = Day(
            day.date + dt.timedelta(days=more), walking_min=30.0, cadence_spm=day.cadence_spm, upright_share=0.6
        )
        stretches += typical_day(later, seed=seed, tz=tz)
    return tuple(stretches)
