"""Promise: on people it has never seen, postures are named as well as we say."""

from __future__ import annotations

from pathlib import Path

import pytest

from spineclip import posture_trials as posture

pytestmark = pytest.mark.data


@pytest.fixture(scope="module")
def trials(shared_data: Path) -> posture.Trials:
    return posture.read(shared_data / "sitting_posture")


def test_a_slouch_is_told_from_upright_at_t4(trials: posture.Trials) -> None:
    found, false = posture.slouch_alarm(trials, "T4")
    assert found >= 0.98
    assert false <= 0.017, "one upright trial of sixty; one person's are labelled the other way round"


@pytest.mark.parametrize(
    ("site", "how", "six", "joined"),
    [
        ("T4", "own", 0.78, 0.87),
        ("T4", "all", 0.89, 0.94),
        pytest.param(*("T4", "lived", 0.83, 0.92), marks=pytest.mark.slow),
        ("T12", "own", 0.73, 0.92),
        pytest.param(*("T12", "lived", 0.76, 0.95), marks=pytest.mark.slow),
        ("L5", "own", 0.0, 0.73),
        pytest.param(*("L5", "lived", 0.0, 0.80), marks=pytest.mark.slow),
        ("L5+T4", "own", 0.85, 0.90),
        pytest.param(*("L5+T4", "lived", 0.90, 0.94), marks=pytest.mark.slow),
    ],
)
def test_postures_of_people_left_out(trials: posture.Trials, site: str, how: str, six: float, joined: float) -> None:
    truth, said = posture.judged(trials, site, how)
    assert posture.macro_f1(truth, said) >= six
    assert posture.macro_f1(posture.joined(site, truth), posture.joined(site, said)) >= joined
