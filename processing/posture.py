"""How the trunk is held: angles against the wearer's neutral, and the posture they mean at a place on the body."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from processing.epochs import Posture
from spineclip.contract.placement import Placement

_EPS: Final = 1e-12


@dataclass(frozen=True, slots=True)
class Pose:
    """A pose that the wearer has shown once: which posture it is and its angles against neutral."""

    posture: Posture
    flexion_deg: float
    lateral_deg: float


def angles(
    gravity_g: NDArray[np.float64], neutral_g: NDArray[np.float64], forward: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Angles of the trunk against neutral, by the tilt-twist method (Crawford et al. 1999, Clin Biomech 14:153).

    The tilt is the whole angle between the present up and the neutral up; flexion and lateral lean are its parts
    along the forward and the right axis. A lean in one plane is thus exact at any size, and nothing jumps when the
    wearer lies down. Twisting about the own long axis cannot be seen by an accelerometer.

    Parameters
    ----------
    gravity_g
        Shape (n, 3): mean specific force at rest or nearly so (points up), sensor axes, any length.
    neutral_g
        Shape (3,) or (n, 3): the same while the wearer sat or stood tall.
    forward
        Shape (3,) or (n, 3): the wearer's forward in sensor axes; only its part across `neutral_g` counts.

    Returns
    -------
    flexion_deg, lateral_deg
        Shape (n,) each; forward and to the right positive; NaN where `gravity_g` is NaN or zero, or where the
        axes are not known.
    """
    up = _unit(np.atleast_2d(np.asarray(neutral_g, dtype=np.float64)))
    ahead = np.atleast_2d(np.asarray(forward, dtype=np.float64))
    ahead = _unit(ahead - _dot(ahead, up)[:, None] * up)
    right = np.cross(ahead, up)
    rows = np.atleast_2d(np.asarray(gravity_g, dtype=np.float64))
    along_up, along_right, along_forward = (_dot(rows, axis) for axis in (up, right, ahead))
    across = np.hypot(along_right, along_forward)
    tilt_deg = np.degrees(np.arctan2(across, along_up))
    with np.errstate(invalid="ignore", divide="ignore"):
        share = np.where(across > _EPS, tilt_deg / across, 0.0)
    known = across + np.abs(along_up) > _EPS
    return (np.where(known, -along_forward * share, np.nan), np.where(known, -along_right * share, np.nan))


def classify(
    placement: Placement,
    flexion_deg: NDArray[np.float64],
    lateral_deg: NDArray[np.float64],
    taught: tuple[Pose, ...] = (),
) -> NDArray[np.int8]:
    """Name the posture of each pair of angles; `unknown` where an angle is NaN or the placement sees no trunk.

    Returns
    -------
    Shape (n,), codes of `Posture`.
    """
    flexion, lateral = np.asarray(flexion_deg, dtype=np.float64), np.asarray(lateral_deg, dtype=np.float64)
    out = np.full(flexion.shape, Posture.UPRIGHT.code, dtype=np.int8)
    if not placement.sees_trunk:
        return np.zeros_like(out)
    bent = Posture.SLOUCHED if placement.sees_slouch else Posture.LEANING_FORWARD
    with np.errstate(invalid="ignore"):
        out[flexion > 10.0] = bent.code
        out[flexion < -15.0] = Posture.RECLINED.code
        sideways = np.abs(lateral) > np.maximum(8.0, np.abs(flexion))
        out[sideways & (lateral < 0)] = Posture.LEANING_LEFT.code
        out[sideways & (lateral > 0)] = Posture.LEANING_RIGHT.code
    if taught:
        poses = (Pose(Posture.UPRIGHT, 0.0, 0.0), *taught)
        distance = np.stack([(flexion - p.flexion_deg) ** 2 + (lateral - p.lateral_deg) ** 2 for p in poses])
        out = np.array([p.posture.code for p in poses], dtype=np.int8)[np.argmin(np.nan_to_num(distance), axis=0)]
    out[~(np.isfinite(flexion) & np.isfinite(lateral))] = Posture.UNKNOWN.code
    return out


def _dot(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(a[:, 0] * b[:, 0] + a[:, 1] * b[:, 1] + a[:, 2] * b[:, 2])


def _unit(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    size = np.sqrt(_dot(rows, rows))
    return np.where(size > _EPS, 1.0, np.nan)[:, None] * rows / np.maximum(size, _EPS)[:, None]
