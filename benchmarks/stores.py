"""Points a second that one core stores, in InfluxDB and in SQLite, and how long the timeline of ninety days takes.

``python -m benchmarks.stores`` (needs Debian's influxdb and nginx-light). The ratios are measured in one run, on the
same points; the seconds are this machine's.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from influxdb_client.client.influxdb_client import InfluxDBClient
from influxdb_client.client.write.point import Point as ClientPoint
from influxdb_client.client.write_api import SYNCHRONOUS

from dashboards.grafana.provisioning import dashboards
from processing.metrics import Point
from processing.stores.influx import InfluxStore
from processing.stores.influx_link import Address, InfluxLink
from processing.stores.line_protocol import line
from processing.stores.sqlite import SqliteStore
from tests.servers.influx import Influx, influx

NS = 10**9
FIRST_NS = 1_750_000_000 * NS
POINTS = 20_000
DAYS = 90


def made(patient: str, n: int, first: int = 0) -> list[Point]:
    """Return n points of five seconds each, with all the fields that a sitting person has."""
    return [
        Point(
            "activity",
            FIRST_NS + 5 * k * NS,
            {"patient": patient},
            {
                "state": "walking" if k % 300 < 40 else "sitting",
                "code": 3,
                "posture": "upright",
                "flexion_deg": 1.25 + k % 7,
                "lateral_deg": -0.5,
                "walking_s": 0.0,
                "steps": 0.0,
                "intensity_mg": 4.25,
                "confidence": 0.93,
                "coverage": 1.0,
            },
        )
        for k in range(first, first + n)
    ]


def _rate(work: Callable[[], None], n: int) -> float:
    started = time.perf_counter()
    work()
    return n / (time.perf_counter() - started)


def _lines(points: list[Point]) -> None:
    for point in points:
        line(point.measurement, point.tags, point.fields, point.time_ns)


def _client_lines(points: list[Point]) -> None:
    for point in points:
        _record(point).to_line_protocol()


def _record(point: Point) -> ClientPoint:
    record = ClientPoint(point.measurement).time(point.time_ns)
    for tag, text in point.tags.items():
        record.tag(tag, text)
    for name, value in point.fields.items():
        record.field(name, value)
    return record


def _by_the_client(server: Influx, points: list[Point]) -> None:
    """Write as influxdb-client's documentation shows it: its own points, in batches of 5,000."""
    with InfluxDBClient(server.url, server.token, org=server.org, enable_gzip=True) as client:
        api = client.write_api(write_options=SYNCHRONOUS)
        for at in range(0, len(points), 5000):
            api.write(server.bucket, record=[_record(point) for point in points[at : at + 5000]])


def _singly(store: InfluxStore | SqliteStore, patient: str, commits: int) -> None:
    """Commit as the core does: a few points and a checkpoint."""
    points = made(patient, 12 * commits)
    for k in range(commits):
        store.commit(patient, points[12 * k : 12 * k + 12], b"x" * 8000)


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder, influx(Path(folder)) as server:
        store = InfluxStore(Address(server.url, server.bucket, server.token))
        sqlite = SqliteStore(Path(folder) / "metrics.sqlite")
        _singly(store, "p-warm", 5)
        ours = _rate(lambda: store.commit("p-1", made("p-1", POINTS), b"state"), POINTS)
        client = _rate(lambda: _by_the_client(server, made("p-2", POINTS)), POINTS)
        file = _rate(lambda: sqlite.commit("p-1", made("p-1", POINTS), b"state"), POINTS)
        print(f"one large commit: InfluxDB {ours:,.0f} points/s, the client alone {client:,.0f}, SQLite {file:,.0f}")
        print(f"  ratios: {ours / client:.1f} times the client's own way, {ours / file:.2f} times SQLite")
        lines = _rate(lambda: _lines(made("p-1", POINTS)), POINTS) / _rate(
            lambda: _client_lines(made("p-1", POINTS)), POINTS
        )
        print(f"  writing a line takes the client {lines:.1f} times as long")
        small = _rate(lambda: _singly(store, "p-3", 200), 200)
        small_file = _rate(lambda: _singly(sqlite, "p-3", 200), 200)
        print(f"commits of 12 points and a checkpoint: InfluxDB {small:,.0f}/s, SQLite {small_file:,.0f}/s")
        _timelines(server, store)
        sqlite.close()
        store.close()


def _timelines(server: Influx, store: InfluxStore) -> None:
    per_day = 17_280
    for day in range(DAYS):
        store.commit("p-4", made("p-4", per_day, day * per_day), None)
    link = InfluxLink(Address(server.url, server.bucket, server.read_token))
    for panel in dashboards()["patient"]["panels"]:
        if panel["type"] != "state-timeline":
            continue
        for days, step in ((1, "60s"), (14, "900s")):
            end = FIRST_NS + DAYS * 86_400 * NS
            query = panel["targets"][0]["query"].replace("$__interval", step).replace("/^$patient$/", "/^p-4$/")
            query = query.replace("$timeFilter", f"time >= {end - days * 86_400 * NS} AND time < {end}")
            taken = []
            for _ in range(3):
                started = time.perf_counter()
                link.query(query)
                taken.append((time.perf_counter() - started) * 1000)
            print(f"{panel['title']} over {days:2d} of {DAYS} days of 5 s points: {min(taken):6.0f} ms")
    link.close()


if __name__ == "__main__":
    main()
