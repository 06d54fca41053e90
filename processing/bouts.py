"""Walks, sedentary bouts, slouching and time without the clip, strung together from seconds."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from processing.bout_rules import (
    LEAST_STEPS,
    NOT_WORN,
    SEDENTARY,
    SLOUCHED,
    UPRIGHT_STATES,
    WALKING,
    Bout,
    BoutState,
    Ended,
    Kind,
    Machine,
    Rule,
)
from processing.epochs import EPOCH_NS, STATES, Epochs, Posture, State

MINUTE_S: Final = 60
CADENCE_STEP_SPM: Final = 0.5
"""Resolution of a bout's median cadence: half a step a minute, a tenth of what a wearable can tell."""
_CADENCES: Final = 512
_MILLI: Final = 1000
_FEW: Final = 20


def _by_state(**kinds: Kind) -> NDArray[np.int8]:
    """Tabulate what each state is to a bout, by its code; states that are not named are OUT."""
    named = {State[name.upper()]: kind for name, kind in kinds.items()}
    return np.array([named.get(state, Kind.OUT) for state in STATES], dtype=np.int8)


_WALK: Final = _by_state(unknown=Kind.NOT_KNOWN, not_worn=Kind.OFF, walking=Kind.IN, running=Kind.IN)
_SIT: Final = _by_state(unknown=Kind.NOT_KNOWN, not_worn=Kind.OFF, sitting=Kind.IN, lying=Kind.IN)
_SLOUCH: Final = _by_state(unknown=Kind.NOT_KNOWN, not_worn=Kind.OFF)
_BARE: Final = _by_state(unknown=Kind.NOT_KNOWN, not_worn=Kind.IN)
assert all(_SIT[state.code] == Kind.OUT for state in UPRIGHT_STATES)  # noqa: S101  a table that states and rules share


@dataclass(frozen=True, slots=True)
class WalkTally:
    """Steps (thousandths) of the open walk and how often each cadence was seen, shape (512,)."""

    steps_milli: int = 0
    cadences: NDArray[np.int32] = field(default_factory=lambda: np.zeros(_CADENCES, dtype=np.int32))


@dataclass(frozen=True, slots=True)
class BoutsState:
    """The four kinds, and the next second to come (since 1970; 0 before the first)."""

    walking: BoutState = field(default_factory=BoutState)
    sedentary: BoutState = field(default_factory=BoutState)
    slouched: BoutState = field(default_factory=BoutState)
    not_worn: BoutState = field(default_factory=BoutState)
    tally: WalkTally = field(default_factory=WalkTally)
    next: int = 0


@dataclass(frozen=True, slots=True)
class FinishedBout:
    """A bout that is over: its name in the store, and for a walk its steps and median cadence (NaN elsewhere)."""

    name: str
    bout: Bout
    steps: float = float("nan")
    cadence_spm: float = float("nan")

    @property
    def coverage(self) -> float:
        """Share of it that was measured."""
        return self.bout.known_s / max(1, self.bout.end_s - self.bout.start_s)

    @property
    def got_up(self) -> bool:
        """Whether it was ended by getting up."""
        return self.name == SEDENTARY.name and self.bout.ended is Ended.OUT


@dataclass(frozen=True, slots=True)
class Streaks:
    """Lengths so far at the end of each whole minute that was seen: minute's first second, seconds, seconds; (n,)."""

    minute_s: tuple[int, ...]
    sedentary_s: tuple[int, ...]
    slouched_s: tuple[int, ...]


