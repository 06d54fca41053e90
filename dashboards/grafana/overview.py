"""Every patient a row, sorted by who needs a call."""

from __future__ import annotations

from typing import Final

from dashboards.grafana import look
from dashboards.grafana.influxql import Column, select, tag_values
from dashboards.grafana.page import UIDS, page
from dashboards.grafana.panels import DATASOURCE, Json, history, override, steps, table, target, words

_TODAY: Final = "time >= now() - 25h"
_WEEK: Final = "time >= now() - 7d"
"""The points of seven local days: today's and the six before, each at its first second."""
_OVER: Final = "time >= now() - 8d AND time < now() - 24h"
"""The points of the seven local days before today: a day that has just begun was not worn yet, which says nothing."""
_LAST_SEEN: Final = "L"
_NO_TIME: Final = {"Time": True} | {f"Time {n}": True for n in range(1, 12)}


def overview() -> Json:
    """Build the dashboard of the clinic."""
    return page(
        "overview",
        "Clinic overview",
        [
            (16, [(24, _everybody())]),
            (10, [(7, _not_seen()), (10, _reasons()), (7, _reading())]),
            (12, [(24, _walked())]),
        ],
        start="now-14d",
        variables=[_all_patients()],
        refresh="5m",
    )


def _column(ref: str, measurement: str, *columns: Column, times: str, where: tuple[str, ...] = ()) -> Json:
    return target(select(measurement, columns, where=where, times=times, group=["patient"]), ref=ref, table=True)


def _everybody() -> Json:
    targets = [
        _column("A", "daily", Column("attention", "Call", "sum"), times=_OVER),
        _column(
            "B",
            "daily",
            Column("date", "Day", "last"),
            Column("walking_min", "Walked", "last"),
            Column("goal_walking_min", "Goal", "last"),
            Column("sedentary_min", "Sitting", "last"),
            Column("worn_min", "Worn", "last"),
            times=_TODAY,
        ),
        _column(
            "C",
            "daily",
            Column("walking_min", "Walked 7 d", "sum"),
            Column("goal_walking_min", "Goal 7 d", "sum"),
            Column("longest_sedentary_min", "Longest sitting 7 d", "max"),
            Column("upright_pct", "Upright 7 d", "mean"),
            times=_WEEK,
        ),
        _column(
            "D", "daily", Column("met_walking", "Goal met 7 d", "count"), times=_WEEK, where=('"met_walking" = true',)
        ),
        _column("E", "diary", Column("pain", "Pain", "last"), times="time >= now() - 14d"),
        _column(_LAST_SEEN, "device", Column("battery_pct", "Battery", "last"), times="time >= now() - 90d"),
    ]
    # one after the other: Grafana 10 and 11 match a filter's refId as a whole, later ones also as a pattern
    untimed = [
        {"id": "organize", "filter": _only(row["refId"]), "options": {"excludeByName": {"Time": True}}}
        for row in targets
        if row["refId"] != _LAST_SEEN
    ]
    columns = [
        "Call",
        "patient",
        "Day",
        "Walked",
        "Goal",
        "Walked 7 d",
        "Goal 7 d",
        "Goal met 7 d",
        "Sitting",
        "Longest sitting 7 d",
        "Upright 7 d",
        "Pain",
        "Worn",
        "Last seen",
        "Battery",
    ]
    link = f"/d/{UIDS['patient']}?var-patient=${{__value.raw}}"
    return table(
        "Everybody",
        "Who needs a call? Most points first; they say how far the seven days before today were from what was agreed.",
        targets,
        sort=[{"displayName": "Call", "desc": True}],
        defaults={"noValue": "-"},
        transformations=[
            *untimed,
            {"id": "organize", "filter": _only(_LAST_SEEN), "options": {"renameByName": {"Time": "Last seen"}}},
            {"id": "joinByField", "options": {"byField": "patient", "mode": "outer"}},
            {
                "id": "organize",
                "options": {
                    "excludeByName": _NO_TIME,
                    "indexByName": {name: at for at, name in enumerate(columns)},
                    "renameByName": {"patient": "Patient"},
                },
            },
        ],
        overrides=[
            override(
                "Patient",
                links=[{"title": "Open this patient", "url": link}],
                custom_filterable=True,
                custom_minWidth=110,
            ),
            override("Day", custom_minWidth=95),
            override(
                "Call",
                thresholds=steps((None, look.FAINT), (4, look.YELLOW), (8, look.VERMILION)),
                custom_cellOptions={"type": "color-background"},
                color={"mode": "thresholds"},
            ),
            *(
                override(name, unit="suffix:min", decimals=0)
                for name in ("Walked", "Goal", "Walked 7 d", "Goal 7 d", "Sitting", "Longest sitting 7 d", "Worn")
            ),
            override("Goal met 7 d", unit="suffix:/7", noValue="0 /7"),
            override("Upright 7 d", unit="percent", decimals=0),
            override("Pain", unit="suffix:/10", noValue="-"),
            override("Last seen", unit="dateTimeFromNow", custom_minWidth=105),
            override(
                "Battery",
                unit="percent",
                decimals=0,
                color={"mode": "thresholds"},
                thresholds=steps((None, look.VERMILION), (15, look.FAINT)),
                custom_cellOptions={"type": "color-text"},
            ),
        ],
    )


