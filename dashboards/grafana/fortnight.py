"""These two weeks against the two before: is there more walking, less sitting, less slouching, less pain."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from dashboards.grafana import look
from dashboards.grafana.influxql import THE_PATIENT, Column, is_true, select
from dashboards.grafana.page import nudges, page, patient_variable
from dashboards.grafana.panels import Json, bars, fixed, goal_line, override, stat, target, words
from dashboards.grafana.patient import daily, with_wear

_STRETCHES: Final = (
    ("these two weeks", "time >= now() - 14d"),
    ("the two before", "time >= now() - 28d AND time < now() - 14d"),
)
_JUDGED: Final = (THE_PATIENT, is_true("enough_data"))
"""Days worn long enough: a thin day would look like a lazy one."""
_WALKING: Final = ("walking_min", "walked", "goal_walking_min", look.GREEN)
_SITTING: Final = ("longest_sedentary_min", "longest", "goal_longest_sedentary_min", look.ORANGE)


_READING: Final = (
    "Means and counts take the days that were worn for ten hours or more; how many these are stands beside them. "
    "The step line is the goal as it was agreed on that day. spineclip informs; it does not diagnose."
)


def fortnight() -> Json:
    """Build the dashboard of a review."""
    walked = Column("walking_min", "walked", "mean")
    longest = Column("longest_sedentary_min", "longest", "mean")
    met = (THE_PATIENT, is_true("met_walking"))
    questions = [
        _both("Walking farther?", "daily", walked, unit="suffix:min"),
        _both("Sitting less?", "daily", longest, unit="suffix:min"),
        _both("Upright more?", "daily", Column("upright_pct", "upright", "mean"), unit="percent"),
        _both("Hurting less?", "diary", Column("pain", "pain", "mean"), unit="suffix:/10", where=(THE_PATIENT,)),
    ]
    grounds = [
        _both(
            "Walking goal met",
            "daily",
            Column("met_walking", "met", "count"),
            unit="suffix:days",
            where=met,
            decimals=0,
        ),
        _both("Worn long enough", "daily", Column("worn_min", "judged", "count"), unit="suffix:days", decimals=0),
        _both("Breaks in sitting", "daily", Column("breaks_per_hour", "breaks", "mean"), unit="suffix:/h"),
        _both("Longest walk", "daily", Column("longest_walk_min", "longest", "max"), unit="suffix:min"),
    ]
    days = [
        (_days("Walking", _WALKING), _days("Walking, two weeks before", _WALKING, shift="14d")),
        (_days("Longest sitting", _SITTING), _days("Longest sitting, two weeks before", _SITTING, shift="14d")),
    ]
    return page(
        "fortnight",
        "Fortnight",
        [
            (5, [(6, panel) for panel in questions]),
            (5, [(6, panel) for panel in grounds]),
            *((8, [(12, now), (12, before)]) for now, before in days),
            (4, [(24, words("How to read it", _READING))]),
        ],
        start="now-14d",
        variables=[patient_variable()],
        annotations=[nudges()],
    )


def _both(
    title: str, measurement: str, column: Column, *, unit: str, where: Sequence[str] = _JUDGED, decimals: int = 1
) -> Json:
    targets = [
        target(select(measurement, [column], where=where, times=times), ref=ref, alias=name)
        for ref, (name, times) in zip("AB", _STRETCHES, strict=True)
    ]
    return stat(
        title,
        "The same question to both stretches of fourteen days.",
        targets,
        unit=unit,
        defaults={"decimals": decimals},
        overrides=[
            override("these two weeks", color=fixed(look.BLUE)),
            override("the two before", color=fixed(look.GREY)),
        ],
    )


def _days(title: str, shown: tuple[str, str, str, str], *, shift: str = "") -> Json:
    field, name, goal, color = shown
    parts = with_wear(
        daily("A", (field, name)),
        daily("B", (goal, "goal")),
        overrides=[override(name, color=fixed(color)), goal_line()],
    )
    times: dict[str, Any] = (
        {"timeFrom": "14d", "timeShift": shift, "hideTimeOverride": True} if shift else {"timeFrom": "14d"}
    )
    return bars(title, "Which days were like what was agreed?", unit="suffix:min", **times, **parts)
