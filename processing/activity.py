"""What the body does in a second: a small network from features to the chance of each state.

The network (one hidden layer) and the walking-likeness (one layer) are fitted by ``spineclip train`` and stand as
numbers in ``processing/weights``. Weights are rounded when they are read; features and hidden values are rounded
too, so every sum is exact and the same second gives the same bits whatever the slice it came in.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from processing import elementary, statistics
from processing.compiled import borrowing, compiled
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

LEANS: Final[Mapping[Placement, float]] = {Placement.LOWER_BACK: 0.7, Placement.BELT: 0.7}
"""Log odds that standing must have over sitting to be said, once the wearer's upright is known: between the two the
network errs to the side of standing, people left out say (of 0.2, 0.5, 0.7 and 1.2 the third tells most of both)."""

LEAN_ELSEWHERE: Final = 0.2
"""The same where no person left out sat: a clip at the chest is nearer to not knowing than to sitting."""

SURE_OF_REST: Final = 0.65
"""The same for lying, sitting and standing before the wearer's upright is known from walking: on sensors and places
that no fit has seen, such claims are right much less often than on the people who taught them."""

UPRIGHT: Final = 4
"""How well upright can be known: not at all, as told of the axes, from little walking, from enough."""

GROUPS: Final = UPRIGHT + 2
"""Kinds of claims whose chances are right differently often."""

_PIECE: Final = 64
"""Seconds worked on side by side: they stay in the processor's cache, their products on one core (see
`processing.products`)."""
_UNKNOWN: Final = State.UNKNOWN.code
_CODES: Final = np.array([state.code for state in CLASSES], dtype=np.int8)
_LYING: Final = CLASSES.index(State.LYING)
_SITTING: Final = CLASSES.index(State.SITTING)
_STANDING: Final = CLASSES.index(State.STANDING)
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
    out = np.empty(len(rhythm))
    fill_likeness(np.ascontiguousarray(rhythm), fitted.walk, fitted.walk_bias, table, out)
    return out


@compiled
def fill_likeness(
    rhythm: NDArray[np.float64], weights: NDArray[np.float64], bias: float, table: NDArray[np.float64],
    out: NDArray[np.float64],
) -> None:  # fmt: skip
    """Do as `likeness`; loops over seconds: what the log odds mean, whose sums are exact in any order."""
    np.dot(rhythm, weights, out)
    for i in range(len(out)):
        odds = out[i] + bias
        odds = -30.0 if odds < -30.0 else odds
        odds = 30.0 if odds > 30.0 else odds
        out[i] = np.rint(64.0 / (1.0 + elementary.exp(-odds))) * (1.0 / 64.0) * table[i, statistics.COVERED]


def chances(fitted: Model, features: NDArray[np.float64]) -> NDArray[np.float64]:
    """Log chance of each of `CLASSES`, shape (n, classes), not below -6."""
    score = np.empty((len(features), len(fitted.out_bias)))
    fill_chances(features, fitted.hidden, fitted.hidden_bias, fitted.out.T, fitted.out_bias, score)
    return score


@compiled
def fill_chances(
    features: NDArray[np.float64], hidden: NDArray[np.float64], hidden_bias: NDArray[np.float64],
    out: NDArray[np.float64], out_bias: NDArray[np.float64], score: NDArray[np.float64],
) -> None:  # fmt: skip
    """Do as `chances`; loops over pieces: what the hidden layer says, rounded, and the chances that its sums stand for.

    `out` has shape (classes, h).
    """
    for first in range(0, len(score), _PIECE):
        n = min(_PIECE, len(score) - first)
        says = product(features[first : first + n], hidden)
        for i in range(n):
            for k in range(len(hidden_bias)):
                value = says[i, k] + hidden_bias[k]
                value = 0.0 if value < 0.0 else value
                value = _HIDDEN_LIMIT if value > _HIDDEN_LIMIT else value
                says[i, k] = np.rint(value * _HIDDEN_QUANTUM) * (1.0 / _HIDDEN_QUANTUM)
        each = product(out, says.T)
        for j in range(len(out_bias)):
            for i in range(n):
                each[j, i] += out_bias[j]
        total = _total(each)
        for i in range(n):
            for j in range(len(out_bias)):
                score[first + i, j] = min(max(each[j, i] - total[i], _LEAST), 0.0)


@compiled
def _total(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Logarithm of the sum of what scores, shape (classes, n), are logarithms of, shape (n,); loops over seconds."""
    kinds, n = scores.shape
    top, total = np.full(n, -np.inf), np.zeros(n)
    for j in range(kinds):
        for i in range(n):
            top[i] = scores[j, i] if scores[j, i] > top[i] else top[i]
    for j in range(kinds):
        for i in range(n):
            total[i] += elementary.exp(scores[j, i] - top[i])
    for i in range(n):
        total[i] = top[i] + elementary.log(total[i])
    return total


