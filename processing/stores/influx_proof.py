"""Whether InfluxDB shows what it has accepted.

InfluxDB 1 and 2 look every ten seconds for shards that rest, and let go of their write cache (``Store.monitorShards``,
``Engine.IsIdle`` and ``Cache.Free`` in tsdb/store.go and tsdb/engine/tsm1; the same in 1.6, 1.8, 2.8 and 2.9). What is
written between the look and the letting go is answered with 204, stands in the log on disk, and is seen by nobody
until the database is started anew; the shard's next snapshot deletes that log. So a writer has to look for itself.

It befalls what one request holds for one shard, all of it or nothing. No shard is shorter than a day where data are
kept for two days or more, so one point of each day in a request tells of all.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from processing.metrics import Point, Value
from processing.stores.influx_link import BATCH_LINES, InfluxLink
from processing.stores.influxql import exactly

_DAY_NS: Final = 86_400 * 10**9


def shown(link: InfluxLink, points: Sequence[Point]) -> bool:
    """Tell whether points that were written in this order can be read.

    Raises
    ------
    StoreError
        If the database cannot be asked.
    """
    return all(_stands(link, point) for point in _telling(points))


def _telling(points: Sequence[Point]) -> Iterator[Point]:
    """Give the newest point of each UTC day of each request: least of all did it stand there already."""
    for at in range(0, len(points), BATCH_LINES):
        newest: dict[int, Point] = {}
        for point in points[at : at + BATCH_LINES]:
            day = point.time_ns // _DAY_NS
            if day not in newest or point.time_ns > newest[day].time_ns:
                newest[day] = point
        yield from newest.values()


def _stands(link: InfluxLink, point: Point) -> bool:
    # texts may come back in another form (a zero byte does), which must not look like a loss for ever
    told = {name: value for name, value in point.fields.items() if not isinstance(value, str)}
    columns = ", ".join(f'"{name}"' for name in told or point.fields)
    series = link.query(f'SELECT {columns} FROM "{point.measurement}" WHERE {exactly(point)}')  # noqa: S608
    rows = [row[1:] for one in series for row in one["values"]]
    return any(all(map(_same, told.values(), row)) for row in rows)


def _same(written: Value, read: Value | None) -> bool:
    # JSON does not tell 12.0 from 12, nor all digits of a large float
    return read is not None and written == type(written)(read)
