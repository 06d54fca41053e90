"""The last fourteen days, one bar each, from the stored day totals."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from dashboards.days import by_date
from dashboards.fields import number
from processing.metrics import Point

DAYS: Final = 14


class Verdict(StrEnum):
    """What can be said of a day; a day that was hardly measured is never called a failure."""

    MET = "met"
    SOME = "some"
    THIN = "thin"
    SO_FAR = "so_far"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class DayBar:
    """One day: minutes walked and its goal (None when not known), and what can be said of it."""

    date: dt.date
    walking_min: float | None
    goal_min: float | None
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class FortnightView:
    """Fourteen days, oldest first, ending with today; `judged` of them had a goal and enough data, `met` reached it."""

    days: tuple[DayBar, ...]
    met: int
    judged: int

    @property
    def ceiling_min(self) -> float:
        """Top of the chart: a little above the tallest bar and every goal, at least half an hour."""
        heights = [value for day in self.days for value in (day.walking_min, day.goal_min) if value is not None]
        return max(30.0, 1.1 * max(heights, default=0.0))


def fortnight_view(daily: Iterable[Point], today: dt.date) -> FortnightView:
    """Lay out the days.

    Parameters
    ----------
    daily
        Points of ``daily``; where a date comes twice (the patient changed zone), the newest holds.
    today
        The patient's local date.
    """
    points = by_date(daily)
    dates = [today - dt.timedelta(days=back) for back in range(DAYS - 1, -1, -1)]
    days = tuple(_bar(date, points.get(date), today) for date in dates)
    judged = [day for day in days if day.verdict in (Verdict.MET, Verdict.SOME) and day.goal_min is not None]
    return FortnightView(days, met=sum(day.verdict is Verdict.MET for day in judged), judged=len(judged))


def _bar(date: dt.date, point: Point | None, today: dt.date) -> DayBar:
    if point is None:
        return DayBar(date, None, None, Verdict.NONE)
    walking_min, goal_min = number(point, "walking_min"), number(point, "goal_walking_min")
    if point.fields.get("met_walking") is True:
        verdict = Verdict.MET
    elif point.fields.get("enough_data") is True:
        verdict = Verdict.SOME
    elif date == today:
        verdict = Verdict.SO_FAR
    else:
        verdict = Verdict.THIN
    return DayBar(date, walking_min, goal_min, verdict)
