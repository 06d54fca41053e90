"""Metrics in InfluxDB: the clinic's store.

One point of a measurement is one point of InfluxDB, with the same names (`processing.metrics`). What InfluxDB has no
notion of is kept beside them, per patient: ``checkpoint`` (one point at time 0 that the next one replaces), ``aside``
and ``aside_count`` (what could not be used).

**Order.** InfluxDB has no transactions. `commit` writes the points, waits until they are accepted, then writes the
checkpoint, in one point, which InfluxDB takes whole or not at all. After a crash in between, the older checkpoint
holds and the core makes the same points again: same series, same times, same content.

**Proof.** What InfluxDB accepts it does not always show (`processing.stores.influx_proof`). Each write is looked
for, and sent again if it is not there.

**Back-pressure.** `commit` returns when everything is stored or raises; nothing is queued in memory. What cannot be
stored stays with the collectors, which keep what was not acknowledged.
"""

from __future__ import annotations

import base64
import binascii
import logging
import zlib
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from processing.metrics import MEASUREMENTS, Measurement, Point, Value
from processing.stores.base import MAX_ASIDE, check_all, named
from processing.stores.influx_link import Address, InfluxLink, Refused
from processing.stores.influx_proof import shown
from processing.stores.influx_seen import Key, Seen, key_of
from processing.stores.influxql import exactly
from processing.stores.lease import Lease
from processing.stores.line_protocol import line
from spineclip.contract.clock import Clock
from spineclip.contract.errors import StoreBusyError, StoreError, StoreRefusedError
from spineclip.contract.ids import is_id

MAX_ASIDE_BYTES: Final = 1 << 15
"""So much of a rejected message is kept (InfluxDB 1.x takes strings of up to 64 kB; base64 makes 4 of 3)."""
_SENDS: Final = 3
"""So often points are sent in all, until the database shows them."""
_PART: Final = 60_000
_FIRST_NS: Final = -9_223_372_036_854_775_806
_LAST_NS: Final = 9_223_372_036_854_775_806
"""The times that InfluxDB can hold (models.MinNanoTime, MaxNanoTime)."""
_OWN: Final = ("checkpoint", "aside", "aside_count")
_LOG = logging.getLogger(__name__)


class InfluxReader:
    """The read side: for pages and reports; a read token is enough.

    Parameters
    ----------
    address
        Where the database is.

    Raises
    ------
    StoreRefusedError
        If token or bucket are wrong.
    StoreBusyError
        If nobody answers.
    """

    def __init__(self, address: Address) -> None:
        self._link = InfluxLink(address)
        try:
            self._link.check()
        except StoreError:
            self._link.close()
            raise

    def points(
        self, measurement: str, patient: str, start_ns: int, end_ns: int, *, limit: int | None = None
    ) -> list[Point]:
        """Return a patient's points in ``[start_ns, end_ns)`` in order of time; with `limit` the newest so many."""
        known = named(measurement)
        columns = ", ".join(f'"{name}"' for name in (*known.fields, *known.tags))
        newest = "" if limit is None else f" ORDER BY time DESC LIMIT {limit:d}"
        series = self._link.query(
            f'SELECT {columns} FROM "{known.name}" WHERE {_where(patient, start_ns, end_ns)}{newest}'  # noqa: S608
        )
        found = [_point(known, dict(zip(one["columns"], row, strict=True))) for one in series for row in one["values"]]
        return found if limit is None else found[::-1]

    def latest(self, measurement: str, patient: str) -> Point | None:
        """Return a patient's newest point of a measurement."""
        found = self.points(measurement, patient, _FIRST_NS, _LAST_NS, limit=1)
        return found[0] if found else None

    def patients(self) -> list[str]:
        """Return all patients that have points, sorted."""
        names = ", ".join(f'"{name}"' for name in MEASUREMENTS)
        series = self._link.query(f'SHOW TAG VALUES FROM {names} WITH KEY = "patient"')
        return sorted({row[1] for one in series for row in one["values"]})

    def close(self) -> None:
        """Let go of the connections."""
        self._link.close()


