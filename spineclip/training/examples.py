"""Examples to learn from: seconds as they were recorded, and as another clip, place or day would have given them.

A second is taught as recorded, from a disturbed copy (other gain, more noise or less, coarseness and strength of
movement, since cheap clips read 0.75 to 1.06 g at rest and the quiet of a better sensor is not that of sitting), and
from pieces cut out of their context: without a walk before them, a long time after one, or with no more known of
upright than what was told of the axes. Without these, quiet standing far from a walk is called sitting on recordings
of other protocols.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from processing import activity, features, grid, orientation, statistics
from processing.epochs import State
from processing.grid import Seconds
from processing.samples import Block
from spineclip.contract.placement import Placement
from spineclip.labelled import NOT_SCORED, Labelled

COPIES: Final = ("recorded", "disturbed", "disturbed")
"""Each recording is taught in these ways, each whole and in pieces."""

_PIECE_S: Final = (8, 130)
_QUIET_G: Final = (0.002, 0.01)
_TOLD: Final = 0.2
_LONG_AFTER: Final = 0.5
_MOUNTED: Final = 0.12
_RECLINED_FROM, _RECLINED_LEAST, _RECLINED_TO = (float(deg) for deg in np.radians([5.0, 30.0, 70.0]))
_LIKE_WALKING: Final = ("stepper", "cross_trainer")


@dataclass(frozen=True, slots=True)
class Recorded:
    """A labelled recording on the grid, with its truth by second."""

    dataset: str
    subject: str
    name: str
    placement: Placement
    seconds: Seconds
    truth: NDArray[np.int64]
    steady: NDArray[np.bool_]
    shuffling: NDArray[np.bool_]

    @property
    def person(self) -> tuple[str, str]:
        """Who it is: data set and subject."""
        return self.dataset, self.subject


@dataclass(frozen=True, slots=True)
class Examples:
    """Features of seconds, their class (column of `activity.CLASSES`) and how much each counts."""

    features: NDArray[np.float64]
    target: NDArray[np.int64]
    weight: NDArray[np.float64]


def record(labelled: Labelled) -> Recorded:
    """Put a labelled recording on the grid."""
    _, seconds = grid.step(grid.begin(), Block(labelled.t_ns, labelled.xyz_g), last=True)
    truth, steady, shuffling = labelled.truth(seconds.first, len(seconds))
    return Recorded(
        labelled.dataset, labelled.subject, labelled.name, labelled.placement, seconds, truth, steady, shuffling
    )


def disturbed(seconds: Seconds, rng: np.random.Generator) -> Seconds:
    """Return the recording as another clip would have made it, worn a little elsewhere."""
    gain = rng.uniform(0.75, 1.06)
    if rng.random() < 0.5:
        return _quieter(seconds, gain, rng)
    xyz = seconds.xyz_g * gain
    mean = xyz.mean(axis=1)
    padded = np.pad(mean, ((2, 2), (0, 0)), mode="edge")
    slow_mean = np.stack([padded[i : i + len(mean)] for i in range(5)]).mean(axis=0)
    middle, at = np.arange(len(mean)), (np.arange(xyz.shape[0] * grid.RATE_HZ) + 0.5) / grid.RATE_HZ - 0.5
    slow = np.stack([np.interp(at, middle, slow_mean[:, axis]) for axis in range(3)], axis=1).reshape(xyz.shape)
    xyz = slow + (xyz - slow) * np.exp(rng.normal(0.0, 0.2))
    xyz = xyz + rng.normal(0.0, 10.0 ** rng.uniform(np.log10(3e-4), np.log10(4e-3)), xyz.shape)
    coarse = float(rng.choice([0.0, 0.001, 0.004]))
    if coarse:
        xyz = np.rint(xyz / coarse) * coarse
    return _rounded(seconds, xyz)


def _quieter(seconds: Seconds, gain: float, rng: np.random.Generator) -> Seconds:
    """Return the recording as a sensor with less noise would have made it: what is within the noise is taken off."""
    mean = seconds.xyz_g.mean(axis=1, keepdims=True)
    moved = seconds.xyz_g - mean
    beyond = np.maximum(np.abs(moved) - rng.uniform(*_QUIET_G), 0.0)
    return _rounded(seconds, (mean + np.sign(moved) * beyond) * gain)


def _rounded(seconds: Seconds, xyz_g: NDArray[np.float64]) -> Seconds:
    xyz_g = np.rint(xyz_g * 65536.0) / 65536.0
    xyz_g[~seconds.covered] = 0.0
    return Seconds(seconds.first, xyz_g, seconds.coverage)


def rhythms(recorded: Recorded, rng: np.random.Generator) -> Iterator[Examples]:
    """Give examples for the likeness to walking: target 1 for walking, 0 for all that must not make an upright."""
    walking = activity.CLASSES.index(State.WALKING)
    for copy in COPIES[:2]:
        seconds = recorded.seconds if copy == "recorded" else disturbed(recorded.seconds, rng)
        table, waves = statistics.statistics(seconds)
        target = _target(recorded.truth)
        good = (target >= 0) & recorded.steady & seconds.covered
        if "rowing" not in recorded.name:
            good &= target != activity.CLASSES.index(State.ACTIVE)  # other upright moving does no harm
        found = features.rhythm(table, waves, 0, len(table))[good]
        yield Examples(found, (target[good] == walking).astype(np.int64), np.ones(len(found)))


def examples(recorded: Recorded, fitted: activity.Model, rng: np.random.Generator) -> Iterator[Examples]:
    """Give examples for the network: whole and in pieces, as recorded and disturbed."""
    target = _target(recorded.truth)
    less = 0.2 if any(word in recorded.name for word in _LIKE_WALKING) else 1.0
    for copy in COPIES:
        seconds = recorded.seconds if copy == "recorded" else disturbed(recorded.seconds, rng)
        table, waves = statistics.statistics(seconds)
        good = (target >= 0) & seconds.covered  # those next to a change, too: they teach where one state ends
        held, found = _described(table, waves, fitted)
        if copy != "recorded":
            found = _tilted(table, waves, _reclined(table, held, target, rng), rng)
        share = less * (1.0 if copy == "recorded" else 0.5)
        yield Examples(found[good], target[good], np.full(int(good.sum()), share))
        yield from _pieces(recorded, table, waves, held, fitted, rng=rng, share=0.4 * less)


def _target(truth: NDArray[np.int64]) -> NDArray[np.int64]:
    column = np.full(int(max(state.code for state in activity.CLASSES)) + 1, -1, dtype=np.int64)
    for index, state in enumerate(activity.CLASSES):
        column[state.code] = index
    return np.where(truth == NOT_SCORED, -1, column[np.maximum(truth, 0)])


def _described(
    table: NDArray[np.float64],
    waves: NDArray[np.float64],
    fitted: activity.Model,
    told: NDArray[np.float64] | None = None,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """What is known of the mounting and the features of all rows; `told` stands in until a walk makes it known."""
    n = len(table)
    rhythm = features.rhythm(table, waves, 0, n)
    table[:, statistics.WALK] = activity.likeness(fitted, rhythm, table)
    _, held = orientation.step(orientation.begin({}, None), 0, table, 0, n)
    if told is not None:
        held[np.isnan(held[:, 0])] = told
    return held, features.features(table, rhythm, held, 0, n)


def _tilted(
    table: NDArray[np.float64],
    waves: NDArray[np.float64],
    held: NDArray[np.float64],
    rng: np.random.Generator,
) -> NDArray[np.float64]:
    """Features with an upright some degrees off, as after a slope, a bag or a slipping clip."""
    known = np.isfinite(held[:, 0])
    size = float(np.linalg.norm(held[known, :3], axis=1).mean()) if known.any() else 1.0
    held = held.copy()
    held[:, orientation.REFERENCE] += rng.normal(0.0, 0.07, 3) * size
    held[:, orientation.LAST_WALK] += rng.normal(0.0, 0.07, 3) * size
    return features.features(table, features.rhythm(table, waves, 0, len(table)), held, 0, len(table))


def _reclined(
    table: NDArray[np.float64], held: NDArray[np.float64], target: NDArray[np.int64], rng: np.random.Generator
) -> NDArray[np.float64]:
    """Turn what is known of upright, for half of the stretches of sitting, as if the wearer leant back farther.

    Chairs recline farther than those of a few people: up to 70 degrees from upright a person still sits.
    """
    held = held.copy()
    edges = np.concatenate([[0], np.flatnonzero(np.diff(target)) + 1, [len(target)]])
    for a, b in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        if target[a] != activity.CLASSES.index(State.SITTING) or rng.random() < 0.5:
            continue
        gravity = table[a:b, statistics.GRAVITY].mean(axis=0)
        upright = held[a:b, orientation.REFERENCE].mean(axis=0)
        axis = np.cross(gravity, upright)
        size = float(np.linalg.norm(axis))
        tilt = float(np.arctan2(size, gravity @ upright))
        if not np.isfinite(size) or not _RECLINED_FROM < tilt < _RECLINED_TO:
            continue
        more = rng.uniform(max(tilt, _RECLINED_LEAST), _RECLINED_TO) - tilt
        turn = Rotation.from_rotvec(axis / size * more)
        for part in (orientation.REFERENCE, orientation.LAST_WALK):
            held[a:b, part] = turn.apply(held[a:b, part])
    return held


def _pieces(
    recorded: Recorded,
    table: NDArray[np.float64],
    waves: NDArray[np.float64],
    held: NDArray[np.float64],
    fitted: activity.Model,
    *,
    rng: np.random.Generator,
    share: float,
) -> Iterator[Examples]:
    target = _target(recorded.truth)
    covered = recorded.seconds.covered
    edges = np.concatenate([[0], np.flatnonzero(np.diff(target)) + 1, [len(target)]])
    for a, b in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        start = a
        while target[a] >= 0 and b - start >= _PIECE_S[0]:
            stop = min(b, start + int(rng.integers(*_PIECE_S)))
            good = covered[start:stop]
            if good.sum() >= 5:
                chance = rng.random()
                told = _as_told(held, rng) if chance < _TOLD else None
                if _TOLD <= chance < _LONG_AFTER:
                    told = _long_after_a_walk(held[start:], rng)
                _, found = _described(table[start:stop].copy(), waves[start:stop], fitted, told)
                yield Examples(found[good], target[start:stop][good], np.full(int(good.sum()), share))
            start = stop


def _long_after_a_walk(held: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64] | None:
    """Return what the wearer's own walk told, as if it lay up to two minutes or more back; None if there was none."""
    known = held[np.isfinite(held[:, 0])]
    if not len(known):
        return None
    told = np.array(known[0])
    size = float(np.linalg.norm(told[orientation.REFERENCE]))
    told[orientation.REFERENCE] += rng.normal(0.0, 0.06, 3) * size
    told[orientation.LAST_WALK] = told[orientation.REFERENCE]
    told[orientation.SINCE_WALK] = 120.0 if rng.random() < 0.8 else rng.uniform(5.0, 120.0)
    return told


def _as_told(held: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64] | None:
    """Return what telling the axes tells of upright: the sensor's x, as far off as clips sit; no walk stands behind."""
    known = held[np.isfinite(held[:, 0])]
    size = float(np.linalg.norm(known[0, orientation.REFERENCE])) if len(known) else 1.0
    told = np.zeros(orientation.HELD)
    told[orientation.REFERENCE] = (np.array([1.0, 0.0, 0.0]) + rng.normal(0.0, _MOUNTED, 3)) * size
    told[orientation.LAST_WALK] = told[orientation.REFERENCE]
    told[orientation.SINCE_WALK] = 1e6
    return told
