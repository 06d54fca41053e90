"""How the trunk is held: angles against the wearer's neutral, and the posture they mean at a place on the body."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from processing import elementary, pose_model, tilt
from processing import habits as habit
from processing.compiled import compiled
from processing.epochs import Posture
from processing.frozen import frozen
from processing.habits import Habits
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

PIECE: Final = 64
"""Seconds that are looked at together, so that a processor does several of them at a time."""

_TWO: Final = "L5+T4"
_CODES: Final = np.array([posture.code for posture in SITTING], dtype=np.int8)
_FURTHEST_DEG: Final = 75.0
_UPRIGHT: Final = SITTING.index(Posture.UPRIGHT)
_SLOUCHED: Final = SITTING.index(Posture.SLOUCHED)
_UNKNOWN: Final = Posture.UNKNOWN.code
_FURTHEST_SAID: Final = 256
_SAYS: Final = np.exp(np.arange(-_FURTHEST_SAID, _FURTHEST_SAID + 1) / EIGHTH)
"""By how much what is said in eighths of a log unit, up to what two clips say together, raises a chance."""
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


@frozen
class Knowledge:
    """What is known of a wearer's postures by angle.

    Attributes
    ----------
    points, tail
        As `pose_model.likely` takes them.
    general
        The points of people in general.
    sees_slouch
        Whether slouching can be told at all.
    personal
        Whether anything is known of the wearer beyond people in general.
    """

    points: Array
    tail: float
    general: Array
    sees_slouch: bool
    personal: bool


@lru_cache(maxsize=4096)
def knowledge(placement: Placement, taught: tuple[Pose, ...], *, own_neutral: bool, habits: Habits) -> Knowledge:
    """Put together what is known at a placement that sees the trunk: once for what was learned, not for every second.

    Parameters
    ----------
    placement
        Where the clip is worn. At the belt and the lower back, slouching cannot be told from sitting upright and is
        never claimed unless taught.
    taught
        Poses that the wearer has shown.
    own_neutral
        Whether angles are against the wearer's own neutral, or only against `usual_neutral`.
    habits
        What was learned of the wearer with these poses and this neutral, if anything was.
    """
    knows = _without_habits(placement, taught, own_neutral)
    if not habits.heard:
        return knows
    points, tail = habit.ways(habits, model(placement, taught, own_neutral=own_neutral))
    return Knowledge(points, tail, knows.general, knows.sees_slouch, personal=True)


@lru_cache(maxsize=256)
def _without_habits(placement: Placement, taught: tuple[Pose, ...], own_neutral: bool) -> Knowledge:
    people = model(placement, own_neutral=own_neutral).points
    mine = model(placement, taught, own_neutral=own_neutral).points
    sees = placement.sees_slouch or any(pose.posture is Posture.SLOUCHED for pose in taught)
    return Knowledge(mine, 0.0, people, sees, bool(taught))


def classify_two(lower: tuple[Array, Array], upper: tuple[Array, Array], beyond: NDArray[np.int16]) -> NDArray[np.int8]:
    """Name the posture from a clip at the belt or lower back and one at the upper back, sternum or collar together.

    Both give ``(flexion_deg, lateral_deg)``, shape (n,) each, against their own neutral; `beyond`, shape (n, 6), is
    what both know beyond the angles, added up. The lower clip tells leaning forward, which turns the pelvis, from
    slouching, which does not.

    Returns
    -------
    Shape (n,), codes of `Posture`; `unknown` where an angle is NaN or further than people sit, or where no posture has
    a chance of `SURE`.
    """
    return _classified(_models()[_TWO, "own"].points, np.array([*lower, *upper], dtype=np.float64), beyond)


@compiled
def _classified(points: Array, angles_deg: Array, beyond: NDArray[np.int16]) -> NDArray[np.int8]:
    """Loop over pieces of angles, shape (d, n)."""
    d, n = angles_deg.shape
    codes, sees_slouch = np.empty(n, dtype=np.int8), True
    own, within = np.empty((d, PIECE)), np.empty(PIECE, dtype=np.bool_)
    products, chances = np.empty((len(points), PIECE)), np.empty((len(SITTING), PIECE))
    for begin in range(0, n, PIECE):
        m = min(n - begin, PIECE)
        for s in range(m):
            for i in range(d):
                own[i, s] = angles_deg[i, begin + s]
            within[s] = settled(own, s)
        pose_model.multiply(own, m, products)
        pose_model.likely(points, 0.0, products, m, chances)
        weigh(chances, m, beyond, begin)
        for s in range(m):
            codes[begin + s], _ = named(chances, s, sees_slouch, within[s])
    return codes


@compiled
def settled(angles_deg: Array, s: int) -> bool:
    """Tell whether a column of angles is known and such as people sit in; put 0 in the place of what is not known."""
    within = True
    for i in range(len(angles_deg)):
        within = within and abs(angles_deg[i, s]) < _FURTHEST_DEG  # False where NaN
        if math.isnan(angles_deg[i, s]):
            angles_deg[i, s] = 0.0
    return within


@compiled
def weigh(chances: Array, n: int, fine: NDArray[np.integer[Any]], first: int) -> None:
    """Weigh n columns of chances by angle with what the fine motion says, rows of `fine` from the first on."""
    for s in range(n):
        for k in range(len(chances)):
            chances[k, s] = max(chances[k, s], _LEAST) * _SAYS[fine[first + s, k] + _FURTHEST_SAID]
    pose_model.share_out(chances, n)


@compiled
def personal(by_angle: Array, general: Array, n: int, raised: Array) -> None:
    """Tell by how much shown poses and habits raise log chances of postures, in eighths; loops over n columns."""
    for k in range(len(raised)):
        for s in range(n):
            mine = by_angle[k, s] if by_angle[k, s] > _DOUBT else _DOUBT
            theirs = general[k, s] if general[k, s] > _DOUBT else _DOUBT
            raised[k, s] = np.rint(elementary.log(mine / theirs) * EIGHTH)


@compiled
def named(chances: Array, s: int, sees_slouch: bool, within: bool) -> tuple[int, float]:
    """Name the likeliest posture, where the angles are such as people sit in and it is sure enough; and its chance."""
    if not sees_slouch:
        chances[_UPRIGHT, s] += chances[_SLOUCHED, s]
        chances[_SLOUCHED, s] = 0.0
    best = 0
    for k in range(1, len(chances)):
        best = k if chances[k, s] > chances[best, s] else best
    if within and chances[best, s] >= SURE:
        return _CODES[best], chances[best, s]
    return _UNKNOWN, 0.0


def model(placement: Placement, taught: tuple[Pose, ...] = (), *, own_neutral: bool = True) -> PoseModel:
    """Return the fitted model of a placement that sees the trunk, with what poses that were shown make of it."""
    people = _models()[_SITE[placement], "own" if own_neutral else "usual"]
    return _taught(people, taught) if taught else people


@lru_cache(maxsize=256)
def _taught(people: PoseModel, taught: tuple[Pose, ...]) -> PoseModel:
    shown = [(pose.posture, np.array([pose.flexion_deg, pose.lateral_deg])) for pose in taught]
    return people.taught([(SITTING.index(posture), angles_deg) for posture, angles_deg in shown if posture in SITTING])


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
    for kept in (_weights, _models, _fine_models, _without_habits, knowledge):
        kept.cache_clear()
