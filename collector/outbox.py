"""What has been measured is kept here, on disk, until the core says that it is stored.

One SQLite file (WAL, ``synchronous=FULL``), one row a record, holding the very bytes that travel. Promises:

- a record that `Outbox.append` has returned for survives the death of this process at any moment;
- a record leaves only by the core's ack, or because the outbox is full: then the oldest go first, and one gap record
  stands in the place of those dropped, naming the first and last of them;
- a damaged file is noticed (quick check at opening, CRC-32 of every record at reading), moved aside and replaced by
  one that has what could still be read.

The file belongs to one process at a time.
"""

from __future__ import annotations

import sqlite3
import threading
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from collector.boots import Boots
from collector.salvage import salvage
from spineclip.contract.clock import Clock
from spineclip.contract.errors import OutboxError
from spineclip.contract.messages import Ack
from spineclip.contract.wire import ANY_TIME_NS, Gap, Record, decode, encode

SCHEMA_VERSION: Final = 1
REASON_FULL: Final = "outbox-full"
DEFAULT_MAX_BYTES: Final = 512 << 20
"""About a week of one wearable at 100 Hz."""
_PAGE_BYTES: Final = 4096
_ROW_OVERHEAD_BYTES: Final = 96
"""What a row costs beside its payload: header, key columns, index entry (measured: 80 to 95)."""
_SCHEMA: Final = """
CREATE TABLE records (
    id INTEGER PRIMARY KEY AUTOINCREMENT, device TEXT NOT NULL, boot INTEGER NOT NULL, seq INTEGER NOT NULL,
    crc INTEGER NOT NULL, payload BLOB NOT NULL, UNIQUE (device, boot, seq));
CREATE TABLE boots (device TEXT PRIMARY KEY, boot INTEGER NOT NULL, end_ns INTEGER);
"""


@dataclass(frozen=True, slots=True)
class Row:
    """One record as it lies in the outbox; `row_id` rises in the order of committing."""

    row_id: int
    device: str
    boot: int
    seq: int
    payload: bytes


@dataclass(frozen=True, slots=True)
class Opened:
    """What was found at opening: where a damaged file was moved to, if any, and how many records came out of it."""

    damaged: Path | None = None
    salvaged: int = 0


