"""Metrics in one SQLite file: the embedded default.

One table per measurement, one column per tag and field, as `processing.metrics` names them, so that the file can be
read with any SQLite tool. Write-ahead log with ``synchronous=FULL``: what `commit` returned from survives the crash
of the process and of the machine, and readers in other threads and processes go on while the core writes
(https://www.sqlite.org/wal.html).
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from processing.metrics import MEASUREMENTS, Measurement, Point, Value
from processing.stores.base import MAX_ASIDE, check_all, named
from spineclip.contract.errors import StoreBusyError, StoreError, StoreRefusedError

SCHEMA_VERSION: Final = 1
"""`PRAGMA user_version` of the file. A new field of a measurement is a new column and no new version."""
BUSY_TIMEOUT_S: Final = 5.0
MAX_ASIDE_BYTES: Final = 1 << 16
"""So much of a rejected message is kept."""

_SQL_KIND: Final = {str: "TEXT", int: "INTEGER", float: "REAL", bool: "INTEGER"}


class SqliteReader:
    """The read side: for pages and reports, in any thread or process beside the core.

    Parameters
    ----------
    path
        The file that a `SqliteStore` made.

    Raises
    ------
    StoreError
        If there is no such file or it is not ours.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        self._lock = threading.RLock()
        self._db = self._open()
        self._selected = self._there()

    def _open(self) -> sqlite3.Connection:
        if not self.path.is_file():
            raise StoreError(
                f"there is no metric store at {self.path}", advice="Start the core first, or name its file"
            )
        with _errors(self.path):
            db = _connect(self.path)
            db.execute("PRAGMA query_only=ON")
            _check_version(db, self.path)
        return db

    def points(
        self, measurement: str, patient: str, start_ns: int, end_ns: int, *, limit: int | None = None
    ) -> list[Point]:
        """Return a patient's points in ``[start_ns, end_ns)`` in order of time; with `limit` the newest so many."""
        known = named(measurement)
        if known.name not in self._selected:
            return []
        order = "" if limit is None else " DESC LIMIT ?"
        rows = self._rows(
            f"SELECT {self._selected[known.name]} FROM {known.name} "  # noqa: S608
            "WHERE patient=? AND time_ns>=? AND time_ns<? "
            f"ORDER BY time_ns{order}",
            (patient, start_ns, end_ns, *(() if limit is None else (limit,))),
        )
        found = [_point(known, row) for row in rows]
        return found if limit is None else found[::-1]

    def latest(self, measurement: str, patient: str) -> Point | None:
        """Return a patient's newest point of a measurement."""
        found = self.points(measurement, patient, -(1 << 63), (1 << 63) - 1, limit=1)
        return found[0] if found else None

    def patients(self) -> list[str]:
        """Return all patients that have points, sorted."""
        found: set[str] = set()
        for name in self._selected:
            # from patient to patient through the primary key, not through all rows
            sql = (
                f"WITH RECURSIVE each(id) AS (SELECT MIN(patient) FROM {name} UNION ALL "  # noqa: S608
                f"SELECT (SELECT MIN(patient) FROM {name} WHERE patient > id) FROM each WHERE id IS NOT NULL) "
                "SELECT id FROM each WHERE id IS NOT NULL"
            )
            found |= {row[0] for row in self._rows(sql)}
        return sorted(found)

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._db.close()

    def _there(self) -> dict[str, str]:
        """Say what to select of each measurement: a file that no core has opened since may lack what is newer."""
        found = {}
        for known in MEASUREMENTS.values():
            have = {row[1] for row in self._rows(f"PRAGMA table_info({known.name})")}
            if have:
                found[known.name] = ", ".join(name if name in have else "NULL" for name in _columns(known))
        return found

    def _rows(self, sql: str, values: Sequence[Value | bytes] = ()) -> list[tuple[Any, ...]]:
        with self._lock, _errors(self.path):
            return self._db.execute(sql, values).fetchall()


