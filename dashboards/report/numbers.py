"""The numbers of a report: fourteen days against the fourteen before, in four questions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from statistics import fmean
from typing import Final
from zoneinfo import ZoneInfo

from dashboards.days import by_date, nsaid_days
from processing.metrics import Point
from processing.stores.base import MetricReader
from spineclip.contract.days import day_start_ns

DAYS: Final = 14
"""Progress is looked at every two weeks."""

ENOUGH_DAYS: Final = 4
"""Days that a fortnight needs to be compared in a question (four valid days are a common rule for a habit; Trost et
al., Med Sci Sports Exerc 2005; 37:S531-S543)."""


class Answer(StrEnum):
    """What can be said of a question."""

    BETTER = "better"
    SAME = "same"
    WORSE = "worse"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class DayRow:
    """One local day; what is not known is None.

    `coverage` is the share of the day that was measured, `worn_min` how long the clip was on the body.
    """

    day: date
    enough: bool = False
    worn_min: float | None = None
    coverage: float | None = None
    walking_min: float | None = None
    goal_walking_min: float | None = None
    met_walking: bool | None = None
    sedentary_min: float | None = None
    longest_sedentary_min: float | None = None
    upright_pct: float | None = None
    slouched_min: float | None = None
    pain: int | None = None
    exercises: bool | None = None
    relaxation_min: float | None = None
    nsaid: bool | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """One of the four: the answer, the mean then and now, and the days that they rest on."""

    name: str
    answer: Answer
    now: float | None
    before: float | None
    days_now: int
    days_before: int


@dataclass(frozen=True, slots=True)
class Hour:
    """Minutes sat in one hour of the local clock, of sixty that the clip was worn and sure; None where hardly any."""

    now: float | None
    before: float | None


@dataclass(frozen=True, slots=True)
class Nudged:
    """Nudges of a fortnight that were told: how many, and after how many seconds (median) their cause was gone."""

    count: int
    median_s: float | None


@dataclass(frozen=True, slots=True)
class Numbers:
    """All that a report shows; `before` and `now` have fourteen days each, oldest first."""

    patient: str
    zone: ZoneInfo
    now: tuple[DayRow, ...]
    before: tuple[DayRow, ...]
    questions: tuple[Question, ...]
    hours: tuple[Hour, ...]
    nudges_now: Nudged
    nudges_before: Nudged
    nsaid_in_row: int
    goals: tuple[Point, ...]

    @property
    def days(self) -> tuple[DayRow, ...]:
        """All twenty-eight, oldest first."""
        return self.before + self.now

    @property
    def is_empty(self) -> bool:
        """Whether nothing at all is known of these four weeks."""
        return all(day == DayRow(day.day) for day in self.days)


def read_numbers(reader: MetricReader, patient: str, until: date, zone: ZoneInfo) -> Numbers:
    """Read what a report on the fortnight that ends with the local day `until` (included) needs.

    Raises
    ------
    StoreError
        If the store cannot be read.
    """
    first = until - timedelta(days=2 * DAYS - 1)
    turn = until - timedelta(days=DAYS - 1)
    start_ns, turn_ns = day_start_ns(first, zone), day_start_ns(turn, zone)
    end_ns = day_start_ns(until + timedelta(days=1), zone)
    rows = read_days(reader, patient, first, until, zone)
    before, now = rows[:DAYS], rows[DAYS:]
    hourly = reader.points("hourly", patient, start_ns, end_ns)
    nudges = reader.points("nudge", patient, start_ns, end_ns)
    return Numbers(
        patient=patient,
        zone=zone,
        now=now,
        before=before,
        questions=four_questions(before, now),
        hours=_hours(hourly, turn_ns),
        nudges_now=_nudged(point for point in nudges if point.time_ns >= turn_ns),
        nudges_before=_nudged(point for point in nudges if point.time_ns < turn_ns),
        nsaid_in_row=nsaid_days(reader, patient, until, zone),
        goals=tuple(_goals(reader.points("goal", patient, 0, end_ns))),
    )


def read_days(reader: MetricReader, patient: str, first: date, until: date, zone: ZoneInfo) -> tuple[DayRow, ...]:
    """Read the local days from `first` to `until` (included), oldest first.

    Raises
    ------
    StoreError
        If the store cannot be read.
    """
    # A day keeps the start that it had in the zone of its time: look a day further on either side.
    since_ns, end_ns = day_start_ns(first - timedelta(days=1), zone), day_start_ns(until + timedelta(days=2), zone)
    daily = by_date(reader.points("daily", patient, since_ns, end_ns))
    diary = by_date(reader.points("diary", patient, since_ns, end_ns))
    length = (until - first).days + 1
    return tuple(_row(first + timedelta(days=i), daily, diary) for i in range(length))


def four_questions(before: Sequence[DayRow], now: Sequence[DayRow]) -> tuple[Question, ...]:
    """Answer the four questions by the means of days with enough data (pain: of days with an answer).

    A difference smaller than one would notice is "about the same": a tenth of the walking and at least two minutes,
    half an hour of sitting in ten worn hours, five points of a hundred upright, one point of ten of pain (between the
    5 and 20 points of a hundred that care for chronic back pain usually moves; our choice within them).
    """

    def ask(name: str, values: tuple[list[float], list[float]], noticed: float, *, more_is_better: bool) -> Question:
        old, new = values
        means = fmean(old) if old else None, fmean(new) if new else None
        answer = Answer.UNKNOWN
        if len(old) >= ENOUGH_DAYS and len(new) >= ENOUGH_DAYS and means[0] is not None and means[1] is not None:
            gain = (means[1] - means[0]) * (1 if more_is_better else -1)
            answer = Answer.SAME if abs(gain) < noticed else Answer.BETTER if gain > 0 else Answer.WORSE
        return Question(name, answer, means[1], means[0], len(new), len(old))

    walking = _judged(before, "walking_min"), _judged(now, "walking_min")
    pain = ([float(d.pain) for d in before if d.pain is not None], [float(d.pain) for d in now if d.pain is not None])
    tenth = 0.1 * fmean(walking[0]) if walking[0] else 0.0
    return (
        ask("walking", walking, max(2.0, tenth), more_is_better=True),
        ask("sitting", (sitting_h(before), sitting_h(now)), 0.5, more_is_better=False),
        ask("upright", (_judged(before, "upright_pct"), _judged(now, "upright_pct")), 5.0, more_is_better=True),
        ask("pain", pain, 1.0, more_is_better=False),
    )


def mean_of(days: Iterable[DayRow], name: str) -> float | None:
    """Return the mean of a number over days with enough data."""
    values = _judged(days, name)
    return fmean(values) if values else None


def _judged(days: Iterable[DayRow], name: str) -> list[float]:
    return [float(getattr(day, name)) for day in days if day.enough and getattr(day, name) is not None]


def sitting_h(days: Iterable[DayRow]) -> list[float]:
    """Hours of sitting or lying in ten worn hours, by day: fair to days on which the clip was worn longer."""
    known = [(d.sedentary_min, d.worn_min) for d in days if d.enough]
    return [10.0 * sedentary / worn for sedentary, worn in known if sedentary is not None and worn]


def _row(day: date, daily: dict[date, Point], diary: dict[date, Point]) -> DayRow:
    totals = daily[day].fields if day in daily else {}
    entry = diary[day].fields if day in diary else {}
    names = set(DayRow.__slots__) - {"day", "enough"}
    known = {name: value for name, value in {**totals, **entry}.items() if name in names}
    return DayRow(day, enough=totals.get("enough_data") is True, **known)  # type: ignore[arg-type]


def _hours(hourly: Iterable[Point], turn_ns: int) -> tuple[Hour, ...]:
    sums = {(hour, now): [0.0, 0.0] for hour in range(24) for now in (False, True)}
    for point in hourly:
        minutes = {name: float(value) for name, value in point.fields.items() if isinstance(value, int | float)}
        seen = sum(value for name, value in minutes.items() if name not in _UNSEEN)
        total = sums[int(point.tags["hour"]) % 24, point.time_ns >= turn_ns]
        total[0] += minutes.get("sitting_min", 0.0)
        total[1] += seen
    return tuple(Hour(*(_per_hour(*sums[hour, now]) for now in (True, False))) for hour in range(24))


_UNSEEN: Final = frozenset({"not_worn_min", "unknown_min", "missing_min"})


def _per_hour(sitting_min: float, seen_min: float) -> float | None:
    return 60.0 * sitting_min / seen_min if seen_min >= 60.0 else None


def _nudged(nudges: Iterable[Point]) -> Nudged:
    points = [point for point in nudges if point.fields.get("told") is not False]
    ended = sorted(float(point.fields["ended_s"]) for point in points if "ended_s" in point.fields)
    return Nudged(len(points), ended[len(ended) // 2] if ended else None)


def _goals(points: Sequence[Point]) -> Sequence[Point]:
    return points[-3:]
