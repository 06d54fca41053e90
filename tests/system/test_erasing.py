"""Promise: all of a patient can be taken along in one file, and is gone everywhere when it is erased."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import os
import subprocess
import zipfile
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from collector.outbox import Outbox
from collector.rates import Rate, RateBook
from processing.metrics import MEASUREMENTS, Point
from processing.stores.sqlite import SqliteStore
from spineclip.broker import embedded_broker
from spineclip.cli.main import app
from spineclip.contract.clock import DrivenClock
from spineclip.contract.errors import StoreBusyError
from spineclip.contract.topics import Channel
from spineclip.erasure import RETAINED, erase_retained
from spineclip.export import newest_first
from spineclip.patients import store_file
from spineclip.sole import sole_core
from spineclip.story import story_config
from tests.system.forgetting import LAST, OTHER, PATIENT, fill, leave_files, retain, spineclip


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two patients, of each of whom everything is kept that can be."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    store = SqliteStore(store_file(tmp_path))
    for patient in (PATIENT, OTHER):
        fill(store, patient)
        outbox = leave_files(tmp_path, patient)
        outbox.write_bytes(patient.encode())  # damaged: it is moved aside, and a new one begun
        kept = Outbox(outbox, DrivenClock(10**18))
        assert kept.opened.damaged
        kept.close()
        outbox.with_name(f"{outbox.name}-wal").write_bytes(patient.encode())
        rates = RateBook(outbox.with_suffix(".rates.json"))
        rates.note("clip-1", Rate(20e6, 20e6, 1e-6))
        rates.save()
    store.close()
    return tmp_path


def _traces(data: Path, patient: str) -> list[str]:
    """Files that name a patient, in their content or by their name."""
    files = [path for path in data.rglob("*") if path.is_file()]
    return [str(path) for path in files if patient.encode() in path.read_bytes() or patient in str(path)]


def test_nothing_of_the_one_is_left_and_everything_of_the_other(data: Path) -> None:
    before = _traces(data, OTHER)
    assert len(_traces(data, PATIENT)) >= 7
    answer = spineclip("erase", PATIENT, "--yes", "--data", str(data), "--secrets", str(data / "secrets"))
    assert answer.exit_code == 0, answer.output
    for what in ("link", "settings", "measurements", "access", "credentials", "collector kept"):
        assert what in answer.output
    assert _traces(data, PATIENT) == []
    assert _traces(data, OTHER) == before
    again = spineclip("erase", PATIENT, "--yes", "--data", str(data))
    assert f"Nothing was kept of {PATIENT}" in again.output


def test_a_broker_that_cannot_be_told_holds_up_nothing(data: Path) -> None:
    ended = subprocess.Popen(["true"])
    ended.wait()
    line = ["erase", PATIENT, "--yes", "--data", str(data), "--secrets", str(data / "secrets")]
    result = CliRunner().invoke(app, [*line, "--broker-pid", str(ended.pid)])
    assert result.exit_code == 1
    assert "could not be told" in result.output
    assert "Erased: measurements" in result.output
    assert _traces(data, PATIENT) == []


def test_it_asks_first_and_a_wrong_answer_erases_nothing(data: Path) -> None:
    before = _traces(data, PATIENT)
    answer = CliRunner().invoke(app, ["erase", PATIENT, "--data", str(data)], input=f"{OTHER}\n")
    assert answer.exit_code == 1
    assert "Nothing was erased" in answer.output
    assert _traces(data, PATIENT) == before


def test_a_core_that_runs_would_write_it_down_again(data: Path) -> None:
    before = _traces(data, PATIENT)
    with sole_core(store_file(data)):
        answer = spineclip("erase", PATIENT, "--yes", "--data", str(data))
    assert answer.exit_code == 1
    assert "Stop it first" in answer.output
    assert _traces(data, PATIENT) == before


def test_everything_is_in_the_export(data: Path) -> None:
    file = data / "mine.zip"
    answer = spineclip("export", PATIENT, "--data", str(data), "--out", str(file))
    assert answer.exit_code == 0, answer.output
    assert file.stat().st_mode & 0o077 == 0, "for its owner alone"
    store = SqliteStore(store_file(data))
    kept = {name: store.points(name, PATIENT, 0, 1 << 62) for name in MEASUREMENTS}
    store.close()
    with zipfile.ZipFile(file) as archive:
        assert json.loads(archive.read("settings.json"))["time_zone"] == story_config(LAST).time_zone
        names = {Path(name).stem for name in archive.namelist()} - {"settings"}
        assert names == {name for name, points in kept.items() if points}
        for name in names:
            rows = list(csv.DictReader(io.StringIO(archive.read(f"{name}.csv").decode())))
            assert len(rows) == len(kept[name])
        diary = list(csv.DictReader(io.StringIO(archive.read("diary.csv").decode())))
    assert f"<b>{PATIENT}</b>" in {row["note"] for row in diary}
    assert spineclip("export", PATIENT, "--data", str(data), "--out", str(file)).exit_code == 1, "none is written over"
    assert spineclip("export", "p-nobody", "--data", str(data), "--out", str(data / "n.zip")).exit_code == 1


def test_an_export_that_breaks_off_leaves_no_file(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Half of what is kept would look like all of it, and stand in the way of the next try."""
    read = SqliteStore.points

    def away(store: SqliteStore, measurement: str, *rest: Any, **options: Any) -> list[Point]:
        if measurement == "diary":
            raise StoreBusyError("the disk is gone")
        return read(store, measurement, *rest, **options)

    monkeypatch.setattr(SqliteStore, "points", away)
    file = data / "mine.zip"
    answer = spineclip("export", PATIENT, "--data", str(data), "--out", str(file))
    assert answer.exit_code == 1
    assert "the disk is gone" in answer.output
    assert not file.exists()
    monkeypatch.undo()
    before = os.umask(0)
    try:
        assert spineclip("export", PATIENT, "--data", str(data), "--out", str(file)).exit_code == 0
    finally:
        os.umask(before)
    assert file.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("page", [1, 2, 3, 7, 1000])
def test_a_page_at_a_time_is_the_same_as_all_at_once(page: int, tmp_path: Path) -> None:
    store = SqliteStore(store_file(tmp_path))
    points = [
        Point("device", minute, {"patient": "p-1", "device": f"clip-{clip}"}, {"battery_pct": 50.0})
        for minute in (3, 4, 4 + 60, 9000)
        for clip in range(3)
    ]
    store.commit("p-1", points, None)
    times = [(point.time_ns, point.tags["device"]) for point in newest_first(store, "device", "p-1", page)]
    store.close()
    assert [time_ns for time_ns, _ in times] == sorted((point.time_ns for point in points), reverse=True)
    assert sorted(times) == sorted((point.time_ns, point.tags["device"]) for point in points)


async def test_the_broker_forgets_what_it_retained() -> None:
    async with embedded_broker() as broker:
        for patient in (PATIENT, OTHER):
            await asyncio.to_thread(retain, broker, patient)
        gone, left = await erase_retained(broker, PATIENT)
        assert (set(gone), left) == (set(RETAINED), [])
        assert await erase_retained(broker, PATIENT) == ([], [])
        assert set((await erase_retained(broker, OTHER))[0]) == {Channel.CONFIG, Channel.ACK, Channel.STATE}
