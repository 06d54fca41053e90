"""Promise: in a clinic too, all of a patient can be taken along, and is gone from database, broker and machine."""

from __future__ import annotations

import asyncio
import csv
import io
import zipfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from threading import Event, Thread

import pytest

from collector.outbox import Outbox
from processing.metrics import MEASUREMENTS
from processing.stores.influx import InfluxStore
from processing.stores.influx_link import Address
from processing.stores.lease import BEAT_S, Lease
from spineclip.contract.clock import DrivenClock
from spineclip.contract.connection import BrokerAccess
from spineclip.erasure import RETAINED, erase_retained
from spineclip.sole import sole_core_influx
from tests.servers.influx import Influx
from tests.servers.mosquitto import Broker
from tests.system.forgetting import OTHER, PATIENT, fill, leave_files, retain, spineclip

END = 1 << 62


@pytest.fixture
def database(influx_empty: Influx) -> Iterator[InfluxStore]:
    """The clinic's database with two patients: days, diary, goals, nudges, the core's state, and a damaged record."""
    with closing(_opened(influx_empty)) as store:
        for patient in (PATIENT, OTHER):
            fill(store, patient)
        yield store


def _opened(server: Influx) -> InfluxStore:
    return InfluxStore(Address(server.url, server.bucket, server.token, server.org))


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The clinic's files of both: settings, links, access, and an outbox of a collector on the same machine."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    for patient in (PATIENT, OTHER):
        outbox = leave_files(tmp_path, patient)
        Outbox(outbox, DrivenClock(10**18)).close()
    return tmp_path


@pytest.fixture
def told(influx_empty: Influx, tmp_path: Path) -> list[str]:
    """How a command is told of the database."""
    token = tmp_path / "token"
    token.write_text(influx_empty.token)
    token.chmod(0o600)
    named = {"": influx_empty.url, "-bucket": influx_empty.bucket, "-org": influx_empty.org, "-token-file": str(token)}
    return [part for name, value in named.items() for part in (f"--influx{name}", value)]


def _kept(store: InfluxStore, patient: str) -> dict[str, int]:
    found = {name: len(store.points(name, patient, 0, END)) for name in MEASUREMENTS}
    return {name: count for name, count in found.items() if count}


def _series(server: Influx, patient: str) -> int:
    found = server.admin_query(f'SHOW SERIES ON "{server.bucket}" WHERE "patient" = \'{patient}\'')
    return sum(len(one["values"]) for one in found)


def _files(data: Path, patient: str) -> list[Path]:
    files = [path for path in data.rglob("*") if path.is_file() and path.suffix != ".zip"]
    return [path for path in files if patient.encode() in path.read_bytes() or patient in str(path)]


def test_everything_is_in_the_export(database: InfluxStore, data: Path, told: list[str]) -> None:
    file = data / "mine.zip"
    answer = spineclip("export", PATIENT, "--data", str(data), "--out", str(file), *told)
    assert answer.exit_code == 0, answer.output
    kept = _kept(database, PATIENT)
    assert {"daily", "hourly", "diary", "goal", "nudge"} <= set(kept)
    with zipfile.ZipFile(file) as archive:
        tables = {Path(name).stem: archive.read(name) for name in archive.namelist()}
    assert set(tables) - {"settings"} == set(kept)
    for name, count in kept.items():
        assert len(list(csv.reader(io.StringIO(tables[name].decode())))) == count + 1, name
    assert f"<b>{PATIENT}</b>".encode() in tables["diary"]
    assert all(OTHER.encode() not in table for table in tables.values())


def test_nothing_of_the_one_is_left_and_everything_of_the_other(
    database: InfluxStore, data: Path, told: list[str], influx_empty: Influx, mosquitto_server: Broker
) -> None:
    for patient in (PATIENT, OTHER):
        retain(mosquitto_server, patient)
    before = _kept(database, OTHER), _series(influx_empty, OTHER), _files(data, OTHER)
    assert _series(influx_empty, PATIENT)
    assert _files(data, PATIENT)
    password = data / "password"
    password.write_text(mosquitto_server.password)
    password.chmod(0o600)
    broker = ["--host", mosquitto_server.host, "--broker-port", str(mosquitto_server.port)]
    clinic = [*broker, "--user", mosquitto_server.username, "--password-file", str(password)]
    secrets = ["--secrets", str(data / "secrets")]
    answer = spineclip("erase", PATIENT, "--yes", "--data", str(data), *secrets, *told, *clinic)
    assert answer.exit_code == 0, answer.output
    for what in ("link", "settings", "measurements", "access", "credentials", "collector kept", "broker kept"):
        assert what in answer.output
    assert _series(influx_empty, PATIENT) == 0
    assert _kept(database, PATIENT) == {}
    assert database.checkpoint(PATIENT) is None
    with closing(_opened(influx_empty)) as after:
        assert (dict(after.aside(PATIENT)), dict(after.aside(OTHER))) == ({}, {"schema": 1})
    assert _files(data, PATIENT) == []
    assert (_kept(database, OTHER), _series(influx_empty, OTHER), _files(data, OTHER)) == before
    assert database.checkpoint(OTHER) == b"checkpoint"
    access = BrokerAccess(
        mosquitto_server.host, mosquitto_server.port, mosquitto_server.username, mosquitto_server.password
    )
    assert asyncio.run(erase_retained(access, PATIENT)) == ([], [])
    assert set(asyncio.run(erase_retained(access, OTHER))[0]) == set(RETAINED)
    again = spineclip("erase", PATIENT, "--yes", "--data", str(data), *secrets, *told, *clinic)
    assert f"Nothing was kept of {PATIENT}" in again.output


@contextmanager
def _beating(lease: Lease) -> Iterator[None]:
    """Keep a core's heart beating, as its service does."""
    over = Event()

    def beat() -> None:
        while not over.wait(BEAT_S / 4):
            lease.beat()

    heart = Thread(target=beat)
    heart.start()
    try:
        yield
    finally:
        over.set()
        heart.join()


def test_a_core_that_runs_would_write_it_down_again(
    database: InfluxStore, data: Path, told: list[str], influx_empty: Influx
) -> None:
    before = _kept(database, PATIENT), _files(data, PATIENT)
    with closing(_opened(influx_empty)) as core, sole_core_influx(core) as lease, _beating(lease):
        answer = spineclip("erase", PATIENT, "--yes", "--data", str(data), *told)
    assert answer.exit_code == 1
    assert "Stop it first" in answer.output
    assert (_kept(database, PATIENT), _files(data, PATIENT)) == before


def test_a_token_that_may_only_read_erases_nothing_and_says_so(
    database: InfluxStore, data: Path, told: list[str], influx_empty: Influx, tmp_path: Path
) -> None:
    (tmp_path / "token").write_text(influx_empty.read_token)
    before = _kept(database, PATIENT)
    answer = spineclip("erase", PATIENT, "--yes", "--data", str(data), *told)
    assert answer.exit_code == 1
    assert "Erased: measurements" not in answer.output
    assert _kept(database, PATIENT) == before
