"""What can be said over several days, from the points that are stored: streaks, the best week, days in a row."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from processing.metrics import Point
from processing.stores.base import MetricReader
from spineclip.contract.days import day_start_ns

NSAID_DAYS: Final = 10
"""So many days in a row with an anti-inflammatory, and no more, without asking (the leaflets' rule for the patient's
own use: not over ten days without a doctor)."""

NSAID_LOOK_BACK: Final = 60
"""So many days of the diary are looked through for them."""

REST_DAYS: Final = 7
"""So many days in a row without enough data end a streak: nobody knows any more."""


def by_date(points: Iterable[Point]) -> dict[date, Point]:
    """Return points that name their ``date``, by date; where one comes twice the newest holds."""
    dated = sorted((point for point in points if "date" in point.fields), key=lambda point: point.time_ns)
    return {date.fromisoformat(str(point.fields["date"])): point for point in dated}


def met_days(daily: Mapping[date, Point]) -> dict[date, bool]:
    """Return whether the walking goal was met on the days that could be judged; the others are left out."""
    return {day: bool(p.fields["met_walking"]) for day, p in sorted(daily.items()) if "met_walking" in p.fields}


def streak(met: Mapping[date, bool], today: date) -> int:
    """Count the days met in a row up to today.

    Today counts once it is met and breaks nothing before it is over. A day without enough data neither counts nor
    breaks; `REST_DAYS` of them in a row do.
    """
    length = unseen = 0
    day = today
    while unseen < REST_DAYS:
        was_met = met.get(day)
        if was_met:
            length, unseen = length + 1, 0
        elif was_met is None:
            unseen += 1
        elif day != today:
            break
        day -= timedelta(days=1)
    return length


@dataclass(frozen=True, slots=True)
class Week:
    """A calendar week (Monday to Sunday): minutes walked on all its days, and days on which the goal was met."""

    monday: date
    walking_min: float
    days_met: int


def weeks(daily: Mapping[date, Point]) -> list[Week]:
    """Add up calendar weeks, oldest first."""
    found: dict[date, list[Point]] = {}
    for day, point in sorted(daily.items()):
        found.setdefault(day - timedelta(days=day.weekday()), []).append(point)
    return [
        Week(
            monday,
            walking_min=sum(float(point.fields.get("walking_min", 0.0)) for point in points),
            days_met=sum(point.fields.get("met_walking") is True for point in points),
        )
        for monday, points in found.items()
    ]


def best_week(daily: Mapping[date, Point]) -> Week | None:
    """Return the week with the most days met, then the most minutes; of equals the newest. None without a day met."""
    best = max(weeks(daily), key=lambda week: (week.days_met, week.walking_min, week.monday), default=None)
    return best if best is not None and best.days_met else None


def nsaid_days_in_row(diary: Mapping[date, Point], today: date) -> int:
    """Count the days in a row, up to today or (while today is still unanswered) yesterday, with an anti-inflammatory.

    A day without an answer ends the row: what was not written down is not known.
    """
    taken = {day for day, point in diary.items() if point.fields.get("nsaid") is True}
    answered = today in diary and "nsaid" in diary[today].fields
    return _row(taken, today if answered else today - timedelta(days=1))


def nsaid_days(reader: MetricReader, patient: str, today: date, zone: ZoneInfo) -> int:
    """Read for how many days in a row up to today a patient has taken an anti-inflammatory.

    Raises
    ------
    StoreError
        If the store cannot be read.
    """
    start_ns = day_start_ns(today - timedelta(days=NSAID_LOOK_BACK), zone)
    points = reader.points("diary", patient, start_ns, day_start_ns(today + timedelta(days=1), zone))
    return nsaid_days_in_row(by_date(points), today)


def asks_for_advice(days_in_row: int) -> bool:
    """Tell whether the patient should read the sentence on talking to doctor or pharmacist."""
    return days_in_row > NSAID_DAYS


def _row(days: Collection[date], last: date) -> int:
    length = 0
    while last - timedelta(days=length) in days:
        length += 1
    return length
