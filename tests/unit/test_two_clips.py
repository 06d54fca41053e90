"""Promise: a clip at the pelvis tells leaning forward from slouching, where it can."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from processing import person, present
from processing.clip import LiveSecond
from processing.epochs import EPOCH_NS, POSTURES, Epochs, Neutral, Posture, State
from processing.posture import SITTING
from spineclip.contract.placement import Placement


def _sitting(posture: Posture, flexion_deg: float) -> Epochs:
    """Ten seconds of sitting in one posture."""
    blank = Epochs.unknown(np.arange(10, dtype=np.int64) * EPOCH_NS)
    return replace(
        blank,
        state=np.full(10, State.SITTING.code, dtype=np.int8),
        posture=np.full(10, posture.code, dtype=np.int8),
        flexion_deg=np.full(10, flexion_deg),
        lateral_deg=np.zeros(10),
        coverage=np.ones(10),
        confidence=np.ones(10),
    )


def _said(upper: Epochs, pelvis_deg: float) -> Posture:
    lower = _sitting(Posture.UPRIGHT, pelvis_deg)
    joined = person.join({Placement.STERNUM: upper, Placement.LOWER_BACK: lower})
    assert len(set(joined.posture.tolist())) == 1
    return POSTURES[joined.posture[0]]


def test_a_pelvis_that_turns_with_the_trunk_leans() -> None:
    assert _said(_sitting(Posture.SLOUCHED, 21.0), 19.0) is Posture.LEANING_FORWARD
    assert _said(_sitting(Posture.LEANING_FORWARD, 21.0), 1.0) is Posture.SLOUCHED


def test_a_pelvis_far_behind_its_neutral_has_no_say() -> None:
    for posture in (Posture.SLOUCHED, Posture.LEANING_FORWARD):
        assert _said(_sitting(posture, 21.0), -30.0) is posture


def test_other_postures_are_left_to_the_upper_clip() -> None:
    assert _said(_sitting(Posture.UPRIGHT, 1.0), 19.0) is Posture.UPRIGHT
    assert _said(_sitting(Posture.RECLINED, -18.0), 0.0) is Posture.RECLINED


def _taught(posture: Posture, flexion_deg: float, neutral: Neutral = Neutral.TAUGHT) -> Epochs:
    return replace(_sitting(posture, flexion_deg), neutral=np.full(10, neutral, dtype=np.int8))


def _said_by(lower: Epochs, upper: Epochs) -> Posture:
    joined = person.join({Placement.COLLAR: upper, Placement.BELT: lower})
    return POSTURES[joined.posture[0]]


def test_where_both_neutrals_were_taught_both_name_every_posture() -> None:
    """A pelvis 36 degrees back is a recline (median of the dataset), however straight the upper back stays."""
    pelvis = _taught(Posture.RECLINED, -36.0)
    assert _said_by(pelvis, _taught(Posture.UPRIGHT, -7.0)) is Posture.RECLINED
    assert _said_by(_taught(Posture.UPRIGHT, 17.4), _taught(Posture.SLOUCHED, 15.5)) is Posture.LEANING_FORWARD


def test_a_pelvis_measured_against_walking_cannot_tell_a_recline() -> None:
    """Sitting tall turns the pelvis back by about as much."""
    pelvis = _taught(Posture.RECLINED, -30.0, Neutral.WALKING)
    assert _said_by(pelvis, _taught(Posture.UPRIGHT, -7.0)) is Posture.UPRIGHT


def test_what_a_clip_knows_of_its_wearer_weighs_in() -> None:
    """A pelvis at 17 and a back at 15.5 degrees mostly lean; not those of somebody who was seen to slouch so."""
    lower, upper = _taught(Posture.UPRIGHT, 17.4), _taught(Posture.SLOUCHED, 15.5, Neutral.POSES)
    assert _said_by(lower, upper) is Posture.LEANING_FORWARD
    beyond = np.zeros((10, 6), dtype=np.int8)
    beyond[:, SITTING.index(Posture.SLOUCHED)] = 80
    assert _said_by(lower, replace(upper, beyond=beyond)) is Posture.SLOUCHED
    assert _said_by(replace(lower, beyond=beyond), upper) is Posture.SLOUCHED


def test_the_present_is_named_by_both_clips_too() -> None:
    def second(posture: Posture, flexion_deg: float) -> LiveSecond:
        return LiveSecond(10**9, State.SITTING, posture, 0.9, flexion_deg, 0.0, float("nan"), True, Neutral.TAUGHT)

    seconds = {
        Placement.LOWER_BACK: second(Posture.UPRIGHT, 17.4),
        Placement.STERNUM: second(Posture.SLOUCHED, 15.5),
    }
    now = present.joined(seconds, Placement.LOWER_BACK, present.teller(seconds, Placement.LOWER_BACK))
    assert now.posture is Posture.LEANING_FORWARD
    assert now.flexion_deg == 15.5
    alone = present.joined({Placement.STERNUM: seconds[Placement.STERNUM]}, Placement.STERNUM, Placement.STERNUM)
    assert alone.posture is Posture.SLOUCHED
