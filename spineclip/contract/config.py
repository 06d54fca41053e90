"""What is known of a patient: time zone, clips, calibration, goals (retained on ``config``, JSON).

The command line and the page write it; collector, core and dashboards read it.
"""

from __future__ import annotations

import math
import zoneinfo
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final, TypeVar

from spineclip.contract.axes import check_axes
from spineclip.contract.errors import SettingsError, WireError
from spineclip.contract.ids import is_id
from spineclip.contract.messages import dump, load
from spineclip.contract.placement import Placement

Vector = tuple[float, float, float]
_T = TypeVar("_T", "Goals", "Nudging")

GOAL_LIMITS: Final = {
    "walking_min": 300,
    "walking_step_min": 30,
    "walking_ceiling_min": 300,
    "brisk_min": 300,
    "longest_sedentary_min": 480,
    "breaks_per_hour": 20,
    "upright_pct": 100,
    "days_per_week": 7,
}
"""The most that can be agreed on, by field of `Goals`; the least is 0."""
_NUDGING_LIMITS: Final = {
    "slouched_min": 480,
    "sedentary_min": 480,
    "walk_missing_from_hour": 24,
    "daily_cap": 100,
    "quiet_from_hour": 24,
    "quiet_until_hour": 24,
    "paused_until_ns": 1 << 63,
}


def _check_date(text: object) -> None:
    try:
        if isinstance(text, str) and date.fromisoformat(text).isoformat() == text:
            return
    except ValueError:
        pass  # said below
    raise SettingsError(f"{text!r} is not a date", advice="Write it as 2026-03-01")


def _check_numbers(row: object, limits: Mapping[str, int]) -> None:
    for name, largest in limits.items():
        value = getattr(row, name)
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= largest:
            raise SettingsError(f"{name} cannot be {value!r}", advice=f"Use a number from 0 to {largest}")
        if type(row).__annotations__[name] == "int" and value != int(value):
            raise SettingsError(f"{name} cannot be {value!r}", advice="Use a whole number")


@dataclass(frozen=True, slots=True)
class Calibration:
    """What the wearer has taught one clip, in sensor axes; valid from `since_ns` until the clip is put on anew.

    Attributes
    ----------
    neutral
        Mean specific force while the wearer sat tall, g.
    poses
        Mean specific force in poses that the wearer showed once, by posture name, g.
    """

    since_ns: int
    neutral: Vector | None = None
    poses: Mapping[str, Vector] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Clip:
    """One wearable of a patient and where it is worn.

    `axes` names where the sensor's axes point when the wearer stands, such as ``{"x": "up", "y": "left",
    "z": "backward"}``; empty when not known.
    """

    placement: Placement
    axes: Mapping[str, str] = field(default_factory=dict)
    calibration: Calibration | None = None

    def __post_init__(self) -> None:
        """Check the axes.

        Raises
        ------
        SettingsError
            If no sensor can point so.
        """
        check_axes(self.axes, f"the axes {dict(self.axes)!r}")


@dataclass(frozen=True, slots=True)
class Goals:
    """What a patient and therapist agreed on, from the local date `since` (YYYY-MM-DD) on.

    The walking goal may grow: from `walking_min` by `walking_step_min` a week up to `walking_ceiling_min`
    (start small and build up individually to 30 minutes: WalkBack, Lancet 2024). A goal of 0 is no goal.
    """

    since: str = "1970-01-01"
    walking_min: float = 20.0
    walking_step_min: float = 0.0
    walking_ceiling_min: float = 30.0
    brisk_min: float = 0.0
    longest_sedentary_min: float = 45.0
    breaks_per_hour: float = 0.0
    upright_pct: float = 50.0
    days_per_week: int = 5

    def __post_init__(self) -> None:
        """Check that a person could mean them.

        Raises
        ------
        SettingsError
            If the date is not one, or a number is outside of what a day allows.
        """
        _check_date(self.since)
        _check_numbers(self, GOAL_LIMITS)


