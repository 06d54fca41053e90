"""Promise: ``spineclip clinic demo`` fills every panel at once, writes over nobody, and goes with ``erase``."""

from __future__ import annotations

import datetime as dt
import signal
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import CliRunner

from processing.metrics import MEASUREMENTS, Point
from processing.stores.influx import InfluxStore
from processing.stores.influx_link import Address
from processing.stores.influx_seen import key_of
from spineclip import clinic_demo
from spineclip.cli.main import app
from spineclip.contract.clock import DrivenClock
from spineclip.contract.errors import StoreError
from spineclip.demo_person import PATIENT, person
from spineclip.history import past
from tests.dashboards.asked import Looking, agree, answered, every_query, fill_in
from tests.dashboards.oracle import SECOND
from tests.running import spineclip
from tests.servers.influx import Influx

pytestmark = [pytest.mark.server("influx"), pytest.mark.slow, pytest.mark.timeout(400)]
END = 1 << 62
MOMENTS = {
    "afternoon": (dt.datetime(2026, 5, 13, 15, 20, 7, tzinfo=dt.UTC), "UTC"),
    # two minutes of the day after the one of 25 hours
    "midnight": (dt.datetime(2026, 10, 25, 23, 2, 7, tzinfo=dt.UTC), "Europe/Berlin"),
}
RIGHTLY_EMPTY = {
    "devices: Faults": "nothing went wrong with this clip",
    "patient: annotation Nudges": "marks, no panel; there are days without a nudge",
}


@pytest.fixture(autouse=True)
def _two_days_closely(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make it quicker; the command itself, in a process of its own, writes them all."""
    monkeypatch.setattr(clinic_demo, "CLOSELY", 2)


@pytest.fixture
def store(influx_empty: Influx) -> Iterator[InfluxStore]:
    with closing(InfluxStore(Address(influx_empty.url, influx_empty.bucket, influx_empty.token))) as opened:
        yield opened


@pytest.fixture
def told(influx_empty: Influx, tmp_path: Path) -> list[str]:
    """How a command is told of the database."""
    token = tmp_path / "token"
    token.write_text(influx_empty.token)
    return ["--influx", influx_empty.url, "--influx-bucket", influx_empty.bucket, "--influx-token-file", str(token)]


def _begin(store: InfluxStore, clock: DrivenClock, zone: str = "UTC") -> None:
    clinic_demo.begin(store, clock, tz=zone, language="en", say=lambda _: None)


def _clock(name: str) -> tuple[DrivenClock, str]:
    at, zone = MOMENTS[name]
    return DrivenClock(round(at.timestamp()) * SECOND), zone


def _all(store: InfluxStore, patient: str = PATIENT) -> list[Point]:
    return [point for name in MEASUREMENTS for point in store.points(name, patient, 0, END)]


@pytest.mark.parametrize("moment", MOMENTS)
def test_every_panel_is_full_and_says_what_the_points_say(store: InfluxStore, moment: str) -> None:
    clock, zone = _clock(moment)
    _begin(store, clock, zone)
    made = past(PATIENT, person(clock, zone, speed=1.0), closely=clinic_demo.CLOSELY).points
    points = list({key_of(point): point for point in made}.values())  # the last writing of a point holds
    looking = Looking(clock.utc_ns(), (PATIENT,), zone)
    empty = set()
    for asked in every_query():
        if asked.where.startswith("alert"):
            continue
        query = fill_in(asked, PATIENT, looking)
        rows, _ = answered(store._link, query)
        agree(asked.where, query, rows, [point for point in points if f'FROM "{point.measurement}"' in query])
        if not rows:
            empty.add(asked.where.split(" (")[0])
    assert empty <= set(RIGHTLY_EMPTY)


def test_writing_it_twice_is_writing_it_once(store: InfluxStore) -> None:
    clock, _ = _clock("afternoon")
    _begin(store, clock)
    once = _all(store)
    assert len(once) > 40_000
    store.commit(PATIENT, [Point("diary", clock.utc_ns(), {"patient": PATIENT}, {"pain": 9})], None)
    _begin(store, clock)
    assert _all(store) == once


@pytest.mark.parametrize(
    ("points", "checkpoint"),
    [
        ([Point("diary", 10**18, {"patient": PATIENT}, {"pain": 3})], None),
        ([Point("device", 10**18, {"patient": PATIENT, "device": "witmotion-c0ffee000001"}, {"rate_hz": 50.0})], None),
        ([], b"state"),
    ],
    ids=["a diary", "a clip of their own", "a core that knows them"],
)
def test_a_patient_of_the_same_name_is_left_alone(
    store: InfluxStore, told: list[str], points: list[Point], checkpoint: bytes | None
) -> None:
    store.commit(PATIENT, points, checkpoint)
    answer = CliRunner().invoke(app, ["clinic", "demo", *told])
    assert answer.exit_code == 1
    assert "this demo did not write" in answer.output
    assert f"spineclip erase {PATIENT}" in answer.output
    assert (_all(store), store.checkpoint(PATIENT)) == (points, checkpoint)


def test_one_who_begins_to_be_measured_meanwhile_is_left_alone(store: InfluxStore) -> None:
    clock, _ = _clock("afternoon")
    life = clinic_demo.begin(store, clock, tz="UTC", language="en", say=lambda _: None)
    store.commit(PATIENT, [], b"state")
    with pytest.raises(StoreError, match="did not write"):
        clinic_demo.live_on(store, life, clock.utc_ns() + 60 * SECOND)


def test_the_command_fills_it_lives_on_and_erase_takes_it_all(
    store: InfluxStore, told: list[str], tmp_path: Path
) -> None:
    other = Point("diary", 10**18, {"patient": "p-other"}, {"pain": 3})
    store.commit("p-other", [other], b"state")
    alive = tmp_path / "alive"
    with spineclip("clinic", "demo", "--stay", "--alive", str(alive), *told, data=tmp_path) as command:
        command.wait_for("eight weeks behind them", 200)
        command.wait_for("lives on")
        first = store.latest("activity", PATIENT)
        assert first is not None
        newer, deadline = first, time.monotonic() + 60
        while not (alive.exists() and newer.time_ns >= first.time_ns + 10 * SECOND) and time.monotonic() < deadline:
            time.sleep(0.2)  # points can be read a moment before the command knows that they can
            newer = store.latest("activity", PATIENT) or first
        assert newer.time_ns >= first.time_ns + 10 * SECOND
        assert alive.exists()
        assert command.end(signal.SIGTERM) == 0, command.text
    assert "Traceback" not in command.text
    answer = CliRunner().invoke(app, ["erase", PATIENT, "--yes", "--data", str(tmp_path), *told])
    assert answer.exit_code == 0, answer.output
    assert store.patients() == ["p-other"]
    assert _all(store) == []
    assert _all(store, "p-other") == [other]