def step(
    state: BoutsState, epochs: Epochs, night: NDArray[np.bool_]
) -> tuple[BoutsState, tuple[FinishedBout, ...], Streaks]:
    """Take in seconds (rising; a jump counts as not known) and hand out the bouts that they finish.

    Parameters
    ----------
    night
        Shape (n,): whether lying counts as sleep.
    """
    if not len(epochs):
        return state, (), Streaks((), (), ())
    second = epochs.start_ns // EPOCH_NS
    kinds = _kinds(epochs, night)
    finished: list[FinishedBout] = []
    sedentary, minutes, sitting = _run(SEDENTARY, state.sedentary, kinds.sedentary, second, state.next)
    slouched, _, slouching = _run(SLOUCHED, state.slouched, kinds.slouched, second, state.next)
    not_worn, _, _ = _run(NOT_WORN, state.not_worn, kinds.not_worn, second, state.next)
    finished += [FinishedBout(SEDENTARY.name, bout) for bout in sedentary.finished]
    finished += [FinishedBout(SLOUCHED.name, bout) for bout in slouched.finished]
    finished += [FinishedBout(NOT_WORN.name, bout) for bout in not_worn.finished]
    walking, tally, walks = _walks(state, epochs, kinds.walking, second)
    state = BoutsState(
        walking, sedentary.state(), slouched.state(), not_worn.state(), tally, int(second[-1]) + 1
    )  # fmt: skip
    streaks = Streaks(tuple(minutes), tuple(sitting), tuple(slouching))
    return state, (*walks, *finished), streaks


def finish(state: BoutsState) -> tuple[FinishedBout, ...]:
    """Close what is open because the data end."""
    closed: list[FinishedBout] = []
    walk = Machine(WALKING, state.walking)
    walk.finish()
    closed += _walk_bouts(walk, _Tally(state.tally))
    for rule, part in ((SEDENTARY, state.sedentary), (SLOUCHED, state.slouched), (NOT_WORN, state.not_worn)):
        machine = Machine(rule, part)
        machine.finish()
        closed += [FinishedBout(rule.name, bout) for bout in machine.finished]
    return tuple(closed)


@dataclass(frozen=True, slots=True)
class _Kinds:
    walking: NDArray[np.int8]
    sedentary: NDArray[np.int8]
    slouched: NDArray[np.int8]
    not_worn: NDArray[np.int8]


def _kinds(epochs: Epochs, night: NDArray[np.bool_]) -> _Kinds:
    codes = epochs.state
    sitting = _SIT[codes]
    asleep = night & (codes == State.LYING.code)
    if asleep.any():
        sitting = np.where(asleep, np.int8(Kind.OFF), sitting)
    slouched = _SLOUCH[codes]
    resting = (codes == State.SITTING.code) | (codes == State.STANDING.code)
    slouched[resting & (epochs.posture == Posture.UNKNOWN.code)] = Kind.NOT_KNOWN
    slouched[resting & (epochs.posture == Posture.SLOUCHED.code)] = Kind.IN
    return _Kinds(_WALK[codes], sitting, slouched, _BARE[codes])


def _runs(
    kind: NDArray[np.int8], second: NDArray[np.int64], following: int, cuts: bool
) -> list[tuple[int, int, int, int, int]]:
    """List runs of one kind: ``(kind, first second, n, first row, seconds jumped before)``."""
    if len(kind) <= _FEW:
        return _few_runs(kind.tolist(), second.tolist(), following, cuts)
    edge = (kind[1:] != kind[:-1]) | (np.diff(second) != 1)
    if cuts:
        edge |= second[1:] % MINUTE_S == 0
    first = np.flatnonzero(np.r_[True, edge])
    length = np.diff(np.r_[first, len(kind)])
    start = second[first]
    before = np.r_[following or start[0], (start + length)[:-1]]
    return list(
        zip(
            kind[first].tolist(),
            start.tolist(),
            length.tolist(),
            first.tolist(),
            (start - before).tolist(),
            strict=True,
        )
    )