class SqliteStore(SqliteReader):
    """The whole store; the file and its folder are made when missing, readable by their owner only.

    Parameters
    ----------
    path
        The file.
    max_pages
        Bound of the file's size in pages of 4096 bytes (``PRAGMA max_page_count``); for tests of a full disk.

    Raises
    ------
    StoreError
        If the file is not ours or was made by a newer version.
    """

    def __init__(self, path: Path | str, *, max_pages: int | None = None) -> None:
        self._max_pages = max_pages
        super().__init__(path)

    def _open(self) -> sqlite3.Connection:
        with _errors(self.path):
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            os.close(os.open(self.path, os.O_CREAT | os.O_RDWR, 0o600))
            db = _connect(self.path)
            db.execute("PRAGMA journal_mode=WAL")
            db.execute("PRAGMA synchronous=FULL")
            db.execute("PRAGMA secure_delete=ON")
            _check_version(db, self.path, new_is_fine=True)
            with _transaction(db):
                _make_tables(db)
            if self._max_pages is not None:
                db.execute(f"PRAGMA max_page_count={self._max_pages:d}")
        return db

    def commit(self, patient: str, points: Sequence[Point], checkpoint: bytes | None) -> None:
        """Write points and checkpoint in one transaction: both or neither.

        Raises
        ------
        StoreBusyError
            If the file is locked or the disk is full.
        StoreRefusedError
            If a point does not follow the metric table.
        """
        check_all(patient, points)
        rows: dict[str, list[tuple[Value | None, ...]]] = {}
        for point in points:
            known = MEASUREMENTS[point.measurement]
            tags, fields = point.tags, point.fields
            row = (point.time_ns, *(tags[tag] for tag in known.tags), *(fields.get(name) for name in known.fields))
            rows.setdefault(known.name, []).append(row)
        with self._write() as db:
            for name, values in rows.items():
                db.executemany(_INSERT[name], values)
            if checkpoint is not None:
                db.execute("INSERT OR REPLACE INTO checkpoint VALUES (?, ?)", (patient, checkpoint))

    def checkpoint(self, patient: str) -> bytes | None:
        """Return a patient's newest checkpoint."""
        rows = self._rows("SELECT state FROM checkpoint WHERE patient=?", (patient,))
        return bytes(rows[0][0]) if rows else None

    def checkpoints(self) -> Mapping[str, bytes]:
        """Return every patient's newest checkpoint."""
        return {row[0]: bytes(row[1]) for row in self._rows("SELECT patient, state FROM checkpoint ORDER BY patient")}

    def keep_aside(self, patient: str, time_ns: int, reason: str, payload: bytes) -> None:
        """Keep the first 64 kB of what could not be used; the oldest of more than a thousand goes."""
        with self._write() as db:
            db.execute(
                "INSERT INTO aside (patient, time_ns, reason, payload) VALUES (?, ?, ?, ?)",
                (patient, time_ns, reason, payload[:MAX_ASIDE_BYTES]),
            )
            db.execute(
                "DELETE FROM aside WHERE patient=? AND id <= "
                "(SELECT id FROM aside WHERE patient=? ORDER BY id DESC LIMIT 1 OFFSET ?)",
                (patient, patient, MAX_ASIDE),
            )
            db.execute(
                "INSERT INTO aside_count VALUES (?, ?, 1) ON CONFLICT DO UPDATE SET n = n + 1",
                (patient, reason),
            )

    def aside(self, patient: str | None = None) -> Mapping[str, int]:
        """Count what was ever kept aside, by reason."""
        where, values = ("", ()) if patient is None else (" WHERE patient=?", (patient,))
        sql = f"SELECT reason, SUM(n) FROM aside_count{where} GROUP BY reason ORDER BY reason"  # noqa: S608
        return {row[0]: int(row[1]) for row in self._rows(sql, values)}

    def erase(self, patient: str) -> None:
        """Delete everything of a patient and overwrite where it stood, in the file and in its log.

        Raises
        ------
        StoreBusyError
            If the file is locked, the disk has no room for the file once more, or a reader still needs the log:
            nothing can be read of the patient any more, but the file holds what can be found; calling again ends it.
        """
        with self._write() as db:
            for table in (*MEASUREMENTS, "checkpoint", "aside", "aside_count"):
                db.execute(f"DELETE FROM {table} WHERE patient=?", (patient,))  # noqa: S608
        with self._lock, _errors(self.path):
            # secure_delete leaves copies of rows that were moved when pages were balanced; a file made anew has none
            self._db.execute("VACUUM")
            (busy, *_) = self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            if busy:
                raise sqlite3.OperationalError("somebody reads it, so that its log stays")

    @contextlib.contextmanager
    def _write(self) -> Iterator[sqlite3.Connection]:
        with self._lock, _errors(self.path), _transaction(self._db):
            yield self._db


