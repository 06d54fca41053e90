"""Scores of claimed states against labels: counted in seconds, told in F1, minutes and how often a claim is right."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from processing.epochs import STATES, State

SCORED: Final = (State.WALKING, State.RUNNING, State.STANDING, State.SITTING, State.LYING, State.CYCLING, State.ACTIVE)
_SEDENTARY: Final = (State.SITTING.code, State.LYING.code)
_SURE: Final = 0.9
_BINS: Final = (0.5, 0.6, 0.7, 0.8, 0.9, 0.97, 1.0)


@dataclass(frozen=True, slots=True)
class Judged:
    """A recording's seconds that have a label: truth and claim (codes of `State`), confidence, steadiness.

    `shuffled` counts seconds labelled shuffling that were claimed as walking, of `shuffling` such seconds.
    """

    dataset: str
    subject: str
    truth: NDArray[np.int64]
    claim: NDArray[np.int64]
    confidence: NDArray[np.float64]
    steady: NDArray[np.bool_]
    shuffled: int = 0
    shuffling: int = 0

    def only(self, chosen: NDArray[np.bool_]) -> Judged:
        """Keep some of the seconds."""
        return replace(
            self,
            truth=self.truth[chosen],
            claim=self.claim[chosen],
            confidence=self.confidence[chosen],
            steady=self.steady[chosen],
        )


def joined(parts: Iterable[Judged]) -> Judged:
    """Put recordings together."""
    every = list(parts)
    return Judged(
        every[0].dataset,
        every[0].subject,
        np.concatenate([p.truth for p in every]),
        np.concatenate([p.claim for p in every]),
        np.concatenate([p.confidence for p in every]),
        np.concatenate([p.steady for p in every]),
        sum(p.shuffled for p in every),
        sum(p.shuffling for p in every),
    )


def f1(judged: Judged, state: State) -> float:
    """Twice the seconds in common over the seconds of either; NaN if the state neither happened nor was claimed."""
    truth, claim = judged.truth == state.code, judged.claim == state.code
    either = int(truth.sum() + claim.sum())
    return 2.0 * int((truth & claim).sum()) / either if either else float("nan")


def precision(judged: Judged, state: State) -> float:
    """Share of the claims of a state that are right; NaN without a claim."""
    claim = judged.claim == state.code
    return float((judged.truth[claim] == state.code).mean()) if claim.any() else float("nan")


def sedentary(judged: Judged) -> tuple[float, float]:
    """Sensitivity and specificity of sitting or lying against all else."""
    truth, claim = np.isin(judged.truth, _SEDENTARY), np.isin(judged.claim, _SEDENTARY)
    return _share(claim[truth]), _share(~claim[~truth])


def walking_error_min(judged: Judged) -> float:
    """Absolute error of the walking minutes of a recording."""
    claim, truth = judged.claim == State.WALKING.code, judged.truth == State.WALKING.code
    return abs(int(claim.sum()) - int(truth.sum())) / 60.0


def without_cycling(judged: Judged) -> Judged:
    """Leave the cycling out."""
    return judged.only(judged.truth != State.CYCLING.code)


def unknown(judged: Judged) -> float:
    """Share of the seconds of which no state is claimed."""
    return _share(np.isin(judged.claim, (State.UNKNOWN.code, State.NOT_WORN.code)))


def sure(judged: Judged) -> tuple[float, float]:
    """Share of the seconds claimed with a confidence of at least 0.9, and how many of them are right."""
    chosen = _claimed(judged) & (judged.confidence >= _SURE)
    return _share(chosen), _share(judged.truth[chosen] == judged.claim[chosen])


def reliability(judged: Judged) -> list[tuple[float, float, int, float, float]]:
    """Compare confidence with truth: rows ``from, to, seconds, mean confidence, share right``."""
    rows = []
    for low, high in pairwise(_BINS):
        chosen = _claimed(judged) & (judged.confidence >= low)
        chosen &= (judged.confidence < high) if high < 1.0 else np.ones_like(chosen)
        right = judged.truth[chosen] == judged.claim[chosen]
        mean = float(judged.confidence[chosen].mean()) if chosen.any() else float("nan")
        rows.append((low, high, int(chosen.sum()), mean, _share(right)))
    return rows


def confusion(judged: Judged) -> list[tuple[State, list[int]]]:
    """Count seconds: for each true state, those claimed as each of `STATES`."""
    return [
        (state, np.bincount(judged.claim[judged.truth == state.code], minlength=len(STATES)).tolist())
        for state in SCORED
        if (judged.truth == state.code).any()
    ]


def _claimed(judged: Judged) -> NDArray[np.bool_]:
    return ~np.isin(judged.claim, (State.UNKNOWN.code, State.NOT_WORN.code))


def _share(values: NDArray[np.bool_]) -> float:
    return float(values.mean()) if len(values) else float("nan")
