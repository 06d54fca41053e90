"""A clip that nobody wears but that moves claims nothing surely; one that is worn on the way loses nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from firmware_sim.elsewhere import Elsewhere
from firmware_sim.motion import Motion
from firmware_sim.person import Pose
from firmware_sim.script import Stretch, drives, lies, sits, stands, walks
from processing import activity, carried, clip, orientation, statement
from processing.clip import ClipSetup
from processing.epochs import STATES, Epochs, State
from processing.samples import Block
from spineclip.contract.placement import Placement

START_NS = 1_700_000_000_000_000_000
PLACES = (Placement.LOWER_BACK, Placement.STERNUM)
SURE = 0.9
Array = NDArray[np.float64]


def _said(xyz_g: Array, placement: Placement) -> Epochs:
    t_ns = START_NS + np.arange(len(xyz_g), dtype=np.int64) * 20_000_000
    state, output = clip.step(clip.begin(ClipSetup(placement)), Block(t_ns, xyz_g))
    return Epochs.concat([output.final, clip.finish(state).final])


def _worn(script: tuple[Stretch, ...], placement: Placement, seed: int = 1) -> Array:
    motion = Motion(script, start_ns=START_NS, seed=seed, placement=placement)
    return motion.samples(START_NS + np.arange(round(motion.duration_s * 50), dtype=np.int64) * 20_000_000)


def _before(placement: Placement, seed: int) -> Array:
    """Five minutes on a body, so that upright and a body at rest are known before the clip is taken off."""
    return _worn((walks(60.0), sits(120.0, Pose.SLOUCHED), stands(60.0), walks(60.0)), placement, seed)


def _surely(said: Epochs, from_s: int, states: set[State]) -> int:
    """Seconds from `from_s` on that are surely said to be one of the states."""
    some = np.isin(said.state[from_s:], [state.code for state in states])
    return int(np.sum(some & (said.confidence[from_s:] >= SURE)))


AT_REST = {State.SITTING, State.STANDING, State.LYING}
GOING = {State.WALKING, State.RUNNING, State.CYCLING}


@pytest.mark.parametrize("worn_before", [False, True])
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("in_hand", [True, False])
def test_a_clip_in_a_bag_is_never_sure(worn_before: bool, seed: int, in_hand: bool) -> None:
    bag = Elsewhere(seed)
    parts = [_before(Placement.LOWER_BACK, seed)] if worn_before else []
    from_s = 300 if worn_before else 0
    parts += [bag.handled(), bag.lies(200.0), bag.handled(), bag.carried(200.0, 90.0 + 12.0 * seed, in_hand=in_hand)]
    parts += [bag.handled(), bag.lies(200.0, floor_mg=0.5)]
    said = _said(np.concatenate(parts), Placement.LOWER_BACK)
    assert _surely(said, from_s, AT_REST) == 0
    assert _surely(said, from_s, GOING) <= 10, "a few seconds until another upright than the body's is noticed"


@pytest.mark.parametrize("worn_before", [False, True])
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("ride", ["smooth car", "rough car", "train"])
def test_a_clip_that_rides_by_itself_is_never_sure(worn_before: bool, seed: int, ride: str) -> None:
    clip_in = Elsewhere(100 + seed)
    parts = [_before(Placement.STERNUM, seed)] if worn_before else []
    from_s = 300 if worn_before else 0
    rough = 0.5 if ride == "smooth car" else 1.6
    going = clip_in.in_train(500.0) if ride == "train" else clip_in.in_car(500.0, rough=rough)
    said = _said(np.concatenate([*parts, clip_in.handled(), going]), Placement.STERNUM)
    assert _surely(said, from_s, AT_REST | GOING) <= 15, "no more than 3 in 100 seconds"


@pytest.mark.parametrize("placement", PLACES)
@pytest.mark.parametrize("seed", range(2))
def test_a_passenger_is_not_taken_for_a_bag(placement: Placement, seed: int) -> None:
    said = _said(
        _worn((walks(60.0), stands(20.0), drives(600.0), stands(20.0), walks(60.0)), placement, seed), placement
    )
    inside = said.state[85:670]
    assert not np.any(inside == State.NOT_WORN.code)
    bound = 0.05 if placement in activity.LEANS else 0.1  # where no person left out sat, more is left open
    assert np.mean(inside == State.UNKNOWN.code) <= bound


@pytest.mark.parametrize("placement", PLACES)
def test_who_wears_a_clip_and_carries_a_bag_walks(placement: Placement) -> None:
    """The load makes every other step heavier and the walk slower."""
    said = _said(_worn((stands(30.0), walks(120.0, 92.0, limp=0.08), stands(30.0)), placement), placement)
    assert np.mean(said.state[35:145] == State.WALKING.code) >= 0.95
    assert np.mean(said.confidence[40:145] >= SURE) >= 0.5, "a body was seen standing before"


def test_what_is_taken_back_of_a_worn_day_is_next_to_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    script = (walks(90.0), sits(300.0), stands(60.0), lies(240.0), stands(30.0), drives(300.0), walks(60.0))
    xyz = _worn(script, Placement.LOWER_BACK)
    changed: list[bool] = []
    doubts: list[bool] = []
    say = statement._say

    def looked(*given: Any) -> int:
        """Judge with what contradicts itself, and as if nothing did."""
        first = say(*given)
        held = given[4].copy()
        held[:, orientation.ODD] %= 2.0  # the signs of `carried` are the even part
        codes, numbers, *heard = (np.empty_like(column) for column in given[13:])
        say(*given[:4], held, *given[5:13], codes, numbers, *heard)
        assert (given[14][0] <= numbers[0]).all()
        changed.extend((given[13][0] != codes[0]).tolist())
        doubts.extend((given[14][0] < numbers[0]).tolist())
        return first

    monkeypatch.setattr(statement, "_say", looked)
    said = _said(xyz, Placement.LOWER_BACK)
    assert len(changed) >= len(said)
    assert np.mean(changed) <= 0.0005 + 1.0 / len(said)
    assert any(doubts), "before a body is proven some certainty is taken back, or nothing was compared here"


@pytest.mark.parametrize(
    ("state", "sign", "claimed"),
    [
        (State.SITTING, carried.SHAKEN, False),
        (State.LYING, carried.SHAKEN, False),
        (State.STANDING, carried.SHAKEN, True),
        (State.WALKING, carried.SHAKEN, True),
        (State.WALKING, carried.ACROSS, False),
        (State.STANDING, carried.ACROSS, False),
        (State.CYCLING, carried.ACROSS, False),
        (State.LYING, carried.ACROSS, True),
        (State.ACTIVE, carried.ACROSS, True),
        (State.SITTING, carried.ACROSS, True),
        (State.NOT_WORN, carried.SHAKEN | carried.ACROSS, True),
    ],
)
def test_claims_that_contradict_themselves_are_taken_back(state: State, sign: int, claimed: bool) -> None:
    codes, confidence = np.array([state.code], dtype=np.int8), np.array([0.97])
    said, sure = carried.doubted(codes, confidence, np.array([sign]))
    assert STATES[int(said[0])] is (state if claimed else State.UNKNOWN)
    assert (sure[0] == 0.97) == claimed
    assert confidence[0] == 0.97, "what is given is not changed"


@pytest.mark.parametrize(
    ("sign", "unsure"),
    [
        (carried.LIFELESS, {State.SITTING, State.STANDING, State.LYING}),
        (carried.TREMBLING, {State.LYING}),
        (carried.STEPPING, {State.CYCLING}),
        (carried.UNSEEN, {State.WALKING, State.RUNNING, State.CYCLING, State.ACTIVE}),
        (carried.ASLANT, {State.WALKING, State.RUNNING, State.CYCLING, State.ACTIVE}),
        (1, set()),
    ],
)
def test_a_sign_takes_certainty_from_what_it_speaks_against_alone(sign: int, unsure: set[State]) -> None:
    codes = np.array([state.code for state in STATES], dtype=np.int8)
    said, sure = carried.doubted(codes, np.full(len(codes), 0.97), np.full(len(codes), sign))
    assert np.array_equal(said, codes)
    assert {STATES[code] for code in codes[sure < SURE]} == unsure
