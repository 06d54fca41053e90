"""From a folder of labelled data sets to the numbers in `processing/weights`.

People are left out to learn how sure a claim may be.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from processing import activity, features, grid, orientation, smoothing, statistics
from processing.activity import Model
from processing.epochs import State
from processing.grid import Seconds
from spineclip import labelled
from spineclip.training import examples as teach
from spineclip.training import network
from spineclip.training.examples import Examples, Recorded

SETS: Final = {
    "trunk": (("harth", "lower_back"), ("har70plus", "lower_back"), ("daily_activities", "torso")),
    "thigh": (("harth", "thigh"), ("har70plus", "thigh")),
}
"""What each file of numbers is fitted on."""

WAYS: Final = ("whole", "pieces", "told")
"""How a recording is claimed: as it is; cut where its labels change, so nothing is known of upright; so, but told."""

Claims = tuple[str, NDArray[np.float64], NDArray[np.int64], NDArray[np.bool_]]
"""Of a recording: data set; and by second the raw chance, its group (`activity.claims`), whether the claim is right."""

FOLDS: Final = 5
_DAILY_SHARE: Final = 0.6
_RAW: Final = np.linspace(0.2, 1.0, 33)
_SURE_FROM: Final = 0.9
_RIGHT_AT_SURE: Final = 0.975
FAR: Final[Mapping[str, Sequence[int]]] = {"trunk": (0, 1), "thigh": ()}
"""Groups of claims of whose chances only sets left out whole can tell: at the trunk, rest before any walk, which people
of the same protocol flatter. A thigh needs no walk to tell sitting from standing."""

_AXES: Final = {"x": "up", "y": "right"}  # of all recordings but a thigh's, whose left and right tell nothing here
_OF_ITS_OWN: Final = tuple(state.code for state in (State.ACTIVE, State.CYCLING))
_FLAT: Final = np.stack([_RAW] * (1 + activity.GROUPS))


def read(root: Path, kind: str) -> list[Recorded]:
    """Read the recordings that a kind of place is fitted on."""
    found = [teach.record(one) for name, place in SETS[kind] for one in labelled.recordings(root / name, place)]
    return [one for one in found if one.seconds.covered.any()]


def folds(people: Iterable[tuple[str, str]]) -> dict[tuple[str, str], int]:
    """Deal people (data set, subject) into `FOLDS` groups, each data set evenly."""
    number: dict[tuple[str, str], int] = {}
    every = sorted(set(people))
    for dataset in dict.fromkeys(name for name, _ in every):
        for index, person in enumerate(person for person in every if person[0] == dataset):
            number[person] = index % FOLDS
    return number


def fit(recorded: Sequence[Recorded], seed: int = 0) -> dict[str, Any]:
    """Fit all numbers but the confidence, which is left as the raw chance."""
    rng = np.random.default_rng(seed)
    walk = network.fit_walk(_joined([one for r in recorded for one in teach.rhythms(r, rng)]))
    stand_in = {name: np.zeros((1, 1)) for name in ("hidden", "hidden_bias", "out", "out_bias")}
    likeness = activity.model({**walk, **stand_in, "confidence": _FLAT})
    taught = [
        Examples(e.features, e.target, e.weight * (_DAILY_SHARE if r.dataset == "daily_activities" else 1.0))
        for r in recorded
        for e in teach.examples(r, likeness, rng)
    ]
    return {**walk, **network.fit_network(_joined(taught), seed), "confidence": _FLAT}


def model_without(known: Sequence[Recorded], far: Sequence[int] = ()) -> Model:
    """Fit on some recordings alone, with the confidence that people left out of them teach."""
    claims = [
        claims_of(activity.model(numbers), one, way)
        for numbers, unseen in left_out(known, folds_at_most=2)
        for one in unseen
        for way in WAYS
    ]
    return activity.model({**fit(known), "confidence": confidence(claims, list(sets_left_out(known)), far)})


def left_out(
    recorded: Sequence[Recorded], folds_at_most: int = FOLDS
) -> Iterator[tuple[dict[str, Any], list[Recorded]]]:
    """Fit once for each fold of people and hand out the numbers with the people whom they have not seen."""
    number = folds(one.person for one in recorded)
    for fold in range(min(FOLDS, folds_at_most)):
        yield (
            fit([one for one in recorded if number[one.person] != fold], seed=fold),
            [one for one in recorded if number[one.person] == fold],
        )


def sets_left_out(recorded: Sequence[Recorded]) -> Iterator[Claims]:
    """Say what fits on the other data sets claim of each: how sure one may be of another sensor, place and protocol.

    Exercise and cycling are of another kind in every set (roads, exercise bikes, steppers) and are not asked for.
    """
    for dataset in dict.fromkeys(one.dataset for one in recorded):
        known = [one for one in recorded if one.dataset != dataset]
        fitted = activity.model(fit(known)) if known else None
        for one in recorded:
            if fitted is not None and one.dataset == dataset:
                asked = replace(one, truth=np.where(np.isin(one.truth, _OF_ITS_OWN), labelled.NOT_SCORED, one.truth))
                yield from (claims_of(fitted, asked, way) for way in WAYS)


def confidence(claims: Sequence[Claims], abroad: Sequence[Claims] = (), far: Sequence[int] = ()) -> NDArray[np.float64]:
    """Learn how often a raw chance is right.

    Parameters
    ----------
    claims
        For each recording of people left out: data set, raw chance, group, claim right.
    abroad
        The same for data sets left out whole: they teach how high the bar for 0.9 must be.
    far
        Groups that `abroad` alone teaches, see `FAR`.

    Returns
    -------
    Rows raw, and how often right in each of the groups. At or above 0.9 only where, in every data set (and
    in every one of `abroad`), at least 97.5 % of the claims from there on were right.
    """
    rows = []
    for group in range(activity.GROUPS):
        here, there = _by_set(claims, group), _by_set(abroad, group)
        rows.append(_calibrated(there if group in far and there else here, here, there))
    return np.stack([_RAW, *rows])


def _by_set(claims: Sequence[Claims], group: int) -> dict[str, NDArray[np.float64]]:
    """Raw chance and whether right, shape (2, n), of the claims of a group in each data set."""
    parts: dict[str, list[NDArray[np.float64]]] = {}
    for dataset, raw, groups, right in claims:
        chosen = groups == group
        parts.setdefault(dataset, []).append(np.stack([raw[chosen], right[chosen].astype(np.float64)]))
    return {name: np.concatenate(some, axis=1) for name, some in parts.items()}


def _calibrated(teach: dict[str, NDArray[np.float64]], *bars: dict[str, NDArray[np.float64]]) -> NDArray[np.float64]:
    every = np.concatenate(list(teach.values()), axis=1)
    share = np.empty(len(_RAW))
    count = np.empty(len(_RAW))
    for i, raw in enumerate(_RAW):
        near = np.abs(every[0] - raw) <= 0.025
        count[i] = near.sum() + 10.0
        share[i] = (every[1][near].sum() + 10.0 * raw) / count[i]
    share = _rising(share, count)
    for i, raw in enumerate(_RAW):
        above = [rows[1][rows[0] >= raw] for bar in bars for rows in bar.values()]
        if any(len(right) >= 100 and right.mean() < _RIGHT_AT_SURE for right in above):
            share[: i + 1] = np.minimum(share[: i + 1], _SURE_FROM - 0.01)
    return np.maximum.accumulate(np.clip(share, 0.0, 0.995))


def _rising(value: NDArray[np.float64], count: NDArray[np.float64]) -> NDArray[np.float64]:
    """Pool neighbours until the values rise (isotonic regression: Ayer et al. 1955, Ann Math Stat 26:641)."""
    pools: list[list[float]] = []
    for v, c in zip(value.tolist(), count.tolist(), strict=True):
        pools.append([v, c, 1.0])
        while len(pools) > 1 and pools[-2][0] > pools[-1][0]:
            b, a = pools.pop(), pools.pop()
            pools.append([(a[0] * a[1] + b[0] * b[1]) / (a[1] + b[1]), a[1] + b[1], a[2] + b[2]])
    return np.concatenate([np.full(int(size), v) for v, _, size in pools])


def claims_of(model: Model, one: Recorded, way: str) -> Claims:
    """Say what a model claims of a recording in one of `WAYS`, as `confidence` takes it."""
    edges = np.empty(0, dtype=np.int64) if way == "whole" else np.flatnonzero(np.diff(one.truth)) + 1
    cuts = [0, *edges.tolist(), len(one.truth)]
    parts = [
        _claims(model, one, a, b, _AXES if way == "told" else {})
        for a, b in itertools.pairwise(cuts)
        if b - a >= 8 and (way == "whole" or one.truth[a] >= 0)
    ]
    raw, group, right = (np.concatenate([part[i] for part in parts]) for i in range(3)) if parts else (np.empty(0),) * 3
    return one.dataset, raw, group.astype(np.int64), right.astype(np.bool_)


def _claims(
    model: Model, one: Recorded, a: int, b: int, axes: Mapping[str, str]
) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    part = Seconds(one.seconds.first + a, one.seconds.xyz_g[a:b], one.seconds.coverage[a:b])
    table, waves = statistics.statistics(part)
    n = b - a
    rhythm = features.rhythm(table, waves, 0, n)
    table[:, statistics.WALK] = activity.likeness(model, rhythm, table)
    _, held = orientation.step(orientation.begin(axes, None), 0, table, 0, n)
    described = features.features(table, rhythm, held, 0, n)
    turning = described[:, features.TURNING]
    heard = smoothing.observe(smoothing.begin(), activity.chances(model, described), part.covered, turning)
    _, chances = smoothing.release(heard, 0, last=True)
    best, raw, group = activity.claims(chances, orientation.upright(held), activity.lean(one.placement))
    codes = np.array([state.code for state in activity.CLASSES])[best]
    scored = (one.truth[a:b] >= 0) & one.steady[a:b] & part.covered & (one.seconds.coverage[a:b] >= grid.ENOUGH)
    return raw[scored], group[scored], (codes == one.truth[a:b])[scored]


def write(path: Path, numbers: dict[str, Any]) -> None:
    """Write the numbers as an npz of plain arrays (no pickle), in float32 to keep it small."""
    arrays: dict[str, Any] = {name: np.asarray(value, dtype=np.float32) for name, value in numbers.items()}
    np.savez(path, allow_pickle=False, **arrays)


def load(path: Path) -> dict[str, Any]:
    """Read numbers that `write` wrote."""
    with np.load(path) as numbers:
        return dict(numbers)


def _joined(parts: Sequence[Examples]) -> Examples:
    return Examples(
        np.concatenate([part.features for part in parts]),
        np.concatenate([part.target for part in parts]),
        np.concatenate([part.weight for part in parts]),
    )
