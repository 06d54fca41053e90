"""Promise: the scores that are published are those of their definitions, counted here by hand."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest

from processing.epochs import STATES, State
from spineclip import scoring
from spineclip.scoring import Judged

W, S, T, L, C, U = State.WALKING, State.SITTING, State.STANDING, State.LYING, State.CYCLING, State.UNKNOWN


def judged(
    truth: Sequence[State], claim: Sequence[State], confidence: Sequence[float] | None = None, **more: int
) -> Judged:
    """A recording of a second for each entry, all of them steady."""
    n = len(truth)
    return Judged(
        "made", "p-1", np.array([s.code for s in truth]), np.array([s.code for s in claim]),
        np.ones(n) if confidence is None else np.array(confidence), np.ones(n, dtype=bool), **more,
    )  # fmt: skip


MIXED = judged([W, W, W, W, S, S, T, T, T, L], [W, W, S, U, S, W, T, T, S, L])


def test_f1_weighs_what_is_missed_and_what_is_claimed_falsely_alike() -> None:
    assert scoring.f1(MIXED, W) == pytest.approx(2 * 2 / (4 + 3))  # two right, of four true and three claimed
    assert scoring.f1(MIXED, S) == pytest.approx(2 * 1 / (2 + 3))
    assert scoring.f1(MIXED, L) == 1.0
    assert math.isnan(scoring.f1(MIXED, C)), "what neither happened nor was claimed has no score"


def test_an_unknown_second_counts_against_recall_and_not_against_precision() -> None:
    sure, unsure = judged([W, W], [W, S]), judged([W, W], [W, U])
    assert scoring.f1(sure, W) == scoring.f1(unsure, W)
    assert (scoring.precision(sure, S), scoring.precision(unsure, W)) == (0.0, 1.0)
    assert math.isnan(scoring.precision(unsure, S))
    assert scoring.unknown(unsure) == 0.5


def test_sensitivity_and_specificity_of_sitting_or_lying() -> None:
    # sedentary in truth: S S L, of which S and L are claimed so; not sedentary: seven, of which two are claimed so
    assert scoring.sedentary(MIXED) == pytest.approx((2 / 3, 5 / 7))
    lying_for_sitting = judged([S, L], [L, S])
    assert scoring.sedentary(lying_for_sitting)[0] == 1.0, "the one for the other is still sedentary"


def test_walking_minutes_are_compared_as_sums() -> None:
    assert scoring.walking_error_min(judged([W] * 60 + [S] * 60, [S] * 60 + [W] * 60)) == 0.0
    assert scoring.walking_error_min(judged([W] * 90, [W] * 30 + [S] * 60)) == 1.0
    assert scoring.walking_error_min(judged([S] * 60, [W] * 60)) == 1.0, "too much is as wrong as too little"


def test_confidence_is_told_of_claims_alone() -> None:
    one = judged([W, W, W, S, S], [W, W, S, S, U], [0.96, 0.96, 0.9, 0.6, 0.99])
    assert scoring.sure(one) == pytest.approx((3 / 5, 2 / 3))  # three of five are sure; unknown is no claim
    rows = {(low, high): rest for low, high, *rest in scoring.reliability(one)}
    assert rows[0.9, 0.97] == [3, pytest.approx(0.94), pytest.approx(2 / 3)], "a bound belongs to what is above it"
    assert rows[0.6, 0.7] == [1, pytest.approx(0.6), 1.0]
    assert rows[0.8, 0.9][0] == rows[0.5, 0.6][0] == 0
    assert rows[0.97, 1.0][0] == 0
    assert scoring.reliability(judged([W], [W], [1.0]))[-1][2] == 1, "the last bin has both its ends"


def test_every_second_is_in_the_confusion_once() -> None:
    rows = dict(scoring.confusion(MIXED))
    assert set(rows) == {W, S, T, L}
    assert sum(sum(counts) for counts in rows.values()) == len(MIXED.truth)
    assert [rows[W][STATES.index(state)] for state in (W, S, U)] == [2, 1, 1]


def test_recordings_are_joined_second_by_second() -> None:
    parts = [judged([W, S], [W, W], shuffled=1, shuffling=2), judged([S, S], [S, S], shuffled=3, shuffling=4)]
    whole = scoring.joined(parts)
    assert scoring.precision(whole, W) == 0.5
    assert (whole.shuffled, whole.shuffling) == (4, 6)
    assert scoring.precision(scoring.without_cycling(judged([W, C], [W, W])), W) == 1.0
