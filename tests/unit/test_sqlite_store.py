"""Promises of the SQLite store: those of every store, and what only a file can break."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from processing.metrics import MEASUREMENTS, Point
from processing.stores import sqlite
from processing.stores.base import MAX_ASIDE, MetricReader, MetricStore
from processing.stores.sqlite import SqliteReader, SqliteStore
from spineclip.contract.errors import StoreBusyError, StoreError
from tests.stores_suite import T0, Reopen, StoreSuite, activity, everything


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "metrics.db"


@pytest.fixture
def opened() -> Iterator[list[SqliteStore]]:
    stores: list[SqliteStore] = []
    yield stores
    for store in stores:
        store.close()


@pytest.fixture
def store(path: Path, opened: list[SqliteStore]) -> SqliteStore:
    opened.append(SqliteStore(path))
    return opened[-1]


@pytest.fixture
def reopen(path: Path, opened: list[SqliteStore]) -> Reopen:
    def _reopen() -> MetricStore:
        opened[-1].close()
        opened.append(SqliteStore(path))
        return opened[-1]

    return _reopen


class TestSqliteStore(StoreSuite):
    """All promises of the suite."""


def test_a_reader_in_another_thread_reads_while_the_core_writes(store: SqliteStore, path: Path) -> None:
    store.commit("p-1", [activity(0)], b"state")
    reader: MetricReader = SqliteReader(path)
    found: list[int] = []
    thread = threading.Thread(target=lambda: found.append(len(everything_of(reader))))
    store._db.execute("BEGIN IMMEDIATE")  # the writer is in the middle of a commit
    thread.start()
    thread.join()
    store._db.execute("ROLLBACK")
    assert found == [1]
    store.commit("p-1", [activity(1)], None)
    assert len(everything_of(reader)) == 2
    assert isinstance(reader, SqliteReader)
    reader.close()


def everything_of(reader: MetricReader) -> list[Point]:
    return reader.points("activity", "p-1", 0, T0 * 2)


def test_a_reader_cannot_write(store: SqliteStore, path: Path) -> None:
    reader = SqliteReader(path)
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        reader._db.execute("DELETE FROM activity")
    reader.close()


def test_a_killed_writer_leaves_what_commit_returned_from(path: Path) -> None:
    program = (
        "import sys, itertools\n"
        "from processing.stores.sqlite import SqliteStore\n"
        "from tests.stores_suite import activity\n"
        "store = SqliteStore(sys.argv[1])\n"
        "for k in itertools.count():\n"
        "    store.commit('p-1', [activity(k)], str(k).encode())\n"
        "    print(k, flush=True)\n"
    )
    child = subprocess.Popen([sys.executable, "-c", program, str(path)], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    acknowledged = -1
    for line in child.stdout:
        acknowledged = int(line)
        if acknowledged >= 50:
            os.kill(child.pid, signal.SIGKILL)
            break
    acknowledged = max([acknowledged, *(int(line) for line in child.stdout.read().split("\n")[:-1] if line)])
    child.stdout.close()
    child.wait()
    store = SqliteStore(path)
    points = everything(store, "p-1")
    # one more may be in than was told, never one less; points and checkpoint tell the same story
    assert len(points) in (acknowledged + 1, acknowledged + 2)
    assert store.checkpoint("p-1") == str(len(points) - 1).encode()
    store.close()


def test_a_full_disk_is_worth_trying_again_and_tears_nothing(path: Path) -> None:
    store = SqliteStore(path)
    pages = int(store._db.execute("PRAGMA page_count").fetchone()[0])
    store.close()
    store = SqliteStore(path, max_pages=pages + 8)
    store.commit("p-1", [activity(0)], b"small")
    with pytest.raises(StoreBusyError, match="full"):
        store.commit("p-1", [activity(k) for k in range(10_000)], b"big")
    assert everything(store, "p-1") == [activity(0)]
    assert store.checkpoint("p-1") == b"small"
    store.close()


def test_a_second_writer_waits_or_is_told(store: SqliteStore, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("processing.stores.sqlite.BUSY_TIMEOUT_S", 0.01)
    other = SqliteStore(path)
    store._db.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreBusyError, match="locked"):
        other.commit("p-1", [activity(0)], None)
    store._db.execute("ROLLBACK")
    other.commit("p-1", [activity(0)], None)
    other.close()
    assert len(everything(store, "p-1")) == 1


def test_other_files_are_told_apart(path: Path, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="no metric store"):
        SqliteReader(path)
    text = tmp_path / "notes.txt"
    text.write_text("no database at all, but long enough to look at" * 100)
    with pytest.raises(StoreError, match=r"notes\.txt"):
        SqliteStore(text)
    foreign = tmp_path / "foreign.db"
    db = sqlite3.connect(foreign)
    db.execute("CREATE TABLE theirs (x)")
    db.close()
    with pytest.raises(StoreError, match="not a spineclip"):
        SqliteStore(foreign)
    newer = tmp_path / "newer.db"
    db = sqlite3.connect(newer)
    db.execute("CREATE TABLE activity (x)")
    db.execute("PRAGMA user_version=99")
    db.close()
    with pytest.raises(StoreError, match="newer"):
        SqliteStore(newer)


def test_a_new_field_of_a_measurement_is_a_new_column(path: Path) -> None:
    SqliteStore(path).close()
    db = sqlite3.connect(path)
    db.execute("ALTER TABLE activity DROP COLUMN steps")
    db.close()
    store = SqliteStore(path)
    columns = {row[1] for row in store._db.execute("PRAGMA table_info(activity)")}
    assert columns == {"time_ns", "patient", *MEASUREMENTS["activity"].fields}
    store.close()


def test_a_reader_reads_what_a_version_without_a_field_has_written(path: Path) -> None:
    store = SqliteStore(path)
    store.commit("p-1", [Point("activity", 5, {"patient": "p-1"}, {"state": "sitting", "steps": 3.0})], None)
    store.close()
    db = sqlite3.connect(path)
    db.execute("ALTER TABLE activity DROP COLUMN steps")
    db.execute("DROP TABLE streak")
    db.close()
    reader = SqliteReader(path)
    assert reader.points("activity", "p-1", 0, 10) == [Point("activity", 5, {"patient": "p-1"}, {"state": "sitting"})]
    assert reader.points("streak", "p-1", 0, 10) == []
    assert reader.patients() == ["p-1"]
    reader.close()


def test_only_the_owner_may_read_the_file(store: SqliteStore, path: Path) -> None:
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_the_oldest_kept_aside_goes_and_stays_counted(store: SqliteStore) -> None:
    with store._write() as db:
        rows = [("p-1", k, "schema", b"%d" % k) for k in range(MAX_ASIDE)]
        db.executemany("INSERT INTO aside (patient, time_ns, reason, payload) VALUES (?, ?, ?, ?)", rows)
        db.execute("INSERT INTO aside_count VALUES ('p-1', 'schema', ?)", (MAX_ASIDE,))
    store.keep_aside("p-1", MAX_ASIDE, "schema", b"newest")
    kept = [row[0] for row in store._rows("SELECT payload FROM aside ORDER BY id")]
    assert (kept[0], kept[-1], len(kept)) == (b"1", b"newest", MAX_ASIDE)
    assert store.aside("p-1") == {"schema": MAX_ASIDE + 1}


def test_erased_bytes_are_gone_from_the_disk(store: SqliteStore, path: Path) -> None:
    diary = Point("diary", T0, {"patient": "p-1"}, {"note": "an unmistakable sentence"})
    store.commit("p-1", [diary], b"state")
    files = [path, path.with_name(path.name + "-wal")]
    assert any(b"unmistakable" in file.read_bytes() for file in files)
    store.erase("p-1")
    assert not any(b"unmistakable" in file.read_bytes() for file in files)


@pytest.mark.parametrize("seed", range(30))
def test_erasing_leaves_no_copy_in_the_file(seed: int, tmp_path: Path) -> None:
    """Rows are moved from page to page as a table changes; copies of them would stay where they were."""
    rng = random.Random(seed)
    store = SqliteStore(tmp_path / "metrics.sqlite")
    for patient in ("p-forgotten1", "p-remembered"):
        for step, longest in ((1, 300), (7, 600)):
            points = [
                Point("diary", day * 10**9, {"patient": patient}, {"note": "x" * rng.randrange(longest)})
                for day in range(0, 500, step)
            ]
            store.commit(patient, points, None)
    store.erase("p-forgotten1")
    kept = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert b"p-remembered" in kept
    assert b"p-forgotten1" not in kept
    store.close()


def test_erasing_tells_when_a_reader_keeps_the_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Promise: nobody is told that all is gone while the log still has it."""
    monkeypatch.setattr(sqlite, "BUSY_TIMEOUT_S", 0.05)
    file = tmp_path / "metrics.sqlite"
    with closing(SqliteStore(file)) as store, closing(sqlite3.connect(file, isolation_level=None)) as reader:
        store.commit("p-1", [Point("diary", 10**18, {"patient": "p-1"}, {"pain": 3})], None)
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM diary").fetchall()
        with pytest.raises(StoreBusyError, match="reads it"):
            store.erase("p-1")
        reader.execute("COMMIT")
        store.erase("p-1")
        assert not any(b"p-1" in path.read_bytes() for path in tmp_path.iterdir())
