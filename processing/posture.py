"""How the trunk is held: angles against the wearer's neutral, and the posture they mean at a place on the body."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from processing import tilt
from processing.activity import summed
from processing.compiled import compiled
from processing.epochs import Posture
from processing.habits import Habits
from processing.habits import chances as habit_chances
from processing.pose_model import PoseModel
from processing.stretch_model import EIGHTH, PARTS, FineModel
from spineclip.contract.placement import Placement

Array = NDArray[np.float64]

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
"""Fitted by ``spineclip train --only posture`` on the IMU Sitting Postures Dataset (Ali et al.)."""

FINE: Final = WEIGHTS.with_name("fine_motion.npz")
"""Fitted with it: what the fine motion says."""

_SITE: Final = {
    Placement.BELT: "L5",
    Placement.LOWER_BACK: "L5",
    Placement.MID_BACK: "T12",
    Placement.UPPER_BACK: "T4",
    Placement.STERNUM: "T4",
    Placement.COLLAR: "T4",
}
"""The site of the dataset that turns as a clip there does; sternum and collar stand in for T4, which lies behind."""

SURE: Final = 0.4
"""Chance from which on a posture is named; below it nobody knows (our choice: one in six is blind guessing)."""

_FRONT: Final = (Placement.STERNUM, Placement.COLLAR)
"""There the angles are those of T4, but heart and breath move the front of the chest as they move no back: nothing is
made of its fine motion until some is recorded there."""

_CHEST: Final = (0.949, 0.0, 0.315)
"""Up at the front of a chest, in (up, right, forward): it slopes back where T4 slopes forward. Standing upright reads
(0.93, 0.05, 0.31) g there (median of Daily and Sports Activities, Altun et al. 2010)."""

_TWO: Final = "L5+T4"
_CODES: Final = np.array([posture.code for posture in SITTING], dtype=np.int8)
_FURTHEST_DEG: Final = 75.0
_LEAST: Final = 1e-6
_DOUBT: Final = 1e-3
_files: dict[str, Path] = {"angles": WEIGHTS, "fine": FINE}


@dataclass(frozen=True, slots=True)
class Pose:
    """A pose that the wearer has shown once: which posture it is and its angles against neutral."""

    posture: Posture
    flexion_deg: float
    lateral_deg: float


def angles(gravity_g: Array, neutral_g: Array, forward: Array) -> tuple[Array, Array]:
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
    rows = np.atleast_2d(np.asarray(gravity_g, dtype=np.float64))
    neutral, ahead = (np.atleast_2d(np.asarray(vector, dtype=np.float64)) for vector in (neutral_g, forward))
    return _angles(rows, neutral, ahead)


@compiled
def _angles(gravity_g: Array, neutral_g: Array, forward: Array) -> tuple[Array, Array]:
    """Loop over rows; a single row of `neutral_g` or `forward` holds for all."""
    n = len(gravity_g)
    flexion, lateral = np.empty(n), np.empty(n)
    for i in range(n):
        u, f = min(i, len(neutral_g) - 1), min(i, len(forward) - 1)
        flexion[i], lateral[i] = tilt.angles(
            (gravity_g[i, 0], gravity_g[i, 1], gravity_g[i, 2]),
            (neutral_g[u, 0], neutral_g[u, 1], neutral_g[u, 2]),
            (forward[f, 0], forward[f, 1], forward[f, 2]),
        )
    return flexion, lateral


def shown(poses: Mapping[str, tuple[float, float, float]], neutral_g: Array, forward: Array) -> tuple[Pose, ...]:
    """Turn the poses of a calibration (mean specific force in sensor axes, by posture name) into angles.

    Poses that are none of `SITTING`, or whose angles cannot be told, are left out.
    """
    known = [(posture, poses[posture]) for posture in SITTING if posture in poses]
    if not known:
        return ()
    flexion, lateral = angles(np.array([vector for _, vector in known]), neutral_g, forward)
    taught = [Pose(posture, float(f), float(r)) for (posture, _), f, r in zip(known, flexion, lateral, strict=True)]
    return tuple(pose for pose in taught if np.isfinite(pose.flexion_deg + pose.lateral_deg))


def usual_neutral(placement: Placement) -> Array:
    """Up in the wearer's (up, right, forward) as a clip at this placement mostly lies while its wearer sits tall.

    Stands in for a calibration where only the sensor's axes are known.
    """
    return np.array(_CHEST if placement in _FRONT else _weights()[_SITE[placement]]["neutral"])


def classify(
    placement: Placement,
    flexion_deg: Array,
    lateral_deg: Array,
    taught: tuple[Pose, ...] = (),
    *,
    own_neutral: bool = True,
    fine: NDArray[np.int8] | None = None,
    habits: Habits | None = None,
    by_angle: Array | None = None,
) -> tuple[NDArray[np.int8], Array]:
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
    fine
        Shape (n, 6): what the fine motion says, from `processing.stretches.heard`; None where nothing is known.
    habits
        What was learned of the wearer with these poses and this neutral; None, or without a stretch, where nothing is
        known.
    by_angle
        What `chances_by_angle` says of all this, where it was asked already.

    Returns
    -------
    posture
        Shape (n,), codes of `Posture`; `unknown` where an angle is NaN or further than people sit, or where no
        posture has a chance of `SURE`.
    chance
        Shape (n,): that the posture is right; 0 where it is unknown.
    """
    flexion, lateral = np.asarray(flexion_deg, dtype=np.float64), np.asarray(lateral_deg, dtype=np.float64)
    if placement not in _SITE:
        return np.zeros(flexion.shape, dtype=np.int8), np.zeros(flexion.shape)
    chances = by_angle
    if chances is None:
        chances = chances_by_angle(placement, flexion, lateral, taught, own_neutral=own_neutral, habits=habits)
    sees = placement.sees_slouch or any(pose.posture is Posture.SLOUCHED for pose in taught)
    return _named(weighed(chances, fine), sees, _within(flexion, lateral))


