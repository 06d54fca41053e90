"""What a wearer teaches a clip, as a change of the patient's config: the neutral posture, then poses beside it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from processing.epochs import Posture
from spineclip.contract.config import Calibration, Clip, PatientConfig, Vector
from spineclip.contract.errors import PoseError
from spineclip.contract.placement import Placement

SAME_MOUNT_DEG: Final = 5.0
"""Sitting tall twice repeats within a few degrees; a clip that was put on anew is usually further off."""
CLEAR_DEG: Final = 5.0
"""A pose nearer to neutral than this would call sitting tall by its name."""
FURTHEST_DEG: Final = 75.0
"""Beyond this nobody sits; the clip has moved, or somebody lay down."""

HOW: Final[Mapping[Posture, str]] = {
    Posture.UPRIGHT: "Sit tall, look ahead, breathe quietly.",
    Posture.SLOUCHED: "Let your back sink as it does when you are tired, and stay so.",
    Posture.LEANING_FORWARD: "Lean forward as over a desk, with your back straight, and stay so.",
    Posture.LEANING_LEFT: "Lean to the left as on an armrest, and stay so.",
    Posture.LEANING_RIGHT: "Lean to the right as on an armrest, and stay so.",
    Posture.RECLINED: "Lean back into your chair, and stay so.",
}
"""What the wearer is asked to do. Upright is the neutral that all others are measured against."""


def teach_neutral(
    config: PatientConfig, device: str, placement: Placement, neutral_g: Vector, since_ns: int
) -> tuple[PatientConfig, bool]:
    """Take on a new neutral; return the config, and whether poses taught before had to be forgotten.

    Poses are kept in the sensor's axes, so they hold only while the clip sits as it did: when the new neutral is
    further than `SAME_MOUNT_DEG` from the one before, the clip was put on anew.
    """
    before = config.clips.get(device)
    known = None if before is None else before.calibration
    poses = {} if known is None else dict(known.poses)
    moved = known is None or known.neutral is None or angle_deg(known.neutral, neutral_g) > SAME_MOUNT_DEG
    forgotten = bool(poses) and moved
    calibration = Calibration(since_ns, neutral_g, {} if moved else poses)
    return _with(config, device, placement, calibration), forgotten


def teach_pose(
    config: PatientConfig, device: str, placement: Placement, posture: Posture, pose_g: Vector
) -> PatientConfig:
    """Take on a pose beside the neutral; it holds from the neutral's time on.

    Raises
    ------
    PoseError
        If there is no neutral yet, or the pose is too near to it or too far from it to be one.
    """
    before = config.clips.get(device)
    known = None if before is None else before.calibration
    if known is None or known.neutral is None:
        raise PoseError(
            "no_neutral", f"{device} does not know how you sit tall yet", advice="Run spineclip calibrate first"
        )
    away_deg = angle_deg(known.neutral, pose_g)
    name = posture.replace("_", " ")
    if away_deg < CLEAR_DEG:
        raise PoseError(
            "near",
            f"{name} was only {away_deg:.0f} degrees from sitting tall, too little to be told from it",
            advice="Show it more clearly, or calibrate again when the clip was put on anew",
        )
    if away_deg > FURTHEST_DEG:
        raise PoseError(
            "far",
            f"{name} was {away_deg:.0f} degrees from sitting tall, further than anybody sits",
            advice="Was the clip put on anew? Then run spineclip calibrate first",
        )
    return _with(config, device, placement, replace(known, poses={**known.poses, str(posture): pose_g}))


def angle_deg(a: Vector, b: Vector) -> float:
    """Return the angle between two directions, degrees."""
    across = math.hypot(a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0])
    return math.degrees(math.atan2(across, sum(x * y for x, y in zip(a, b, strict=True))))


def _with(config: PatientConfig, device: str, placement: Placement, calibration: Calibration) -> PatientConfig:
    clip = replace(config.clips.get(device, Clip(placement)), placement=placement, calibration=calibration)
    return replace(config, clips={**config.clips, device: clip})