def _few_runs(kinds: list[int], seconds: list[int], following: int, cuts: bool) -> list[tuple[int, int, int, int, int]]:
    """Do the same for a handful of seconds, for which arrays cost more than they save."""
    runs: list[tuple[int, int, int, int, int]] = []
    first, expected = 0, following or seconds[0]
    for row in range(1, len(kinds) + 1):
        if row < len(kinds):
            at = seconds[row]
            if kinds[row] == kinds[row - 1] and at - seconds[row - 1] == 1 and not (cuts and at % MINUTE_S == 0):
                continue
        n = row - first
        runs.append((kinds[first], seconds[first], n, first, seconds[first] - expected))
        expected = seconds[first] + n
        first = row
    return runs


def _run(
    rule: Rule, state: BoutState, kind: NDArray[np.int8], second: NDArray[np.int64], following: int
) -> tuple[Machine, list[int], list[int]]:
    machine = Machine(rule, state)
    minutes: list[int] = []
    lengths: list[int] = []
    advance = machine.advance
    for what, start, n, _, jumped in _runs(kind, second, following, cuts=rule is not NOT_WORN):
        if jumped > 0:
            advance(Kind.NOT_KNOWN, start - jumped, jumped)
        advance(what, start, n)
        end = start + n
        if end % MINUTE_S == 0:
            minutes.append(end - MINUTE_S)
            lengths.append(machine.so_far())
    return machine, minutes, lengths


class _Tally:
    """The open walk's steps and cadences while a step is worked on."""

    def __init__(self, tally: WalkTally) -> None:
        self.steps_milli = tally.steps_milli
        self.cadences = tally.cadences.copy()

    def frozen(self) -> WalkTally:
        return WalkTally(self.steps_milli, self.cadences)

    def take(self) -> tuple[float, float]:
        """Return steps and median cadence (NaN if none was seen), and begin anew."""
        steps, median = self.steps_milli / _MILLI, float("nan")
        n = int(self.cadences.sum())
        if n:
            middle = np.searchsorted(np.cumsum(self.cadences), [(n - 1) // 2 + 1, n // 2 + 1])
            median = float(middle.sum()) * CADENCE_STEP_SPM / 2
        self.steps_milli = 0
        self.cadences[:] = 0
        return steps, median


def _walks(
    state: BoutsState, epochs: Epochs, kind: NDArray[np.int8], second: NDArray[np.int64]
) -> tuple[BoutState, WalkTally, list[FinishedBout]]:
    if not state.walking.open and not (kind == Kind.IN).any():
        # nobody walks: only what is not known still counts
        machine, _, _ = _run(WALKING, state.walking, kind, second, state.next)
        return machine.state(), state.tally, []
    machine, tally = Machine(WALKING, state.walking), _Tally(state.tally)
    found: list[FinishedBout] = []
    steps = np.round(epochs.steps * _MILLI).astype(np.int64)
    summed = np.r_[0, np.cumsum(steps)]
    cadence = epochs.cadence_spm
    for what, start, n, row, jumped in _runs(kind, second, state.next, cuts=False):
        was_open = machine.open
        if jumped > 0:
            machine.advance(Kind.NOT_KNOWN, start - jumped, jumped)
            if was_open:
                found += _walk_bouts(machine, tally)
        machine.advance(what, start, n)
        if what == Kind.IN:
            tally.steps_milli += int(summed[row + n] - summed[row])
            seen = cadence[row : row + n]
            seen = seen[np.isfinite(seen)]
            bins = np.clip(np.round(seen / CADENCE_STEP_SPM), 0, _CADENCES - 1).astype(np.int64)
            tally.cadences += np.bincount(bins, minlength=_CADENCES).astype(np.int32)
        elif was_open and not machine.open:
            found += _walk_bouts(machine, tally)
    return machine.state(), tally.frozen(), found


def _walk_bouts(machine: Machine, tally: _Tally) -> list[FinishedBout]:
    """Give the walk that the machine has just finished, if it is one; what was counted for it is used up."""
    if machine.open:
        return []
    steps, cadence_spm = tally.take()
    found = [FinishedBout(WALKING.name, bout, steps, cadence_spm) for bout in machine.finished if steps >= LEAST_STEPS]
    machine.finished.clear()
    return found
