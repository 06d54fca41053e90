"""Promises of two clips: thigh or belt decides the state, the upper clip the posture, none holds up the other."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from processing import person
from processing.epochs import STATES, Epochs, Posture
from processing.intake import GIVE_UP_S
from processing.patient import Patient
from processing.person import WAIT_S, PersonState, join
from spineclip.contract.placement import Placement
from tests.system.collecting import day_of_somebody
from tests.unit.people import START_S, seconds

BACK, THIGH, UPPER = Placement.LOWER_BACK, Placement.THIGH, Placement.UPPER_BACK


def states(epochs: Epochs) -> list[str]:
    return [STATES[code].value for code in epochs.state.tolist()]


def test_the_thigh_tells_sitting_from_standing() -> None:
    back, thigh = seconds(("sitting", 3), ("standing", 3)), seconds(("standing", 3), ("sitting", 3))
    assert states(join({BACK: back, THIGH: thigh})) == ["standing"] * 3 + ["sitting"] * 3


def test_the_trunk_tells_sitting_from_lying() -> None:
    back, thigh = seconds(("lying", 3), ("sitting", 3)), seconds(("sitting", 3), ("lying", 3))
    assert states(join({BACK: back, THIGH: thigh})) == ["lying"] * 3 + ["sitting"] * 3


def test_a_clip_that_does_not_know_leaves_it_to_the_other() -> None:
    for silent in ("unknown", "not_worn", "gap"):
        back, thigh = seconds(("standing", 3)), seconds((silent, 3))
        assert states(join({BACK: back, THIGH: thigh})) == ["standing"] * 3
    neither = join({BACK: seconds(("not_worn", 3)), THIGH: seconds(("unknown", 3))})
    assert states(neither) == ["not_worn"] * 3, "which is more than nothing"
    both = seconds(("not_worn", 3))
    assert states(join({BACK: both, THIGH: both})) == ["not_worn"] * 3


def test_the_upper_clip_tells_the_posture_and_only_while_at_rest() -> None:
    belt = seconds(("sitting", 3), ("walking", 3), posture=Posture.UPRIGHT)
    upper = replace(seconds(("sitting", 6), posture=Posture.SLOUCHED), flexion_deg=np.full(6, 25.0))
    joined = join({Placement.BELT: belt, UPPER: upper})
    assert joined.posture.tolist() == [Posture.SLOUCHED.code] * 3 + [Posture.UNKNOWN.code] * 3
    assert joined.flexion_deg.tolist() == [25.0] * 6


def test_where_the_upper_clip_is_silent_the_lower_one_tells_posture_and_angles() -> None:
    belt = seconds(("sitting", 3), posture=Posture.UPRIGHT)
    joined = join({Placement.BELT: belt, UPPER: seconds(("gap", 3))})
    assert joined.posture.tolist() == [Posture.UPRIGHT.code] * 3
    assert joined.flexion_deg.tolist() == belt.flexion_deg.tolist()


def test_a_second_of_which_half_was_measured_is_believed() -> None:
    back, thigh = seconds(("lying", 2)), seconds(("sitting", 2))
    assert states(join({BACK: replace(back, coverage=np.array([0.5, 0.49])), THIGH: thigh})) == ["lying", "sitting"]
    assert states(join({BACK: back, THIGH: replace(seconds(("standing", 2)), coverage=np.array([0.5, 0.49]))})) == [
        "standing",
        "lying",
    ]


def test_steps_are_the_trunks() -> None:
    back, thigh = seconds(("walking", 4)), seconds(("walking", 4))
    thigh = replace(thigh, steps=thigh.steps / 2, cadence_spm=thigh.cadence_spm / 2)
    joined = join({THIGH: thigh, BACK: back})
    assert joined.steps.tolist() == back.steps.tolist()
    assert joined.cadence_spm.tolist() == back.cadence_spm.tolist()


def feed(state: PersonState, device: str, place: Placement, epochs: Epochs) -> tuple[PersonState, list[int]]:
    state, joined = person.step(state, device, place, epochs)
    return state, (joined.start_ns // 10**9 - START_S).tolist()


def test_seconds_wait_for_the_other_clip() -> None:
    state = person.begin({"back": BACK, "thigh": THIGH})
    back, thigh = seconds(("standing", 20)), seconds(("sitting", 20))
    state, given = feed(state, "back", BACK, back.slice(0, 10))
    assert given == []
    state, given = feed(state, "thigh", THIGH, thigh.slice(0, 4))
    assert given == list(range(4))
    state, given = feed(state, "thigh", THIGH, thigh.slice(4, 20))
    assert given == list(range(4, 10))
    assert len(person.finish(state)) == 10


def test_a_clip_that_stays_away_is_not_waited_for_and_what_it_says_later_is_counted() -> None:
    state = person.begin({"back": BACK, "thigh": THIGH})
    long = seconds(("standing", 100))
    given: list[int] = []
    for k in range(100):
        state, more = feed(state, "back", BACK, long.slice(k, k + 1))
        assert not more or k >= WAIT_S
        given += more
    assert given == list(range(100))
    state, given = feed(state, "thigh", THIGH, seconds(("sitting", 50)))
    assert (given, state.late) == ([], 50)


def test_a_gap_that_both_share_leaves_none_behind() -> None:
    state = person.begin({"back": BACK, "thigh": THIGH})
    story = seconds(("standing", 20), ("gap", 60), ("standing", 30))
    state, _ = feed(state, "back", BACK, story.slice(0, 20))
    state, given = feed(state, "thigh", THIGH, story.slice(0, 5))
    assert given == list(range(5))
    state, given = feed(state, "back", BACK, story.slice(20, 90))
    assert given == []
    state, given = feed(state, "thigh", THIGH, story.slice(5, 110))
    assert given == list(range(5, 90))
    assert state.late == 0


def test_who_is_left_behind_is_told_by_what_the_other_has_measured_meanwhile() -> None:
    """One second, a gap, and so many that one more than `WAIT_S` are there: only then it is not waited for."""
    state = person.begin({"back": BACK, "thigh": THIGH})
    story = seconds(("standing", 21), ("gap", 60), ("standing", WAIT_S))
    state, _ = feed(state, "back", BACK, story.slice(0, 20))
    state, _ = feed(state, "thigh", THIGH, story.slice(0, 20))
    for k in range(20, len(story) - 1):
        state, given = feed(state, "back", BACK, story.slice(k, k + 1))
        assert given == []
    state, given = feed(state, "back", BACK, story.slice(len(story) - 1, len(story)))
    assert given == list(range(20, len(story)))


def test_a_second_clip_that_nobody_has_named_joins_the_first() -> None:
    state = person.begin({})
    state, given = feed(state, "back", BACK, seconds(("standing", 5)))
    assert given == list(range(5))
    state, given = feed(state, "thigh", THIGH, seconds(("sitting", 10)))
    assert given == [], "the back has not been heard yet"
    state, joined = person.step(state, "back", BACK, seconds(("standing", 10)).slice(5, 10))
    assert states(joined) == ["sitting"] * 5, "which the thigh tells"


def test_one_clip_goes_straight_through() -> None:
    state = person.begin({})
    state, given = feed(state, "back", BACK, seconds(("standing", 5)))
    assert given == list(range(5))
    state, given = feed(state, "back", BACK, seconds(("standing", 8)))
    assert (given, state.late) == ([5, 6, 7], 5)


def test_who_changes_clips_keeps_no_more_of_the_old_ones() -> None:
    """Another clip each fortnight, for a minute; the first one comes back at last."""
    patient = Patient("p-1")
    measured: list[int] = []
    for turn, number in enumerate((1, 2, 3, 1)):
        shift_ns = turn * 14 * 86_400 * 10**9
        batches = day_of_somebody(60, device=f"clip-{number}", boot=turn + 1)
        patient.take(*(replace(one, t0_ns=one.t0_ns + shift_ns) for one in batches), now_s=30.0 * turn)
        patient.due(30.0 * turn + GIVE_UP_S)
        assert list(patient._state.clips) == [f"clip-{number}"]
        assert [row.device for row in patient._state.person.clips] == [f"clip-{number}"]
        measured.append(sum(point.measurement == "activity" for point in patient.commit().points))
        patient.stored()
    assert measured[1:] == [measured[0] + 1] * 3, "each is heard as the first one was, whose last slot waited"
