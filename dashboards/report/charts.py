"""The five charts of a report. Units of length are those of the SVG view boxes; days run from left to right."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from dashboards.report.numbers import DAYS, DayRow, Hour, Numbers
from dashboards.report.scale import ABOVE, RIGHT, TOP, Scale, bar, grid, known_runs, round_up
from dashboards.report.svg import chart, circle, line, path, rect, text
from dashboards.words import Words


def walking_chart(numbers: Numbers, words: Words, width: float = 700.0, height: float = 165.0) -> str:
    """Minutes walked on each of twenty-eight days, the plan as a line of steps; days hardly worn are hollow."""
    days = numbers.days
    tallest = max([30.0, *(v for d in days for v in (d.walking_min, d.goal_walking_min) if v is not None)])
    scale = Scale(width, height, len(days), round_up(tallest, 10.0))
    parts = [*grid(scale, (0, scale.top / 2, scale.top)), _divide(scale)]
    for i, day in enumerate(days):
        if day.walking_min is not None:
            kind = ("now" if i >= DAYS else "before") if day.enough else "thin"
            parts.append(bar(scale, i, day.walking_min, kind))
    parts += _plan(scale, days)
    parts += _dates(scale, days, words)
    parts += _spans(scale, words)
    return chart(width, height, words("report.walking_says"), parts)


def pain_chart(numbers: Numbers, words: Words, width: float = 345.0, height: float = 165.0) -> str:
    """Pain (dots, 0 to 10) on each day above what was walked on it (pale bars)."""
    days = numbers.days
    scale = Scale(width, height, len(days), 10.0)
    most = max([30.0, *(d.walking_min for d in days if d.walking_min is not None)])
    parts = [*grid(scale, (0, 5, 10)), _divide(scale)]
    for i, day in enumerate(days):
        if day.walking_min is not None and day.enough:
            parts.append(bar(scale, i, 10.0 * day.walking_min / most, "pale"))
    for run in known_runs([d.pain for d in days]):
        parts.append(path([(scale.x(i), scale.y(value)) for i, value in run], "pain"))
        parts += [circle(scale.x(i), scale.y(value), 2.2, "dot") for i, value in run]
    parts += _dates(scale, days, words, every=7)
    parts.append(text(width - RIGHT, ABOVE, words("report.walked_up_to", minutes=f"{most:.0f}"), "small", "end"))
    parts.append(text(0, ABOVE, words("report.pain_axis"), "small", "start"))
    return chart(width, height, words("report.pain_says"), parts)


def hours_chart(hours: Sequence[Hour], words: Words, width: float = 345.0, height: float = 165.0) -> str:
    """Minutes sat of each hour of the clock: bars now, a line before."""
    scale = Scale(width, height, 24, 60.0)
    parts = [*grid(scale, (0, 30, 60))]
    parts += [bar(scale, i, hour.now, "now") for i, hour in enumerate(hours) if hour.now is not None]
    for run in known_runs([hour.before for hour in hours]):
        parts.append(path([(scale.x(i), scale.y(value)) for i, value in run], "beforeline"))
    parts += [text(scale.x(i), height - 7, str(i), "small") for i in range(0, 24, 3)]
    parts.append(text(0, ABOVE, words("report.hours_axis"), "small", "start"))
    return chart(width, height, words("report.hours_says"), parts)


def posture_chart(numbers: Numbers, words: Words, width: float = 345.0, height: float = 88.0) -> str:
    """Share of sitting that was upright, before and now, as two bars of a hundred."""
    upright = next(question for question in numbers.questions if question.name == "upright")
    rows = (("report.before", upright.before, "before"), ("report.now", upright.now, "now"))
    parts = []
    label = 98.0
    for i, (key, share, kind) in enumerate(rows):
        y = 12.0 + 32.0 * i
        parts.append(text(0, y + 15, words(key), "label", "start"))
        full = width - label - RIGHT
        parts.append(rect(label, y, (full, 22.0), "rest", 3.0))
        if share is None:
            parts.append(text(label + 8, y + 15, words("report.not_known"), "label", "start"))
            continue
        parts.append(rect(label, y, (full * share / 100.0, 22.0), kind, 3.0))
        inside = share >= 30.0
        name = ("inbar" if kind == "now" else "inbefore") if inside else "label"
        x = label + full * share / 100.0 + (-6.0 if inside else 6.0)
        said = words("report.upright_share", share=f"{share:.0f}")
        parts.append(text(x, y + 15, said, name, "end" if inside else "start"))
    return chart(width, height, words("report.posture_says"), parts)


def wear_chart(numbers: Numbers, words: Words, width: float = 345.0, height: float = 88.0) -> str:
    """Hours worn on each day; days that are too little to judge are hollow."""
    days = numbers.days
    scale = Scale(width, height, len(days), 24.0)
    parts = [*grid(scale, (0, 12, 24)), _divide(scale)]
    for i, day in enumerate(days):
        if day.worn_min is not None:
            parts.append(
                bar(scale, i, day.worn_min / 60.0, ("now" if i >= DAYS else "before") if day.enough else "thin")
            )
    parts += _dates(scale, days, words, every=7)
    parts.append(text(0, ABOVE, words("report.wear_axis"), "small", "start"))
    return chart(width, height, words("report.wear_says"), parts)


def _divide(scale: Scale) -> str:
    x = scale.x(DAYS) - scale.step / 2
    return line((x, TOP), (x, scale.y(0)), "divide")


_PLAN_DROP: Final = 0.5


def _plan(scale: Scale, days: Sequence[DayRow]) -> list[str]:
    """Draw the goal of each day as a level; levels that touch are joined."""
    parts = []
    for run in known_runs([day.goal_walking_min for day in days]):
        corners = []
        for i, value in run:
            corners += [(scale.x(i - _PLAN_DROP), scale.y(value)), (scale.x(i + _PLAN_DROP), scale.y(value))]
        parts.append(path(corners, "plan"))
    return parts


def _dates(scale: Scale, days: Sequence[DayRow], words: Words, every: int = 3) -> list[str]:
    shown = range(0, len(days), every)
    return [text(scale.x(i), scale.height - 7, words.short_date(days[i].day), "small") for i in shown]


def _spans(scale: Scale, words: Words) -> list[str]:
    middle = DAYS / 2 - 0.5
    return [
        text(scale.x(middle), ABOVE, words("report.before"), "small"),
        text(scale.x(middle + DAYS), ABOVE, words("report.now"), "small"),
    ]
