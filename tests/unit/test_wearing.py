"""Promise: only a clearly shaken wearable is taken, and only a still, plausible stretch becomes the neutral posture."""

from __future__ import annotations

import numpy as np
import pytest

from collector.wearing import SHAKEN_G, STILL_G, most_shaken, movement_g, stillness


@pytest.mark.parametrize(
    ("moved", "expected"),
    [
        ({}, None),
        ({"a": SHAKEN_G * 0.9}, None),
        ({"a": SHAKEN_G * 1.1}, "a"),
        ({"a": 0.9, "b": 0.29}, "a"),
        ({"a": 0.9, "b": 0.31}, None),
        ({"a": 0.01, "b": 1.2, "c": 0.02}, "b"),
    ],
)
def test_takes_the_one_that_is_clearly_shaken(moved: dict[str, float], expected: str | None) -> None:
    assert most_shaken(moved) == expected


def test_movement_is_the_standard_deviation_of_all_axes() -> None:
    rows = np.array([[1.0, 0.0, 0.0], [-1.0, 0.0, 0.0]])
    assert movement_g(rows) == pytest.approx(1.0)
    assert movement_g(rows[:1]) == 0.0


def test_stillness_gives_the_mean_or_the_reason() -> None:
    rng = np.random.default_rng(3)
    still = np.array([0.0, 0.6, 0.8]) + rng.normal(0, STILL_G / 4, (200, 3))
    found = stillness(still, least=100)
    assert found.problem == ""
    np.testing.assert_allclose(found.mean_g, [0.0, 0.6, 0.8], atol=0.005)
    assert "you moved" in stillness(still + rng.normal(0, STILL_G, (200, 3)), least=100).problem
    assert "instead of 1 g" in stillness(still * 1.3, least=100).problem
    assert "only 50 of 100 samples" in stillness(still[:50], least=100).problem
