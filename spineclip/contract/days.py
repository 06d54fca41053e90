"""The patient's local day: the interval ``[first second of the date, first second of the next date)``.

A day has 23, 24 or 25 hours where clocks change (and none at all where a country jumped over it, as Samoa did on
2011-12-30). Days never overlap and leave nothing between them, so that every instant belongs to exactly one.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from datetime import time as wall_time
from zoneinfo import ZoneInfo

SECOND_NS = 10**9
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def day_start_ns(day: date, zone: ZoneInfo) -> int:
    """Return the first instant (UTC nanoseconds) of a local date.

    Where midnight is skipped by the clocks, it is the instant at which they are put forward; where midnight comes
    twice, it is the first one (PEP 495, ``fold=0``).
    """
    midnight = datetime.combine(day, wall_time.min, tzinfo=zone)
    since = midnight.astimezone(UTC) - _EPOCH
    return (since.days * 86_400 + since.seconds) * SECOND_NS


def day_of(time_ns: int, zone: ZoneInfo) -> date:
    """Return the local date that an instant (UTC nanoseconds) belongs to."""
    day = local_time(time_ns, zone).date()
    # Where clocks are put back just after midnight the wall calendar visits a date twice; the interval decides.
    if time_ns < day_start_ns(day, zone):
        return day - timedelta(days=1)
    if time_ns >= day_start_ns(day + timedelta(days=1), zone):
        return day + timedelta(days=1)
    return day


def day_length_s(day: date, zone: ZoneInfo) -> int:
    """Return how many seconds a local date has: 82,800, 86,400 or 90,000 nearly everywhere."""
    return (day_start_ns(day + timedelta(days=1), zone) - day_start_ns(day, zone)) // SECOND_NS


def local_time(time_ns: int, zone: ZoneInfo) -> datetime:
    """Return what a clock on the patient's wall shows at an instant (UTC nanoseconds), to the second."""
    return (_EPOCH + timedelta(seconds=time_ns // SECOND_NS)).astimezone(zone)
