"""Whole days and longer stories for the generated person."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np

from firmware_sim.person import Pose
from firmware_sim.script import Stretch, cycles, drives, lies, off, sits, stands, walks
from spineclip.contract.days import day_length_s

_HOUR_S: Final = 3600.0


@dataclass(frozen=True, slots=True)
class Day:
    """What one local day of a patient is like.

    Attributes
    ----------
    date
        The local date.
    walking_min, longest_walk_min, cadence_spm
        How much is walked, the longest walk of it, and the usual cadence.
    upright_share
        Share of sitting that is upright; the rest is slouched, leaning or reclined.
    sitting_bout_min
        How long one usually sits before getting up.
    worn_from_h, worn_until_h
        Local hours between which the clip is worn.
    pain, exercises, relaxation_min, nsaid, note
        The diary of the day.
    """

    date: date
    walking_min: float = 22.0
    longest_walk_min: float = 10.0
    cadence_spm: float = 108.0
    upright_share: float = 0.5
    sitting_bout_min: float = 38.0
    worn_from_h: float = 7.5
    worn_until_h: float = 21.8
    pain: int = 4
    exercises: bool = False
    relaxation_min: float = 0.0
    nsaid: bool = False
    note: str = ""


def demo_tour() -> tuple[Stretch, ...]:
    """Show everything once in about five minutes: sit tall, slouch, lean, recline, stand, walk, lie down."""
    return (
        sits(20.0, Pose.UPRIGHT, still=True),
        sits(25.0, Pose.SLOUCHED),
        sits(15.0, Pose.UPRIGHT),
        sits(18.0, Pose.LEANING_FORWARD),
        sits(15.0, Pose.LEANING_LEFT),
        sits(15.0, Pose.LEANING_RIGHT),
        sits(18.0, Pose.RECLINED),
        stands(20.0),
        walks(60.0, 112.0),
        stands(15.0),
        walks(25.0, 92.0),
        stands(10.0),
        lies(25.0),
        stands(12.0),
        walks(15.0, 118.0),
    )


def typical_day(day: Day, *, seed: int = 0, tz: str = "Europe/Berlin") -> tuple[Stretch, ...]:
    """Write the script of one whole local day (23 to 25 h), from midnight to midnight.

    The night off, breakfast, the drive to work, sitting work with breaks, lunch, the drive home, one longer walk, an
    evening in an easy chair. The minutes walked add up to `day.walking_min`.
    """
    length_s = float(day_length_s(day.date, ZoneInfo(tz)))
    rng = np.random.default_rng([seed, day.date.toordinal()])
    off_s = day.worn_from_h * _HOUR_S + float(rng.uniform(-600, 600))
    worn_s = (day.worn_until_h - day.worn_from_h) * _HOUR_S + float(rng.uniform(-600, 600))
    awake = _waking(day, rng, worn_s)
    return (off(off_s), *awake, off(length_s - off_s - sum(stretch.seconds for stretch in awake)))


def _waking(day: Day, rng: np.random.Generator, worn_s: float) -> tuple[Stretch, ...]:
    weekday = day.date.weekday() < 5
    walks_s = _split_walks(day, rng)
    longest, errands = walks_s[0], list(walks_s[1:])
    parts: list[Stretch] = [stands(240.0), sits(900.0, _pose(day, rng)), stands(300.0)]
    if weekday:
        parts += [drives(float(rng.uniform(900, 1500))), stands(20.0)]
    tail: list[Stretch] = [stands(400.0), sits(1500.0, Pose.UPRIGHT), stands(300.0)]
    tail += [drives(1200.0), stands(25.0)] if weekday else [cycles(900.0), stands(30.0)]
    tail += [stands(60.0), walks(longest, day.cadence_spm), stands(120.0)]
    tail += [sits(1800.0, Pose.RECLINED), lies(1200.0), sits(900.0, Pose.RECLINED), stands(300.0)]
    left_s = worn_s - sum(stretch.seconds for stretch in parts + tail) - sum(errands)
    while left_s > 60.0:
        bout_s = min(left_s, float(day.sitting_bout_min * 60.0 * np.exp(rng.normal(0.0, 0.35))))
        parts += _sitting(day, rng, bout_s)
        left_s -= bout_s
        if left_s > 60.0:
            pause_s = min(left_s, float(rng.uniform(60.0, 240.0)))
            parts += [stands(pause_s / 2.0)]
            parts += [_errand(day, rng, errands.pop())] if errands else []
            parts += [stands(pause_s / 2.0)]
            left_s -= pause_s
    parts += [_errand(day, rng, seconds) for seconds in errands]
    return tuple(parts + tail)


def _split_walks(day: Day, rng: np.random.Generator) -> tuple[float, ...]:
    longest_s = min(day.longest_walk_min, day.walking_min) * 60.0
    left_s, walks_s = day.walking_min * 60.0 - longest_s, [max(longest_s, 10.0)]
    while left_s > 0.0:
        piece = min(left_s, float(rng.uniform(25.0, 150.0)))
        if left_s - piece < 12.0:
            piece = left_s
        walks_s.append(max(piece, 10.0))
        left_s -= piece
    return tuple(walks_s)


def _errand(day: Day, rng: np.random.Generator, seconds: float) -> Stretch:
    return walks(seconds, float(np.clip(day.cadence_spm + rng.normal(-6.0, 6.0), 60.0, 140.0)))


def _sitting(day: Day, rng: np.random.Generator, seconds: float) -> list[Stretch]:
    parts: list[Stretch] = []
    while seconds > 0.0:
        piece = min(seconds, float(rng.uniform(90.0, 600.0)))
        if seconds - piece < 30.0:
            piece = seconds
        parts.append(sits(piece, _pose(day, rng)))
        seconds -= piece
    return parts


def _pose(day: Day, rng: np.random.Generator) -> Pose:
    if rng.random() < day.upright_share:
        return Pose.UPRIGHT
    others = (Pose.SLOUCHED, Pose.LEANING_FORWARD, Pose.RECLINED, Pose.LEANING_LEFT, Pose.LEANING_RIGHT)
    return others[int(rng.choice(5, p=[0.5, 0.2, 0.2, 0.05, 0.05]))]


def eight_weeks(first: date, *, seed: int = 0, weeks: int = 8) -> tuple[Day, ...]:
    """Tell a story: five walking minutes at first, a flare-up with more pain in week three, then better and better.

    It is made up, and shows what the pages can show; it promises nobody anything.
    """
    rng = np.random.default_rng([seed, 31])
    days = []
    for n in range(7 * weeks):
        progress = n / (7 * weeks - 1)
        flare = float(np.exp(-(((n - 17.0) / 2.5) ** 2)))
        walking = (5.0 + 27.0 * progress**0.9) * (1.0 - 0.65 * flare) * float(np.exp(rng.normal(0.0, 0.16)))
        pain = 6.0 - 3.0 * progress + 3.0 * flare + float(rng.normal(0.0, 0.6))
        lazy = bool(rng.random() < 0.1)
        day = Day(
            date=first + timedelta(days=n),
            walking_min=round(max(2.0, walking * (0.5 if lazy else 1.0)), 2),
            longest_walk_min=round(max(1.5, walking * float(rng.uniform(0.4, 0.65))), 2),
            cadence_spm=round(94.0 + 16.0 * progress - 10.0 * flare + float(rng.normal(0.0, 2.0)), 1),
            upright_share=round(float(np.clip(0.34 + 0.3 * progress + rng.normal(0.0, 0.06), 0.1, 0.9)), 3),
            sitting_bout_min=round(float(np.clip(62.0 - 28.0 * progress + 12.0 * flare, 25.0, 90.0)), 1),
            pain=int(np.clip(round(pain), 0, 10)),
            exercises=bool(rng.random() < (0.35 + 0.45 * progress) * (1.0 - 0.8 * flare)),
            relaxation_min=10.0 if rng.random() < 0.3 + 0.3 * progress else 0.0,
            nsaid=flare > 0.3,
            note="A bad day, moved as much as I could." if n == 17 else "",
        )
        if n % 13 == 1:
            day = replace(day, worn_from_h=11.0, worn_until_h=15.5)  # forgotten at home: too little to judge the day
        days.append(day)
    return tuple(days)
