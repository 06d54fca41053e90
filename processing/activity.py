"""What the body does in a second: a small network from features to the chance of each state.

The network (one hidden layer) and the walking-likeness (one layer) are fitted by ``spineclip train`` and stand as
numbers in ``processing/weights``. Weights are rounded when they are read; features and hidden values are rounded
too, so every sum is exact and the same second gives the same bits whatever the slice it came in.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from processing import statistics
from processing.epochs import State
from processing.products import product
from spineclip.contract.placement import Placement

CLASSES: Final = (
    State.LYING,
    State.SITTING,
    State.STANDING,
    State.ACTIVE,
    State.WALKING,
    State.RUNNING,
    State.CYCLING,
)
"""The states that chances are given for, in the order of their columns; the first three are at rest."""

RESTING: Final = 3
"""How many of `CLASSES` are states of rest."""

SURE: Final = 0.5
"""A state that is right less often than this is called unknown."""

LEAN_TO_SITTING: Final = 0.2
"""Log odds that standing must have over sitting to be said, once the wearer's upright is known: between the two the
network errs to the side of standing, people left out say (0 to 0.8 was looked at in steps of 0.2)."""

SURE_OF_REST: Final = 0.65
"""The same for lying, sitting and standing before the wearer's upright is known from walking: on sensors and places
that no fit has seen, such claims are right much less often than on the people who taught them."""

UPRIGHT: Final = 4
"""How well upright can be known: not at all, as told of the axes, from little walking, from enough."""

GROUPS: Final = UPRIGHT + 2
"""Kinds of claims whose chances are right differently often."""

_CODES: Final = np.array([state.code for state in CLASSES], dtype=np.int8)
_LYING: Final = CLASSES.index(State.LYING)
_SITTING: Final = CLASSES.index(State.SITTING)
_STANDING: Final = CLASSES.index(State.STANDING)
_LEAN: Final = float(np.exp(LEAN_TO_SITTING))
_FEW: Final = 4
_WEIGHT_QUANTUM: Final = 16384.0
_HIDDEN_QUANTUM: Final = 4096.0
_HIDDEN_LIMIT: Final = 128.0
_LEAST: Final = -6.0


@dataclass(frozen=True, slots=True)
class Model:
    """Fitted numbers for one kind of place on the body.

    Attributes
    ----------
    walk, walk_bias
        Shape (rhythm features,) and (): log odds of walking.
    hidden, hidden_bias, out, out_bias
        Shapes (features, h), (h,), (h, classes), (classes,).
    confidence
        Shape (1 + `GROUPS`, k): raw chance and how often it was right on people and data sets left out: rest at each of
        the `UPRIGHT` ways of knowing it, movement before and after enough walking.
    """

    walk: NDArray[np.float64]
    walk_bias: float
    hidden: NDArray[np.float64]
    hidden_bias: NDArray[np.float64]
    out: NDArray[np.float64]
    out_bias: NDArray[np.float64]
    confidence: NDArray[np.float64]


def model(numbers: dict[str, Any]) -> Model:
    """Round fitted numbers, so that sums of them are exact."""

    def rounded(name: str) -> NDArray[np.float64]:
        return np.asarray(np.rint(np.asarray(numbers[name], dtype=np.float64) * _WEIGHT_QUANTUM) / _WEIGHT_QUANTUM)

    return Model(
        rounded("walk"),
        float(rounded("walk_bias")),
        rounded("hidden"),
        rounded("hidden_bias"),
        rounded("out"),
        rounded("out_bias"),
        np.asarray(numbers["confidence"], dtype=np.float64),
    )


@cache
def load(placement: Placement) -> Model:
    """Read the fitted numbers for a placement: one set for the trunk, one for the thigh."""
    name = "trunk.npz" if placement.sees_trunk else "thigh.npz"
    with resources.files("processing.weights").joinpath(name).open("rb") as file, np.load(file) as numbers:
        return model(dict(numbers))


def likeness(fitted: Model, rhythm: NDArray[np.float64], table: NDArray[np.float64]) -> NDArray[np.float64]:
    """Likeness to walking of seconds, 0 to 1, in steps of 1/64; 0 where nothing was measured."""
    if len(rhythm) == 1:
        odds = min(max(float(rhythm[0] @ fitted.walk) + fitted.walk_bias, -30.0), 30.0)
        measured = float(table[0, statistics.COVERED])
        return np.array([round(64.0 / (1.0 + float(np.exp(-odds)))) / 64.0 * measured])
    chance = product(fitted.walk[None], rhythm.T)[0]
    chance += fitted.walk_bias
    chance.clip(-30.0, 30.0, out=chance)
    np.exp(np.negative(chance, out=chance), out=chance)
    chance += 1.0
    np.divide(64.0, chance, out=chance)
    np.rint(chance, out=chance)
    chance *= 1.0 / 64.0
    chance *= table[:, statistics.COVERED]
    return np.asarray(chance)


def chances(fitted: Model, features: NDArray[np.float64]) -> NDArray[np.float64]:
    """Log chance of each of `CLASSES`, shape (n, classes), not below -6."""
    hidden = product(fitted.hidden.T, features.T)  # seconds last: long rows
    hidden += fitted.hidden_bias[:, None]
    hidden.clip(0.0, _HIDDEN_LIMIT, out=hidden)
    hidden *= _HIDDEN_QUANTUM
    np.rint(hidden, out=hidden)
    hidden *= 1.0 / _HIDDEN_QUANTUM
    score = product(fitted.out.T, hidden)
    score += fitted.out_bias[:, None]
    score -= np.maximum.reduce(score)
    score -= np.log(summed(np.exp(score)))
    return score.clip(_LEAST, 0.0, out=score).T


def summed(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Sum rows from the first on: the same additions for one second as for many (a library may not promise that)."""
    return np.asarray(np.add.accumulate(rows)[-1])


