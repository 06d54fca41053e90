"""How the trunk is held: angles against the wearer's neutral, and the posture they mean at a place on the body."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from processing.epochs import Posture
from processing.pose_model import PoseModel
from spineclip.contract.placement import Placement

SITTING: Final = (
    Posture.UPRIGHT,
    Posture.SLOUCHED,
    Posture.LEANING_FORWARD,
    Posture.LEANING_LEFT,
    Posture.LEANING_RIGHT,
    Posture.RECLINED,
)
"""The postures that are told apart, in the order of the rows of the fitted models."""

WEIGHTS: Final = Path(__file__).parent / "weights" / "postures.json"
"""Fitted by ``python -m benchmarks.posture --fit`` on the IMU Sitting Postures Dataset (Ali et al.)."""

_SITE: Final = {
    Placement.BELT: "L5",
    Placement.LOWER_BACK: "L5",
    Placement.MID_BACK: "T12",
    Placement.UPPER_BACK: "T4",
    Placement.STERNUM: "T4",
    Placement.COLLAR: "T4",
}
"""The site of the dataset that turns as a clip there does; sternum and collar stand in for T4, which lies behind."""

_TWO: Final = "L5+T4"
_CODES: Final = np.array([posture.code for posture in SITTING], dtype=np.int8)
_FURTHEST_DEG: Final = 75.0
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
    right = _cross(ahead, up)
    rows = np.atleast_2d(np.asarray(gravity_g, dtype=np.float64))
    along_up, along_right, along_forward = (_dot(rows, axis) for axis in (up, right, ahead))
    across = np.hypot(along_right, along_forward)
    tilt_deg = np.degrees(np.arctan2(across, along_up))
    with np.errstate(invalid="ignore", divide="ignore"):
        share = np.where(across > _EPS, tilt_deg / across, 0.0)
    known = across + np.abs(along_up) > _EPS
    return (np.where(known, -along_forward * share, np.nan), np.where(known, -along_right * share, np.nan))


def shown(
    poses: Mapping[str, tuple[float, float, float]], neutral_g: NDArray[np.float64], forward: NDArray[np.float64]
) -> tuple[Pose, ...]:
    """Turn the poses of a calibration (mean specific force in sensor axes, by posture name) into angles.

    Poses that are none of `SITTING`, or whose angles cannot be told, are left out.
    """
    known = [(posture, poses[posture]) for posture in SITTING if posture in poses]
    if not known:
        return ()
    flexion, lateral = angles(np.array([vector for _, vector in known]), neutral_g, forward)
    taught = [Pose(posture, float(f), float(r)) for (posture, _), f, r in zip(known, flexion, lateral, strict=True)]
    return tuple(pose for pose in taught if np.isfinite(pose.flexion_deg + pose.lateral_deg))


def usual_neutral(placement: Placement) -> NDArray[np.float64]:
    """Up in the wearer's (up, right, forward) as a clip at this placement mostly lies while its wearer sits tall.

    Stands in for a calibration where only the sensor's axes are known.
    """
    return np.array(_weights()[_SITE[placement]]["neutral"])


def classify(
    placement: Placement,
    flexion_deg: NDArray[np.float64],
    lateral_deg: NDArray[np.float64],
    taught: tuple[Pose, ...] = (),
    *,
    own_neutral: bool = True,
) -> NDArray[np.int8]:
    """Name the posture of each pair of angles while sitting or standing.

    Parameters
    ----------
    placement
        Where the clip is worn. At the belt and the lower back, slouching cannot be told from sitting upright and is
        never claimed unless taught; at the thigh nothing is.
    flexion_deg, lateral_deg
        Shape (n,), from `angles`.
    taught
        Poses that the wearer has shown.
    own_neutral
        Whether the angles are against the wearer's own neutral, or only against `usual_neutral`.

    Returns
    -------
    Shape (n,), codes of `Posture`; `unknown` where an angle is NaN or further than people sit.
    """
    flexion, lateral = np.asarray(flexion_deg, dtype=np.float64), np.asarray(lateral_deg, dtype=np.float64)
    if placement not in _SITE:
        return np.zeros(flexion.shape, dtype=np.int8)
    chances = model(placement, own_neutral=own_neutral).taught(_shown(taught)).chances(_rows(flexion, lateral))
    sees = placement.sees_slouch or any(pose.posture is Posture.SLOUCHED for pose in taught)
    return _named(chances, sees, _within(flexion, lateral))


def classify_two(
    lower: tuple[NDArray[np.float64], NDArray[np.float64]], upper: tuple[NDArray[np.float64], NDArray[np.float64]]
) -> NDArray[np.int8]:
    """Name the posture from a clip at the belt or lower back and one at the upper back, sternum or collar together.

    Both give ``(flexion_deg, lateral_deg)``, shape (n,) each, against their own neutral. The lower clip tells leaning
    forward, which turns the pelvis, from slouching, which does not.
    """
    fields = _weights()[_TWO]
    rows = np.concatenate([_rows(*lower), _rows(*upper)], axis=1)
    return _named(_model(fields["own"]).chances(rows), True, _within(*lower) & _within(*upper))


@cache
def model(placement: Placement, *, own_neutral: bool = True) -> PoseModel:
    """Return the fitted model of a placement that sees the trunk."""
    return _model(_weights()[_SITE[placement]]["own" if own_neutral else "usual"])


def shipped(site: str, *, own_neutral: bool = True) -> tuple[PoseModel, NDArray[np.float64] | None]:
    """Return the fitted model of a site of the dataset, or of two (``L5+T4``), and the site's usual neutral if any."""
    fields = _weights()[site]
    neutral = np.array(fields["neutral"]) if "neutral" in fields else None
    return _model(fields["own" if own_neutral else "usual"]), neutral


