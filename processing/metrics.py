"""The one place of names, fields and units of everything that is stored.

Every store writes these points as they are and every dashboard reads them as they are. A point with the same
measurement, tags and time as an earlier one replaces it, so that writing anything twice changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

Value = str | int | float | bool
_LARGEST: Final = (1 << 63) - 2
"""The largest number and time that each store holds: InfluxDB keeps the last of 64 bits for itself."""


@dataclass(frozen=True, slots=True)
class Field:
    """A stored quantity: its type (``str``, ``int``, ``float``, ``bool``), its unit and what it means."""

    kind: type
    unit: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Measurement:
    """A series of points: how often one is written, under which tags and with which fields."""

    name: str
    one_per: str
    tags: tuple[str, ...]
    fields: Mapping[str, Field]


@dataclass(frozen=True, slots=True)
class Point:
    """One row of a measurement at one time (UTC nanoseconds). Fields that are not known are left out."""

    measurement: str
    time_ns: int
    tags: Mapping[str, str]
    fields: Mapping[str, Value] = field(default_factory=dict)


def _measurement(name: str, one_per: str, tags: tuple[str, ...], **columns: Field) -> Measurement:
    return Measurement(name, one_per, tags, MappingProxyType(columns))


def _minutes(meaning: str) -> Field:
    return Field(float, "min", meaning)


_PATIENT: Final = ("patient",)
_CLIP: Final = ("patient", "device")

_ALL: Final = (
    _measurement(
        "activity",
        "5 s, at its start",
        _PATIENT,
        state=Field(str, "", "the state that fills most of the 5 s; unknown where coverage is too thin"),
        code=Field(int, "", "the state's number"),
        posture=Field(str, "", "the posture that fills most of the 5 s"),
        flexion_deg=Field(float, "deg", "mean trunk flexion against neutral, forward positive"),
        lateral_deg=Field(float, "deg", "mean lateral lean against neutral, right positive"),
        walking_s=Field(float, "s", "walked or run"),
        cadence_spm=Field(float, "/min", "steps a minute while walking"),
        steps=Field(float, "", "steps taken"),
        intensity_mg=Field(float, "mg", "mean amplitude deviation of the norm"),
        confidence=Field(float, "", "chance that the state is right, 0 to 1"),
        coverage=Field(float, "", "share measured, 0 to 1"),
    ),
    _measurement(
        "bout",
        "finished bout, at its start",
        _PATIENT,
        state=Field(str, "", "walking, sedentary, slouched, not_worn"),
        dur_s=Field(float, "s", "length"),
        steps=Field(float, "", "steps taken"),
        cadence_spm=Field(float, "/min", "median cadence"),
        breaks=Field(int, "", "interruptions too short to end it"),
        coverage=Field(float, "", "share measured, 0 to 1"),
    ),
    _measurement(
        "streak",
        "minute",
        _PATIENT,
        sedentary_s=Field(float, "s", "sitting or lying so far without a break"),
        slouched_s=Field(float, "s", "slouched so far without relief"),
    ),
    _measurement(
        "hourly",
        "local hour, at its start",
        ("patient", "hour"),
        walking_min=_minutes("walked or run"),
        standing_min=_minutes("standing"),
        sitting_min=_minutes("sitting"),
        lying_min=_minutes("lying"),
        cycling_min=_minutes("cycling"),
        active_min=_minutes("otherwise on the move"),
        not_worn_min=_minutes("clip not worn"),
        unknown_min=_minutes("measured, but not sure what"),
        missing_min=_minutes("not measured"),
    ),
    _measurement(
        "daily",
        "local day, at its first second",
        _PATIENT,
        date=Field(str, "", "the local date, YYYY-MM-DD"),
        walking_min=_minutes("walked or run"),
        brisk_min=_minutes("walked at 100 steps a minute or more"),
        longest_walk_min=_minutes("longest walk"),
        steps=Field(float, "", "steps taken"),
        sedentary_min=_minutes("sitting or lying while the clip was worn, without lying at night (22 to 7 h)"),
        longest_sedentary_min=_minutes("longest sedentary bout"),
        breaks=Field(int, "", "times that a sedentary bout was ended by getting up"),
        breaks_per_hour=Field(float, "/h", "breaks per sedentary hour"),
        standing_min=_minutes("standing"),
        cycling_min=_minutes("cycling"),
        running_min=_minutes("running"),
        slouched_min=_minutes("slouched"),
        upright_pct=Field(float, "%", "share of sitting with a known posture that was upright"),
        worn_min=_minutes("clip worn and measured"),
        unknown_min=_minutes("worn and measured, but not sure what"),
        coverage=Field(float, "", "share of the day's seconds so far that was measured, 0 to 1"),
        enough_data=Field(bool, "", "worn long enough for the day to be judged"),
        goal_walking_min=_minutes("that day's walking goal"),
        goal_brisk_min=_minutes("that day's brisk walking goal"),
        goal_longest_sedentary_min=_minutes("that day's limit of one sitting"),
        goal_breaks_per_hour=Field(float, "/h", "that day's goal of breaks"),
        goal_upright_pct=Field(float, "%", "that day's goal of upright sitting"),
        met_walking=Field(bool, "", "walking goal met (left out without enough data)"),
        met_brisk=Field(bool, "", "brisk goal met (left out without enough data)"),
        met_sedentary=Field(bool, "", "no sitting over the limit (left out without enough data)"),
        met_breaks=Field(bool, "", "breaks goal met (left out without enough data)"),
        met_upright=Field(bool, "", "upright goal met (left out without enough data)"),
        attention=Field(int, "", "points for sorting: how much of the day one would ask about"),
        attention_why=Field(str, "", "what one would ask about, in words"),
    ),
    _measurement(
        "diary",
        "entry, one a local day, at the day's first second",
        _PATIENT,
        date=Field(str, "", "the local date that it is about, YYYY-MM-DD"),
        pain=Field(int, "", "0 none to 10 worst"),
        exercises=Field(bool, "", "home exercises done"),
        relaxation_min=_minutes("breathing, mindfulness"),
        nsaid=Field(bool, "", "anti-inflammatory taken"),
        note=Field(str, "", "the patient's own words"),
    ),
    _measurement(
        "nudge",
        "nudge, when it began",
        _PATIENT,
        cause=Field(str, "", "slouched, sedentary, walk_missing"),
        text=Field(str, "", "what was said"),
        reason=Field(str, "", "why, with its numbers"),
        ended_s=Field(float, "s", "how long until the cause was gone (once known)"),
        told=Field(bool, "", "false where it was worked off too late to be told"),
    ),
    _measurement(
        "gap",
        "gap, at its start",
        _CLIP,
        dur_s=Field(float, "s", "length"),
        reason=Field(str, "", "why samples are missing"),
    ),
    _measurement(
        "device",
        "minute",
        _CLIP,
        battery_pct=Field(float, "%", "battery"),
        rssi_dbm=Field(float, "dBm", "signal"),
        rate_hz=Field(float, "Hz", "samples a second that arrived"),
        nominal_hz=Field(float, "Hz", "samples a second that were asked for"),
        drift_ppm=Field(float, "ppm", "wearable clock against ours"),
        clock_error_ms=Field(float, "ms", "uncertainty of the sample times"),
        reconnects=Field(int, "", "connections so far"),
        duplicates=Field(int, "", "records seen twice so far"),
        rejected=Field(int, "", "records kept aside so far"),
        placement=Field(str, "", "where it is worn"),
    ),
    _measurement(
        "fault",
        "fault",
        _CLIP,
        stage=Field(str, "", "collector, core, store"),
        reason=Field(str, "", "a stable word to count by"),
        text=Field(str, "", "a sentence"),
        count=Field(int, "", "how often so far"),
    ),
    _measurement(
        "goal",
        "change, at the first second of its local day",
        _PATIENT,
        walking_min=_minutes("walking a day"),
        walking_step_min=_minutes("added each week"),
        walking_ceiling_min=_minutes("where it stops growing"),
        brisk_min=_minutes("brisk walking a day"),
        longest_sedentary_min=_minutes("longest sitting"),
        breaks_per_hour=Field(float, "/h", "breaks per sedentary hour"),
        upright_pct=Field(float, "%", "upright share of sitting"),
        days_per_week=Field(int, "", "days a week to meet the walking goal"),
    ),
)

MEASUREMENTS: Final[Mapping[str, Measurement]] = MappingProxyType({m.name: m for m in _ALL})
"""Every measurement by name."""


def check(point: Point) -> None:
    """Check a point against the table, so that a field's type never changes in a store.

    Raises
    ------
    ValueError
        If the measurement, a tag or a field is unknown, a value is of another type, not finite or missing, or a number
        or the time does not fit into 64 bits.
    """
    known = MEASUREMENTS.get(point.measurement)
    if known is None:
        raise ValueError(f"no measurement {point.measurement!r}")
    if tuple(sorted(point.tags)) != tuple(sorted(known.tags)):
        raise ValueError(f"{point.measurement} takes the tags {known.tags}, not {tuple(point.tags)}")
    if not point.fields:
        raise ValueError(f"a point of {point.measurement} without fields")
    if abs(point.time_ns) > _LARGEST:
        raise ValueError(f"a point of {point.measurement} at {point.time_ns} ns, which no store can hold")
    for name, value in point.fields.items():
        column = known.fields.get(name)
        if column is None:
            raise ValueError(f"{point.measurement} has no field {name!r}")
        if type(value) is not column.kind:
            raise ValueError(f"{point.measurement}.{name} is {column.kind.__name__}, not {type(value).__name__}")
        if isinstance(value, float) and not (-1e300 < value < 1e300):
            raise ValueError(f"{point.measurement}.{name} is {value}, which no store can hold")
        if isinstance(value, int) and abs(value) > _LARGEST:
            raise ValueError(f"{point.measurement}.{name} is {value}, which no store can hold")
