"""All that is kept of one patient, in files that any program reads: a table for each measurement, and the settings."""

from __future__ import annotations

import csv
import io
import itertools
import os
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from processing.metrics import MEASUREMENTS, Point
from processing.stores.base import MetricReader
from spineclip.patients import Patients

PAGE: Final = 50_000
"""Points that are read at once, so that years of a patient fit into memory."""
_END_NS: Final = 1 << 62


def export(reader: MetricReader, patients: Patients, patient: str, file: Path) -> dict[str, int]:
    """Write a ZIP file of all that is kept of a patient, and return how many points there are by measurement.

    It holds ``<measurement>.csv`` for each measurement with points, newest first, times in UTC, and ``settings.json``
    (time zone, clips, goals, reminders). What the columns mean stands in ``docs/metrics.md``.

    Raises
    ------
    StoreError
        If the store cannot be read.
    SettingsError
        If the settings cannot be read.
    OSError
        If the file cannot be written.
    """
    counts: dict[str, int] = {}
    # from its first moment on its owner alone can open it
    descriptor = os.open(file, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600)
    try:
        with os.fdopen(descriptor, "w+b") as raw_file, zipfile.ZipFile(raw_file, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("settings.json", patients.config(patient).to_json())
            for name in MEASUREMENTS:
                points = newest_first(reader, name, patient)
                first = next(points, None)
                if first is None:
                    continue
                with archive.open(f"{name}.csv", "w") as raw, io.TextIOWrapper(raw, "utf-8", newline="") as text:
                    counts[name] = _write(text, first, points)
    except BaseException:
        file.unlink(missing_ok=True)  # half of a patient's data looks like all of them
        raise
    return counts


def newest_first(reader: MetricReader, measurement: str, patient: str, page: int = PAGE) -> Iterator[Point]:
    """Read all points of a measurement, newest first, a page at a time."""
    end_ns = _END_NS
    while True:
        points = reader.points(measurement, patient, 0, end_ns, limit=page)
        if len(points) < page:
            yield from reversed(points)
            return
        oldest_ns = points[0].time_ns
        whole = [point for point in points if point.time_ns > oldest_ns]
        if not whole:  # more points of one moment than a page holds
            page *= 2
            continue
        yield from reversed(whole)
        end_ns = oldest_ns + 1


def _write(text: io.TextIOBase, first: Point, rest: Iterator[Point]) -> int:
    known = MEASUREMENTS[first.measurement]
    tags = [tag for tag in known.tags if tag != "patient"]
    rows = csv.writer(text)
    rows.writerow(["time", *tags, *known.fields])
    count = 0
    for point in itertools.chain([first], rest):
        rows.writerow(_row(point, tags, list(known.fields)))
        count += 1
    return count


def _row(point: Point, tags: list[str], fields: list[str]) -> list[object]:
    seconds, ns = divmod(point.time_ns, 10**9)
    time = f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{ns:09d}Z"
    return [time, *(point.tags.get(tag, "") for tag in tags), *(point.fields.get(name, "") for name in fields)]
