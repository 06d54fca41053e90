"""Eight weeks of a patient, week by week: what is looked at when a course of therapy is reviewed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from statistics import fmean
from typing import Final
from zoneinfo import ZoneInfo

from dashboards.report.numbers import DAYS, ENOUGH_DAYS, DayRow, Question, four_questions, mean_of, read_days, sitting_h
from processing.stores.base import MetricReader

WEEKS: Final = 8
_WEEK: Final = 7


@dataclass(frozen=True, slots=True)
class Week:
    """Means over the days of a week that have enough data (pain: an entry); None where there is none.

    `enough` tells whether there were as many days as a comparison asks for.
    """

    first: date
    enough: bool
    walking_min: float | None
    goal_walking_min: float | None
    sitting_h: float | None
    pain: float | None


@dataclass(frozen=True, slots=True)
class EightWeeks:
    """The weeks, oldest first, and the report's four questions of their first fortnight and their last."""

    weeks: tuple[Week, ...]
    questions: tuple[Question, ...]

    @property
    def is_empty(self) -> bool:
        """Whether nothing is known of any of them."""
        return all(week.walking_min is None and week.pain is None for week in self.weeks)


def read_weeks(reader: MetricReader, patient: str, until: date, zone: ZoneInfo) -> EightWeeks:
    """Read the eight weeks that end with the local day `until` (included).

    Whoever began later is compared with their own first fortnight.

    Raises
    ------
    StoreError
        If the store cannot be read.
    """
    days = read_days(reader, patient, until - timedelta(days=WEEKS * _WEEK - 1), until, zone)
    seen = next((i for i, day in enumerate(days) if day != DayRow(day.day)), len(days))
    before = days[seen : min(seen + DAYS, len(days) - DAYS)]
    weeks = tuple(_week(days[i : i + _WEEK]) for i in range(0, len(days), _WEEK))
    return EightWeeks(weeks, four_questions(before, days[-DAYS:]))


def _week(days: Sequence[DayRow]) -> Week:
    goals = [day.goal_walking_min for day in days if day.goal_walking_min is not None]
    sitting = sitting_h(days)
    pain = [day.pain for day in days if day.pain is not None]
    return Week(
        days[0].day,
        enough=sum(day.enough for day in days) >= ENOUGH_DAYS,
        walking_min=mean_of(days, "walking_min"),
        goal_walking_min=fmean(goals) if goals else None,
        sitting_h=fmean(sitting) if sitting else None,
        pain=fmean(pain) if pain else None,
    )
