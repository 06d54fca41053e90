"""The three charts of eight weeks: walking against the plan, sitting, pain. A week is a column."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from dashboards.report.scale import Scale, bar, grid, known_runs, round_up
from dashboards.report.svg import chart, circle, path, text
from dashboards.therapist.weeks import Week
from dashboards.words import Words

_WIDTH: Final = 345.0
_HEIGHT: Final = 165.0
_HALF: Final = 0.5


def walking_chart(weeks: Sequence[Week], words: Words) -> str:
    """Minutes walked a day, and the plan as a line."""
    values = [week.walking_min for week in weeks]
    goals = [week.goal_walking_min for week in weeks]
    tallest = max([30.0, *(value for value in (*values, *goals) if value is not None)])
    scale = Scale(_WIDTH, _HEIGHT, len(weeks), round_up(tallest, 10.0))
    parts = [*grid(scale, (0, scale.top / 2, scale.top)), *_bars(scale, weeks, values)]
    for run in known_runs(goals):
        corners = [(scale.x(i + side), scale.y(value)) for i, value in run for side in (-_HALF, _HALF)]
        parts.append(path(corners, "plan"))
    return _whole("walking", parts, weeks, values, words)


def sitting_chart(weeks: Sequence[Week], words: Words) -> str:
    """Hours of sitting or lying in ten worn hours."""
    values = [week.sitting_h for week in weeks]
    scale = Scale(_WIDTH, _HEIGHT, len(weeks), 10.0)
    return _whole("sitting", [*grid(scale, (0, 5, 10)), *_bars(scale, weeks, values)], weeks, values, words)


def pain_chart(weeks: Sequence[Week], words: Words) -> str:
    """Pain as it was noted, 0 to 10."""
    values = [week.pain for week in weeks]
    scale = Scale(_WIDTH, _HEIGHT, len(weeks), 10.0)
    parts = grid(scale, (0, 5, 10))
    for run in known_runs(values):
        parts.append(path([(scale.x(i), scale.y(value)) for i, value in run], "pain"))
        parts += [circle(scale.x(i), scale.y(value), 3.0, "dot") for i, value in run]
    return _whole("pain", parts, weeks, values, words)


def _bars(scale: Scale, weeks: Sequence[Week], values: Sequence[float | None]) -> list[str]:
    return [
        bar(scale, i, value, "now" if weeks[i].enough else "thin")
        for i, value in enumerate(values)
        if value is not None
    ]


def _whole(name: str, parts: list[str], weeks: Sequence[Week], values: Sequence[float | None], words: Words) -> str:
    scale = Scale(_WIDTH, _HEIGHT, len(weeks), 1.0)
    dates = [text(scale.x(i), _HEIGHT - 7, words.short_date(week.first), "small") for i, week in enumerate(weeks)]
    said = ", ".join(words("report.not_known") if value is None else words.number(value, 1) for value in values)
    return chart(_WIDTH, _HEIGHT, words(f"therapist.{name}_says", values=said), [*parts, *dates])