@dataclass(frozen=True, slots=True)
class Nudging:
    """When and how often a patient wants to be nudged; `[quiet_from, quiet_until)` is local and may pass midnight.

    A limit of 0 minutes is no limit: that cause never nudges. `walk_missing_from_hour` 24 is never. Nothing nudges
    before `paused_until_ns` (UTC).
    """

    enabled: bool = True
    slouched_min: float = 2.0
    sedentary_min: float = 45.0
    walk_missing_from_hour: int = 17
    daily_cap: int = 8
    quiet_from_hour: int = 21
    quiet_until_hour: int = 8
    paused_until_ns: int = 0

    def __post_init__(self) -> None:
        """Check that a person could mean them.

        Raises
        ------
        SettingsError
            If a number is outside of what a day allows.
        """
        _check_numbers(self, _NUDGING_LIMITS)


@dataclass(frozen=True, slots=True)
class PatientConfig:
    """All of it. `goals` is a history, oldest first; the last one that has begun holds."""

    time_zone: str = "UTC"
    clips: Mapping[str, Clip] = field(default_factory=dict)
    goals: tuple[Goals, ...] = (Goals(),)
    nudging: Nudging = Nudging()
    language: str = "en"

    def __post_init__(self) -> None:
        """Check the time zone.

        Raises
        ------
        SettingsError
            If the zone does not exist.
        """
        zone(self.time_zone)

    def to_json(self) -> bytes:
        """Write the message."""
        return dump(
            {
                "time_zone": self.time_zone,
                "language": self.language,
                "clips": {device: _clip_fields(clip) for device, clip in sorted(self.clips.items())},
                "goals": [_slots(goal) for goal in self.goals],
                "nudging": _slots(self.nudging),
            }
        )

    @classmethod
    def from_json(cls, payload: bytes) -> PatientConfig:
        """Read the message; keys that are missing keep their default.

        Raises
        ------
        WireError
            If it is not a config.
        """
        fields = load(payload)
        try:
            clips = fields.get("clips", {})
            if not all(is_id(device) for device in clips):
                raise ValueError("a clip without an id")
            return cls(
                time_zone=str(fields.get("time_zone", "UTC")),
                language=str(fields.get("language", "en")),
                clips={device: _clip(row) for device, row in clips.items()},
                goals=tuple(_known(Goals, row) for row in fields.get("goals", [])) or (Goals(),),
                nudging=_known(Nudging, fields.get("nudging", {})),
            )
        except (AttributeError, KeyError, TypeError, ValueError, OverflowError, SettingsError) as error:
            raise WireError("field", f"not a patient's config ({error})") from error


def zone(name: str) -> zoneinfo.ZoneInfo:
    """Find a time zone.

    Raises
    ------
    SettingsError
        If there is none of that name.
    """
    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise SettingsError(f"there is no time zone {name!r}", advice="Use a name like Europe/Berlin") from error


def _slots(row: Goals | Nudging) -> dict[str, Any]:
    return {name: getattr(row, name) for name in row.__slots__}


def _known(kind: type[_T], row: Mapping[str, Any]) -> _T:
    return kind(**{name: value for name, value in row.items() if name in kind.__slots__})


def _clip_fields(clip: Clip) -> dict[str, Any]:
    fields: dict[str, Any] = {"placement": str(clip.placement), "axes": dict(clip.axes)}
    if clip.calibration is not None:
        known = clip.calibration
        fields["calibration"] = {
            "since_ns": known.since_ns,
            "neutral": None if known.neutral is None else list(known.neutral),
            "poses": {name: list(vector) for name, vector in sorted(known.poses.items())},
        }
    return fields


def _clip(row: Mapping[str, Any]) -> Clip:
    known = row.get("calibration")
    calibration = None
    if known is not None:
        neutral = known.get("neutral")
        calibration = Calibration(
            since_ns=int(known["since_ns"]),
            neutral=None if neutral is None else _vector(neutral),
            poses={str(name): _vector(vector) for name, vector in known.get("poses", {}).items()},
        )
    return Clip(Placement(row["placement"]), {str(k): str(v) for k, v in row.get("axes", {}).items()}, calibration)


def _vector(values: Any) -> Vector:
    x, y, z = (float(value) for value in values)
    if not all(math.isfinite(value) for value in (x, y, z)):
        raise ValueError("a calibration that is no direction")
    return (x, y, z)
