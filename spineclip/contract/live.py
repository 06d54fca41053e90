"""The body now: what the core tells a page once a second (on ``live``, JSON, never stored)."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, fields

from spineclip.contract.errors import WireError
from spineclip.contract.messages import dump, load


@dataclass(frozen=True, slots=True)
class Live:
    """A patient's present second, provisional by nature; quantities that are not known are None.

    Attributes
    ----------
    time_ns
        UTC nanoseconds of the newest sample behind it.
    state, posture
        Names as in the stored metrics.
    flexion_deg, lateral_deg
        Trunk against neutral; forward and right positive.
    oriented
        Whether it is known yet how the clip sits on the body.
    state_since_ns
        When the present state began.
    sedentary_s, slouched_s
        How long without a break.
    walking_min, goal_walking_min
        Today so far, and today's goal.
    """

    time_ns: int
    state: str
    posture: str
    confidence: float
    oriented: bool
    state_since_ns: int
    sedentary_s: float
    slouched_s: float
    walking_min: float
    goal_walking_min: float
    flexion_deg: float | None = None
    lateral_deg: float | None = None
    cadence_spm: float | None = None
    battery_pct: int | None = None
    device: str = ""

    def to_json(self) -> bytes:
        """Write the message."""
        return dump(asdict(self))

    @classmethod
    def from_json(cls, payload: bytes) -> Live:
        """Read the message; unknown keys are ignored.

        Raises
        ------
        WireError
            If a needed key is missing, or a value is not of its kind.
        """
        row = load(payload)
        known = {column.name: row[column.name] for column in fields(cls) if column.name in row}
        for column in fields(cls):
            if column.name in known and not _fits(known[column.name], str(column.type)):
                raise WireError("field", f"not a live message ({column.name!r})")
        try:
            return cls(**known)
        except TypeError as error:
            raise WireError("field", f"not a live message ({error})") from error


def _fits(value: object, kind: str) -> bool:
    """Tell whether a value is of a field's kind, such as ``float | None``."""
    if value is None:
        return kind.endswith("None")
    if isinstance(value, bool):
        return kind == "bool"
    if isinstance(value, int):
        return kind.startswith(("int", "float")) and abs(value) < 1 << 63
    if isinstance(value, float):
        return kind.startswith("float") and math.isfinite(value)
    return isinstance(value, str) and kind.startswith("str")