def likeliest(
    smoothed: NDArray[np.float64], upright: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Give the column of the likeliest state, and its chance; sitting before standing where the two are close."""
    best = np.argmax(smoothed, axis=1)
    sits = (upright == UPRIGHT - 1) & (best == _STANDING) & (smoothed[:, _SITTING] * _LEAN > smoothed[:, _STANDING])
    best[sits] = _SITTING
    return best, smoothed[np.arange(len(smoothed)), best]


def groups(best: NDArray[np.int64], upright: NDArray[np.int64]) -> NDArray[np.int64]:
    """Number the kinds of claims whose chances are right differently often: rows of `Model.confidence`, less one."""
    return np.where(best < RESTING, upright, UPRIGHT + (upright == UPRIGHT - 1))


def decide(
    fitted: Model,
    smoothed: NDArray[np.float64],
    covered: NDArray[np.bool_],
    upright: NDArray[np.int64],
    *,
    sees_trunk: bool = True,
) -> tuple[NDArray[np.int8], NDArray[np.float64]]:
    """Name the likeliest state and how often such a claim is right; `unknown` where it is too often wrong.

    Parameters
    ----------
    smoothed
        Shape (n, classes), chances.
    covered, upright
        Shape (n,): measured at all; how upright is known (see `UPRIGHT`, and `orientation.upright`).
    sees_trunk
        Whether sitting and lying can be told apart at all; where not, the likelier one is said if one of them is sure.
    """
    if len(smoothed) <= _FEW:  # array by array, a few seconds would cost as much as many
        rows = zip(smoothed.tolist(), covered.tolist(), upright.tolist(), strict=True)
        said = [decided(fitted, row, *known, sees_trunk=sees_trunk) for row, *known in rows]
        return np.array([code for code, _ in said], dtype=np.int8), np.array([confidence for _, confidence in said])
    best, raw = likeliest(smoothed, upright)
    table, group = fitted.confidence, groups(best, upright)
    confidence = np.empty(len(raw))
    for row in set(group.tolist()):
        some = group == row
        confidence[some] = np.interp(raw[some], table[0], table[1 + row])
    least = np.where((upright == UPRIGHT - 1) | (best >= RESTING), SURE, SURE_OF_REST)
    sure = confidence >= least
    if not sees_trunk:
        sure |= (best <= _SITTING) & (smoothed[:, _LYING] + smoothed[:, _SITTING] >= least)
    return np.where(sure & covered, _CODES[best], np.int8(State.UNKNOWN.code)), np.where(covered, confidence, 0.0)


def decided(
    fitted: Model, chances: list[float], covered: bool, upright: int, *, sees_trunk: bool = True
) -> tuple[int, float]:
    """Do as `decide` for one second."""
    if not covered:
        return State.UNKNOWN.code, 0.0
    best = chances.index(max(chances))
    if upright == UPRIGHT - 1 and best == _STANDING and chances[_SITTING] * _LEAN > chances[_STANDING]:
        best = _SITTING
    group = upright if best < RESTING else UPRIGHT + (upright == UPRIGHT - 1)
    confidence = float(np.interp(chances[best], fitted.confidence[0], fitted.confidence[1 + group]))
    least = SURE if upright == UPRIGHT - 1 or best >= RESTING else SURE_OF_REST
    sure = confidence >= least
    if not sees_trunk and best <= _SITTING:
        sure = sure or chances[_LYING] + chances[_SITTING] >= least
    return CLASSES[best].code if sure else State.UNKNOWN.code, confidence
