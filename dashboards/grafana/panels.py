"""Builders of Grafana panels: plain functions to the classic JSON (schema version 39), which Grafana 9 to 13 read.

The types behind it are those of npm's ``@grafana/schema``; a test has TypeScript check every generated file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from dashboards.grafana import look

Json = dict[str, Any]
DATASOURCE: Final[Json] = {"type": "influxdb", "uid": "spineclip"}
_LEGEND: Final[Json] = {"showLegend": True, "displayMode": "list", "placement": "bottom", "calcs": []}
_VALUES: Final = "/^(?!Time$)/"
"""Every column but the time, which would stand beside each number as large as the number itself."""
_TOOLTIP: Final[Json] = {"mode": "multi", "sort": "none"}


def target(query: str, *, ref: str = "A", alias: str = "", table: bool = False) -> Json:
    """Build a query of a panel."""
    built: Json = {
        "refId": ref,
        "datasource": DATASOURCE,
        "rawQuery": True,
        "query": query,
        "resultFormat": "table" if table else "time_series",
    }
    if alias:
        built["alias"] = alias
    return built


def override(name: str, **properties: Any) -> Json:
    """Build what holds for one series or column alone; ``custom_x`` stands for ``custom.x``."""
    rows = [{"id": key.replace("custom_", "custom."), "value": value} for key, value in properties.items()]
    return {"matcher": {"id": "byName", "options": name}, "properties": rows}


def fixed(color: str) -> Json:
    """Build a colour that does not depend on the value."""
    return {"mode": "fixed", "fixedColor": color}


def steps(*bounds: tuple[float | None, str]) -> Json:
    """Build thresholds: from each bound on, that colour; the first bound is None."""
    return {"mode": "absolute", "steps": [{"value": bound, "color": color} for bound, color in bounds]}


def stat(title: str, question: str, targets: Sequence[Json], *, unit: str = "none", **more: Any) -> Json:
    """Build one large number or word."""
    defaults: Json = {"unit": unit, "color": {"mode": "thresholds"}, "thresholds": steps((None, look.GREY))}
    defaults |= more.pop("defaults", {})
    options = {
        "colorMode": "background_solid",
        "graphMode": "none",
        "justifyMode": "auto",
        "textMode": "auto",
        "wideLayout": True,
        "showPercentChange": False,
        "percentChangeColorMode": "standard",
        "orientation": "auto",
        "reduceOptions": {"calcs": ["lastNotNull"], "fields": _VALUES, "values": False},
    }
    return _panel("stat", title, question, targets, defaults=defaults, options=options, **more)


def bars(title: str, question: str, targets: Sequence[Json], *, unit: str = "none", **more: Any) -> Json:
    """Build one bar for each day."""
    custom = {"drawStyle": "bars", "fillOpacity": 70, "lineWidth": 0, "barAlignment": 1, "barWidthFactor": 0.7}
    return _series(title, question, targets, unit=unit, custom=custom, more=more)


def lines(title: str, question: str, targets: Sequence[Json], *, unit: str = "none", **more: Any) -> Json:
    """Build lines over time; where nothing was measured they break off."""
    custom = {"drawStyle": "line", "lineWidth": 2, "fillOpacity": 0, "showPoints": "auto", "spanNulls": False}
    return _series(title, question, targets, unit=unit, custom=custom, more=more)


def points(title: str, question: str, targets: Sequence[Json], *, unit: str = "none", **more: Any) -> Json:
    """Build single points over time."""
    custom = {"drawStyle": "points", "pointSize": 7, "showPoints": "always"}
    return _series(title, question, targets, unit=unit, custom=custom, more=more)


def timeline(title: str, question: str, targets: Sequence[Json], words: list[Json], **more: Any) -> Json:
    """Build states over time, in colours and words."""
    defaults = {"custom": {"fillOpacity": 90, "lineWidth": 0}, "mappings": words, "color": fixed(look.FAINT)}
    options = {
        "mergeValues": True,
        "showValue": "auto",
        "alignValue": "left",
        "rowHeight": 0.9,
        "legend": _LEGEND,
        "tooltip": {"mode": "single", "sort": "none"},
    }
    return _panel("state-timeline", title, question, targets, defaults=defaults, options=options, **more)


def history(title: str, question: str, targets: Sequence[Json], *, unit: str, high: float, **more: Any) -> Json:
    """Build a grid: a row for each series, a column for each day, darker where more."""
    defaults: Json = {
        "unit": unit,
        "min": 0,
        "max": high,
        "color": {"mode": "continuous-blues"},
        "custom": {"fillOpacity": 90, "lineWidth": 1},
    }
    options = {
        "showValue": "never",
        "rowHeight": 0.9,
        "colWidth": 0.95,
        "legend": _LEGEND | {"showLegend": False},
        "tooltip": {"mode": "single", "sort": "none"},
    }
    return _panel("status-history", title, question, targets, defaults=defaults, options=options, **more)


def table(title: str, question: str, targets: Sequence[Json], **more: Any) -> Json:
    """Build a table; columns may become narrow (Grafana's own least width of 150 hides most of a wide table)."""
    options: Json = {"showHeader": True, "cellHeight": "sm", "frameIndex": 0, "sortBy": more.pop("sort", [])}
    custom = {
        "align": "auto",
        "cellOptions": {"type": "auto"},
        "inspect": False,
        "minWidth": 60,
        "wrapHeaderText": True,
    }
    defaults = {"custom": custom, **more.pop("defaults", {})}
    return _panel("table", title, question, targets, defaults=defaults, options=options, **more)


def words(title: str, content: str) -> Json:
    """Build a panel of plain text."""
    return {"type": "text", "title": title, "options": {"mode": "markdown", "content": content}}


def worn(ref: str = "W") -> tuple[str, Json]:
    """Build how the wear time of each day is drawn beside what it sums up: a thin day shall look thin."""
    return ref, override(
        "worn",
        unit="suffix:min",
        color=fixed(look.GREY),
        custom_drawStyle="line",
        custom_lineWidth=1,
        custom_lineStyle={"fill": "dash", "dash": [4, 4]},
        custom_fillOpacity=0,
        custom_axisPlacement="right",
        custom_axisLabel="worn",
        custom_axisSoftMin=0,
        custom_axisSoftMax=1440,
    )


def goal_line(name: str = "goal") -> Json:
    """Build how a day's goal is drawn: a step line over the bars."""
    return override(
        name,
        color=fixed(look.INK),
        custom_drawStyle="line",
        custom_lineInterpolation="stepAfter",
        custom_lineWidth=2,
        custom_fillOpacity=0,
        custom_showPoints="never",
    )


def _series(
    title: str, question: str, targets: Sequence[Json], *, unit: str, custom: Json, more: dict[str, Any]
) -> Json:
    defaults: Json = {
        "unit": unit,
        "color": fixed(look.BLUE),
        "custom": {"axisSoftMin": 0, **custom, **more.pop("custom", {})},
        **more.pop("defaults", {}),
    }
    return _panel(
        "timeseries",
        title,
        question,
        targets,
        defaults=defaults,
        options={"legend": _LEGEND, "tooltip": _TOOLTIP},
        **more,
    )


def _panel(
    kind: str,
    title: str,
    question: str,
    targets: Sequence[Json],
    *,
    defaults: Mapping[str, Any],
    options: Json,
    overrides: Sequence[Json] = (),
    **more: Any,
) -> Json:
    # not a word where there is nothing: "no data" looks like a fault, and a patient without data is none
    config = {"defaults": {"noValue": "nothing yet", **defaults}, "overrides": list(overrides)}
    return {
        "type": kind,
        "title": title,
        "description": question,
        "datasource": DATASOURCE,
        "targets": list(targets),
        "fieldConfig": config,
        "options": options,
        **more,
    }
