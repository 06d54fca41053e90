"""InfluxQL as all versions of InfluxDB speak it (1.x, 2.x, 3.x), on names that the metric table knows.

Only selection, filters, ``last``, ``sum``, ``count``, ``mean``, ``max``, ``mode`` and grouping: what the core can
compute, it has computed. Grafana puts its own bounds in for ``$timeFilter`` and ``$__interval``
(https://grafana.com/docs/grafana/latest/datasources/influxdb/query-editor/).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from processing.metrics import MEASUREMENTS

THE_PATIENT: Final = '"patient" =~ /^$patient$/'
SHOWN: Final = "$timeFilter"
_FUNCTIONS: Final = frozenset({"", "last", "sum", "count", "mean", "max", "mode"})


@dataclass(frozen=True, slots=True)
class Column:
    """One column of an answer: a field, what to do with it, and how it is called."""

    field: str
    name: str
    function: str = ""


def select(
    measurement: str,
    columns: Sequence[Column],
    *,
    where: Sequence[str] = (THE_PATIENT,),
    times: str = SHOWN,
    group: Sequence[str] = (),
    fill: str = "",
    tz: str = "",
) -> str:
    """Write a query.

    Parameters
    ----------
    measurement, columns
        Names of the metric table.
    where
        Further conditions, joined by AND.
    times
        The condition on time: what the dashboard shows, or bounds of the panel's own.
    group
        Tags (bare names of the table) or ``time(...)``.

    Raises
    ------
    ValueError
        If the table does not know a name, or a function is outside of the common subset.
    """
    known = MEASUREMENTS.get(measurement)
    if known is None:
        raise ValueError(f"no measurement {measurement!r}")
    for column in columns:
        if column.field not in known.fields or column.function not in _FUNCTIONS:
            raise ValueError(f"{column} is not a column of {measurement}")
    for name in group:
        if not name.startswith("time(") and name not in known.tags:
            raise ValueError(f"{measurement} has no tag {name!r}")
    chosen = ", ".join(f'{_call(column)} AS "{column.name}"' for column in columns)
    text = f'SELECT {chosen} FROM "{measurement}" WHERE {" AND ".join([times, *where])}'  # noqa: S608
    if group:
        text += " GROUP BY " + ", ".join(name if name.startswith("time(") else f'"{name}"' for name in group)
    if fill:
        text += f" fill({fill})"
    if tz:
        text += f" tz('{tz}')"
    return text


def is_true(field: str) -> str:
    """Write the condition that a field of the measurement is true."""
    return f'"{field}" = true'


def tag_values(measurement: str, tag: str, where: str = "") -> str:
    """Write the query of a variable: all values of a tag."""
    known = MEASUREMENTS[measurement]
    if tag not in known.tags:
        raise ValueError(f"{measurement} has no tag {tag!r}")
    return f'SHOW TAG VALUES FROM "{measurement}" WITH KEY = "{tag}"' + (f" WHERE {where}" if where else "")


def _call(column: Column) -> str:
    return f'{column.function}("{column.field}")' if column.function else f'"{column.field}"'
