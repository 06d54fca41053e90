"""A dashboard out of panels: laid out in rows, with its variables, annotations and links."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from dashboards.grafana import influxql, look
from dashboards.grafana.influxql import THE_PATIENT, Column, select
from dashboards.grafana.panels import DATASOURCE, Json

SCHEMA_VERSION: Final = 39
"""Classic dashboards as Grafana 9 to 13 import them; 13 turns them into its newer form when it loads them."""
COLUMNS: Final = 24
UIDS: Final = {
    "overview": "spineclip-overview",
    "patient": "spineclip-patient",
    "fortnight": "spineclip-fortnight",
    "devices": "spineclip-devices",
}

Row = tuple[int, Sequence[tuple[int, Json]]]
"""A height, and panels with their widths, in Grafana's grid of 24 columns."""


def page(
    name: str,
    title: str,
    rows: Sequence[Row],
    *,
    start: str,
    variables: Sequence[Json] = (),
    annotations: Sequence[Json] = (),
    refresh: str = "",
) -> Json:
    """Put a dashboard together.

    Raises
    ------
    ValueError
        If a row is wider than the grid.
    """
    return {
        "uid": UIDS[name],
        "title": title,
        "tags": ["spineclip"],
        "schemaVersion": SCHEMA_VERSION,
        "version": 1,
        "editable": True,
        "graphTooltip": 1,
        "timezone": "browser",
        "weekStart": "monday",
        "refresh": refresh,
        "time": {"from": start, "to": "now"},
        "fiscalYearStartMonth": 0,
        "templating": {"list": list(variables)},
        "annotations": {"list": list(annotations)},
        "links": [_link()],
        "panels": _laid_out(rows),
    }


def patient_variable() -> Json:
    """Build the choice of one patient."""
    query = influxql.tag_values("daily", "patient")
    return {
        "name": "patient",
        "label": "Patient",
        "type": "query",
        "datasource": DATASOURCE,
        "query": query,
        "refresh": 2,
        "sort": 1,
        "multi": False,
        "includeAll": False,
        "options": [],
    }


def zone_variable(zone: str) -> Json:
    """Build the clinic's time zone: InfluxQL needs it by name where days are made out of hours."""
    return {
        "name": "zone",
        "label": "Time zone",
        "type": "textbox",
        "query": zone,
        "current": {"text": zone, "value": zone},
        "options": [{"text": zone, "value": zone, "selected": True}],
    }


def nudges() -> Json:
    """Build the marks of nudges on every panel with a time axis.

    The query stands twice: Grafana asks what is under ``target``, and nothing at all where that is missing;
    ``fromAnnotations`` has its InfluxDB source make marks of the answer. Its older editor shows what stands at the top.
    """
    query = select("nudge", [Column("text", "text"), Column("cause", "cause")], where=[THE_PATIENT])
    columns = {"textColumn": "text", "tagsColumn": "cause"}
    return {
        "name": "Nudges",
        "datasource": DATASOURCE,
        "enable": True,
        "hide": False,
        "iconColor": look.PURPLE,
        "query": query,
        **columns,
        "target": {"refId": "Nudges", "query": query, "queryType": "tags", "fromAnnotations": True, **columns},
    }


def _link() -> Json:
    return {
        "type": "dashboards",
        "title": "spineclip",
        "tags": ["spineclip"],
        "asDropdown": False,
        "icon": "",
        "includeVars": True,
        "keepTime": False,
        "targetBlank": False,
        "tooltip": "",
        "url": "",
    }


def _laid_out(rows: Sequence[Row]) -> list[dict[str, Any]]:
    placed: list[dict[str, Any]] = []
    y = 0
    for height, cells in rows:
        x = 0
        for width, panel in cells:
            placed.append({"id": len(placed) + 1, "gridPos": {"x": x, "y": y, "w": width, "h": height}, **panel})
            x += width
        if x > COLUMNS:
            raise ValueError(f"a row of {x} columns does not fit ({[panel['title'] for _, panel in cells]})")
        y += height
    return placed
