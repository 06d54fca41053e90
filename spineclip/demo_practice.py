"""Four more made-up patients for the demo's therapist, so that there is somebody to ask first.

Each lives the eight weeks of the story in a way of their own: no names, no numbers of anybody.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from types import MappingProxyType
from typing import Final

from firmware_sim.scenario import Day, eight_weeks
from processing.stores.base import MetricStore
from spineclip.patients import Patients
from spineclip.story import WEEKS, first_day, story, story_config

_LAST_FORTNIGHT: Final = 7 * WEEKS - 14
_LAST_TEN_DAYS: Final = 7 * WEEKS - 10
_TABLETS_FROM: Final = 7 * WEEKS - 12


def _holds(n: int, day: Day) -> Day:
    """Walk a little, on and on, and sit for shorter and shorter."""
    return replace(
        day,
        walking_min=14.0 + n % 5,
        longest_walk_min=8.0,
        sitting_bout_min=max(14.0, day.sitting_bout_min - 0.5 * n),
        pain=4 + n % 2,
        nsaid=False,
        note="",
    )


def _steps_back(n: int, day: Day) -> Day:
    """Do well for six weeks; the last two are hard."""
    if n < _LAST_FORTNIGHT:
        return replace(day, note="")
    return replace(
        day, walking_min=0.35 * day.walking_min, longest_walk_min=4.0, pain=min(10, day.pain + 3), nsaid=False
    )


def _forgets(n: int, day: Day) -> Day:
    """Leave the clip in the drawer for most of the last days."""
    if n < _LAST_TEN_DAYS:
        return replace(day, walking_min=0.8 * day.walking_min, note="")
    return replace(day, worn_from_h=10.0, worn_until_h=14.0, note="")


def _takes_tablets(n: int, day: Day) -> Day:
    """Walk and hurt about the same all the time, with an anti-inflammatory on each of the last days."""
    return replace(
        day, walking_min=11.0 + n % 4, longest_walk_min=6.0, pain=5 + n % 2, nsaid=n >= _TABLETS_FROM, note=""
    )


PRACTICE: Final[Mapping[str, Callable[[int, Day], Day]]] = MappingProxyType(
    {"p-demo-2": _holds, "p-demo-3": _steps_back, "p-demo-4": _forgets, "p-demo-5": _takes_tablets}
)
"""The other patients, and what makes a day of theirs of one of the story's."""


def fill(store: MetricStore, patients: Patients, last: date, *, tz: str, language: str) -> None:
    """Write the other patients' eight weeks, which end with the local day `last`; what was of them is replaced.

    Raises
    ------
    StoreError
        If the store cannot be written.
    """
    agreed = story_config(last, time_zone=tz, language=language)
    for patient, theirs in PRACTICE.items():
        days = [theirs(n, day) for n, day in enumerate(eight_weeks(first_day(last), weeks=WEEKS))]
        patients.change(patient, lambda _: agreed)
        store.erase(patient)
        store.commit(patient, story(patient, last, agreed, days), None)
