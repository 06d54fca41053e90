"""From seconds of sitting and standing to the name of the posture: stretch, angles, fine motion and habits together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from processing import habits as habit
from processing import orientation, posture, seat, stretches, wear
from processing.epochs import State
from processing.habits import Habits
from processing.posture import Pose
from processing.stretches import StretchState
from spineclip.contract.placement import Placement

_TAUGHT = 2.0


@dataclass(frozen=True, slots=True)
class Wearing:
    """Where the clip is worn, the poses that its wearer has shown (sensor axes), and what was learned so far."""

    placement: Placement
    poses: Mapping[str, tuple[float, float, float]]
    habits: Habits


@dataclass(frozen=True, slots=True)
class Named:
    """Posture codes and their chances by second, and what is known of the wearer now.

    `beyond` is what is known of each posture beyond the angles, shape (n, 6), for joining clips: by the fine motion,
    and by what this wearer has shown.
    """

    posture: NDArray[np.int8]
    chance: NDArray[np.float64]
    beyond: NDArray[np.int8]
    habits: Habits


def name(
    wearing: Wearing,
    stretch: StretchState,
    first: int,
    *,
    codes: NDArray[np.int8],
    held: NDArray[np.float64],
    known: NDArray[np.bool_],
    ahead_s: int,
) -> Named:
    """Name how the trunk is held in the seconds from `first` (since 1970) on.

    Parameters
    ----------
    codes, held, known
        Shapes (n,), (n, `orientation.HELD`) and (n,): states, what is known of the mounting, and whether there are
        angles. Postures are named while sitting or standing, and where it is one of the two, but not known which.
    ahead_s
        Seconds after each that are heard; with none, as for a live second, nothing is learned.
    """
    n = len(codes)
    out, chance, beyond = np.zeros(n, dtype=np.int8), np.zeros(n), np.zeros((n, len(posture.SITTING)), dtype=np.int16)
    rests = np.flatnonzero(_resting(stretch, first, codes, held) & known)
    learned = wearing.habits
    if not len(rests) or not wearing.placement.sees_trunk:
        return Named(out, chance, beyond.astype(np.int8), learned)
    gravity, fine = stretches.heard(stretch, first, n, ahead_s=ahead_s)
    angles = posture.angles(gravity[rests], held[rests, orientation.NEUTRAL], held[rests, orientation.FORWARD])
    closes = np.zeros(len(rests), dtype=np.bool_)
    if ahead_s:
        closes = stretches.closing(stretch, first, n, habit.LEAST_S)[rests]
    for a, b in _parts(wearing, held[rests], closes):
        some, of = rests[a:b], slice(a, b)
        row = held[some[0]]
        kind, mount = int(row[orientation.OWN]), int(row[orientation.MOUNT])
        if (learned.mount, learned.kind) != (mount, kind):
            learned = habit.begin(mount, kind)
        taught = _taught(wearing, row)
        place, flexion, lateral = wearing.placement, angles[0][of], angles[1][of]
        by_angle = posture.chances_by_angle(place, flexion, lateral, taught, own_neutral=kind > 0, habits=learned)
        out[some], chance[some] = posture.classify(
            place, flexion, lateral, taught, own_neutral=kind > 0, fine=fine[some], by_angle=by_angle
        )
        beyond[some] = fine[some]
        if taught or learned.heard:
            beyond[some] += posture.personal(place, flexion, lateral, by_angle, own_neutral=kind > 0)
        if closes[b - 1] and learned.heard < habit.ENOUGH:
            model = posture.model(wearing.placement, own_neutral=kind > 0, taught=taught)
            learned = habit.learn(learned, model, np.array([angles[0][b - 1], angles[1][b - 1]]), fine[some[-1]])
    return Named(out, chance, np.maximum(beyond, -127).astype(np.int8), learned)


def _resting(
    stretch: StretchState, first: int, codes: NDArray[np.int8], held: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Tell which seconds are of sitting or standing; before the first walk it may not be known which of the two.

    Then a trunk that keeps still, but lives, near to where the told axes have it upright, does one of them.
    """
    sure = (codes == State.SITTING.code) | (codes == State.STANDING.code)
    open_ = (codes == State.UNKNOWN.code) & (held[:, orientation.OWN] == 0.0)
    open_ &= (held[:, orientation.STRENGTH] < orientation.KNOWN) & (held[:, orientation.ODD] == 0)
    open_ &= held[:, orientation.STILL_S] < wear.DOUBT_S
    if not open_.any():
        return np.asarray(sure)
    rows = np.flatnonzero(open_)
    gravity, _ = stretches.heard(stretch, first, len(codes), ahead_s=0)
    flexion, lateral = posture.angles(gravity[rows], held[rows, orientation.NEUTRAL], held[rows, orientation.FORWARD])
    open_[rows] = np.hypot(flexion, lateral) < seat.TILT_DEG  # False where not known
    return np.asarray(sure | (open_ & stretches.steady(stretch, first, len(codes))))


def _parts(wearing: Wearing, held: NDArray[np.float64], closes: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Cut rows where the mounting changes, where taught poses turn, and where a stretch that teaches has ended."""
    if len(held) == 1:
        return [(0, 1)]
    columns = [orientation.OWN, orientation.MOUNT]
    cut = np.any(np.diff(held[:, columns], axis=0) != 0, axis=1)
    if wearing.poses:
        turns = np.any(np.diff(held[:, orientation.FORWARD], axis=0) != 0, axis=1)
        cut |= turns & (held[1:, orientation.OWN] == _TAUGHT)
    same = (wearing.habits.kind, wearing.habits.mount) == tuple(held[0, columns].astype(np.int64).tolist())
    if not same or wearing.habits.heard < habit.ENOUGH or cut.any():
        cut |= closes[:-1]
    edges = [0, *(1 + np.flatnonzero(cut)).tolist(), len(held)]
    return list(pairwise(edges))


def _taught(wearing: Wearing, row: NDArray[np.float64]) -> tuple[Pose, ...]:
    if not wearing.poses or row[orientation.OWN] != _TAUGHT:
        return ()
    return posture.shown(wearing.poses, row[orientation.NEUTRAL], row[orientation.FORWARD])
