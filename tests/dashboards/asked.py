"""Every query that the dashboards and alerts ask, filled in as Grafana does, asked of the database, and compared."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import pytest

from dashboards.grafana.alerts import rules
from dashboards.grafana.provisioning import dashboards
from processing.metrics import Point
from processing.stores.influx_link import InfluxLink
from tests.dashboards.oracle import SECOND, UNITS_NS, answer, read

Rows = dict[tuple[str, ...], list[tuple[Any, ...]]]
"""By the values of the grouping tags: rows of time (ns) and columns."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A query with the stretch of time that its place shows."""

    where: str
    query: str
    back_ns: int
    shift_ns: int
    interval: str


@dataclass(frozen=True, slots=True)
class Looking:
    """Who looks at the dashboards: when, on whom, with which time zone in its box."""

    now_ns: int
    patients: tuple[str, ...]
    zone: str


def _span(text: str) -> int:
    found = re.fullmatch(r"(?:now-)?(\d+)([smhd])", text)
    assert found is not None, text
    return int(found[1]) * UNITS_NS[found[2]]


def every_query() -> list[Asked]:
    """Return the queries of all panels, marks and alerts."""
    asked = []
    for name, page in dashboards().items():
        shown = _span(page["time"]["from"])
        for panel in page["panels"]:
            back = _span(panel["timeFrom"]) if "timeFrom" in panel else shown
            shift = _span(panel["timeShift"]) if "timeShift" in panel else 0
            at = f"{name}: {panel['title']}"
            finest = panel.get("interval", "1m")
            asked += [
                Asked(f"{at} ({row['refId']})", row["query"], back, shift, finest) for row in panel.get("targets", [])
            ]
        for mark in page["annotations"]["list"]:
            asked.append(Asked(f"{name}: annotation {mark['name']}", mark["query"], shown, 0, "1m"))
    for rule in rules():
        first = rule["data"][0]
        seen = first["relativeTimeRange"]
        back_ns, until_ns = (seen[name] * SECOND for name in ("from", "to"))
        asked.append(Asked(f"alert: {rule['title']}", first["model"]["query"], back_ns - until_ns, until_ns, "1m"))
    return asked


def fill_in(asked: Asked, patient: str, looking: Looking, *, back_ns: int | None = None) -> str:
    """Fill a query in as Grafana does."""
    end = looking.now_ns - asked.shift_ns
    start = end - (asked.back_ns if back_ns is None else back_ns)
    # about 1,000 steps fit on a screen, and no finer than the panel allows
    finest = _span(asked.interval)
    step = next(
        s for s in (5, 15, 60, 300, 1800, 7200, 86_400) if s * SECOND >= finest and (end - start) / (s * SECOND) <= 1500
    )
    text = asked.query.replace("$timeFilter", f"time >= {start} AND time <= {end}").replace("$__interval", f"{step}s")
    text = text.replace("now()", str(looking.now_ns)).replace("/^$patient$/", f"/^{patient}$/")
    text = text.replace("/^$patients$/", f"/^({'|'.join(looking.patients)})$/").replace("$zone", looking.zone)
    assert "$" not in re.sub(r"\$/", "", text), text
    return text


def answered(link: InfluxLink, query: str) -> tuple[Rows, float]:
    """Ask the database; rows without any value, which Grafana shows as nothing, are left out. Also the milliseconds."""
    started = time.perf_counter()
    series = link.query(query)
    taken_ms = (time.perf_counter() - started) * 1000
    asked = read(query)
    found: Rows = {}
    for one in series:
        key = tuple(one.get("tags", {}).get(tag, "") for tag in asked.tags)
        rows = [tuple(row) for row in one["values"] if any(value is not None for value in row[1:])]
        if rows:
            found[key] = rows
    return found, taken_ms


def agree(where: str, query: str, theirs: Rows, points: Iterable[Point]) -> None:
    """Compare what the database answered with what the points say."""
    everything = list(points)
    if "mode(" in query:
        _compare_modes(where, query, theirs, everything)
    else:
        _compare(where, answer(query, everything), theirs)


def _same(ours: Any, theirs: Any) -> bool:
    if isinstance(ours, str | bool) or theirs is None or ours is None:
        return bool(ours == theirs)
    return bool(ours == pytest.approx(theirs, rel=1e-9, abs=1e-9))


def _compare(where: str, ours: dict[Any, Any], theirs: dict[Any, Any]) -> None:
    assert ours.keys() == theirs.keys(), where
    for key, rows in ours.items():
        assert len(rows) == len(theirs[key]), f"{where} {key}"
        for mine, yours in zip(rows, theirs[key], strict=True):
            assert len(mine) == len(yours), where
            assert all(_same(a, b) for a, b in zip(mine, yours, strict=True)), f"{where} {key}: {mine} {yours}"


def _compare_modes(where: str, query: str, theirs: dict[Any, Any], everything: list[Point]) -> None:
    """Which of two equally frequent values a mode is, no version of InfluxDB promises: it has to be one of them."""
    asked = read(query)
    (_, field), (rows,) = asked.columns[0], theirs.values()
    members: dict[int, list[Any]] = {}
    for point in everything:
        if point.measurement == asked.measurement and all(test(point) for test in asked.tests):
            members.setdefault(point.time_ns - point.time_ns % asked.bucket_ns, []).append(point.fields[field])
    assert [start for start, _ in rows] == sorted(members), where
    for start, value in rows:
        counts = {one: members[start].count(one) for one in members[start]}
        assert counts[value] == max(counts.values()), where