def personal(
    placement: Placement,
    flexion_deg: Array,
    lateral_deg: Array,
    by_angle: Array,
    *,
    own_neutral: bool,
) -> NDArray[np.int8]:
    """What is known of the wearer beyond people in general, for joining clips.

    Returns
    -------
    Shape (n, 6): by how much shown poses and habits raise the log chance of each posture at these angles, which is
    `by_angle` with them, in eighths.
    """
    general = model(placement, own_neutral=own_neutral).chances(_rows(flexion_deg, lateral_deg))
    raised = np.log(by_angle.T.clip(_DOUBT, np.inf)) - np.log(general.T.clip(_DOUBT, np.inf))
    return np.asarray(np.rint(raised * EIGHTH).astype(np.int8).T)


def chances_by_angle(
    placement: Placement,
    flexion_deg: Array,
    lateral_deg: Array,
    taught: tuple[Pose, ...],
    *,
    own_neutral: bool,
    habits: Habits | None,
) -> Array:
    """Chance of each posture, shape (n, 6), by angles alone; at a placement that sees the trunk."""
    rows = _rows(flexion_deg, lateral_deg)
    if habits is not None and habits.heard:
        return habit_chances(habits, rows)
    return model(placement, own_neutral=own_neutral, taught=taught).chances(rows)


def classify_two(
    lower: tuple[Array, Array], upper: tuple[Array, Array], fine: NDArray[np.int16] | None = None
) -> tuple[NDArray[np.int8], Array]:
    """Name the posture from a clip at the belt or lower back and one at the upper back, sternum or collar together.

    Both give ``(flexion_deg, lateral_deg)``, shape (n,) each, against their own neutral; `fine` is what the fine
    motion of both says, added up. The lower clip tells leaning forward, which turns the pelvis, from slouching, which
    does not. Returns the same as `classify`.
    """
    rows = np.concatenate([_rows(*lower), _rows(*upper)], axis=1)
    learnt = _models()[_TWO, "own"]
    return _named(weighed(learnt.chances(rows), fine), True, _within(*lower) & _within(*upper))