class InfluxStore(InfluxReader):
    """The whole store. One core writes; it alone counts what is kept aside."""

    def __init__(self, address: Address) -> None:
        super().__init__(address)
        self._seen = Seen()
        self._aside_ns = 0
        self._aside_counts: dict[tuple[str, str], int] | None = None
        self._lease: Lease | None = None

    def lease(self, clock: Clock) -> Lease:
        """Return the right to write here, to be taken; nothing is stored without it from then on."""
        self._lease = Lease(self._link, clock)
        return self._lease

    def commit(self, patient: str, points: Sequence[Point], checkpoint: bytes | None) -> None:
        """Write points, then the checkpoint that explains them; both are stored on return.

        A point that the database itself will never take (a field that somebody else wrote with another type) is kept
        aside with its reason, and the others go on.

        Raises
        ------
        StoreBusyError
            If the database is away, overloaded or does not accept our token or bucket: nothing is promised.
        TakenError
            If another core has taken our place.
        StoreRefusedError
            If a point does not follow the metric table; nothing was written then.
        """
        if self._lease is not None:
            self._lease.check()
        check_all(patient, points)
        rows: dict[Key, Point] = {key_of(point): point for point in points}
        self._clear_replaced(patient, rows)
        for refused, point in self._write(rows.values()):
            _LOG.warning("InfluxDB will not take a point of %s: %s", point.measurement, refused.words)
            self.keep_aside(patient, point.time_ns, refused.reason, refused.line.encode())
        self._seen.wrote(patient, rows)
        if checkpoint is not None:
            self._write_own("checkpoint", {"patient": patient}, _pack(checkpoint), 0)

    def checkpoint(self, patient: str) -> bytes | None:
        """Return a patient's newest checkpoint."""
        for fields in self._saved(f"WHERE {_where(patient)}"):
            return _unpack(fields)
        return None

    def checkpoints(self) -> Mapping[str, bytes]:
        """Return every patient's newest checkpoint; a damaged one is empty, so that it holds up nobody else."""
        found: dict[str, bytes] = {}
        for fields in self._saved(""):
            try:
                found[fields["patient"]] = _unpack(fields)
            except StoreError as error:
                _LOG.error("%s", error)
                found[fields["patient"]] = b""
        return dict(sorted(found.items()))

    def keep_aside(self, patient: str, time_ns: int, reason: str, payload: bytes) -> None:
        """Keep the first 32 kB of what could not be used; the oldest of more than a thousand goes."""
        counts = self._counts()
        self._aside_ns = max(time_ns, self._aside_ns + 1)  # two in the same nanosecond would be one point
        text = base64.b64encode(payload[:MAX_ASIDE_BYTES]).decode()
        self._write_own("aside", {"patient": patient}, {"reason": reason, "payload": text}, self._aside_ns)
        n = counts.get((patient, reason), 0) + 1
        self._write_own("aside_count", {"patient": patient, "reason": reason}, {"n": n}, 0)
        counts[patient, reason] = n
        total = sum(count for (whose, _), count in counts.items() if whose == patient)
        if total > MAX_ASIDE and total % 100 == 0:  # a delete is dear; up to a hundred more may stand
            self._trim_aside(patient)

    def aside(self, patient: str | None = None) -> Mapping[str, int]:
        """Count what was ever kept aside, by reason."""
        found: dict[str, int] = {}
        for (whose, reason), n in sorted(self._counts().items(), key=lambda item: item[0][1]):
            if patient in (None, whose):
                found[reason] = found.get(reason, 0) + n
        return found

    def erase(self, patient: str) -> None:
        """Delete everything of a patient."""
        for name in (*MEASUREMENTS, *_OWN):
            self._link.query(f'DELETE FROM "{name}" WHERE {_where(patient)}')  # noqa: S608
        self._seen.forget(patient)
        self._aside_counts = None

    def _clear_replaced(self, patient: str, rows: Mapping[Key, Point]) -> None:
        """Delete points that are written anew with fewer fields: InfluxDB would keep the fields left out."""
        for name in self._seen.strange(patient, rows):
            newest = self.latest(name, patient)
            self._seen.begin(patient, name, _FIRST_NS if newest is None else newest.time_ns)
        for name, (start_ns, end_ns) in self._seen.unknown(patient, rows).items():
            self._seen.wrote(patient, {key_of(p): p for p in self.points(name, patient, start_ns, end_ns)})
        for key, point in rows.items():
            if self._seen.fields(patient, key) - point.fields.keys():
                self._link.query(f'DELETE FROM "{key[0]}" WHERE {exactly(point)}')  # noqa: S608

    def _write(self, points: Collection[Point]) -> list[tuple[Refused, Point]]:
        """Write points until the database shows them; return those that it will never take."""
        lines = {line(p.measurement, p.tags, p.fields, p.time_ns): p for p in points}
        for _ in range(_SENDS):
            refused = {one.line: one for one in self._link.write(list(lines))}
            if shown(self._link, [point for text, point in lines.items() if text not in refused]):
                return [(one, lines[text]) for text, one in refused.items()]
            _LOG.warning("InfluxDB has accepted points and does not show them; they are sent again")
        raise StoreBusyError(
            f"InfluxDB at {self._link.address.url} accepts points and does not show them",
            advice="Look at the database's own log; nothing is lost meanwhile, the collectors keep what is not stored",
        )

    def _write_own(self, name: str, tags: Mapping[str, str], fields: Mapping[str, Value], time_ns: int) -> None:
        for refused, _ in self._write([Point(name, time_ns, tags, fields)]):
            raise StoreRefusedError(f"InfluxDB will not take a {name} ({refused.words})")

    def _saved(self, where: str) -> list[dict[str, Any]]:
        """Read checkpoints as they stand."""
        series = self._link.query(f'SELECT * FROM "checkpoint" {where}')  # noqa: S608
        return [dict(zip(one["columns"], row, strict=True)) for one in series for row in one["values"]]

    def _counts(self) -> dict[tuple[str, str], int]:
        if self._aside_counts is None:
            series = self._link.query('SELECT "n", "patient", "reason" FROM "aside_count"')
            self._aside_counts = {(row[2], row[3]): int(row[1]) for one in series for row in one["values"]}
        return self._aside_counts

    def _trim_aside(self, patient: str) -> None:
        where = _where(patient)
        series = self._link.query(
            f'SELECT "reason" FROM "aside" WHERE {where} ORDER BY time DESC LIMIT 1 OFFSET {MAX_ASIDE:d}'  # noqa: S608
        )
        if series:
            newest_gone_ns = series[0]["values"][0][0]
            self._link.query(f'DELETE FROM "aside" WHERE {where} AND time <= {newest_gone_ns:d}')  # noqa: S608


