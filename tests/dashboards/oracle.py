"""What a query should answer, worked out from the points themselves, without a database.

It reads the few forms of InfluxQL that our builders write; a query in any other form is an error, so that nothing
outside of the common subset of InfluxDB 1, 2 and 3 slips in.
"""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from processing.metrics import Point

SECOND = 10**9
UNITS_NS = {"s": SECOND, "m": 60 * SECOND, "h": 3600 * SECOND, "d": 86_400 * SECOND}
_QUERY = re.compile(
    r'SELECT (?P<columns>.+?) FROM "(?P<measurement>\w+)" WHERE (?P<where>.+?)'
    r"(?: GROUP BY (?P<group>.+?))?(?: fill\((?P<fill>none|null)\))?(?: tz\('(?P<tz>[^']+)'\))?"
)
_COLUMN = re.compile(r'(?:(?P<function>\w+)\()?"(?P<field>\w+)"\)? AS "(?P<name>[^"]+)"')
_CONDITION = re.compile(r'"(?P<name>\w+)" (?P<sign>=~|>=|=) (?P<value>.+)')
_TIME = re.compile(r"time (?P<sign>>=|<=|<) (?P<ns>-?\d+)(?: - (?P<back>\d+)(?P<unit>[smhd]))?")
Row = tuple[Any, ...]
Answer = dict[tuple[str, ...], list[Row]]
"""By the values of the grouping tags: rows of time (ns) and columns."""


@dataclass(frozen=True, slots=True)
class Question:
    """A query that was read."""

    measurement: str
    columns: list[tuple[str, str]]
    tests: list[Callable[[Point], bool]]
    start_ns: int
    tags: list[str]
    bucket_ns: int
    zone: str


def read(query: str) -> Question:
    """Read a query whose variables and bounds are filled in.

    Raises
    ------
    ValueError
        If it is none of the forms that we write.
    """
    found = _QUERY.fullmatch(query)
    if found is None:
        raise ValueError(f"not one of our forms: {query}")
    columns = [(m["function"] or "", m["field"]) for m in _COLUMN.finditer(found["columns"])]
    tests, bounds = [], [0]
    for part in found["where"].split(" AND "):
        if time := _TIME.fullmatch(part):
            bound = int(time["ns"]) - int(time["back"] or 0) * UNITS_NS.get(time["unit"] or "s", 0)
            tests.append(_time_test(time["sign"], bound))
            if time["sign"] == ">=":
                bounds.append(bound)
        else:
            tests.append(_field_test(part))
    tags, bucket_ns = [], 0
    for part in (found["group"] or "").split(", "):
        if timed := re.fullmatch(r"time\((\d+)([smhd])\)", part):
            bucket_ns = int(timed[1]) * UNITS_NS[timed[2]]
        elif part:
            tags.append(part.strip('"'))
    return Question(found["measurement"], columns, tests, max(bounds), tags, bucket_ns, found["tz"] or "UTC")


def answer(query: str, points: Iterable[Point]) -> Answer:
    """Answer a query; groups without a value are left out, as with ``fill(none)``."""
    asked = read(query)
    groups: dict[tuple[str, ...], list[Point]] = defaultdict(list)
    for point in points:
        if point.measurement == asked.measurement and all(test(point) for test in asked.tests):
            groups[tuple(point.tags[tag] for tag in asked.tags)].append(point)
    return {key: rows for key, group in sorted(groups.items()) if (rows := _rows(asked, group))}


def _rows(asked: Question, group: list[Point]) -> list[Row]:
    group.sort(key=lambda point: point.time_ns)
    if not asked.columns[0][0]:
        rows = [(p.time_ns, *(p.fields.get(field) for _, field in asked.columns)) for p in group]
        return [row for row in rows if any(value is not None for value in row[1:])]
    buckets: dict[int, list[Point]] = defaultdict(list)
    for point in group:
        buckets[_bucket(asked, point.time_ns)].append(point)
    found = []
    for start, members in sorted(buckets.items()):
        values = []
        for function, field in asked.columns:
            known = [p.fields[field] for p in members if field in p.fields]
            values.append(_FUNCTIONS[function](known) if known else None)
        if any(value is not None for value in values):
            found.append((_time_of(asked, start, members), *values))
    return found


def _time_of(asked: Question, start: int, members: list[Point]) -> int:
    """Return the time of a row: a lone selector without buckets keeps the time of the point that it selected."""
    ((function, field), *more) = asked.columns
    if asked.bucket_ns or more or function not in ("last", "max"):
        return start
    known = [p for p in members if field in p.fields]
    return (known[-1] if function == "last" else max(known, key=lambda p: p.fields[field])).time_ns


def _bucket(asked: Question, time_ns: int) -> int:
    if not asked.bucket_ns:
        return asked.start_ns
    if asked.bucket_ns == UNITS_NS["d"]:
        local = dt.datetime.fromtimestamp(time_ns // SECOND, ZoneInfo(asked.zone))
        midnight = dt.datetime.combine(local.date(), dt.time(), ZoneInfo(asked.zone))
        return int(midnight.timestamp()) * SECOND
    return time_ns - time_ns % asked.bucket_ns


def _time_test(sign: str, bound: int) -> Callable[[Point], bool]:
    return {
        ">=": lambda point: point.time_ns >= bound,
        "<=": lambda point: point.time_ns <= bound,
        "<": lambda point: point.time_ns < bound,
    }[sign]


def _field_test(part: str) -> Callable[[Point], bool]:
    found = _CONDITION.fullmatch(part)
    if found is None:
        raise ValueError(f"not one of our conditions: {part}")
    name, sign, text = found["name"], found["sign"], found["value"]
    if sign == "=~":
        pattern = re.compile(text.strip("/"))
        return lambda point: pattern.search(point.tags[name]) is not None
    if text == "true":
        return lambda point: point.fields.get(name) is True
    if sign == ">=":
        return lambda point: float(point.fields.get(name, -1)) >= float(text)
    return lambda point: (point.tags | point.fields).get(name) == text.strip("'")


_FUNCTIONS: dict[str, Callable[[list[Any]], Any]] = {
    "last": lambda values: values[-1],
    "sum": sum,
    "count": len,
    "max": max,
    "mean": lambda values: sum(values) / len(values),
    # between equals InfluxDB takes the value that came first
    "mode": lambda values: Counter(values).most_common(1)[0][0],
}
