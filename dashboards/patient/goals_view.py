"""The card "my goals": what was agreed on for today, how far it is, and what went well lately."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable
from dataclasses import dataclass
from html import escape
from typing import Final

from dashboards.days import best_week, by_date, met_days, streak
from dashboards.fields import number
from dashboards.words import Words
from processing.metrics import Point

LOOK_BACK_DAYS: Final = 84
"""Twelve weeks: as long as a streak or a best week is remembered here."""


@dataclass(frozen=True, slots=True)
class GoalRow:
    """One goal of today: its name, how far it is, and whether it is there (None while nothing can be said)."""

    name: str
    so_far: str
    met: bool | None


@dataclass(frozen=True, slots=True)
class GoalsView:
    """Today's goals, and sentences on the plan and on what went well."""

    rows: tuple[GoalRow, ...]
    sentences: tuple[str, ...]


def goals_view(daily: Iterable[Point], goal: Point | None, today: dt.date, words: Words) -> GoalsView:
    """Say what was agreed on and how it goes.

    Parameters
    ----------
    daily
        Points of ``daily`` of the last `LOOK_BACK_DAYS` days.
    goal
        The newest point of ``goal``, or None.
    today
        The patient's local date.
    """
    days = by_date(daily)
    rows = _rows(days[today], words) if today in days else ()
    sentences = []
    in_row = streak(met_days(days), today)
    if in_row >= 2:
        sentences.append(words("goals.streak", n=in_row))
    best = best_week(days)
    if best is not None:
        sentences.append(words("goals.best_week", n=best.days_met, minutes=f"{best.walking_min:.0f}"))
    step, ceiling = (number(goal, name) or 0.0 for name in ("walking_step_min", "walking_ceiling_min"))
    asked = number(days.get(today), "goal_walking_min") or 0.0
    if step and asked < ceiling and (asked or number(goal, "walking_min")):  # what is no goal does not grow
        sentences.append(words("goals.grows", step=f"{step:g}", ceiling=f"{ceiling:g}"))
    if not rows and not sentences:
        sentences.append(words("goals.none"))
    return GoalsView(rows, tuple(sentences))


def goals_html(view: GoalsView, words: Words) -> str:
    """Write the card."""
    rows = "".join(
        f"<div><dt>{escape(row.name)}</dt><dd>{escape(row.so_far)}"
        + (f' <span class="done">{escape(words("goals.met"))}</span>' if row.met else "")
        + "</dd></div>"
        for row in view.rows
    )
    sentences = "".join(f'<p class="hint">{escape(sentence)}</p>' for sentence in view.sentences)
    return (f"<dl>{rows}</dl>" if rows else "") + sentences


def _rows(day: Point, words: Words) -> tuple[GoalRow, ...]:
    """Only what the rest of the day cannot undo is called met: a limit on sitting can still be passed."""
    found = []
    for name, total, can_undo in _KINDS:
        goal, value = number(day, f"goal_{total}"), number(day, total)
        if goal is None:
            continue
        # A minute that is not complete is not claimed; nor is a goal that is nearly met.
        amount = "-" if value is None else _amount(name, value, words)
        met = None if value is None or can_undo else value >= goal
        row = words(f"goals.{name}_so_far", value=amount, goal=f"{goal:g}")
        found.append(GoalRow(words(f"goals.{name}"), row, met))
    return tuple(found)


def _amount(name: str, value: float, words: Words) -> str:
    return words.number(math.floor(10 * value) / 10, 1) if name == "breaks" else f"{math.floor(value)}"


_KINDS: Final = (
    ("walking", "walking_min", False),
    ("brisk", "brisk_min", False),
    ("sitting", "longest_sedentary_min", True),
    ("breaks", "breaks_per_hour", True),
    ("upright", "upright_pct", True),
)
