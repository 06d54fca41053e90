"""Promise: logarithm, exponential and angles in compiled loops are right to 1e-13 wherever the core may come."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction

import numpy as np
import pytest
from numpy.typing import NDArray

from processing import elementary
from processing.compiled import compiled

Array = NDArray[np.float64]
RNG = np.random.default_rng(1)
TINY = 2.0**-1022
NEAR_ONE = np.concatenate([1.0 + 2.0 ** -np.arange(1.0, 53), 1.0 - 2.0 ** -np.arange(1.0, 54)])
POSITIVE = np.concatenate([np.exp(RNG.uniform(-700, 700, 20_000)), RNG.uniform(0, 3, 20_000) + 1e-9, NEAR_ONE])
ENDS = np.array([1.0, TINY, 1e-6, 1e-3, 2.0, 0.5, np.sqrt(2.0), np.sqrt(0.5), np.finfo(float).max])
COSINES = np.concatenate([RNG.uniform(-1, 1, 20_000), NEAR_ONE[NEAR_ONE <= 1], -NEAR_ONE[NEAR_ONE <= 1], [0, 1, -1]])


def _each(function: Callable[..., float], *columns: Array) -> Array:
    """Call a compiled function number by number, as Python does."""
    return np.array([function(*map(float, row)) for row in zip(*columns, strict=True)])


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [(elementary.log, np.log), (elementary.log2, np.log2), (elementary.log10, np.log10)],
)
def test_logarithms(ours: Callable[[float], float], theirs: Callable[[Array], Array]) -> None:
    x = np.concatenate([POSITIVE, ENDS])
    np.testing.assert_allclose(_each(ours, x), theirs(x), rtol=1e-14, atol=0)
    assert ours(1.0) == 0.0


def test_logarithm_of_what_has_none() -> None:
    assert elementary.log(0.0) == -math.inf
    assert elementary.log(math.inf) == math.inf
    assert math.isnan(elementary.log(-1.0))
    assert math.isnan(elementary.log(-math.inf))
    assert math.isnan(elementary.log(math.nan))


def test_exponential() -> None:
    x = np.concatenate([RNG.uniform(-708, 709, 20_000), RNG.uniform(-6, 6, 20_000), NEAR_ONE - 1.0, [0.0, -708, 709]])
    np.testing.assert_allclose(_each(elementary.exp, x), np.exp(x), rtol=1e-14, atol=0)
    assert elementary.exp(0.0) == 1.0
    assert elementary.exp(-709.0) == elementary.exp(-1e300) == elementary.exp(-math.inf) == 0.0
    assert elementary.exp(709.5) == elementary.exp(1e300) == elementary.exp(math.inf) == math.inf
    assert math.isnan(elementary.exp(math.nan))


def test_angle_of_a_point() -> None:
    angle = np.concatenate([RNG.uniform(-np.pi, np.pi, 20_000), np.arange(-16, 17) * np.pi / 16])
    size = np.exp(RNG.uniform(-30, 30, len(angle)))
    y, x = size * np.sin(angle), size * np.cos(angle)
    np.testing.assert_allclose(_each(elementary.arctan2, y, x), np.arctan2(y, x), rtol=0, atol=2e-15)
    axes = [(0.0, 0.0, 0.0), (0.0, 1.0, 0.0), (1.0, 0.0, math.pi / 2), (0.0, -1.0, math.pi), (-1.0, 0.0, -math.pi / 2)]
    for up, along, expected in axes:
        assert elementary.arctan2(up, along) == expected
    assert math.isnan(elementary.arctan2(math.nan, 1.0))
    assert math.isnan(elementary.arctan2(1.0, math.nan))


def test_small_angles_keep_their_digits() -> None:
    y = np.exp(RNG.uniform(-600, -1, 2000))
    np.testing.assert_allclose(_each(elementary.arctan2, y, np.ones(2000)), np.arctan(y), rtol=1e-14, atol=0)


def test_angle_of_a_cosine() -> None:
    np.testing.assert_allclose(_each(elementary.arccos, COSINES), np.arccos(COSINES), rtol=0, atol=2e-15)
    assert (elementary.arccos(1.0), elementary.arccos(-1.0)) == (0.0, math.pi)
    for none in (1.0 + 1e-9, -1.0 - 1e-9, math.nan):
        assert math.isnan(elementary.arccos(none))


@compiled
def _rows(x: Array, out: Array) -> None:
    for i in range(len(x)):
        out[0, i] = elementary.log(x[i])
        out[1, i] = elementary.exp(-x[i])
        out[2, i] = elementary.arccos(x[i] - 1.0)


def test_several_at_a_time_are_the_same_bits_as_one() -> None:
    x = np.concatenate([RNG.uniform(0.0, 2.0, 1001), [0.0, 1.0, 2.0, TINY]])
    out = np.empty((3, len(x)))
    _rows(x, out)
    np.testing.assert_array_equal(out[0], _each(elementary.log, x))
    np.testing.assert_array_equal(out[1], _each(elementary.exp, -x))
    np.testing.assert_array_equal(out[2], _each(elementary.arccos, x - 1.0))


def _through(series: Callable[[int], Fraction], count: int, low: float, high: float) -> list[float]:
    """Terms of the polynomial through a power series' values at the Chebyshev nodes of an interval, by Newton."""
    turn = [math.cos(math.pi * (k + 0.5) / count) for k in range(count)]
    nodes = [Fraction((low + high) / 2 + (high - low) / 2 * x) for x in turn]
    rest = [sum(series(k) * x**k for k in range(40)) for x in nodes]
    for j in range(1, count):
        for i in range(count - 1, j - 1, -1):
            rest[i] = (rest[i] - rest[i - 1]) / (nodes[i] - nodes[i - j])
    terms = [Fraction(0)] * count
    for node, value in zip(reversed(nodes), reversed(rest), strict=True):
        terms = [a - node * b for a, b in zip([Fraction(0), *terms[:-1]], terms, strict=True)]
        terms[0] += value
    return [float(term) for term in terms]


def test_terms_are_those_of_their_series() -> None:
    s2 = ((math.sqrt(2.0) - 1.0) / (math.sqrt(2.0) + 1.0)) ** 2
    half = math.log(2.0) / 2
    t2 = math.tan(math.pi / 8) ** 2
    made = [
        _through(lambda k: Fraction(2, 2 * k + 3), len(elementary.LOG_TERMS), 0.0, s2),
        _through(lambda k: Fraction(1, math.factorial(k + 2)), len(elementary.EXP_TERMS), -half, half),
        _through(lambda k: Fraction((-1) ** (k + 1), 2 * k + 3), len(elementary.ARCTAN_TERMS), 0.0, t2),
    ]
    for terms, stand in zip(made, (elementary.LOG_TERMS, elementary.EXP_TERMS, elementary.ARCTAN_TERMS), strict=True):
        np.testing.assert_allclose(stand, terms, rtol=1e-9, atol=0)
