"""A day counts only where it misses what was agreed by a wide margin, and a day not seen counts most."""

from __future__ import annotations

import pytest

from processing.attention import NOT_SEEN, attention
from processing.metrics import Point, Value, check

GOOD: dict[str, Value] = {
    "worn_min": 800.0, "enough_data": True, "walking_min": 20.0, "goal_walking_min": 20.0,
    "longest_sedentary_min": 45.0, "goal_longest_sedentary_min": 45.0, "upright_pct": 60.0, "goal_upright_pct": 50.0,
}  # fmt: skip


@pytest.mark.parametrize(
    ("change", "points", "words"),
    [
        ({}, 0, ""),
        ({"walking_min": 10.0}, 0, ""),
        ({"walking_min": 9.9}, 1, "walked 10 of 20 min"),
        ({"longest_sedentary_min": 90.0}, 0, ""),
        ({"longest_sedentary_min": 91.0}, 1, "sat 91 min without a break"),
        ({"upright_pct": 24.0}, 1, "upright 24 % of sitting"),
        ({"upright_pct": 24.0, "walking_min": 1.0}, 2, "walked 1 of 20 min; upright 24 % of sitting"),
        ({"walking_min": 0.0, "enough_data": False, "worn_min": 90.0}, 1, "worn 90 min only"),
        ({"worn_min": 0.0, "enough_data": False}, NOT_SEEN, "not worn"),
    ],
)
def test_points_and_words(change: dict[str, Value], points: int, words: str) -> None:
    fields = attention(GOOD | change)
    assert fields == {"attention": points, "attention_why": words}
    check(Point("daily", 0, {"patient": "p-1"}, fields))


def test_what_is_not_known_is_not_held_against_anybody() -> None:
    assert attention({"worn_min": 800.0, "enough_data": True}) == {"attention": 0, "attention_why": ""}
    assert attention({})["attention"] == NOT_SEEN
