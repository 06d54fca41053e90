"""Promise: a clip at the pelvis tells leaning forward from slouching, where it can."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from processing import person
from processing.epochs import EPOCH_NS, POSTURES, Epochs, Posture, State
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