def _connect(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(path, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False)


def _check_version(db: sqlite3.Connection, path: Path, *, new_is_fine: bool = False) -> None:
    version = int(db.execute("PRAGMA user_version").fetchone()[0])
    if version == 0 and new_is_fine and not db.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone():
        return
    if not 1 <= version <= SCHEMA_VERSION:
        what = "is not a spineclip metric store" if version == 0 else f"was written by a newer spineclip ({version})"
        raise StoreError(f"{path} {what}", advice="Name another file, or use the version that made it")


def _make_tables(db: sqlite3.Connection) -> None:
    for known in MEASUREMENTS.values():
        have = {row[1] for row in db.execute(f"PRAGMA table_info({known.name})")}
        if not have:
            tags = ", ".join(f"{tag} TEXT NOT NULL" for tag in known.tags)
            fields = ", ".join(f"{name} {_SQL_KIND[column.kind]}" for name, column in known.fields.items())
            key = ", ".join(["patient", "time_ns", *(tag for tag in known.tags if tag != "patient")])
            db.execute(
                f"CREATE TABLE {known.name} (time_ns INTEGER NOT NULL, {tags}, {fields}, PRIMARY KEY ({key})) "
                "WITHOUT ROWID"
            )
        else:
            for name in known.fields.keys() - have:
                db.execute(f"ALTER TABLE {known.name} ADD COLUMN {name} {_SQL_KIND[known.fields[name].kind]}")
    db.execute("CREATE TABLE IF NOT EXISTS checkpoint (patient TEXT PRIMARY KEY, state BLOB NOT NULL) WITHOUT ROWID")
    db.execute(
        "CREATE TABLE IF NOT EXISTS aside (id INTEGER PRIMARY KEY AUTOINCREMENT, patient TEXT NOT NULL, "
        "time_ns INTEGER NOT NULL, reason TEXT NOT NULL, payload BLOB NOT NULL)"
    )
    db.execute("CREATE INDEX IF NOT EXISTS aside_of_patient ON aside (patient, id)")
    db.execute(
        "CREATE TABLE IF NOT EXISTS aside_count (patient TEXT, reason TEXT, n INTEGER NOT NULL, "
        "PRIMARY KEY (patient, reason)) WITHOUT ROWID"
    )
    db.execute(f"PRAGMA user_version={SCHEMA_VERSION}")


def _columns(known: Measurement) -> tuple[str, ...]:
    return ("time_ns", *known.tags, *known.fields)


_INSERT: Final = {
    name: f"INSERT OR REPLACE INTO {name} ({', '.join(_columns(known))}) "  # noqa: S608
    f"VALUES ({', '.join('?' * len(_columns(known)))})"
    for name, known in MEASUREMENTS.items()
}


def _point(known: Measurement, row: tuple[Any, ...]) -> Point:
    first_field = 1 + len(known.tags)
    fields: dict[str, Value] = {
        name: column.kind(value)
        for (name, column), value in zip(known.fields.items(), row[first_field:], strict=True)
        if value is not None
    }
    return Point(known.name, row[0], dict(zip(known.tags, row[1:first_field], strict=True)), fields)


@contextlib.contextmanager
def _transaction(db: sqlite3.Connection) -> Iterator[None]:
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise


@contextlib.contextmanager
def _errors(path: Path) -> Iterator[None]:
    """Tell a person, and the retry logic, what SQLite's errors mean."""
    try:
        yield
    except (sqlite3.OperationalError, OSError) as error:
        raise StoreBusyError(
            f"the metric store {path} cannot be used now ({error})",
            advice="Check the disk's free space and rights, and that no other core writes the same file",
        ) from error
    except sqlite3.ProgrammingError as error:
        raise StoreError(f"the metric store {path} is closed ({error})") from error
    except (sqlite3.IntegrityError, OverflowError) as error:
        raise StoreRefusedError(f"the metric store {path} cannot hold this ({error})") from error
    except sqlite3.DatabaseError as error:
        raise StoreError(
            f"the metric store {path} is damaged or not SQLite ({error})",
            advice="Move the file away and start again; the collectors send again what was not yet stored",
        ) from error
