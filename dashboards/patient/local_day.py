"""The patient's local days: 23, 24 or 25 hours long."""

from __future__ import annotations

import datetime as dt
import zoneinfo


def local_date(time_ns: int, zone: zoneinfo.ZoneInfo) -> dt.date:
    """Return the local date of an instant (UTC nanoseconds)."""
    return local_time(time_ns, zone).date()


def local_time(time_ns: int, zone: zoneinfo.ZoneInfo) -> dt.datetime:
    """Return an instant (UTC nanoseconds) on the patient's clock, to the second."""
    return dt.datetime.fromtimestamp(time_ns // 10**9, zone)


def day_start_ns(date: dt.date, zone: zoneinfo.ZoneInfo) -> int:
    """Return the first second of a local day, UTC nanoseconds."""
    midnight = dt.datetime.combine(date, dt.time(), zone)
    return round(midnight.timestamp()) * 10**9


def day_bounds_ns(date: dt.date, zone: zoneinfo.ZoneInfo) -> tuple[int, int]:
    """Return a local day as ``[start, end)``, UTC nanoseconds."""
    return day_start_ns(date, zone), day_start_ns(date + dt.timedelta(days=1), zone)