def named(chances: NDArray[np.float64], *, sees_slouch: bool) -> NDArray[np.int8]:
    """Turn chances of `SITTING`, shape (n, 6), into codes of `Posture`."""
    return _named(chances, sees_slouch, np.ones(len(chances), dtype=np.bool_))


def _named(chances: NDArray[np.float64], sees_slouch: bool, known: NDArray[np.bool_]) -> NDArray[np.int8]:
    if not sees_slouch:
        chances = chances.copy()
        chances[:, 0] += chances[:, 1]
        chances[:, 1] = 0.0
    return np.where(known, _CODES[np.argmax(chances, axis=1)], np.int8(Posture.UNKNOWN.code))


def _rows(flexion: NDArray[np.float64], lateral: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.nan_to_num(np.stack([flexion, lateral], axis=1))


def _within(flexion: NDArray[np.float64], lateral: NDArray[np.float64]) -> NDArray[np.bool_]:
    return np.asarray((np.abs(flexion) < _FURTHEST_DEG) & (np.abs(lateral) < _FURTHEST_DEG))  # False where NaN


def _shown(taught: tuple[Pose, ...]) -> list[tuple[int, NDArray[np.float64]]]:
    return [
        (SITTING.index(pose.posture), np.array([pose.flexion_deg, pose.lateral_deg]))
        for pose in taught
        if pose.posture in SITTING
    ]


def _model(fields: Mapping[str, Any]) -> PoseModel:
    return PoseModel(*(np.array(fields[name]) for name in ("mean", "spread", "noise")))


@cache
def _weights() -> dict[str, Any]:
    fields: dict[str, Any] = json.loads(WEIGHTS.read_text(encoding="utf-8"))
    return fields


def _dot(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(a[:, 0] * b[:, 0] + a[:, 1] * b[:, 1] + a[:, 2] * b[:, 2])


def _cross(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    x, y, z = a.T, b.T, np.empty(np.broadcast_shapes(a.shape, b.shape))
    z[:, 0] = x[1] * y[2] - x[2] * y[1]
    z[:, 1] = x[2] * y[0] - x[0] * y[2]
    z[:, 2] = x[0] * y[1] - x[1] * y[0]
    return z


def _unit(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    size = np.sqrt(_dot(rows, rows))
    return np.where(size > _EPS, 1.0, np.nan)[:, None] * rows / np.maximum(size, _EPS)[:, None]