def _where(patient: str, start_ns: int | None = None, end_ns: int | None = None) -> str:
    if not is_id(patient):
        raise StoreRefusedError(f"{patient!r} is not a patient")
    text = f"\"patient\" = '{patient}'"
    if start_ns is None or end_ns is None:
        return text
    return f"{text} AND time >= {max(start_ns, _FIRST_NS):d} AND time < {min(end_ns, _LAST_NS):d}"


def _point(known: Measurement, row: Mapping[str, Any]) -> Point:
    # JSON does not tell 12.0 from 12: the metric table does
    fields = {name: column.kind(row[name]) for name, column in known.fields.items() if row.get(name) is not None}
    return Point(known.name, row["time"], {tag: row[tag] for tag in known.tags}, fields)


def _pack(state: bytes) -> dict[str, Value]:
    text = base64.b64encode(zlib.compress(state)).decode()
    parts = [text[at : at + _PART] for at in range(0, len(text), _PART)]
    # an older, longer checkpoint leaves parts behind that are not ours: the number tells
    return {"parts": len(parts), "crc": zlib.crc32(state), **{f"p{k}": part for k, part in enumerate(parts)}}


def _unpack(fields: Mapping[str, Any]) -> bytes:
    try:
        text = "".join(fields[f"p{k}"] for k in range(int(fields["parts"])))
        state = zlib.decompress(base64.b64decode(text, validate=True))
    except (KeyError, TypeError, ValueError, binascii.Error, zlib.error) as error:
        raise StoreError(f"the checkpoint of {fields.get('patient')} cannot be read ({error})") from error
    if zlib.crc32(state) != fields["crc"]:
        raise StoreError(f"the checkpoint of {fields['patient']} is damaged")
    return state
