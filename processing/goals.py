"""Goals of a day, and whether it met them: small steps, judged kindly.

The goals are a history of agreements, each from a local date on. The walking goal of an agreement is a graded plan:
it begins at `walking_min`, may grow once a week by `walking_step_min` and never passes `walking_ceiling_min` (build
up individually to 30 minutes on 5 days a week: WalkBack, Lancet 2024; start with five minutes, then a little more).
A week of the plan is seven local days, counted from its first.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from processing.metrics import MEASUREMENTS, Point, Value
from spineclip.contract.config import Goals
from spineclip.contract.days import day_start_ns

ENOUGH_WORN_MIN: Final = 600.0
"""A day is judged from this much worn time on: 10 hours, the common rule for a valid day of waking wear
(Troiano et al., Med Sci Sports Exerc 2008; 40:181-188)."""

JUDGED_DAYS_NEEDED: Final = 3
"""Days with enough data that a week of the plan needs before it changes the goal (our choice: fewer days say little
about a week, and a week without the clip is no reason to ask for more or for less)."""

PLAN_WEEKS: Final = 52
"""Weeks after which a graded plan has said all it can; from then on the goal stays (our choice, which also bounds
the history that a caller has to carry). Review comes far earlier: at 4 to 6 weeks."""


def goals_on(goals: Iterable[Goals], day: date, met: Mapping[str, bool] | None = None) -> Goals:
    """Return the goals of one local day, with the walking minutes that the graded plan asks for on that day.

    Parameters
    ----------
    goals
        The history of agreements, in any order; of two with the same `since` the later in the list holds. A day
        before the first agreement has the first one's starting goals.
    day
        The local date.
    met
        How earlier days went, by ISO date: whether the walking goal was met on a day with enough data; days without
        enough data are left out. Only days of complete weeks of the present plan count, so a day's goal never
        depends on that day or on later ones. The daily points hold it (``met_walking``). Without it the plan goes by
        the calendar alone: a step each week.

    Notes
    -----
    A week of the plan with history counts as *done* when the goal was met on at least `days_per_week` days in seven,
    taken over the days with enough data: the goal grows by one step. Less than half of that is a *hard week*: the
    goal steps back by one, never below the start. Anything between, or fewer than `JUDGED_DAYS_NEEDED` days with
    enough data, holds the goal where it is.
    """
    agreement = agreement_on(goals, day)
    since = date.fromisoformat(agreement.since)
    week = min(max((day - since).days, 0) // 7, PLAN_WEEKS)
    steps = week if met is None else _steps(agreement, since, week, met)
    return replace(agreement, walking_min=_walking_min(agreement, steps))


def agreement_on(goals: Iterable[Goals], day: date) -> Goals:
    """Return the agreement that holds on a local day, as it was agreed (without the graded plan)."""
    by_start = {goal.since: goal for goal in goals} or {Goals().since: Goals()}
    begun = [since for since in by_start if date.fromisoformat(since) <= day]
    return by_start[max(begun, key=date.fromisoformat) if begun else min(by_start, key=date.fromisoformat)]


def plan_history(met: Mapping[str, bool], goals: Iterable[Goals], day: date) -> dict[str, bool]:
    """Return the part of `met` that `goals_on` can still need on `day` or later: at most `PLAN_WEEKS` weeks of it.

    For callers that carry the history in their state.
    """
    since = date.fromisoformat(agreement_on(goals, day).since)
    end = since + timedelta(weeks=PLAN_WEEKS)
    return {iso: was_met for iso, was_met in sorted(met.items()) if since <= date.fromisoformat(iso) < end}


def judge(
    totals: Mapping[str, float], goals: Goals, worn_min: float, *, enough_min: float = ENOUGH_WORN_MIN
) -> dict[str, bool | float]:
    """Judge one day's totals by that day's goals.

    Parameters
    ----------
    totals
        The day's numbers under their names in the ``daily`` measurement; what is not known is left out.
    goals
        That day's goals (from `goals_on`). A goal of 0 is no goal: it is neither shown nor judged.
    worn_min
        Minutes that the clip was worn and measured.
    enough_min
        Worn minutes from which on a day can be judged.

    Returns
    -------
    Fields of ``daily``: ``enough_data``, and for each goal that was set ``goal_*``; with enough data and a known
    number also ``met_*``. A day without enough data has no verdict at all: it has not failed.
    """
    enough = worn_min >= enough_min
    verdict: dict[str, bool | float] = {"enough_data": enough}
    for rule in _RULES:
        goal = float(getattr(goals, rule.goal))
        if goal <= 0:
            continue
        verdict[f"goal_{rule.goal}"] = goal
        value = totals.get(rule.total)
        if enough and value is not None:
            verdict[f"met_{rule.name}"] = bool(value <= goal if rule.at_most else value >= goal)
    return verdict


def with_goals(history: Iterable[Goals], new: Goals) -> tuple[Goals, ...]:
    """Return the history with a new agreement, oldest first; one from the same date is replaced."""
    by_start = {goal.since: goal for goal in history} | {new.since: new}
    return tuple(by_start[since] for since in sorted(by_start, key=date.fromisoformat))


def point(goals: Goals, patient: str, zone: ZoneInfo) -> Point:
    """Return the ``goal`` point of an agreement, at the first second of its local day."""
    table = MEASUREMENTS["goal"].fields
    fields: dict[str, Value] = {name: column.kind(getattr(goals, name)) for name, column in table.items()}
    return Point("goal", day_start_ns(date.fromisoformat(goals.since), zone), {"patient": patient}, fields)


@dataclass(frozen=True, slots=True)
class _Rule:
    name: str
    """Of the verdict, as in ``met_<name>``."""
    goal: str
    """Field of `Goals`, as in ``goal_<goal>``."""
    total: str
    """Field of ``daily`` that is compared with it."""
    at_most: bool = False


_RULES: Final = (
    _Rule("walking", "walking_min", "walking_min"),
    _Rule("brisk", "brisk_min", "brisk_min"),
    _Rule("sedentary", "longest_sedentary_min", "longest_sedentary_min", at_most=True),
    _Rule("breaks", "breaks_per_hour", "breaks_per_hour"),
    _Rule("upright", "upright_pct", "upright_pct"),
)


def _walking_min(agreement: Goals, steps: int) -> float:
    ceiling = max(agreement.walking_ceiling_min, agreement.walking_min)
    return min(agreement.walking_min + steps * agreement.walking_step_min, ceiling)


def _steps(agreement: Goals, since: date, weeks: int, met: Mapping[str, bool]) -> int:
    """Count the steps that `weeks` complete weeks of the plan have earned."""
    steps = 0
    for week in range(weeks):
        days = [(since + timedelta(days=7 * week + i)).isoformat() for i in range(7)]
        judged = [met[day] for day in days if day in met]
        if len(judged) < JUDGED_DAYS_NEEDED:
            continue
        asked = agreement.days_per_week * len(judged)  # both sides times seven, to stay with whole numbers
        if 7 * sum(judged) >= asked:
            at_ceiling = _walking_min(agreement, steps) >= agreement.walking_ceiling_min
            steps += 0 if at_ceiling else 1
        elif 2 * 7 * sum(judged) < asked:
            steps = max(0, steps - 1)
    return steps
