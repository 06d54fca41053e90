"""Reading out of a damaged outbox what can still be read.

A damaged page takes what lies on it, and no more: rows are asked for in ranges, and a range that cannot be read is
halved until the unreadable rows stand alone. What comes out is checked by its own CRC-32. What does not come out is
missing in its boot's numbers, or between its boot and the next: the core reports it as a gap.
"""

from __future__ import annotations

import contextlib
import sqlite3
import time
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

PATIENCE_S: Final = 3.0
"""So long it is tried: a collector is to run again within 5 s."""
_AT_ONCE: Final = 1024
_Row = tuple[str, int, int, int, bytes]


@dataclass(frozen=True, slots=True)
class Salvaged:
    """What was read.

    Attributes
    ----------
    boots
        Device, newest boot, end of the last record in UTC nanoseconds or None.
    rows
        Device, boot, seq, CRC-32 and payload, in the order of committing.
    """

    boots: tuple[tuple[str, int, int | None], ...] = ()
    rows: tuple[_Row, ...] = ()


def salvage(file: Path) -> Salvaged:
    """Read what can be read; a file that is none at all gives nothing."""
    with contextlib.suppress(sqlite3.Error):
        db = sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True, timeout=1.0)
        with contextlib.closing(db):
            db.execute("PRAGMA writable_schema = ON")  # else a file shorter than it says of itself is not read at all
            return Salvaged(tuple(_boots(db)), tuple(_rows(db)))
    return Salvaged()


def _boots(db: sqlite3.Connection) -> list[tuple[str, int, int | None]]:
    with contextlib.suppress(sqlite3.Error):
        return [
            (str(device), int(boot), None if end_ns is None else int(end_ns))
            for device, boot, end_ns in db.execute("SELECT device, boot, end_ns FROM boots")
            if isinstance(device, str) and isinstance(boot, int)
        ]
    return []


def _rows(db: sqlite3.Connection) -> Iterator[_Row]:
    until_s = time.monotonic() + PATIENCE_S
    ranges = [(at, at + _AT_ONCE) for at in range(_first_id(db), _last_id(db) + 1, _AT_ONCE)][::-1]
    while ranges and time.monotonic() < until_s:
        low, high = ranges.pop()
        try:
            found: list[Any] = db.execute(
                "SELECT device, boot, seq, crc, payload FROM records WHERE id >= ? AND id < ? ORDER BY id", (low, high)
            ).fetchall()
        except sqlite3.Error:
            if high - low > 1:
                middle = (low + high) // 2
                ranges += [(middle, high), (low, middle)]
            continue
        yield from (row for row in found if isinstance(row[4], bytes) and zlib.crc32(row[4]) == row[3])


def _first_id(db: sqlite3.Connection) -> int:
    with contextlib.suppress(sqlite3.Error):
        return int(db.execute("SELECT MIN(id) FROM records").fetchone()[0] or 0)
    # the way to the first row is damaged: a week of one wearable before the last
    return max(0, _last_id(db) - 700_000)


def _last_id(db: sqlite3.Connection) -> int:
    """Return the newest id: by the table's end, else by SQLite's own note of it."""
    for query in ("SELECT MAX(id) FROM records", "SELECT seq FROM sqlite_sequence WHERE name = 'records'"):
        with contextlib.suppress(sqlite3.Error):
            row = db.execute(query).fetchone()
            if row is not None and row[0]:
                return int(row[0])
    return 0
