"""What the core needs of a metric store, and what pages and reports may read from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, Protocol

from processing.metrics import MEASUREMENTS, Measurement, Point, check
from spineclip.contract.errors import StoreRefusedError

MAX_ASIDE: Final = 1000
"""So many rejected messages are kept for a patient; the counts go on."""


class MetricReader(Protocol):
    """The read side: all that dashboards and reports may use."""

    def points(
        self, measurement: str, patient: str, start_ns: int, end_ns: int, *, limit: int | None = None
    ) -> list[Point]:
        """Return a patient's points of a measurement in ``[start_ns, end_ns)``, in order of time.

        With `limit`, the newest so many of them (still in order of time).

        Raises
        ------
        StoreError
            If the store cannot be read.
        """
        ...

    def latest(self, measurement: str, patient: str) -> Point | None:
        """Return a patient's newest point of a measurement."""
        ...

    def patients(self) -> list[str]:
        """Return all patients that have points, sorted."""
        ...


class MetricStore(MetricReader, Protocol):
    """The whole store: the core alone writes."""

    def commit(self, patient: str, points: Sequence[Point], checkpoint: bytes | None) -> None:
        """Write a patient's points and the checkpoint that explains them.

        After a return both are stored; after a crash in the middle, repeating the same call (or the calls that a
        core resumed from the older checkpoint makes) ends in the same content. `None` leaves the checkpoint alone.

        Raises
        ------
        StoreBusyError
            Worth trying again; nothing is promised of what was written.
        StoreRefusedError
            Never worth trying again as it stands.
        """
        ...

    def checkpoint(self, patient: str) -> bytes | None:
        """Return a patient's newest checkpoint."""
        ...

    def checkpoints(self) -> Mapping[str, bytes]:
        """Return every patient's newest checkpoint, empty where it is damaged."""
        ...

    def keep_aside(self, patient: str, time_ns: int, reason: str, payload: bytes) -> None:
        """Keep what could not be used, with the reason; bounded, the oldest goes first."""
        ...

    def aside(self, patient: str | None = None) -> Mapping[str, int]:
        """Count what is kept aside, by reason."""
        ...

    def erase(self, patient: str) -> None:
        """Delete everything of a patient: points, checkpoint, what was kept aside."""
        ...

    def close(self) -> None:
        """Finish writing and let go."""
        ...


def named(measurement: str) -> Measurement:
    """Find a measurement.

    Raises
    ------
    StoreRefusedError
        If there is none of that name.
    """
    known = MEASUREMENTS.get(measurement)
    if known is None:
        raise StoreRefusedError(f"there is no measurement {measurement!r}")
    return known


def check_all(patient: str, points: Sequence[Point]) -> None:
    """Check the points of a commit before anything of it is written.

    Raises
    ------
    StoreRefusedError
        If one does not follow the metric table, or is another patient's.
    """
    for point in points:
        try:
            check(point)
        except ValueError as error:
            raise StoreRefusedError(str(error)) from error
        if point.tags["patient"] != patient:
            raise StoreRefusedError(f"a point of another patient in a commit ({point.measurement})")
