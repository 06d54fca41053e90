"""Promise: a back is called bent only where the angle shows it for certain, and never at a place that cannot see it."""

from __future__ import annotations

import math

import pytest

from processing.bending import AT_REST, BENT_DEG, BENT_SHOWN_DEG, BENT_WALKING_DEG, WOBBLE_DEG, bent
from processing.clip import LiveSecond
from processing.epochs import Neutral, Posture, State
from spineclip.contract.placement import Placement


def _second(
    state: State = State.SITTING,
    posture: Posture = Posture.SLOUCHED,
    flexion_deg: float = 25.0,
    *,
    confidence: float = 0.9,
    oriented: bool = True,
    neutral: Neutral = Neutral.TAUGHT,
) -> LiveSecond:
    return LiveSecond(10**18, state, posture, confidence, flexion_deg, 0.0, math.nan, oriented, int(neutral))


@pytest.mark.parametrize("posture", [Posture.SLOUCHED, Posture.LEANING_FORWARD])
@pytest.mark.parametrize("state", [State.SITTING, State.STANDING])
def test_round_or_from_the_hips_sitting_or_standing_it_is_bent(state: State, posture: Posture) -> None:
    assert bent(_second(state, posture), Placement.STERNUM) is True
    assert bent(_second(state, posture, confidence=AT_REST), Placement.STERNUM) is True


@pytest.mark.parametrize(
    "second",
    [
        _second(flexion_deg=BENT_DEG - WOBBLE_DEG - 0.1),
        _second(posture=Posture.UPRIGHT),
        _second(posture=Posture.RECLINED, flexion_deg=-20.0),
        _second(posture=Posture.LEANING_LEFT, flexion_deg=2.0),
        _second(State.WALKING, Posture.UNKNOWN),
    ],
    ids=["hardly turned", "upright for this wearer", "reclined", "sideways", "walking"],
)
def test_it_surely_is_not(second: LiveSecond) -> None:
    assert bent(second, Placement.STERNUM) is False


@pytest.mark.parametrize(
    "second",
    [
        _second(confidence=AT_REST - 0.1),
        _second(oriented=False),
        _second(flexion_deg=math.nan),
        _second(posture=Posture.UNKNOWN),
        _second(posture=Posture.LEANING_LEFT),
        _second(State.UNKNOWN),
        _second(State.NOT_WORN),
        _second(State.WALKING, confidence=0.5),
        _second(neutral=Neutral.USUAL),
        _second(flexion_deg=BENT_DEG),
        _second(flexion_deg=BENT_DEG - WOBBLE_DEG + 0.1),
    ],
    ids=["unsure", "not oriented", "no angle", "no posture", "sideways", "unknown", "not worn", "perhaps walking",
         "no neutral of one's own", "at the threshold", "wobbling around it"],
)  # fmt: skip
def test_it_is_not_known(second: LiveSecond) -> None:
    assert bent(second, Placement.STERNUM) is None


def test_against_walking_it_takes_more() -> None:
    least = [flexion for flexion in range(40) if bent(_second(flexion_deg=flexion), Placement.COLLAR)]
    walking = [
        flexion for flexion in range(40)
        if bent(_second(flexion_deg=flexion, neutral=Neutral.WALKING), Placement.COLLAR)
    ]  # fmt: skip
    assert (least[0], walking[0]) == (BENT_DEG + WOBBLE_DEG, BENT_WALKING_DEG + WOBBLE_DEG)


@pytest.mark.parametrize("place", [Placement.BELT, Placement.LOWER_BACK])
def test_at_the_pelvis_only_a_slouch_that_was_shown_counts(place: Placement) -> None:
    assert bent(_second(), place) is None
    assert bent(_second(posture=Posture.LEANING_FORWARD, neutral=Neutral.POSES), place) is None
    assert bent(_second(flexion_deg=BENT_SHOWN_DEG, neutral=Neutral.POSES), place) is True
