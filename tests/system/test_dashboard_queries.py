"""Every query of every dashboard and alert, asked of the real database, answers what the core's own points say."""

from __future__ import annotations

import json
import re
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from dashboards.grafana.alerts import rules
from dashboards.grafana.provisioning import dashboards
from processing.metrics import Point
from processing.stores.influx import InfluxReader, InfluxStore
from processing.stores.influx_link import Address, InfluxLink
from tests.dashboards import ninety_days
from tests.dashboards.oracle import SECOND, UNITS_NS, answer, read
from tests.servers.influx import Influx, influx

pytestmark = [pytest.mark.server("influx"), pytest.mark.slow, pytest.mark.timeout(400)]
LIMIT_MS = 300.0


@dataclass(frozen=True, slots=True)
class Clinic:
    """The database, a link that may only read, and the points that are in it."""

    server: Influx
    link: InfluxLink
    points: dict[str, list[Point]]


@pytest.fixture(scope="module")
def clinic(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clinic]:
    with influx(tmp_path_factory.mktemp("clinic")) as server:
        store = InfluxStore(Address(server.url, server.bucket, server.token))
        everybody = ninety_days.patients()
        started, n = time.perf_counter(), 0
        for name, points in everybody.items():
            store.commit(name, points, b"state")
            n += len(points)
        print(f"\nwrote {n} points, {n / (time.perf_counter() - started):.0f} a second")
        store.close()
        link = InfluxLink(Address(server.url, server.bucket, server.read_token))
        # the last writing of a point holds
        final = {name: list(_last(points)) for name, points in everybody.items()}
        yield Clinic(server, link, final)
        link.close()


def _last(points: list[Point]) -> Iterator[Point]:
    yield from {(p.measurement, p.time_ns, tuple(sorted(p.tags.items()))): p for p in points}.values()


@dataclass(frozen=True, slots=True)
class Asked:
    """A query with the stretch of time that its place shows."""

    where: str
    query: str
    back_ns: int
    shift_ns: int
    interval: str


def _span(text: str) -> int:
    found = re.fullmatch(r"(?:now-)?(\d+)([smhd])", text)
    assert found is not None, text
    return int(found[1]) * UNITS_NS[found[2]]


def _every_query() -> list[Asked]:
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
        asked.append(
            Asked(
                f"alert: {rule['title']}", first["model"]["query"], first["relativeTimeRange"]["from"] * SECOND, 0, "1m"
            )
        )
    return asked


def fill_in(asked: Asked, patient: str, *, back_ns: int | None = None) -> str:
    """Fill a query in as Grafana does; now is the end of the ninety days."""
    end = ninety_days.NOW_NS - asked.shift_ns
    start = end - (asked.back_ns if back_ns is None else back_ns)
    # about 1,000 steps fit on a screen, and no finer than the panel allows
    finest = _span(asked.interval)
    step = next(
        s for s in (5, 15, 60, 300, 1800, 7200, 86_400) if s * SECOND >= finest and (end - start) / (s * SECOND) <= 1500
    )
    text = asked.query.replace("$timeFilter", f"time >= {start} AND time <= {end}").replace("$__interval", f"{step}s")
    text = text.replace("now()", str(ninety_days.NOW_NS)).replace("/^$patient$/", f"/^{patient}$/")
    text = text.replace("/^$patients$/", "/^(p-1|p-2|p-3)$/").replace("$zone", ninety_days.ZONE)
    assert "$" not in re.sub(r"\$/", "", text), text
    return text


def _answered(clinic: Clinic, query: str) -> tuple[dict[tuple[str, ...], list[tuple[Any, ...]]], float]:
    started = time.perf_counter()
    series = clinic.link.query(query)
    taken_ms = (time.perf_counter() - started) * 1000
    asked = read(query)
    found = {}
    for one in series:
        key = tuple(one.get("tags", {}).get(tag, "") for tag in asked.tags)
        rows = [tuple(row) for row in one["values"] if any(value is not None for value in row[1:])]
        if rows:
            found[key] = rows
    return found, taken_ms


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


