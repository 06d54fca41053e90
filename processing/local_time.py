"""The patient's wall clock: which local hour and day a second belongs to, on days of 23 to 25 hours too."""

from __future__ import annotations

import datetime as dt
import itertools
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from spineclip.contract import days
from spineclip.contract.config import zone

_QUARTER_S: Final = 900
"""Zones change, and stand apart, by multiples of a quarter of an hour (IANA time zone database, after 1972)."""


@dataclass(frozen=True, slots=True)
class Hour:
    """A local hour: its first second (since 1970, UTC), its number on the wall clock, and its local day."""

    start_s: int
    number: int
    day: Day


@dataclass(frozen=True, slots=True)
class Day:
    """A local day ``[start_s, end_s)`` (seconds since 1970, UTC) and its date, YYYY-MM-DD."""

    start_s: int
    end_s: int
    date: str


def wall_clock(zone_name: str, second: int) -> dt.datetime:
    """Return what a clock on the wall showed when the second's quarter of an hour began: date and hour are its own."""
    return _wall_clock(zone_name, second // _QUARTER_S)


@lru_cache(maxsize=4096)
def _wall_clock(zone_name: str, quarter: int) -> dt.datetime:
    return dt.datetime.fromtimestamp(quarter * _QUARTER_S, tz=zone(zone_name))


@lru_cache(maxsize=4096)
def offset_s(zone_name: str, quarter: int) -> int:
    """Return the zone's offset from UTC in a quarter of an hour, counted since 1970."""
    offset = _wall_clock(zone_name, quarter).utcoffset()
    return 0 if offset is None else round(offset.total_seconds())


@lru_cache(maxsize=4096)
def hour_at(zone_name: str, quarter: int) -> Hour:
    """Return the local hour that a quarter of an hour lies in."""
    moment = _wall_clock(zone_name, quarter)
    start_s = quarter * _QUARTER_S - moment.minute * 60 - moment.second
    # an hour cut short by a change of the clock begins at the change
    while offset_s(zone_name, start_s // _QUARTER_S) != offset_s(zone_name, quarter):
        start_s += _QUARTER_S
    date = days.day_of(quarter * _QUARTER_S * days.SECOND_NS, zone(zone_name))
    return Hour(start_s, moment.hour, _day(zone_name, date))


def day_at(zone_name: str, second: int) -> Day:
    """Return the local day that a second lies in."""
    return hour_at(zone_name, second // _QUARTER_S).day


@lru_cache(maxsize=512)
def _day(zone_name: str, date: dt.date) -> Day:
    start_ns = days.day_start_ns(date, zone(zone_name))
    end_ns = days.day_start_ns(date + dt.timedelta(days=1), zone(zone_name))
    return Day(start_ns // days.SECOND_NS, end_ns // days.SECOND_NS, date.isoformat())


def hours(zone_name: str, seconds: NDArray[np.int64]) -> list[tuple[Hour, int, int]]:
    """Split rising seconds (n,) into runs of one local hour each: ``(hour, first row, end row)``."""
    quarter = seconds.item(0) // _QUARTER_S
    if quarter == seconds.item(-1) // _QUARTER_S:
        return [(hour_at(zone_name, quarter), 0, len(seconds))]
    quarters = seconds // _QUARTER_S
    edges = [0, *(np.flatnonzero(np.diff(quarters)) + 1).tolist(), len(seconds)]
    found: list[tuple[Hour, int, int]] = []
    for first, end in itertools.pairwise(edges):
        hour = hour_at(zone_name, int(quarters[first]))
        if found and found[-1][0] == hour:
            found[-1] = (hour, found[-1][1], end)
        else:
            found.append((hour, first, end))
    return found