def lean(placement: Placement) -> float:
    """Log odds that standing must have over sitting, for a clip worn there."""
    return LEANS.get(placement, LEAN_ELSEWHERE)


def claims(
    smoothed: NDArray[np.float64], upright: NDArray[np.int64], lean: float
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.int64]]:
    """Give the column of the likeliest state of seconds, its chance, and which group of claims it belongs to.

    Parameters are those of `decide`. Groups are kinds of claims whose chances are right differently often: rows of
    `Model.confidence`, less one.
    """
    best, raw, group = np.empty(len(smoothed), dtype=np.int64), np.empty(len(smoothed)), np.empty_like(upright)
    _claims(smoothed, upright, lean, best, raw, group)
    return best, raw, group


@compiled
def decide(
    smoothed: NDArray[np.float64],
    covered: NDArray[np.bool_],
    upright: NDArray[np.int64],
    lean: float,
    sureness: NDArray[np.float64],
    sees_trunk: bool,
) -> tuple[NDArray[np.int8], NDArray[np.float64]]:
    """Name the likeliest state and how often such a claim is right; `unknown` where it is too often wrong.

    Parameters
    ----------
    smoothed
        Shape (n, classes), chances.
    covered, upright
        Shape (n,): measured at all; how upright is known (see `UPRIGHT`, and `orientation.upright`).
    lean
        Log odds that standing must have over sitting, see `lean`.
    sureness
        How often a chance is right: `Model.confidence`.
    sees_trunk
        Whether sitting and lying can be told apart at all; where not, the likelier one is said if one of them is sure.
    """
    codes, confidence = np.zeros(len(smoothed), dtype=np.int8), np.zeros(len(smoothed))
    odds = elementary.exp(lean)
    for i in range(len(codes)):
        if not covered[i]:
            continue
        best, raw, group = _claim(smoothed, i, upright[i], odds)
        confidence[i] = _interpolated(raw, sureness, 1 + group)
        least = SURE if upright[i] == UPRIGHT - 1 or best >= RESTING else SURE_OF_REST
        sure = confidence[i] >= least
        if not sees_trunk and best <= _SITTING:
            sure = sure or smoothed[i, _LYING] + smoothed[i, _SITTING] >= least
        codes[i] = _CODES[best] if sure else _UNKNOWN
    return codes, confidence


@compiled
def _claims(
    smoothed: NDArray[np.float64], upright: NDArray[np.int64], lean: float,
    best: NDArray[np.int64], raw: NDArray[np.float64], group: NDArray[np.int64],
) -> None:  # fmt: skip
    """Loop over seconds."""
    odds = elementary.exp(lean)
    for i in range(len(best)):
        best[i], raw[i], group[i] = _claim(smoothed, i, upright[i], odds)


@borrowing
def _claim(chances: NDArray[np.float64], i: int, upright: int, odds: float) -> tuple[int, float, int]:
    """Find the likeliest state, its chance, and the group of such a claim.

    Where upright is known, what is sitting or standing is shared out between the two by so many times the odds of
    sitting, so that the chance of a claim goes with the claim.
    """
    enough = upright == UPRIGHT - 1
    sitting, standing = chances[i, _SITTING], chances[i, _STANDING]
    if enough and sitting > 0.0:
        both = sitting + standing
        sitting = both * (sitting * odds / (sitting * odds + standing))
        standing = both - sitting
    best, most = 0, 0.0
    for j in range(chances.shape[1]):
        chance = sitting if j == _SITTING else standing if j == _STANDING else chances[i, j]
        if chance > most:
            best, most = j, chance
    return best, most, upright if best < RESTING else UPRIGHT + int(enough)


@borrowing
def _interpolated(x: float, table: NDArray[np.float64], row: int) -> float:
    """Read a row of straight lines over the first one of a table; beyond its ends it goes on level."""
    last = table.shape[1] - 1
    if x >= table[0, last]:
        return float(table[row, last])
    k = 0
    while k < last - 1 and table[0, k + 1] <= x:
        k += 1
    rise = (table[row, k + 1] - table[row, k]) / (table[0, k + 1] - table[0, k])
    return float(rise * (max(x, float(table[0, 0])) - table[0, k]) + table[row, k])