def _only(ref: str) -> Json:
    return {"id": "byRefId", "options": ref}


def _not_seen() -> Json:
    """Build the list that begins with whoever was not seen for longest: without days there are no points to sort by."""
    seen = _column("A", "device", Column("battery_pct", "Battery", "last"), times="time >= now() - 90d")
    return table(
        "Longest not seen",
        "Whose clip has sent nothing for days?",
        [seen],
        sort=[{"displayName": "Last seen", "desc": False}],
        overrides=[
            override("Time", unit="dateTimeFromNow", displayName="Last seen", custom_minWidth=125),
            override("patient", displayName="Patient"),
            override("Battery", unit="percent", decimals=0),
        ],
    )


def _reasons() -> Json:
    query = select(
        "daily", [Column("attention_why", "why")], where=['"attention" >= 1'], times=_OVER, group=["patient"]
    )
    return table(
        "Why",
        "What was far from what was agreed, and when?",
        [target(query, table=True)],
        sort=[{"displayName": "Day", "desc": True}],
        overrides=[
            override("Time", unit="dateTimeFromNow", displayName="Day", custom_width=95),
            override("patient", displayName="Patient", custom_width=95),
            override("why", displayName="Why", custom_wrapText=True),
        ],
    )


def _reading() -> Json:
    return words(
        "How to read it",
        "**Call** adds up the seven days before today: 2 for a day on which the clip was not worn, 1 for a day worn "
        "too little, 1 each for less than half of the walking goal, a sitting of more than twice the limit, less than "
        "half of the upright goal.\n\n**Walked**, **Sitting** and **Worn** are today so far; **Day** tells which day "
        "that is "
        "at the patient's place. Days are the patient's local days.\n\n"
        "spineclip informs; it does not diagnose.",
    )


def _walked() -> Json:
    query = select("daily", [Column("walking_min", "walked")], where=['"patient" =~ /^$patients$/'], group=["patient"])
    return history(
        "Walking of everybody",
        "Who walks more, who less? A row for each patient, a column for each day, darker where more was walked.",
        [target(query, alias="$tag_patient")],
        unit="suffix:min",
        high=60,
    )


def _all_patients() -> Json:
    return {
        "name": "patients",
        "label": "Patients",
        "type": "query",
        "datasource": DATASOURCE,
        "query": tag_values("daily", "patient"),
        "refresh": 2,
        "sort": 1,
        "multi": True,
        "includeAll": True,
        "current": {"text": "All", "value": "$__all"},
        "options": [],
    }