def test_every_query_answers_what_the_points_say(clinic: Clinic) -> None:
    by_measurement: dict[str, list[Point]] = defaultdict(list)
    for point in (point for points in clinic.points.values() for point in points):
        by_measurement[point.measurement].append(point)
    table, slowest = [], []
    for asked in _every_query():
        for patient in ("p-1", "p-2", "p-3") if "$patient$" in asked.query else ("p-1",):
            query = fill_in(asked, patient)
            theirs, taken_ms = _answered(clinic, query)
            everything = by_measurement[read(query).measurement]
            ours = answer(query, everything)
            if "mode(" in asked.query:
                _compare_modes(asked.where, query, theirs, everything)
            else:
                _compare(asked.where, ours, theirs)
            if patient == "p-1":
                fixed = (
                    asked.where.startswith("alert") or "mode(" in asked.query
                )  # what shows one day, whatever is asked
                whole = asked.back_ns if fixed else 90 * UNITS_NS["d"]
                again = min(_answered(clinic, fill_in(asked, patient, back_ns=whole))[1] for _ in range(3))
                rows = sum(map(len, theirs.values()))
                table.append(
                    f"{rows:6d} rows {taken_ms:7.1f} ms {again:7.1f} ms on {whole / UNITS_NS['d']:2.0f} d {asked.where}"
                )
                slowest.append((again, asked.where))
                assert rows or asked.where.startswith(("alert: Battery", "alert: Sitting")), (
                    f"{asked.where} shows nothing"
                )
    print("\n" + "\n".join(table))
    print(f"slowest: {max(slowest)[0]:.0f} ms, {max(slowest)[1]} (promise: {LIMIT_MS:.0f} ms)")


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


def test_variables_find_every_patient(clinic: Clinic) -> None:
    for name, page in dashboards().items():
        for variable in page["templating"]["list"]:
            if variable["type"] == "query":
                values = {row[1] for one in clinic.link.query(variable["query"]) for row in one["values"]}
                assert values == {"p-1", "p-2", "p-3"}, name


def test_the_day_of_25_hours_is_one_day(clinic: Clinic) -> None:
    """2025-10-26 in Berlin: 25 hours from local midnight to local midnight, and the hour from 2 to 3 twice."""
    change = [p for p in clinic.points["p-1"] if p.measurement == "daily" and p.fields["date"] == "2025-10-26"]
    (day,) = change
    (panel,) = [p for p in dashboards()["patient"]["panels"] if p["type"] == "status-history"]
    asked = Asked("hours", panel["targets"][0]["query"], 90 * UNITS_NS["d"], 0, "1d")
    found, _ = _answered(clinic, fill_in(asked, "p-1"))
    of_day = {key[0]: dict(rows)[day.time_ns] for key, rows in found.items() if day.time_ns in dict(rows)}
    minutes = [
        p
        for p in clinic.points["p-1"]
        if p.measurement == "hourly" and 0 <= p.time_ns - day.time_ns < 25 * 3600 * SECOND
    ]
    assert len(minutes) == 25
    assert sum(of_day.values()) == pytest.approx(sum(float(p.fields["sitting_min"]) for p in minutes))


def test_a_patient_without_data_is_an_empty_panel_and_no_error(clinic: Clinic) -> None:
    for asked in _every_query():
        if "$patient$" in asked.query:
            assert clinic.link.query(fill_in(asked, "p-nobody")) == [], asked.where


def test_the_queries_are_what_the_files_hold() -> None:
    kept = Path(__file__).parents[2] / "dashboards" / "grafana" / "generated"
    text = "".join(path.read_text(encoding="utf-8") for path in kept.glob("*.json"))
    for asked in _every_query():
        if not asked.where.startswith("alert"):
            assert json.dumps(asked.query, ensure_ascii=False) in text


def test_a_reader_of_reports_finds_the_same_days(clinic: Clinic) -> None:
    reader = InfluxReader(Address(clinic.server.url, clinic.server.bucket, clinic.server.read_token))
    daily = sorted((p for p in clinic.points["p-2"] if p.measurement == "daily"), key=lambda p: p.time_ns)
    assert reader.points("daily", "p-2", 0, ninety_days.NOW_NS) == daily
    reader.close()
