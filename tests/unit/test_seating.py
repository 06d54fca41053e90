"""Promise: a sitting is counted from when the body came to rest, however late that is named, and never from a guess."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from processing import seating
from processing.epochs import Epochs, State
from processing.seating import (
    AHEAD_S,
    BRIDGED_S,
    DOUBTED_S,
    MEASURED_GAP_S,
    RESUMED_S,
    UP_RESETS_S,
    Seat,
    look,
    settle,
)

NS = 10**9
START_S = 1_714_816_800
SURE, UNSURE = 0.9, 0.3
SITS, STANDS, WALKS, LIES, NOBODY_KNOWS = State.SITTING, State.STANDING, State.WALKING, State.LYING, State.UNKNOWN

Spells = Sequence[tuple[State, int]]


def _final(spells: Spells, start_s: int = START_S) -> Epochs:
    """Final seconds: so long in each state, sure of all but the unknown."""
    states = np.array([state.code for state, seconds in spells for _ in range(seconds)], dtype=np.int8)
    n = len(states)
    nan = np.full(n, np.nan)
    return Epochs(
        (start_s + np.arange(n, dtype=np.int64)) * NS,
        states,
        np.zeros(n, dtype=np.int8),
        nan, nan, np.zeros(n), nan, np.zeros(n), nan,
        np.where(states == NOBODY_KNOWS.code, UNSURE, SURE),
        np.ones(n),
        np.zeros(n, dtype=np.int8),
        np.zeros((n, 6), dtype=np.int8),
    )  # fmt: skip


def _settled(spells: Spells) -> Seat:
    return settle(Seat(), _final(spells))


def _seen(seat: Seat, spells: Sequence[tuple[State, int, float]], start_s: int = START_S) -> Seat:
    """Live seconds of what was done from `start_s` on; each is known `AHEAD_S` after it."""
    second = start_s
    for state, seconds, confidence in spells:
        for _ in range(seconds):
            second += 1
            seat = look(seat, (second + round(AHEAD_S)) * NS, state, confidence)
    return seat


def test_what_the_live_seconds_did_not_know_the_final_ones_do() -> None:
    live = _seen(_settled([(WALKS, 20)]), [(NOBODY_KNOWS, 10, UNSURE), (SITS, 6, SURE)], START_S + 20)
    assert live.now.seated_s == 0.0, "not sure for long enough"
    known = settle(live, _final([(SITS, 11)], START_S + 20))
    assert known.now.seated_s == 16.0, "eleven final seconds and the five live ones after them"


@pytest.mark.parametrize("wrong", [STANDS, WALKS, LIES, NOBODY_KNOWS])
def test_a_flicker_that_is_taken_back_neither_restarts_nor_delays(wrong: State) -> None:
    seat = _settled([(WALKS, 5), (SITS, 600)])
    at_s = START_S + 605
    seat = _seen(seat, [(SITS, 3, SURE), (wrong, 4, SURE), (SITS, 4, SURE)], at_s)
    assert seat.now.seated_s + seat.now.up_s <= 611.0
    assert settle(seat, _final([(SITS, 9)], at_s)).now.seated_s == 611.0


def test_sitting_that_is_taken_back_was_none() -> None:
    seat = _seen(_settled([(STANDS, 600)]), [(SITS, 15, SURE)], START_S + 600)
    assert seat.now.seated_s > 0.0
    assert settle(seat, _final([(STANDS, 15)], START_S + 600)).now.seated_s == 0.0


def test_a_short_rest_without_a_name_after_moving_was_sitting() -> None:
    rest = round(DOUBTED_S)
    assert _settled([(WALKS, 60), (STANDS, rest), (SITS, 20)]).now.seated_s == rest + 20
    assert _settled([(WALKS, 60), (STANDS, rest + 1), (SITS, 20)]).now.seated_s == 20, "that was standing"


def test_the_half_of_a_doubt_after_moving_belongs_to_the_quiet_that_follows() -> None:
    rest = round(DOUBTED_S)
    assert _settled([(WALKS, 60), (NOBODY_KNOWS, 8), (STANDS, rest - 4), (SITS, 20)]).now.seated_s == rest + 20
    assert _settled([(WALKS, 60), (NOBODY_KNOWS, 8), (STANDS, rest - 3), (SITS, 20)]).now.seated_s == 20
    # a doubt amid the quiet is all of it
    assert _settled([(WALKS, 60), (STANDS, 2), (NOBODY_KNOWS, rest - 4), (STANDS, 2), (SITS, 20)]).now.seated_s == (
        rest + 20
    )
    assert _settled([(WALKS, 60), (STANDS, 2), (NOBODY_KNOWS, rest - 3), (STANDS, 2), (SITS, 20)]).now.seated_s == 20


def test_of_an_unknown_change_half_is_counted_on_each_side() -> None:
    longest = round(BRIDGED_S)
    for change in (6, 30, longest):
        assert _settled([(WALKS, 60), (NOBODY_KNOWS, change), (SITS, 20)]).now.seated_s == change / 2 + 20
    longer = _settled([(WALKS, 60), (NOBODY_KNOWS, longest + 1), (SITS, 20)])
    assert longer.now.seated_s == DOUBTED_S / 2 + 20, "that was no single change"
    now = _settled([(WALKS, 60), (SITS, 20), (NOBODY_KNOWS, 6), (WALKS, 10)]).now
    assert (now.seated_s, now.up_s) == (20 + 3, 3 + 10)


def test_an_unknown_change_is_part_of_the_minute_that_ends_a_sitting() -> None:
    change = 6
    just = round(UP_RESETS_S) - change
    broken = [(SITS, 100), (NOBODY_KNOWS, change), (WALKS, just), (NOBODY_KNOWS, change), (SITS, 20)]
    assert _settled(broken).now.seated_s == change / 2 + 20
    held = [(SITS, 100), (NOBODY_KNOWS, change), (WALKS, just - 1), (NOBODY_KNOWS, change), (SITS, 20)]
    assert _settled(held).now.seated_s == sum(seconds for _, seconds in held)


def test_a_doubt_amid_sitting_is_bridged_up_to_a_minute_and_does_not_make_it_surer() -> None:
    bridged = round(BRIDGED_S)
    now = _settled([(SITS, 100), (NOBODY_KNOWS, bridged), (SITS, 100)]).now
    assert (now.seated_s, now.sure_s) == (200 + bridged, 200)
    assert _settled([(SITS, 100), (NOBODY_KNOWS, bridged + 1), (SITS, 100)]).now.seated_s == 200


@pytest.mark.parametrize("unsure_at", [[10], [10, 11], [10, 12, 14], [19]])
def test_each_second_of_a_sitting_is_sure_or_unsure_by_itself(unsure_at: list[int]) -> None:
    confidence = np.full(20, SURE)
    confidence[unsure_at] = UNSURE
    now = settle(Seat(), replace(_final([(SITS, 20)]), confidence=confidence)).now
    assert now.sure_s == 20 - len(unsure_at)
    assert now.sure_sum == pytest.approx((20 - len(unsure_at)) * SURE)
    assert now.seated_s + now.doubt_s == 20


def test_what_was_named_sitting_without_being_sure_belongs_to_the_sitting_after_it() -> None:
    seat = _seen(_settled([(WALKS, 30)]), [(SITS, 11, UNSURE), (SITS, 12, SURE)], START_S + 30)
    assert seat.now.seated_s == 23
    assert seat.now.sure_s == 12


def test_less_than_ten_seconds_in_the_chair_are_a_flicker() -> None:
    flicker = round(RESUMED_S) - 1
    assert _settled([(WALKS, 30), (SITS, flicker), (WALKS, 1)]).now.seated_s == 0.0
    assert _settled([(SITS, 100), (WALKS, 40), (SITS, flicker)]).now.seated_s == 100
    assert _settled([(SITS, 100), (WALKS, 40), (SITS, flicker + 1)]).now.seated_s == 100 + 40 + flicker + 1
    up = _settled([(SITS, 100), (WALKS, 40), (SITS, flicker), (WALKS, 60 - 40 - flicker)])
    assert up.now.seated_s == 0.0, "the minute on the feet is over, with the flicker in it"


def test_a_clip_that_is_taken_off_has_nobody_sitting() -> None:
    assert _settled([(SITS, 600), (State.NOT_WORN, 1)]).now.seated_s == 0.0


def test_time_between_final_seconds_that_nobody_saw_is_not_sitting() -> None:
    seat = settle(_settled([(SITS, 600)]), _final([(SITS, 20)], START_S + 600 + 299))
    assert (seat.now.seated_s, seat.now.sure_s) == (620, 620), "a long gap is not bridged"
    assert settle(_settled([(SITS, 600)]), _final([(SITS, 20)], START_S + 900)).now.seated_s <= 20 + DOUBTED_S / 2


def test_a_live_second_counts_for_the_time_since_the_one_before_unless_that_was_not_measured() -> None:
    seat = _seen(Seat(), [(SITS, 20, seating.SURE)])
    assert (seat.now.seated_s, seat.now.sure_s) == (20, 20), "as sure as it has to be"
    at_s = START_S + 20 + round(AHEAD_S)
    late = round(MEASURED_GAP_S)
    assert look(seat, (at_s + late) * NS, SITS, SURE).now.sure_s == 20 + late
    lost = look(seat, (at_s + late + 1) * NS, SITS, SURE).now
    assert (lost.seated_s, lost.sure_s) == (20 + late + 1, 20 + 1), "bridged, and not surer"
    assert _seen(Seat(), [(SITS, 20, seating.SURE - 0.01)]).now.sure_s == 0


SPELLS = st.lists(
    st.tuples(st.sampled_from([SITS, SITS, STANDS, WALKS, LIES, NOBODY_KNOWS, State.NOT_WORN]), st.integers(1, 80)),
    min_size=1,
    max_size=12,
)


@given(SPELLS, st.lists(st.integers(1, 40), min_size=1))
def test_however_final_seconds_are_cut_the_count_is_the_same(spells: Spells, sizes: list[int]) -> None:
    whole = _final(spells)
    seat, done = Seat(), 0
    while done < len(whole):
        size = sizes[done % len(sizes)]
        part = slice(done, done + size)
        seat = settle(seat, Epochs(*(getattr(whole, name)[part] for name in whole.__slots__)))
        done += size
    at_once = settle(Seat(), whole)
    for name in at_once.now.__slots__:
        assert getattr(seat.now, name) == pytest.approx(getattr(at_once.now, name)), name


@given(SPELLS)
def test_live_seconds_that_were_right_count_as_the_final_ones(spells: Spells) -> None:
    live = _seen(Seat(), [(state, n, UNSURE if state is NOBODY_KNOWS else SURE) for state, n in spells])
    final = _settled(spells)
    for name in final.now.__slots__:
        assert getattr(live.now, name) == pytest.approx(getattr(final.now, name)), name


@given(SPELLS)
def test_nobody_has_sat_for_longer_than_since_the_clip_was_put_on(spells: Spells) -> None:
    now = _settled(spells).now
    worn_s = 0
    for state, seconds in spells:
        worn_s = 0 if state is State.NOT_WORN else worn_s + seconds
    assert now.sure_s <= now.seated_s + now.resumed_s + now.before_s + now.up_s + 1e-9
    assert now.seated_s <= worn_s
