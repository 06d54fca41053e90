"""The numbers under which a wearable's records are known: whose boot is whose, and moving ours past a stranger's.

Two collectors of one patient may hand a wearable back and forth. Each numbers its own boots; the core takes the higher
one and considers those before it closed. A collector that hears of a boot that it never had therefore moves what it
still holds, and what comes, to a boot beyond that one: nothing of it may be taken for stored.
"""

from __future__ import annotations

import sqlite3
import zlib
from dataclasses import dataclass, replace
from typing import Final

from spineclip.contract.wire import ANY_TIME_NS, Gap, Record, decode, encode

SCHEMA: Final = "CREATE TABLE IF NOT EXISTS ours (device TEXT, boot INTEGER, PRIMARY KEY (device, boot))"


@dataclass(slots=True)
class _Moved:
    """Where a boot went: to which number, and what is added to its seqs (None until the first that comes)."""

    boot: int
    next_seq: int
    offset: int | None


class Boots:
    """Our boots in the outbox's file. Its methods run in the caller's transaction.

    Parameters
    ----------
    db
        The outbox's file.
    """

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._moved: dict[tuple[str, int], _Moved] = {}
        with db:
            db.execute(SCHEMA)  # files of version 1 have no such table: what they know of boots is entered
            db.execute("INSERT OR IGNORE INTO ours SELECT device, boot FROM boots")
            db.execute("INSERT OR IGNORE INTO ours SELECT DISTINCT device, boot FROM records")

    def begin(self, device: str, least: int) -> int:
        """Open a new boot: larger than any before, and not below `least`."""
        current = self._current(device)
        boot = max(least, 0 if current is None else current + 1) & 0xFFFFFFFF
        self._enter(device, boot)
        return boot

    def is_strange(self, device: str, boot: int) -> bool:
        """Tell whether a boot was never ours, although we know the wearable."""
        key = (device, boot)
        known = any(
            self._db.execute(f"SELECT 1 FROM {table} WHERE device = ? AND boot = ?", key).fetchone()  # noqa: S608
            for table in ("ours", "records")
        )
        return not known and self._current(device) is not None

    def move_past(self, device: str, boot: int) -> bool:
        """Renumber all that is held of a wearable, from 0 on, into a boot beyond a strange one, if any is before it."""
        current = self._current(device) or 0
        before = "SELECT 1 FROM records WHERE device = ? AND boot < ?"
        if current > boot and self._db.execute(before, (device, boot)).fetchone() is None:
            return False
        new, next_seq, offset, last = max(current, boot) + 1, 0, None, -1
        rows = "SELECT id, boot, payload, crc FROM records WHERE device = ? ORDER BY boot, seq"
        for row_id, old, payload, crc in self._db.execute(rows, (device,)).fetchall():
            if zlib.crc32(payload) != crc:
                continue  # whoever reads it next lets it go
            record = decode(payload, now_ns=ANY_TIME_NS)
            if old != last:
                last, offset = old, next_seq - _first(record)
            moved = _shifted(record, new, offset or 0)
            next_seq = moved.seq + 1
            again = encode(moved)
            self._db.execute(
                "UPDATE records SET boot = ?, seq = ?, payload = ?, crc = ? WHERE id = ?",
                (new, moved.seq, again, zlib.crc32(again), row_id),
            )
        shift = offset if last == current else None
        for (name, _), one in self._moved.items():
            if name == device and one.boot == current:
                one.offset = None if shift is None or one.offset is None else one.offset + shift
                one.boot, one.next_seq = new, next_seq
        self._moved[device, current] = _Moved(new, next_seq, shift)
        self._enter(device, new)
        return True

    def moved(self, record: Record) -> Record:
        """Return a record under the boot that its own has become."""
        to = self._moved.get((record.device, record.boot))
        if to is None:
            return record
        if to.offset is None:
            to.offset = to.next_seq - _first(record)
        return _shifted(record, to.boot, to.offset)

    def _current(self, device: str) -> int | None:
        row = self._db.execute("SELECT boot FROM boots WHERE device = ?", (device,)).fetchone()
        return None if row is None else int(row[0])

    def _enter(self, device: str, boot: int) -> None:
        self._db.execute(
            "INSERT INTO boots (device, boot) VALUES (?, ?) ON CONFLICT (device) DO UPDATE SET boot = excluded.boot",
            (device, boot),
        )
        self._db.execute("INSERT OR IGNORE INTO ours VALUES (?, ?)", (device, boot))


def _first(record: Record) -> int:
    return record.seq if not isinstance(record, Gap) or record.from_seq is None else record.from_seq


def _shifted(record: Record, boot: int, offset: int) -> Record:
    if isinstance(record, Gap) and record.from_seq is not None:
        return replace(record, boot=boot, seq=record.seq + offset, from_seq=record.from_seq + offset)
    return replace(record, boot=boot, seq=record.seq + offset)
