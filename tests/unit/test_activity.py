"""Promise: a state and its chance are what the fitted network says, worked out here in plain NumPy."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from processing import activity, features, statistics
from processing.activity import CLASSES, UPRIGHT, Model
from processing.epochs import State
from spineclip.contract.placement import Placement

Array = NDArray[np.float64]
SITTING, STANDING = CLASSES.index(State.SITTING), CLASSES.index(State.STANDING)
LEAN = activity.lean(Placement.LOWER_BACK)


@pytest.fixture(params=[Placement.LOWER_BACK, Placement.THIGH])
def fitted(request: pytest.FixtureRequest) -> Model:
    return activity.load(request.param)


def _features(n: int) -> Array:
    return np.rint(np.random.default_rng(3).normal(0, 2, (n, len(features.NAMES))) * 1024).clip(-16384, 16384) / 1024


def _rounded(values: Array, quanta: float) -> Array:
    return np.rint(values * quanta) / quanta


def test_log_chances(fitted: Model) -> None:
    x = _features(400)
    hidden = _rounded((x @ fitted.hidden + fitted.hidden_bias).clip(0.0, 128.0), 4096.0)
    score = hidden @ fitted.out + fitted.out_bias
    share = np.exp(score - score.max(axis=1, keepdims=True))
    expected = np.log(share / share.sum(axis=1, keepdims=True)).clip(-6.0, 0.0)
    np.testing.assert_allclose(activity.chances(fitted, x), expected, atol=1e-12)


def test_log_chances_of_one_are_those_among_many(fitted: Model) -> None:
    x = _features(200)
    many = activity.chances(fitted, x)
    np.testing.assert_array_equal(np.concatenate([activity.chances(fitted, x[k : k + 1]) for k in range(200)]), many)


def test_likeness_to_walking(fitted: Model) -> None:
    x = _features(400)[:, : len(features.RHYTHM)]
    table = np.zeros((400, statistics.COLUMNS))
    table[:, statistics.COVERED] = np.arange(400) % 5 > 0
    odds = (x @ fitted.walk + fitted.walk_bias).clip(-30.0, 30.0)
    expected = _rounded(1.0 / (1.0 + np.exp(-odds)), 64.0) * table[:, statistics.COVERED]
    np.testing.assert_array_equal(activity.likeness(fitted, x, table), expected)


def test_a_claim_is_as_sure_as_such_claims_were_right(fitted: Model) -> None:
    rng = np.random.default_rng(4)
    chances, upright = rng.dirichlet(np.full(len(CLASSES), 0.4), 500), rng.integers(0, UPRIGHT, 500)
    codes, confidence = activity.decide(chances, np.ones(500, dtype=np.bool_), upright, LEAN, fitted.confidence, True)
    best, raw, group = activity.claims(chances, upright, LEAN)
    expected = [np.interp(x, fitted.confidence[0], fitted.confidence[1 + g]) for x, g in zip(raw, group, strict=True)]
    np.testing.assert_allclose(confidence, expected, rtol=1e-12)
    rest = np.array([CLASSES[k] in (State.LYING, State.SITTING, State.STANDING) for k in best])
    known = upright == UPRIGHT - 1
    np.testing.assert_array_equal(group, np.where(rest, upright, UPRIGHT + known))
    least = np.where(known | ~rest, activity.SURE, activity.SURE_OF_REST)
    said = np.array([state.code for state in CLASSES])[best]
    np.testing.assert_array_equal(codes, np.where(confidence >= least, said, State.UNKNOWN.code))
    assert 0 < (codes == State.UNKNOWN.code).sum() < 500


def test_nothing_is_claimed_of_what_was_not_measured(fitted: Model) -> None:
    chances = np.eye(len(CLASSES))
    known = np.full(len(CLASSES), UPRIGHT - 1)
    codes, confidence = activity.decide(
        chances, np.zeros(len(CLASSES), dtype=np.bool_), known, LEAN, fitted.confidence, True
    )
    assert (codes == State.UNKNOWN.code).all()
    assert (confidence == 0.0).all()


def test_sitting_comes_before_standing_where_they_are_close_and_its_chance_with_it() -> None:
    odds = np.exp(LEAN) * np.array([0.99, 1.01])  # of standing against sitting
    chances = np.zeros((2, len(CLASSES)))
    chances[:, SITTING], chances[:, STANDING] = 0.8 / (1.0 + odds), 0.8 * odds / (1.0 + odds)
    best, raw, _ = activity.claims(chances, np.full(2, UPRIGHT - 1), LEAN)
    assert best.tolist() == [SITTING, STANDING]
    np.testing.assert_allclose(raw, 0.8 * np.array([1.0 / 1.99, 1.01 / 2.01]), rtol=1e-12)
    best, raw, _ = activity.claims(chances, np.full(2, UPRIGHT - 2), LEAN)
    assert best.tolist() == [STANDING, STANDING]
    np.testing.assert_array_equal(raw, chances[:, STANDING])


def test_a_thigh_may_be_sure_of_sitting_or_lying() -> None:
    fitted = activity.load(Placement.THIGH)
    chances = np.zeros((1, len(CLASSES)))
    chances[0, [CLASSES.index(State.LYING), SITTING, STANDING]] = 0.33, 0.36, 0.31
    covered, upright = np.ones(1, dtype=np.bool_), np.zeros(1, dtype=np.int64)
    assert activity.decide(chances, covered, upright, LEAN, fitted.confidence, True)[0][0] == State.UNKNOWN.code
    assert activity.decide(chances, covered, upright, LEAN, fitted.confidence, False)[0][0] == State.SITTING.code
