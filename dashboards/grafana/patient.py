"""One patient: now, today, the goals, the weeks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from dashboards.grafana import look
from dashboards.grafana.influxql import THE_PATIENT, Column, select
from dashboards.grafana.page import nudges, page, patient_variable, zone_variable
from dashboards.grafana.panels import (
    Json,
    bars,
    fixed,
    goal_line,
    history,
    lines,
    override,
    points,
    stat,
    steps,
    target,
    timeline,
    worn,
)

_SOON = "time >= now() - 25h"
"""A local day is at most 25 hours long, so that today's point is always within."""
_ONE_DAY: Final[dict[str, Any]] = {"timeFrom": "24h", "interval": "5s"}
"""A timeline reads every five seconds. It shows one day however far the dashboard looks back; an absolute range, such
as a day that was chosen, is followed (Grafana sets a panel's own time aside then)."""


def patient(zone: str = "UTC") -> Json:
    """Build the dashboard of one patient, whose clinic's days are those of a time zone."""
    return page(
        "patient",
        "Patient",
        [
            *((3, [(8, panel) for panel in half]) for half in (_now()[:3], _now()[3:])),
            (7, [(24, _states())]),
            (5, [(24, _postures())]),
            (9, [(12, _walking("14d")), (12, _walking("90d"))]),
            (8, [(12, _longest_walk()), (12, _cadence())]),
            (11, [(12, _sitting_by_hour()), (12, _sedentary())]),
            (8, [(12, _long_bouts()), (12, _upright())]),
            (8, [(12, _pain()), (12, _wear())]),
        ],
        start="now-24h",
        variables=[patient_variable(), zone_variable(zone)],
        annotations=[nudges()],
        refresh="1m",
    )


def daily(ref: str, *columns: tuple[str, str]) -> Json:
    """Build a query for fields of the local days, by their names in the legend."""
    return target(select("daily", [Column(field, name) for field, name in columns]), ref=ref, alias="$col")


def with_wear(*targets: Json, overrides: Sequence[Json] = ()) -> dict[str, Sequence[Json]]:
    """Add each day's wear time to a panel that sums up days."""
    ref, drawn = worn()
    return {"targets": [*targets, daily(ref, ("worn_min", "worn"))], "overrides": [*overrides, drawn]}


def _now() -> list[Json]:
    def last(measurement: str, field: str, times: str) -> list[Json]:
        return [target(select(measurement, [Column(field, field, "last")], times=times))]

    words = {"mappings": look.state_words()}
    postures = {"mappings": look.posture_words()}
    minutes = "suffix:min"
    recent = "time >= now() - 2m"
    return [
        stat("Now", "What does the body do?", last("activity", "state", recent), defaults=words),
        stat("Posture", "How is the trunk held?", last("activity", "posture", recent), defaults=postures),
        stat(
            "Sitting so far",
            "How long without a break?",
            last("streak", "sedentary_s", recent),
            unit="dtdurations",
            defaults={"thresholds": steps((None, look.BLUE), (2700, look.VERMILION))},
        ),
        stat(
            "Walked today",
            "How far is today's goal?",
            [
                target(
                    select(
                        "daily",
                        [Column("walking_min", "walked", "last"), Column("goal_walking_min", "goal", "last")],
                        times=_SOON,
                    ),
                    alias="$col",
                )
            ],
            unit=minutes,
            defaults={"decimals": 0},
        ),
        stat(
            "Worn today",
            "Can today be judged?",
            last("daily", "worn_min", _SOON),
            unit=minutes,
            defaults={"decimals": 0},
        ),
        stat(
            "Pain",
            "What did the diary say last?",
            last("diary", "pain", "time >= now() - 14d"),
            unit="suffix:/10",
            defaults={"min": 0, "max": 10},
        ),
    ]


def _states() -> Json:
    query = select("activity", [Column("state", "state", "mode")], group=["time($__interval)"], fill="null")
    return timeline(
        "Activity", "What did the day look like?", [target(query, alias="$col")], look.state_words(), **_ONE_DAY
    )


def _postures() -> Json:
    query = select("activity", [Column("posture", "posture", "mode")], group=["time($__interval)"], fill="null")
    return timeline(
        "Posture", "How was the trunk held?", [target(query, alias="$col")], look.posture_words(), **_ONE_DAY
    )


def _walking(stretch: str) -> Json:
    parts = with_wear(
        daily("A", ("walking_min", "walked")),
        daily("B", ("goal_walking_min", "goal")),
        overrides=[override("walked", color=fixed(look.GREEN)), goal_line()],
    )
    title = f"Walking against the goal, {stretch.removesuffix('d')} days"
    return bars(title, "Does the walking grow towards what was agreed?", unit="suffix:min", timeFrom=stretch, **parts)


