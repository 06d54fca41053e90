"""The generated person: how this body sits, sways and walks at each place where a clip can be worn.

Sizes come from people: medians of the labelled sets HARTH, HAR70+ (lower back), Daily and Sports Activities (chest)
and IMU Sitting Postures (L5, T12, T4, C7).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

import numpy as np

from spineclip.contract.placement import Placement


class Pose(StrEnum):
    """How the trunk is held."""

    UPRIGHT = "upright"
    SLOUCHED = "slouched"
    LEANING_FORWARD = "leaning_forward"
    LEANING_LEFT = "leaning_left"
    LEANING_RIGHT = "leaning_right"
    RECLINED = "reclined"
    SUPINE = "supine"
    PRONE = "prone"
    LEFT_SIDE = "left_side"
    RIGHT_SIDE = "right_side"
    STANDING = "standing"
    GAIT = "gait"
    RUNNING = "running"
    CYCLING = "cycling"


_LYING: Final = {
    Pose.SUPINE: (-92.0, 2.0),
    Pose.PRONE: (86.0, -3.0),
    Pose.LEFT_SIDE: (-15.0, -82.0),
    Pose.RIGHT_SIDE: (-12.0, 84.0),
}
_P = Pose
_L5: Final = {
    _P.SLOUCHED: (3.5, 0.0),
    _P.LEANING_FORWARD: (17.5, 0.0),
    _P.LEANING_LEFT: (-3.0, -6.5),
    _P.LEANING_RIGHT: (-3.0, 7.5),
    _P.RECLINED: (-36.0, 0.0),
    _P.STANDING: (10.0, 0.0),
    _P.GAIT: (13.0, 0.0),
    _P.RUNNING: (20.0, 0.0),
    _P.CYCLING: (26.0, 0.0),
}
_T12: Final = {
    _P.SLOUCHED: (17.5, 0.0),
    _P.LEANING_FORWARD: (18.0, 0.0),
    _P.LEANING_LEFT: (1.0, -13.0),
    _P.LEANING_RIGHT: (1.0, 12.5),
    _P.RECLINED: (-28.5, 0.0),
    _P.STANDING: (7.0, 0.0),
    _P.GAIT: (8.0, 0.0),
    _P.RUNNING: (14.0, 0.0),
    _P.CYCLING: (28.0, 0.0),
}
_T4: Final = {
    _P.SLOUCHED: (24.5, 0.0),
    _P.LEANING_FORWARD: (15.5, 0.0),
    _P.LEANING_LEFT: (2.0, -11.5),
    _P.LEANING_RIGHT: (2.0, 14.0),
    _P.RECLINED: (-16.0, 0.0),
    _P.STANDING: (5.0, 0.0),
    _P.GAIT: (5.0, 0.0),
    _P.RUNNING: (11.0, 0.0),
    _P.CYCLING: (30.0, 0.0),
}
SEATED: Final = (_P.UPRIGHT, _P.SLOUCHED, _P.LEANING_FORWARD, _P.LEANING_LEFT, _P.LEANING_RIGHT, _P.RECLINED)
"""The postures that are told apart while sitting."""
_THIGH: Final = {
    **dict.fromkeys(SEATED, (-84.0, 3.0)),
    _P.STANDING: (2.0, 0.0),
    _P.GAIT: (-2.0, 0.0),
    _P.RUNNING: (-10.0, 0.0),
    _P.CYCLING: (-50.0, 0.0),
}

ANGLES_DEG: Final = MappingProxyType(
    {
        Placement.BELT: _LYING | _L5,
        Placement.LOWER_BACK: _LYING | _L5,
        Placement.MID_BACK: _LYING | _T12,
        Placement.UPPER_BACK: _LYING | _T4,
        Placement.STERNUM: _LYING | _T4,
        Placement.COLLAR: _LYING | _T4,
        Placement.THIGH: _LYING | _THIGH,
    }
)
"""Flexion (forward positive) and lateral lean (right positive) of each pose against sitting tall, degrees."""

LEAN_DEG: Final = MappingProxyType(
    {
        Placement.BELT: -8.0,
        Placement.LOWER_BACK: -4.0,
        Placement.MID_BACK: 6.0,
        Placement.UPPER_BACK: 14.0,
        Placement.STERNUM: -18.0,
        Placement.COLLAR: -25.0,
        Placement.THIGH: 0.0,
    }
)
"""How far the surface on which the clip lies is turned forward while the person sits tall, degrees."""


@dataclass(frozen=True, slots=True)
class Person:
    """What makes one body differ from the next; 1.0 is the median person.

    Attributes
    ----------
    bounce, sideways
        Size of the trunk's rise and fall, and of its sway from side to side, while walking.
    sway
        Size of the slow sway while standing and of the fidgeting while sitting.
    bend
        How far this person goes in each posture.
    stride_cv
        Coefficient of variation of the step time (2 to 3 % in healthy adults: Hausdorff 2005).
    breath_hz
        Breaths a second at rest.
    """

    bounce: float = 1.0
    sideways: float = 1.0
    sway: float = 1.0
    bend: float = 1.0
    stride_cv: float = 0.025
    breath_hz: float = 0.24

    @staticmethod
    def drawn(seed: int) -> Person:
        """Draw a person."""
        rng = np.random.default_rng([seed, 7])
        bounce, sideways, sway = np.exp(rng.normal(0.0, 0.18, 3))
        return Person(
            bounce=float(bounce),
            sideways=float(sideways),
            sway=float(sway),
            bend=float(np.clip(rng.normal(1.0, 0.12), 0.75, 1.3)),
            stride_cv=float(rng.uniform(0.018, 0.035)),
            breath_hz=float(rng.uniform(0.2, 0.29)),
        )

    def angles_deg(self, placement: Placement, pose: Pose) -> tuple[float, float]:
        """Flexion and lateral lean of a pose at a placement against sitting tall, degrees."""
        flexion, lateral = ANGLES_DEG[placement].get(pose, (0.0, 0.0))
        size = self.bend if pose in _BENT and placement is not Placement.THIGH else 1.0
        return flexion * size, lateral * size


_BENT: Final = frozenset(SEATED) - {_P.UPRIGHT}
