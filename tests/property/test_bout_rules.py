"""Promise: bouts follow their rule second by second, whatever the pieces in which the seconds come."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from processing import bout_rules
from processing.bout_rules import NOT_WORN, SEDENTARY, SLOUCHED, WALKING, Bout, BoutState, Ended, Kind, Rule

START = 1_700_000_000
RUNS = st.lists(st.tuples(st.sampled_from(list(Kind)), st.integers(1, 400)), min_size=1, max_size=25)
RULES = st.sampled_from([WALKING, SEDENTARY, SLOUCHED, NOT_WORN])


class Machine:
    """One kind of bout; the rows of the other kinds stay as they are."""

    def __init__(self, rule: Rule, state: BoutState) -> None:
        self.row, self.counts = bout_rules.RULES.index(rule), bout_rules.counts_of(*[state] * 4)
        self.finished: list[Bout] = []

    def state(self) -> BoutState:
        return bout_rules.state_of(self.counts[self.row].tolist())

    def advance(self, kind: Kind, start: int, n: int) -> None:
        done = np.zeros((1, bout_rules.DONE), dtype=np.int64)
        self._keep(done, bout_rules.advance(self.counts, self.row, kind.value, start, n, done, 0))

    def finish(self) -> None:
        done = np.zeros((1, bout_rules.DONE), dtype=np.int64)
        self._keep(done, bout_rules.finish(self.counts, self.row, done, 0))

    def _keep(self, done: NDArray[np.int64], n: int) -> None:
        self.finished += map(bout_rules.bout_of, done[:n].tolist())


def run(rule: Rule, runs: list[tuple[Kind, int]]) -> Machine:
    machine, at = Machine(rule, BoutState()), START
    for kind, n in runs:
        machine.advance(kind, at, n)
        at += n
    return machine


@given(RULES, RUNS)
def test_runs_and_single_seconds_are_the_same(rule: Rule, runs: list[tuple[Kind, int]]) -> None:
    whole = run(rule, runs)
    single = run(rule, [(kind, 1) for kind, n in runs for _ in range(n)])
    assert whole.finished == single.finished
    assert whole.state() == single.state()


@given(RULES, RUNS, st.integers(0, 24))
def test_a_state_carried_over_is_the_same(rule: Rule, runs: list[tuple[Kind, int]], cut: int) -> None:
    first = run(rule, runs[:cut])
    rest = Machine(rule, first.state())
    at = START + sum(n for _, n in runs[:cut])
    for kind, n in runs[cut:]:
        rest.advance(kind, at, n)
        at += n
    assert first.finished + rest.finished == run(rule, runs).finished


@given(RULES, RUNS)
def test_a_bout_is_never_longer_than_what_was_known_in_it(rule: Rule, runs: list[tuple[Kind, int]]) -> None:
    machine = run(rule, runs)
    machine.finish()
    seconds = [kind for kind, n in runs for _ in range(n)]
    end = START
    for bout in machine.finished:
        inside = seconds[bout.start_s - START : bout.end_s - START]
        assert bout.start_s >= end
        assert inside[0] == Kind.IN
        assert bout.known_s <= sum(kind != Kind.NOT_KNOWN for kind in inside)
        assert bout.known_s >= rule.least_s
        end = bout.end_s


def sedentary(*runs: tuple[Kind, int]) -> list[Bout]:
    machine = run(SEDENTARY, list(runs))
    machine.finish()
    return machine.finished


def test_a_minute_upright_ends_a_sitting_and_less_does_not() -> None:
    for pause, lengths in ((59, [1259]), (60, [600, 600])):
        found = sedentary((Kind.IN, 600), (Kind.OUT, pause), (Kind.IN, 600))
        assert [bout.known_s for bout in found] == lengths
    assert sedentary((Kind.IN, 600), (Kind.OUT, 59), (Kind.IN, 600))[0].breaks == 1
    assert sedentary((Kind.IN, 600), (Kind.OUT, 10), (Kind.IN, 600))[0].breaks == 1
    assert sedentary((Kind.IN, 600), (Kind.OUT, 9), (Kind.IN, 600))[0].breaks == 0


def test_a_blip_of_sitting_does_not_save_a_sitting_that_is_over() -> None:
    found = sedentary((Kind.IN, 600), (Kind.OUT, 40), (Kind.IN, 9), (Kind.OUT, 20), (Kind.IN, 70))
    assert [(bout.known_s, bout.ended) for bout in found] == [(600, Ended.OUT), (70, Ended.DATA)]


def test_when_the_data_end_an_interruption_that_has_begun_is_no_part_of_the_bout() -> None:
    for kind in (Kind.OUT, Kind.OFF):
        (bout,) = sedentary((Kind.IN, 600), (kind, 9))
        assert (bout.known_s, bout.end_s, bout.ended) == (600, START + 600, Ended.DATA)
    (bout,) = sedentary((Kind.IN, 600), (Kind.NOT_KNOWN, 200))
    assert (bout.known_s, bout.end_s) == (600, START + 600), "nor is what nobody has seen"


def test_what_is_not_known_never_lengthens_and_ends_openly() -> None:
    (bridged,) = sedentary((Kind.IN, 600), (Kind.NOT_KNOWN, 300), (Kind.IN, 600))
    assert (bridged.known_s, bridged.end_s - bridged.start_s) == (1200, 1500)
    first, second = sedentary((Kind.IN, 600), (Kind.NOT_KNOWN, 301), (Kind.IN, 600))
    assert (first.known_s, first.end_s, first.ended) == (600, START + 600, Ended.NOT_KNOWN)
    assert (second.known_s, second.start_s) == (600, START + 901)


def test_taking_the_clip_off_ends_a_sitting_but_is_no_getting_up() -> None:
    (bout,) = sedentary((Kind.IN, 600), (Kind.OFF, 10))
    assert (bout.known_s, bout.ended) == (600, Ended.OFF)


def test_only_seconds_in_a_row_without_the_clip_end_a_sitting() -> None:
    for between in (Kind.IN, Kind.OUT):
        (bout,) = sedentary((Kind.IN, 600), (Kind.OFF, 9), (between, 5), (Kind.OFF, 9), (Kind.IN, 600))
        assert (bout.known_s, bout.breaks) == (600 + 9 + 5 + 9 + 600, 0)
    bout, _ = sedentary((Kind.IN, 600), (Kind.OFF, 9), (Kind.OUT, 5), (Kind.OFF, 10), (Kind.IN, 600))
    assert (bout.end_s, bout.ended) == (START + 600, Ended.OFF)


def test_three_seconds_belong_to_a_walk_and_four_end_it() -> None:
    for pause, n in ((3, 1), (4, 2)):
        machine = run(WALKING, [(Kind.IN, 20), (Kind.OUT, pause), (Kind.IN, 20), (Kind.OUT, 10)])
        assert len(machine.finished) == n
    assert run(WALKING, [(Kind.IN, 4), (Kind.OUT, 10)]).finished == []
