"""Promise: from samples to a nudge within five seconds of its cause, a second lost or not, and none in a car."""

from __future__ import annotations

import numpy as np
import pytest

from firmware_sim.motion import Motion
from firmware_sim.mount import AXES, Mount
from firmware_sim.person import Pose
from firmware_sim.script import Doing, Stretch, drives, sits, stands, walks
from processing import pipeline
from processing.metrics import Point, check
from processing.samples import Block
from processing.streaks import RELIEF_S, Cause, Nudge
from spineclip.contract.config import Calibration, Clip, Nudging, PatientConfig
from spineclip.contract.placement import Placement

NS = 10**9
NOON_NS = 1_714_816_800 * NS  # 2024-05-04, 10:00 UTC
ANY_TIME = {"quiet_from_hour": 0, "quiet_until_hour": 0, "walk_missing_from_hour": 24}

LATE_S = 5.0
"""What is promised."""


def _play(
    script: tuple[Stretch, ...], wishes: Nudging, lost: tuple[int, ...] = ()
) -> tuple[list[tuple[float, Nudge]], list[Point]]:
    """Play a script in batches of a second, some of them lost on the way.

    Gives nudges with the second at which each was known, and its points.
    """
    place = Placement.STERNUM
    motion = Motion(script, start_ns=NOON_NS, seed=3, placement=place, mount=Mount.named(AXES))
    neutral = Calibration(NOON_NS, motion.neutral_g())
    config = PatientConfig(clips={"clip-1": Clip(place, AXES, neutral)}, nudging=wishes)
    state = pipeline.begin("p-1", config)
    said, points = [], []
    for second in range(int(sum(stretch.seconds for stretch in script))):
        if second in lost:
            continue
        t_ns = NOON_NS + second * NS + np.arange(50, dtype=np.int64) * 20_000_000
        state, result = pipeline.step(state, "clip-1", place, Block(t_ns, motion.samples(t_ns)))
        said += [(second + 1.0, nudge) for nudge in result.nudges]
        points += [point for point in result.other if point.measurement == "nudge"]
    return said, points


def test_sitting_is_nudged_within_five_seconds_and_ends_on_the_feet() -> None:
    wishes = Nudging(slouched_min=0, sedentary_min=4, **ANY_TIME)
    far_back = Stretch(Doing.SITS, 300.0, Pose.RECLINED, flexion_deg=-35.0)
    said, points = _play((walks(40.0), stands(20.0), far_back, walks(60.0)), wishes)
    (began_s, started), (ended_s, ended) = said
    due_s = 60.0 + 240.0
    assert started.cause is Cause.SEDENTARY
    assert due_s <= began_s + LATE_S, "not before its cause, but for the seconds in which one sits down"
    assert began_s <= due_s + LATE_S
    assert started.time_ns == ended.time_ns
    assert ended_s <= 360.0 + 30.0
    for point in points:
        check(point)
    assert [point.time_ns for point in points] == [started.time_ns] * 2, "the end amends the start"
    assert "ended_s" not in points[0].fields
    assert float(points[1].fields["ended_s"]) == ended.ended_s


@pytest.mark.parametrize("lost", [(), (150,), (150, 215)], ids=["all heard", "a second lost", "one in the slouch too"])
def test_a_slouch_is_nudged_within_five_seconds(lost: tuple[int, ...]) -> None:
    wishes = Nudging(slouched_min=1, sedentary_min=0, **ANY_TIME)
    script = (
        walks(40.0),
        stands(10.0),
        sits(130.0, Pose.UPRIGHT),
        sits(120.0, Pose.SLOUCHED),
        sits(60.0, Pose.UPRIGHT),
    )
    said, _ = _play(script, wishes, lost)
    assert [nudge.cause for _, nudge in said] == [Cause.SLOUCHED, Cause.SLOUCHED], "one, and its end"
    due_s = 180.0 + 60.0
    assert abs(said[0][0] - due_s) <= LATE_S
    assert 300.0 < said[1][0] <= 300.0 + RELIEF_S + LATE_S, "sitting up ends it"


@pytest.mark.parametrize("limits", [{"sedentary_min": 4}, {"slouched_min": 1}])
def test_nobody_is_nudged_at_the_wheel(limits: dict[str, float]) -> None:
    wishes = Nudging(**{"slouched_min": 0.0, "sedentary_min": 0.0, **limits}, **ANY_TIME)  # type: ignore[arg-type]
    said, _ = _play((walks(40.0), stands(10.0), drives(420.0)), wishes)
    assert said == []
