"""The clips: battery, gaps, rate, clock, reconnects, faults."""

from __future__ import annotations

from dashboards.grafana import look
from dashboards.grafana.influxql import THE_PATIENT, Column, select
from dashboards.grafana.page import page, patient_variable
from dashboards.grafana.panels import Json, bars, lines, override, points, steps, table, target


def devices() -> Json:
    """Build the dashboard of a patient's clips."""
    return page(
        "devices",
        "Devices",
        [
            (8, [(12, _battery()), (12, _rate())]),
            (8, [(12, _gaps()), (12, _drift())]),
            (
                8,
                [
                    (8, _counter("reconnects", "Reconnects", "Does the connection hold?")),
                    (8, _counter("duplicates", "Seen twice", "How often did a record come again?")),
                    (8, _counter("rejected", "Kept aside", "How much could not be used?")),
                ],
            ),
            (8, [(24, _gap_table())]),
            (8, [(24, _faults())]),
        ],
        start="now-7d",
        variables=[patient_variable()],
        refresh="5m",
    )


def _minutely(field: str, function: str = "mean", ref: str = "A", name: str = "") -> Json:
    query = select(
        "device", [Column(field, name or field, function)], group=["time($__interval)", "device"], fill="none"
    )
    return target(query, ref=ref, alias=f"$tag_device {name}".strip())


_NAMES = (
    override("Time", custom_minWidth=155),
    override("device", displayName="Device", custom_minWidth=185),
    override("reason", displayName="Reason"),
)
"""What would be cut off, and small letters that InfluxDB's columns bring along."""
_MANY = {"color": {"mode": "palette-classic"}}


def _battery() -> Json:
    return lines(
        "Battery",
        "Will it last the day?",
        [_minutely("battery_pct", "last")],
        unit="percent",
        interval="1m",
        custom={"thresholdsStyle": {"mode": "line"}, "spanNulls": 3_600_000},
        defaults={**_MANY, "min": 0, "max": 100, "thresholds": steps((None, look.VERMILION), (15, look.GREY))},
    )


def _rate() -> Json:
    return lines(
        "Rate",
        "Does as much arrive as was asked for?",
        [_minutely("rate_hz", name="arrived"), _minutely("nominal_hz", "last", "B", "asked for")],
        unit="hertz",
        interval="1m",
        defaults=_MANY,
    )


def _gaps() -> Json:
    query = select(
        "gap", [Column("dur_s", "missing", "sum")], group=["time(1h)", "device"], fill="null"
    )  # hours, not gaps, are as wide as a bar
    return bars(
        "Missing by hour",
        "When was nothing measured?",
        [target(query, alias="$tag_device")],
        unit="s",
        defaults={**_MANY, "decimals": 1},
    )


def _drift() -> Json:
    return lines(
        "Clock",
        "How well are the wearable's times known?",
        [_minutely("drift_ppm", name="drift"), _minutely("clock_error_ms", "max", "B", "uncertainty")],
        unit="ppm",
        interval="1m",
        defaults=_MANY,
        overrides=[
            {
                "matcher": {"id": "byRegexp", "options": "/uncertainty$/"},
                "properties": [{"id": "unit", "value": "ms"}, {"id": "custom.axisPlacement", "value": "right"}],
            }
        ],
    )


def _counter(field: str, title: str, question: str) -> Json:
    return points(title, question, [_minutely(field, "last")], unit="short", interval="10m", defaults=_MANY)


def _gap_table() -> Json:
    query = select("gap", [Column("dur_s", "length"), Column("reason", "reason")], group=["device"])
    return table(
        "Gaps",
        "Why were samples missing?",
        [target(query, table=True)],
        sort=[{"displayName": "Time", "desc": True}],
        overrides=[*_NAMES, override("length", unit="dtdurations", displayName="Length")],
    )


def _faults() -> Json:
    columns = [Column(name, name) for name in ("stage", "reason", "text", "count")]
    query = select("fault", columns, where=[THE_PATIENT], group=["device"])
    return table(
        "Faults",
        "What went wrong, and how often?",
        [target(query, table=True)],
        sort=[{"displayName": "Time", "desc": True}],
        overrides=_NAMES,
    )
