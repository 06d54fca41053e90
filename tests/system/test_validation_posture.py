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
        ("T4", "own", 0.83, 0.905),
        ("T4", "usual", 0.77, 0.86),
        ("T4", "all", 0.90, 0.94),
        ("T12", "own", 0.86, 0.945),
        pytest.param(*("T12", "usual", 0.78, 0.855), marks=pytest.mark.slow),
        ("L5", "own", 0.72, 0.77),
        pytest.param(*("L5", "usual", 0.66, 0.71), marks=pytest.mark.slow),
        pytest.param(*("L5+T4", "own", 0.85, 0.905), marks=pytest.mark.slow),
    ],
)
def test_whole_stretches_of_people_left_out(
    trials: posture.Trials, site: str, how: str, six: float, joined: float
) -> None:
    reached = posture.scores(site, *posture.judged(trials, site, how))
    assert reached[0] >= six
    assert reached[1] >= joined


@pytest.mark.parametrize(
    ("site", "how", "six", "joined"),
    [
        ("T4", "own", 0.78, 0.87),
        ("T4", "all", 0.89, 0.94),
        ("T12", "own", 0.73, 0.92),
        ("L5", "own", 0.0, 0.72),
        ("L5+T4", "own", 0.85, 0.90),
    ],
)
def test_angles_alone_of_people_left_out(
    trials: posture.Trials, site: str, how: str, six: float, joined: float
) -> None:
    reached = posture.scores(site, *posture.judged(trials, site, how, whole=False))
    assert reached[0] >= six
    assert reached[1] >= joined
