"""Promise: a clip learns a neutral and poses beside it; what cannot be true, or belongs elsewhere, it refuses."""

from __future__ import annotations

import math

import pytest

from processing.epochs import Posture
from processing.posture import SITTING
from spineclip.contract.config import Calibration, Clip, PatientConfig, Vector
from spineclip.contract.errors import SettingsError
from spineclip.contract.placement import Placement
from spineclip.teaching import CLEAR_DEG, FURTHEST_DEG, HOW, SAME_MOUNT_DEG, angle_deg, teach_neutral, teach_pose


def _bent(deg: float) -> Vector:
    return (math.cos(math.radians(deg)), 0.0, math.sin(math.radians(deg)))


def _taught(**poses: Vector) -> PatientConfig:
    clip = Clip(Placement.STERNUM, {"x": "up"}, Calibration(7, _bent(0), poses))
    return PatientConfig(clips={"clip-1": clip})


def _calibration(config: PatientConfig) -> Calibration:
    known = config.clips["clip-1"].calibration
    assert known is not None
    return known


def test_every_posture_of_sitting_can_be_shown() -> None:
    assert set(HOW) == set(SITTING)


def test_a_pose_joins_the_neutral_and_holds_from_its_time_on() -> None:
    config = teach_pose(
        _taught(reclined=_bent(-20)), "clip-1", Placement.STERNUM, Posture.SLOUCHED, _bent(CLEAR_DEG + 1)
    )
    assert _calibration(config) == Calibration(7, _bent(0), {"reclined": _bent(-20), "slouched": _bent(CLEAR_DEG + 1)})
    assert config.clips["clip-1"].axes == {"x": "up"}
    assert PatientConfig.from_json(config.to_json()) == config


@pytest.mark.parametrize(
    ("deg", "sentence"), [(CLEAR_DEG - 1, "too little"), (FURTHEST_DEG + 1, "further than anybody")]
)
def test_a_pose_that_cannot_be_one_is_refused(deg: float, sentence: str) -> None:
    with pytest.raises(SettingsError, match=sentence):
        teach_pose(_taught(), "clip-1", Placement.STERNUM, Posture.SLOUCHED, _bent(deg))


def test_a_pose_without_a_neutral_is_refused() -> None:
    for config in (PatientConfig(), PatientConfig(clips={"clip-1": Clip(Placement.STERNUM)})):
        with pytest.raises(SettingsError, match="spineclip calibrate first"):
            teach_pose(config, "clip-1", Placement.STERNUM, Posture.SLOUCHED, _bent(20))


def test_poses_outlive_a_new_neutral_only_in_the_same_mount() -> None:
    same, forgotten = teach_neutral(
        _taught(slouched=_bent(20)), "clip-1", Placement.STERNUM, _bent(SAME_MOUNT_DEG - 1), 9
    )
    assert not forgotten
    assert _calibration(same) == Calibration(9, _bent(SAME_MOUNT_DEG - 1), {"slouched": _bent(20)})
    anew, forgotten = teach_neutral(
        _taught(slouched=_bent(20)), "clip-1", Placement.STERNUM, _bent(SAME_MOUNT_DEG + 1), 9
    )
    assert forgotten
    assert _calibration(anew) == Calibration(9, _bent(SAME_MOUNT_DEG + 1))
    first, forgotten = teach_neutral(PatientConfig(), "clip-1", Placement.STERNUM, _bent(0), 9)
    assert not forgotten
    assert _calibration(first) == Calibration(9, _bent(0))


def test_angles() -> None:
    assert angle_deg((0.0, 0.0, 2.0), (0.0, 1.0, 0.0)) == pytest.approx(90.0)
    assert angle_deg(_bent(10), _bent(35)) == pytest.approx(25.0)


@pytest.mark.parametrize(
    ("a", "b", "degrees"),
    [
        ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), 90.0),
        ((1.0, 0.0, 0.0), (1.0, 0.0, 1.0), 45.0),
        ((0.0, 1.0, 0.0), (0.0, 1.0, -1.0), 45.0),
        ((1.0, 1.0, 0.0), (2.0, 2.0, 0.0), 0.0),
        ((1.0, 2.0, 3.0), (-1.0, -2.0, -3.0), 180.0),
        ((1.0, 1.0, 0.0), (1.0, 0.0, 0.0), 45.0),
    ],
)
def test_the_angle_between_two_directions(a: Vector, b: Vector, degrees: float) -> None:
    assert angle_deg(a, b) == pytest.approx(degrees, abs=1e-6)
    assert angle_deg(b, a) == pytest.approx(degrees, abs=1e-6)
