"""Where on the body a clip is worn, and what can be seen from there."""

from __future__ import annotations

from enum import StrEnum


class Placement(StrEnum):
    """A place on the body.

    The angles that a place can claim are measured on the IMU Sitting Postures Dataset (Ali et al.): slouching turns
    the belt by 3.5 degrees (not separable), T12 by 17.5, T4 by 24.5, C7 by 22.4.
    """

    BELT = "belt"
    LOWER_BACK = "lower-back"
    MID_BACK = "mid-back"
    UPPER_BACK = "upper-back"
    STERNUM = "sternum"
    COLLAR = "collar"
    THIGH = "thigh"

    @property
    def sees_slouch(self) -> bool:
        """Whether a rounded back turns a clip that is worn here."""
        return self in _UPPER

    @property
    def sees_trunk(self) -> bool:
        """Whether a clip that is worn here turns with the trunk."""
        return self is not Placement.THIGH


_UPPER = frozenset({Placement.MID_BACK, Placement.UPPER_BACK, Placement.STERNUM, Placement.COLLAR})