def weighed(chances: Array, fine: NDArray[np.integer[Any]] | None) -> Array:
    """Weigh chances by angle, shape (n, 6), with what the fine motion says (`processing.stretches.heard`)."""
    if fine is None:
        return chances
    logs = np.log(chances.T.clip(_LEAST, np.inf))  # postures by rows: these are long
    logs += fine.T / EIGHTH
    logs -= np.maximum.reduce(logs)
    size = np.exp(logs, out=logs)
    size /= summed(size)
    return np.asarray(size.T)


def model(placement: Placement, *, own_neutral: bool = True, taught: tuple[Pose, ...] = ()) -> PoseModel:
    """Return the fitted model of a placement that sees the trunk, with what poses that were shown make of it."""
    return _models()[_SITE[placement], "own" if own_neutral else "usual"].taught(_shown(taught))


def fine_model(placement: Placement) -> FineModel | None:
    """Return what tells postures by the fine motion of a placement; None where nothing is known of it."""
    return _fine_models()[_SITE[placement]] if placement in _SITE and placement not in _FRONT else None


@contextmanager
def judged_by(weights: Path, fine: Path) -> Iterator[None]:
    """Let other fitted numbers stand in for the shipped ones, for measuring on people whom those have seen."""
    before = dict(_files)
    _files.update(angles=weights, fine=fine)
    _forget_models()
    try:
        yield
    finally:
        _files.update(before)
        _forget_models()


def joined(chances: Array, kept: Posture, gone: Posture) -> Array:
    """Add the chance of a posture that cannot be told to that of another; shape (n, 6) as `SITTING`."""
    chances = chances.copy()
    chances[:, SITTING.index(kept)] += chances[:, SITTING.index(gone)]
    chances[:, SITTING.index(gone)] = 0.0
    return chances


def _named(chances: Array, sees_slouch: bool, known: NDArray[np.bool_]) -> tuple[NDArray[np.int8], Array]:
    if not sees_slouch:
        chances = joined(chances, Posture.UPRIGHT, Posture.SLOUCHED)
    likeliest = np.argmax(chances, axis=1)
    chance = chances[np.arange(len(chances)), likeliest]
    known = known & (chance >= SURE)
    return np.where(known, _CODES[likeliest], np.int8(Posture.UNKNOWN.code)), np.where(known, chance, 0.0)


def _rows(flexion: Array, lateral: Array) -> Array:
    both = np.array([flexion, lateral])
    both[np.isnan(both)] = 0.0
    return both.T


def _within(flexion: Array, lateral: Array) -> NDArray[np.bool_]:
    return np.asarray((np.abs(flexion) < _FURTHEST_DEG) & (np.abs(lateral) < _FURTHEST_DEG))  # False where NaN


def _shown(taught: tuple[Pose, ...]) -> list[tuple[int, Array]]:
    return [
        (SITTING.index(pose.posture), np.array([pose.flexion_deg, pose.lateral_deg]))
        for pose in taught
        if pose.posture in SITTING
    ]


@cache
def _weights() -> dict[str, Any]:
    fields: dict[str, Any] = json.loads(_files["angles"].read_text(encoding="utf-8"))
    return fields


@cache
def _models() -> dict[tuple[str, str], PoseModel]:
    return {
        (site, kind): PoseModel(*(np.array(fields[kind][part]) for part in ("mean", "spread", "noise")))
        for site, fields in _weights().items()
        if site != "people"
        for kind in ("own", "usual")
        if kind in fields
    }


@cache
def _fine_models() -> dict[str, FineModel]:
    with np.load(_files["fine"]) as fields:
        sites = sorted({name.split("/")[0] for name in fields})
        return {site: FineModel(*(fields[f"{site}/{part}"].astype(np.float64) for part in PARTS)) for site in sites}


def _forget_models() -> None:
    for kept in (_weights, _models, _fine_models):
        kept.cache_clear()