class Outbox:
    """The collector's disk store.

    Parameters
    ----------
    path
        The SQLite file; its folder is made when missing.
    clock
        For boot numbers and the names of damaged files.
    max_bytes
        Bound on all records together.

    Raises
    ------
    OutboxError
        If the file is in use by another process, was written by a newer spineclip, or cannot be made.
    """

    def __init__(self, path: Path, clock: Clock, max_bytes: int = DEFAULT_MAX_BYTES) -> None:
        self._path = path
        self._clock = clock
        self._max_bytes = max_bytes
        self._lock = threading.Lock()
        self.dropped = 0
        """Records dropped because the outbox was full, since opening."""
        self.damaged_records = 0
        """Records whose bytes no longer matched their checksum, since opening."""
        self.outrun = 0
        """How often our boot of a wearable had to move past another's, since opening."""
        self.opened = Opened()
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise OutboxError(
                f"the outbox's folder {path.parent} cannot be made ({error.strerror})",
                advice="Choose another place with [outbox] path in the settings",
            ) from error
        self._db = self._open()
        self._boots = Boots(self._db)
        self._count, self._bytes = self._measure()

    # ---- writing

    def begin(self, device: str) -> int:
        """Open a new boot for a wearable's stream: larger than any before, and not below the time in seconds.

        The time is in it so that a boot stays new even when the outbox, and with it the count, was lost.
        """
        with self._lock, self._db:
            return self._boots.begin(device, self._clock.utc_ns() // 10**9)

    def last_end_ns(self, device: str) -> int | None:
        """Tell until when records of a wearable were committed, over all boots; None when there never was one."""
        with self._lock:
            row = self._db.execute("SELECT end_ns FROM boots WHERE device = ?", (device,)).fetchone()
        return None if row is None or row[0] is None else int(row[0])

    def devices(self) -> frozenset[str]:
        """Tell which wearables there have ever been records of."""
        with self._lock:
            return frozenset(row[0] for row in self._db.execute("SELECT device FROM boots"))

    def append(self, records: Sequence[Record]) -> None:
        """Commit records in one transaction; they are on disk when this returns.

        Raises
        ------
        OutboxError
            If the disk does not take them, even after the oldest were dropped. Nothing was committed then.
        """
        with self._lock:
            rows = [(record, encode(record)) for record in map(self._boots.moved, records)]
            needed = sum(len(payload) + _ROW_OVERHEAD_BYTES for _, payload in rows)
            try:
                self._insert(rows, needed)
            except sqlite3.OperationalError as first:
                # Full by the file system's or SQLite's own measure: make room for twice as much and try once more.
                try:
                    self._insert(rows, needed, room=max(2 * needed, self._bytes // 50))
                except sqlite3.OperationalError as error:
                    raise OutboxError(
                        f"the outbox {self._path} does not take new records ({error}; at first: {first})",
                        advice="Make room on the disk",
                    ) from error

    def _insert(self, rows: Sequence[tuple[Record, bytes]], needed: int, room: int = 0) -> None:
        with self._db:
            freed, dropped, merged = self._drop_oldest(max(room, self._bytes + needed - self._max_bytes))
            inserted = added = 0
            for record, payload in rows:
                is_new = self._db.execute(
                    "INSERT OR IGNORE INTO records (device, boot, seq, crc, payload) VALUES (?, ?, ?, ?, ?)",
                    (record.device, record.boot, record.seq, zlib.crc32(payload), payload),
                ).rowcount
                inserted += is_new
                added += is_new * (len(payload) + _ROW_OVERHEAD_BYTES)
                self._db.execute(
                    "UPDATE boots SET end_ns = MAX(?, COALESCE(end_ns, 0)) WHERE device = ?",
                    (record.end_ns, record.device),
                )
        self._bytes += added - freed
        self._count += inserted - merged
        self.dropped += dropped

    def _drop_oldest(self, excess: int) -> tuple[int, int, int]:
        """Drop at least `excess` bytes of the oldest records; a gap takes the place of each run. In a transaction.

        Returns bytes freed, records dropped, and rows merged into another.
        """
        freed = dropped = merged = 0
        gaps: dict[tuple[str, int], Row] = {}
        cursor = 0
        while freed < excess:
            row = self._next(cursor)
            if row is None:
                break
            cursor = row.row_id
            key = (row.device, row.boot)
            before = gaps.get(key)
            gap = self._gap_for(row)
            if before is not None:
                earlier = decode(before.payload, now_ns=ANY_TIME_NS)
                if isinstance(earlier, Gap):
                    gap = replace(gap, from_seq=earlier.from_seq, start_ns=min(earlier.start_ns, gap.start_ns))
                self._db.execute("DELETE FROM records WHERE id = ?", (before.row_id,))
                freed += len(before.payload) + _ROW_OVERHEAD_BYTES
                merged += 1
            payload = encode(gap)
            self._db.execute(
                "UPDATE records SET payload = ?, crc = ? WHERE id = ?", (payload, zlib.crc32(payload), row.row_id)
            )
            freed += len(row.payload) - len(payload)
            dropped += 0 if _stands_for_dropped(row.payload) else 1
            gaps[key] = replace(row, payload=payload)
        return freed, dropped, merged

    def _gap_for(self, row: Row) -> Gap:
        """Write the gap that stands for one row; a gap that stands for dropped rows already stays what it is."""
        record = decode(row.payload, now_ns=ANY_TIME_NS)
        if isinstance(record, Gap):
            if record.from_seq is not None:
                return record
            return replace(record, reason=REASON_FULL, from_seq=record.seq)
        return Gap(
            record.device, record.placement, record.boot, record.seq, record.t0_ns, record.end_ns, REASON_FULL,
            from_seq=record.seq,
        )  # fmt: skip

    def acknowledge(self, ack: Ack) -> int:
        """Delete what the core has stored; return how many records that were.

        Should the core name a boot that was never ours, another collector has the wearable, or an earlier outbox was
        lost: the core takes what is before it for closed. Then nothing is deleted, and ours moves past it (`outrun`).
        """
        deleted = 0
        with self._lock, self._db:
            for device, stored in ack.stored.items():
                if self._boots.is_strange(device, stored.boot):
                    self.outrun += self._boots.move_past(device, stored.boot)
                    continue
                where = "device = ? AND (boot < ? OR (boot = ? AND seq <= ?))"
                key = (device, stored.boot, stored.boot, stored.through_seq)
                size = self._db.execute(
                    f"SELECT COUNT(*), COALESCE(SUM(LENGTH(payload)), 0) FROM records WHERE {where}",  # noqa: S608
                    key,
                ).fetchone()
                if size[0]:
                    self._db.execute(f"DELETE FROM records WHERE {where}", key)  # noqa: S608
                    deleted += size[0]
                    self._count -= size[0]
                    self._bytes -= size[1] + size[0] * _ROW_OVERHEAD_BYTES
        return deleted

    # ---- reading

    def after(self, row_id: int, limit: int) -> list[Row]:
        """Read up to `limit` records committed after a row, oldest first."""
        with self._lock:
            return self._rows("id > ? ORDER BY id LIMIT ?", (row_id, limit))

    def newest(self, row_id: int, limit: int) -> list[Row]:
        """Read the up to `limit` records committed last, and after a row, oldest first."""
        with self._lock:
            return self._rows("id > ? ORDER BY id DESC LIMIT ?", (row_id, limit))[::-1]

    def between(self, device: str, boot: int, from_seq: int, through_seq: int, limit: int) -> list[Row]:
        """Read records ``[from_seq, through_seq]`` of a boot that are still here, or stand for them."""
        with self._lock:
            rows = self._rows(
                "device = ? AND boot = ? AND seq >= ? ORDER BY seq LIMIT ?", (device, boot, from_seq, limit)
            )
        inside = [row for row in rows if row.seq <= through_seq]
        # The first record beyond may be a gap that reaches back into what is asked for.
        return inside or rows[:1]

    def _next(self, row_id: int) -> Row | None:
        rows = self._rows("id > ? ORDER BY id LIMIT 1", (row_id,))
        return rows[0] if rows else None

    def _rows(self, where: str, values: tuple[str | int, ...]) -> list[Row]:
        found = self._db.execute(
            f"SELECT id, device, boot, seq, payload, crc FROM records WHERE {where}",  # noqa: S608
            values,
        ).fetchall()
        inside = self._db.in_transaction
        good, bad = [], []
        for row_id, device, boot, seq, payload, crc in found:
            if zlib.crc32(payload) == crc:
                good.append(Row(row_id, device, boot, seq, payload))
            else:
                bad.append((row_id,))
                self._bytes -= len(payload) + _ROW_OVERHEAD_BYTES
        if bad:
            # The seq stays missing and the core will report it so; a rotten record must not travel.
            self.damaged_records += len(bad)
            self._count -= len(bad)
            self._db.executemany("DELETE FROM records WHERE id = ?", bad)
            if not inside:
                self._db.commit()
            if not good:
                return self._rows(where, values)
        return good

    @property
    def backlog(self) -> int:
        """Number of records that wait for the core's ack."""
        return self._count

    @property
    def size_bytes(self) -> int:
        """What the records take, as counted against the bound."""
        return self._bytes

    def close(self) -> None:
        """Close the file; the WAL is written back."""
        with self._lock:
            self._db.close()

    # ---- opening

    def _open(self) -> sqlite3.Connection:
        try:
            return self._connect()
        except sqlite3.OperationalError as error:
            if "locked" in str(error):
                raise OutboxError(
                    f"the outbox {self._path} is in use by another process",
                    advice="Stop the other collector, or give this one an outbox of its own ([outbox] path)",
                ) from error
            if "unable to open" in str(error) or "readonly" in str(error):
                raise OutboxError(
                    f"the outbox {self._path} cannot be opened ({error})",
                    advice="Check who owns the file and its folder",
                ) from error
            return self._replace_damaged()
        except sqlite3.DatabaseError:
            return self._replace_damaged()

    def _connect(self) -> sqlite3.Connection:
        db = sqlite3.connect(self._path, check_same_thread=False, timeout=1.0, isolation_level="IMMEDIATE")
        try:
            db.execute("PRAGMA locking_mode = EXCLUSIVE")
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("PRAGMA synchronous = FULL")
            db.execute(f"PRAGMA max_page_count = {2 * self._max_bytes // _PAGE_BYTES + 64}")
            version = int(db.execute("PRAGMA user_version").fetchone()[0])
            if version > SCHEMA_VERSION:
                raise OutboxError(
                    f"the outbox {self._path} was written by a newer spineclip (version {version})",
                    advice="Update spineclip, or move the file away",
                )
            check = db.execute("PRAGMA quick_check(1)").fetchone()[0]
            if check != "ok":
                raise sqlite3.DatabaseError(check)
            with db:
                db.execute("BEGIN EXCLUSIVE")
                if version == 0:
                    _run_all(db, _SCHEMA.split(";"))
                    db.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
            db.execute("SELECT COUNT(*) FROM boots").fetchone()
        except BaseException:
            db.close()
            raise
        return db

    def _replace_damaged(self) -> sqlite3.Connection:
        aside = self._path.with_name(f"{self._path.stem}.damaged-{self._clock.utc_ns() // 10**9}{self._path.suffix}")
        for ending in ("", "-wal", "-shm"):
            piece = self._path.with_name(self._path.name + ending)
            if piece.exists():
                piece.rename(aside.with_name(aside.name + ending))
        found = salvage(aside)
        db = self._connect()
        with db:
            db.executemany("INSERT OR IGNORE INTO boots (device, boot, end_ns) VALUES (?, ?, ?)", found.boots)
            for device, boot, seq, crc, payload in found.rows:
                db.execute("INSERT OR IGNORE INTO boots (device, boot) VALUES (?, ?)", (device, boot))
                db.execute(
                    "INSERT OR IGNORE INTO records (device, boot, seq, crc, payload) VALUES (?, ?, ?, ?, ?)",
                    (device, boot, seq, crc, payload),
                )
                end_ns = decode(payload, now_ns=ANY_TIME_NS).end_ns
                db.execute(
                    "UPDATE boots SET boot = MAX(boot, ?), end_ns = MAX(?, COALESCE(end_ns, 0)) WHERE device = ?",
                    (boot, end_ns, device),
                )
        self.opened = Opened(aside, len(found.rows))
        return db

    def _measure(self) -> tuple[int, int]:
        count, size = self._db.execute("SELECT COUNT(*), COALESCE(SUM(LENGTH(payload)), 0) FROM records").fetchone()
        return int(count), int(size) + int(count) * _ROW_OVERHEAD_BYTES


def _stands_for_dropped(payload: bytes) -> bool:
    record = decode(payload, now_ns=ANY_TIME_NS)
    return isinstance(record, Gap) and record.from_seq is not None


def _run_all(db: sqlite3.Connection, statements: Iterable[str]) -> None:
    for statement in statements:
        if statement.strip():
            db.execute(statement)