def _longest_walk() -> Json:
    parts = with_wear(
        daily("A", ("longest_walk_min", "longest walk")), overrides=[override("longest walk", color=fixed(look.GREEN))]
    )
    return bars("Longest walk", "How far does one walk go?", unit="suffix:min", timeFrom="90d", **parts)


def _cadence() -> Json:
    query = select("bout", [Column("cadence_spm", "cadence")], where=[THE_PATIENT, "\"state\" = 'walking'"])
    return points(
        "Cadence of each walk",
        "How brisk are the walks? (100 a minute is brisk)",
        [target(query, alias="$col")],
        unit="suffix:/min",
        timeFrom="14d",
        custom={"thresholdsStyle": {"mode": "line"}, "axisSoftMin": 60},
        defaults={"color": fixed(look.GREEN), "thresholds": steps((None, look.GREY), (100, look.INK))},
    )


def _sitting_by_hour() -> Json:
    query = select(
        "hourly", [Column("sitting_min", "sitting", "sum")], group=["time(1d)", "hour"], fill="none", tz="$zone"
    )
    return history(
        "Sitting by hour of the day",
        "When is the time to get up?",
        [target(query, alias="$tag_hour")],
        unit="suffix:min",
        high=60,
        timeFrom="14d",
        interval="1d",
    )


def _sedentary() -> Json:
    parts = with_wear(
        daily("A", ("sedentary_min", "sitting or lying")),
        daily("B", ("longest_sedentary_min", "longest")),
        daily("C", ("goal_longest_sedentary_min", "limit")),
        overrides=[
            override("sitting or lying", color=fixed(look.ORANGE)),
            override("longest", color=fixed(look.VERMILION)),
            goal_line("limit"),
        ],
    )
    return bars("Sitting and lying by day", "Is the sitting broken up?", unit="suffix:min", timeFrom="14d", **parts)


def _long_bouts() -> Json:
    where = [THE_PATIENT, "\"state\" = 'sedentary'", '"dur_s" >= 1800']
    query = select("bout", [Column("dur_s", "sitting")], where=where)
    return points(
        "Sitting of more than 30 minutes",
        "When does it get long?",
        [target(query, alias="$col")],
        unit="s",
        timeFrom="14d",
        defaults={"color": fixed(look.VERMILION), "decimals": 1},
    )


def _upright() -> Json:
    parts = with_wear(
        daily("A", ("slouched_min", "slouched")),
        daily("B", ("upright_pct", "upright")),
        daily("C", ("goal_upright_pct", "goal")),
        overrides=[
            override("slouched", color=fixed(look.VERMILION)),
            override(
                "upright",
                unit="percent",
                color=fixed(look.GREEN),
                custom_drawStyle="line",
                custom_fillOpacity=0,
                custom_axisPlacement="right",
                custom_lineWidth=2,
                min=0,
                max=100,
            ),
            goal_line(),
            override("goal", unit="percent", custom_axisPlacement="right", min=0, max=100),
        ],
    )
    return bars(
        "Upright and slouched", "Is the sitting upright more often?", unit="suffix:min", timeFrom="14d", **parts
    )


def _pain() -> Json:
    diary = target(select("diary", [Column("pain", "pain")]), ref="B", alias="$col")
    parts = with_wear(
        daily("A", ("walking_min", "walked")),
        diary,
        overrides=[
            override("walked", color=fixed(look.GREEN)),
            override(
                "pain",
                unit="short",
                color=fixed(look.VERMILION),
                custom_drawStyle="line",
                custom_lineWidth=2,
                custom_fillOpacity=0,
                custom_showPoints="always",
                custom_spanNulls=True,
                min=0,
                max=10,
                custom_axisPlacement="right",
                custom_axisLabel="pain",
            ),
        ],
    )
    return bars("Pain and walking", "Does more walking go with less pain?", unit="suffix:min", timeFrom="90d", **parts)


def _wear() -> Json:
    return lines(
        "Worn and measured",
        "How much of each day was seen?",
        [daily("A", ("worn_min", "worn")), daily("B", ("coverage", "measured"))],
        unit="suffix:min",
        timeFrom="90d",
        overrides=[
            override("worn", color=fixed(look.BLUE)),
            override(
                "measured", unit="percentunit", color=fixed(look.GREY), custom_axisPlacement="right", min=0, max=1
            ),
        ],
    )
