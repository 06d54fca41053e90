"""What Grafana tells a therapist by itself. Nudges to the patient do not come from here: the core sends them.

The form is that of Grafana's file provisioning
(https://grafana.com/docs/grafana/latest/alerting/set-up/provision-alerting-resources/file-provisioning/); the same
rules go through the provisioning API where files cannot be placed.
"""

from __future__ import annotations

from typing import Any, Final

from dashboards.grafana.influxql import Column, select
from dashboards.grafana.panels import DATASOURCE, Json

FOLDER: Final = "spineclip"
GROUP: Final = "spineclip"


def rules() -> list[Json]:
    """Build all rules."""
    return [
        _rule(
            "spineclip-sitting",
            "Sitting for more than 90 minutes",
            select(
                "streak",
                [Column("sedentary_s", "sitting_s", "last")],
                where=(),
                group=["time(1m)", "patient"],
                fill="none",
            ),
            back_s=600,
            above=5400,
            hold="1m",
            summary="{{ $labels.patient }} has been sitting for {{ humanizeDuration $values.B.Value }}.",
        ),
        _rule(
            "spineclip-battery",
            "Battery below 15 percent",
            select(
                "device",
                [Column("battery_pct", "battery", "last")],
                where=(),
                group=["time(10m)", "patient"],
                fill="none",
            ),
            back_s=7200,
            below=15,
            hold="10m",
            summary="The clip of {{ $labels.patient }} has {{ $values.B.Value }} % of its battery left.",
        ),
        _rule(
            "spineclip-call",
            "A week far from what was agreed",
            select("daily", [Column("attention", "points", "sum")], where=(), group=["patient"]),
            # the seven days before today, as in the overview: today's point is at most a day old
            back_s=8 * 86_400,
            until_s=86_400,
            above=9,
            hold="1h",
            summary="{{ $labels.patient }}: {{ $values.B.Value }} points in seven days. See the clinic overview.",
        ),
    ]


def group(org_id: int = 1) -> Json:
    """Build the file's one group of rules for one organisation."""
    return {
        "apiVersion": 1,
        "groups": [{"orgId": org_id, "name": GROUP, "folder": FOLDER, "interval": "1m", "rules": rules()}],
    }


def _rule(
    uid: str,
    title: str,
    query: str,
    *,
    back_s: int,
    until_s: int = 0,
    hold: str,
    summary: str,
    above: float | None = None,
    below: float | None = None,
) -> Json:
    seen = {"from": back_s, "to": until_s}
    asked: dict[str, Any] = {
        "refId": "A",
        "datasource": DATASOURCE,
        "rawQuery": True,
        "resultFormat": "time_series",
        "query": query,
        "intervalMs": 60_000,
        "maxDataPoints": 1000,
    }
    newest = {"refId": "B", "type": "reduce", "expression": "A", "reducer": "last", "settings": {"mode": "dropNN"}}
    bound = {"type": "gt", "params": [above]} if above is not None else {"type": "lt", "params": [below]}
    over = {"refId": "C", "type": "threshold", "expression": "B", "conditions": [{"evaluator": bound}]}
    return {
        "uid": uid,
        "title": title,
        "condition": "C",
        "for": hold,
        # no data is a state of its own, shown in the overview; a database that is away is no reason to call anybody
        "noDataState": "OK",
        "execErrState": "KeepLast",
        "labels": {"from": "spineclip"},
        "annotations": {"summary": summary},
        "data": [
            {"refId": "A", "datasourceUid": DATASOURCE["uid"], "relativeTimeRange": seen, "model": asked},
            {"refId": "B", "datasourceUid": "__expr__", "relativeTimeRange": seen, "model": newest},
            {"refId": "C", "datasourceUid": "__expr__", "relativeTimeRange": seen, "model": over},
        ],
    }
