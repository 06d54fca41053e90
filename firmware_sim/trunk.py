"""The slow part of a movement: how the trunk is turned at each instant, pose after pose, fidget after fidget."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from firmware_sim.person import Person, Pose
from firmware_sim.script import Doing, Stretch
from spineclip.contract.placement import Placement

_POSE_OF: Final = {
    Doing.SITS: Pose.UPRIGHT,
    Doing.STANDS: Pose.STANDING,
    Doing.LIES: Pose.SUPINE,
    Doing.WALKS: Pose.GAIT,
    Doing.RUNS: Pose.RUNNING,
    Doing.CYCLES: Pose.CYCLING,
    Doing.DRIVES: Pose.RECLINED,
    Doing.TURNS: Pose.STANDING,
    Doing.SCRATCHES: Pose.UPRIGHT,
    Doing.OFF: Pose.SUPINE,
}
ON_SEAT: Final = frozenset({Doing.SITS, Doing.DRIVES, Doing.SCRATCHES})
_UPRIGHT: Final = frozenset({Doing.STANDS, Doing.WALKS, Doing.RUNS, Doing.TURNS})

_FIDGETS: Final = {
    Doing.SITS: (70.0, (2.0, 1.2)),
    Doing.DRIVES: (120.0, (1.2, 1.2)),
    Doing.SCRATCHES: (60.0, (2.0, 1.2)),
    Doing.STANDS: (20.0, (0.9, 1.3)),
    Doing.LIES: (900.0, (2.0, 6.0)),
}
"""Seconds between two fidgets, and the spread of flexion and lateral lean that they bring, degrees."""


def pose_of(stretch: Stretch) -> Pose:
    """Say how the trunk is held in a stretch."""
    return stretch.pose or _POSE_OF[stretch.doing]


@dataclass(frozen=True)
class Turn:
    """One change of the trunk's angles: it begins at `start_s`, lasts `lasts_s` and ends at the new angles."""

    start_s: float
    lasts_s: float
    flexion_deg: float
    lateral_deg: float


class Trunk:
    """The trunk's angles over a whole script.

    Parameters
    ----------
    turns
        In order of time; the first one gives the angles from the beginning.
    """

    def __init__(self, turns: list[Turn]) -> None:
        self._start = np.array([turn.start_s for turn in turns])
        self._lasts = np.array([turn.lasts_s for turn in turns])
        self._to = np.array([[turn.flexion_deg, turn.lateral_deg] for turn in turns])
        self._from = np.vstack([self._to[:1], self._to[:-1]])

    def angles_deg(self, t_s: NDArray[np.float64]) -> NDArray[np.float64]:
        """Flexion and lateral lean against sitting tall, shape (n, 2), at seconds from the start of the script."""
        index = np.maximum(np.searchsorted(self._start, t_s, side="right") - 1, 0)
        share = np.clip((t_s - self._start[index]) / self._lasts[index], 0.0, 1.0)
        share = share * share * share * (10.0 + share * (6.0 * share - 15.0))  # least jerk: Flash and Hogan 1985
        before = self._from[index]
        return np.asarray(before + (self._to[index] - before) * share[:, None])


def plan(
    script: tuple[Stretch, ...], begins_s: NDArray[np.float64], person: Person, placement: Placement, seed: int
) -> list[Turn]:
    """Work out every turn of the trunk in a script.

    People fidget: seated, the trunk is held anew every minute or so; standing, weight is shifted about three times a
    minute (Duarte and Zatsiorsky 1999).
    """
    turns: list[Turn] = []
    for number, (stretch, begin) in enumerate(zip(script, begins_s, strict=True)):
        rng = np.random.default_rng([seed, 19, number])
        flexion, lateral = person.angles_deg(placement, pose_of(stretch))
        flexion = flexion if stretch.flexion_deg is None else stretch.flexion_deg
        lateral = lateral if stretch.lateral_deg is None else stretch.lateral_deg
        before = script[number - 1].doing if number else stretch.doing
        with_bow = placement is not Placement.THIGH and bows(before, stretch)
        turns += _change(before, stretch, Turn(float(begin), 1.2, flexion, lateral), with_bow=with_bow)
        if not stretch.still:
            size = person.sway * (0.3 if placement is Placement.THIGH else 1.0)
            turns += _fidgets(rng, stretch, Turn(float(begin), 1.2, flexion, lateral), size)
    return turns


def bows(before: Doing, stretch: Stretch) -> bool:
    """Tell whether a stretch begins with rising from a seat or sitting down."""
    was, now = before in ON_SEAT, stretch.doing in ON_SEAT
    return ((was and stretch.doing in _UPRIGHT) or (now and before in _UPRIGHT)) and stretch.seconds > 5.0


def _change(before: Doing, stretch: Stretch, to: Turn, *, with_bow: bool) -> list[Turn]:
    if with_bow:  # with which one rises or sits down
        bow = Turn(to.start_s, 0.9, max(to.flexion_deg, 0.0) + 28.0, 0.5 * to.lateral_deg)
        return [bow, Turn(to.start_s + 0.9, 1.1, to.flexion_deg, to.lateral_deg)]
    lasts = 2.2 if Doing.LIES in {before, stretch.doing} else to.lasts_s
    return [replace(to, lasts_s=min(lasts, 0.9 * stretch.seconds))]


def _fidgets(rng: np.random.Generator, stretch: Stretch, about: Turn, size: float) -> list[Turn]:
    every_s, spread = _FIDGETS.get(stretch.doing, (0.0, (0.0, 0.0)))
    if not every_s:
        return []
    turns, t = [], about.start_s + 4.0 + float(rng.exponential(every_s))
    while t < about.start_s + stretch.seconds - 3.0:
        flexion, lateral = (rng.normal(0.0, 1.0, 2).clip(-2.2, 2.2) * spread * size).tolist()
        lasts = float(rng.uniform(0.8, 2.0))
        turns.append(Turn(t, lasts, about.flexion_deg + flexion, about.lateral_deg + lateral))
        t += 2.5 + float(rng.exponential(every_s))
    return turns


def body_gravity(angles_deg: NDArray[np.float64], lean_deg: float) -> NDArray[np.float64]:
    """Up in the axes (up, right, forward) of a trunk at these angles, shape (n, 3), unit length.

    The angles are the parts of one tilt (tilt-twist, Crawford et al. 1999); `lean_deg` is how far the clip's own
    seat is turned forward in the sagittal plane.
    """
    radians = np.radians(angles_deg)
    tilt = np.hypot(radians[:, 0], radians[:, 1])
    share = np.sinc(tilt / np.pi)
    up, right, ahead = np.cos(tilt), -radians[:, 1] * share, -radians[:, 0] * share
    c, s = np.cos(np.radians(lean_deg)), np.sin(np.radians(lean_deg))
    return np.stack([c * up + s * ahead, right, c * ahead - s * up], axis=1)
