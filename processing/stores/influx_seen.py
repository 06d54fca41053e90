"""What the writer remembers of the points that it wrote last.

In InfluxDB a point written again keeps the fields that the new one leaves out; in spineclip it replaces the old one.
So the writer has to know, when it writes at a time that it wrote before, which fields stand there. It remembers the
newest few hundred points of each patient; of older ones it asks the database.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from typing import Final

from processing.metrics import Point

Key = tuple[str, tuple[tuple[str, str], ...], int]
"""Measurement, tags in order, time: what makes a point the same point."""
_NOTHING: Final[frozenset[str]] = frozenset()
REMEMBERED: Final = 256


def key_of(point: Point) -> Key:
    """Return what makes a point the same point as an earlier one."""
    return point.measurement, tuple(sorted(point.tags.items())), point.time_ns


class Seen:
    """The fields of the newest points of each patient, and up to when nothing is newer in the store."""

    def __init__(self) -> None:
        self._fields: dict[str, OrderedDict[Key, frozenset[str]]] = {}
        self._through_ns: dict[tuple[str, str], int] = {}

    def fields(self, patient: str, key: Key) -> frozenset[str]:
        """Return the fields of a point as it was last written or read."""
        return self._fields[patient].get(key, _NOTHING) if patient in self._fields else _NOTHING

    def strange(self, patient: str, keys: Iterable[Key]) -> set[str]:
        """Return the measurements of which it is not known yet up to when the store holds points."""
        return {key[0] for key in keys if (patient, key[0]) not in self._through_ns}

    def begin(self, patient: str, measurement: str, newest_ns: int) -> None:
        """Take note of the time of the newest point in the store."""
        self._through_ns[patient, measurement] = newest_ns

    def unknown(self, patient: str, keys: Iterable[Key]) -> dict[str, tuple[int, int]]:
        """Return, by measurement, the stretch ``[start, end)`` in which the store has to be asked what stands there."""
        known = self._fields.get(patient, OrderedDict())
        found: dict[str, tuple[int, int]] = {}
        for key in keys:
            name, _, time_ns = key
            if key in known or time_ns > self._through_ns[patient, name]:
                continue
            start_ns, end_ns = found.get(name, (time_ns, time_ns + 1))
            found[name] = (min(start_ns, time_ns), max(end_ns, time_ns + 1))
        return found

    def wrote(self, patient: str, rows: Mapping[Key, Point]) -> None:
        """Remember points that stand in the store now."""
        known = self._fields.setdefault(patient, OrderedDict())
        for key, point in rows.items():
            known[key] = frozenset(point.fields)
            known.move_to_end(key)
            at = (patient, key[0])
            self._through_ns[at] = max(self._through_ns.get(at, key[2]), key[2])
        while len(known) > REMEMBERED:
            known.popitem(last=False)

    def forget(self, patient: str) -> None:
        """Forget a patient, all of whose points were deleted."""
        self._fields.pop(patient, None)
        self._through_ns = {at: time_ns for at, time_ns in self._through_ns.items() if at[0] != patient}
