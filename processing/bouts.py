"""Walks, sedentary bouts, slouching and time without the clip, strung together from seconds."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from processing.bout_rules import (
    DONE,
    KNOWN,
    LEAST_STEPS,
    OPEN,
    RULES,
    SEDENTARY,
    SLOUCHED,
    UPRIGHT_STATES,
    WALKING,
    Bout,
    BoutState,
    Ended,
    Kind,
    advance,
    bout_of,
    counts_of,
    state_of,
)
from processing.bout_rules import finish as finish_one
from processing.compiled import compiled
from processing.epochs import EPOCH_NS, POSTURES, STATES, Epochs, Posture, State
from processing.frozen import frozen

MINUTE_S: Final = 60
CADENCE_STEP_SPM: Final = 0.5
"""Resolution of a bout's median cadence: half a step a minute, a tenth of what a wearable can tell."""
_CADENCES: Final = 512
SEEN_S: Final = 5
"""A minute has its streak if something of its last seconds, so many, was measured (our choice: a slot)."""
_MILLI: Final = 1000
_DONE: Final = DONE + 3
"""Columns of finished bouts: beside those of one rule its place in `RULES`, and of a walk steps (thousandths) and
twice the place of its median cadence."""
_WALKING, _SITTING, _SLOUCHING = (RULES.index(rule) for rule in (WALKING, SEDENTARY, SLOUCHED))
_NEXT, _STEPS = 0, 1


def _by_state(**kinds: Kind) -> NDArray[np.int8]:
    """Tabulate what each state is to a bout, by its code; states that are not named are OUT."""
    named = {State[name.upper()]: kind for name, kind in kinds.items()}
    return np.array([named.get(state, Kind.OUT) for state in STATES], dtype=np.int8)


_WALK: Final = _by_state(unknown=Kind.NOT_KNOWN, not_worn=Kind.OFF, walking=Kind.IN, running=Kind.IN)
_SIT: Final = _by_state(unknown=Kind.NOT_KNOWN, not_worn=Kind.OFF, sitting=Kind.IN, lying=Kind.IN)
_SLOUCH: Final = _by_state(unknown=Kind.NOT_KNOWN, not_worn=Kind.OFF)
_BARE: Final = _by_state(unknown=Kind.NOT_KNOWN, not_worn=Kind.IN)
assert all(_SIT[state.code] == Kind.OUT for state in UPRIGHT_STATES)  # noqa: S101  a table that states and rules share


@frozen
class WalkTally:
    """Steps (thousandths) of the open walk and how often each cadence was seen, shape (512,)."""

    steps_milli: int = 0
    cadences: NDArray[np.int32] = field(default_factory=lambda: np.zeros(_CADENCES, dtype=np.int32))


@frozen
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


@frozen
class Streaks:
    """Lengths so far at the end of each whole minute of whose last five seconds something was measured.

    The minute's first second (since 1970), and seconds; shape (n,).
    """

    minute_s: tuple[int, ...] = ()
    sedentary_s: tuple[int, ...] = ()
    slouched_s: tuple[int, ...] = ()


_NO_STREAKS: Final = Streaks()


def step(state: BoutsState, epochs: Epochs, *, night: bool) -> tuple[BoutsState, tuple[FinishedBout, ...], Streaks]:
    """Take in seconds (rising; a jump counts as not known) and hand out the bouts that they finish, in order.

    Parameters
    ----------
    night
        Whether lying counts as sleep.
    """
    n = len(epochs)
    if not n:
        return state, (), _NO_STREAKS
    counts, tally = _counts(state), state.tally.cadences.copy()
    totals = np.array([state.next, state.tally.steps_milli], dtype=np.int64)
    done = np.empty((n // 2 + len(RULES), _DONE), dtype=np.int64)
    minutes = np.empty((n, 3), dtype=np.int64)
    finished, passed = _string(
        counts, tally, totals, _kinds(night), epochs.start_ns, epochs.state, epochs.posture, epochs.steps,
        epochs.cadence_spm, epochs.coverage, done, minutes,
    )  # fmt: skip
    following, steps_milli = totals.tolist()
    walking, sedentary, slouched, not_worn = map(state_of, counts.tolist())
    state = BoutsState(walking, sedentary, slouched, not_worn, WalkTally(steps_milli, tally), following)
    streaks = Streaks(*map(tuple, minutes[:passed].T.tolist())) if passed else _NO_STREAKS
    return state, _finished(done[:finished]) if finished else (), streaks


def finish(state: BoutsState) -> tuple[FinishedBout, ...]:
    """Close what is open because the data end."""
    counts, tally = _counts(state), state.tally.cadences.copy()
    totals = np.array([state.next, state.tally.steps_milli], dtype=np.int64)
    done = np.empty((len(RULES), _DONE), dtype=np.int64)
    return _finished(done[: _finish(counts, tally, totals, done)])


def _counts(state: BoutsState) -> NDArray[np.int64]:
    return counts_of(state.walking, state.sedentary, state.slouched, state.not_worn)


def _finished(done: NDArray[np.int64]) -> tuple[FinishedBout, ...]:
    found = []
    for *bout, k, steps_milli, halves in done.tolist():
        if k:
            found.append(FinishedBout(RULES[k].name, bout_of(bout)))
        else:
            cadence_spm = halves * CADENCE_STEP_SPM / 2 if halves >= 0 else float("nan")
            found.append(FinishedBout(WALKING.name, bout_of(bout), steps_milli / _MILLI, cadence_spm))
    return tuple(found)


@lru_cache(maxsize=2)
def _kinds(night: bool) -> NDArray[np.int8]:
    """Tabulate what a second is to each bout, by state and posture: shape (`RULES`, states, postures)."""
    table = np.empty((len(RULES), len(STATES), len(POSTURES)), dtype=np.int8)
    for k, kinds in enumerate((_WALK, _SIT, _SLOUCH, _BARE)):
        table[k] = kinds[:, None]
    if night:
        table[_SITTING, State.LYING.code] = Kind.OFF
    for resting in (State.SITTING, State.STANDING):
        table[_SLOUCHING, resting.code, Posture.UNKNOWN.code] = Kind.NOT_KNOWN
        table[_SLOUCHING, resting.code, Posture.SLOUCHED.code] = Kind.IN
    return table


@compiled
def _string(
    counts: NDArray[np.int64],
    tally: NDArray[np.int32],
    totals: NDArray[np.int64],
    kinds: NDArray[np.int8],
    start_ns: NDArray[np.int64],
    state: NDArray[np.int8],
    posture: NDArray[np.int8],
    steps: NDArray[np.float64],
    cadence_spm: NDArray[np.float64],
    coverage: NDArray[np.float64],
    done: NDArray[np.int64],
    minutes: NDArray[np.int64],
) -> tuple[int, int]:
    """Go through runs of seconds and bring counts, tally and totals (next second, steps) up to date.

    Returns how many rows of `done` (bouts) and of `minutes` (first second, sedentary, slouched) are filled.
    """
    m = passed = first = 0
    while first < len(start_ns):
        at, n = start_ns[first] // EPOCH_NS, _alike(start_ns, state, posture, first)
        jumped = at - totals[_NEXT] if totals[_NEXT] else 0
        if jumped > 0:
            for k in range(len(kinds)):
                m = _advance(counts, tally, totals, k, Kind.NOT_KNOWN.value, at - jumped, jumped, done, m)
        for k in range(len(kinds)):
            m = _advance(counts, tally, totals, k, kinds[k, state[first], posture[first]], at, n, done, m)
        if kinds[_WALKING, state[first], posture[first]] == Kind.IN.value:
            for i in range(first, first + n):
                totals[_STEPS] += np.int64(np.rint(steps[i] * _MILLI))
                if np.isfinite(cadence_spm[i]):
                    place = int(np.rint(cadence_spm[i] / CADENCE_STEP_SPM))
                    tally[min(max(place, 0), _CADENCES - 1)] += 1
        totals[_NEXT] = at + n
        first += n
        if (at + n) % MINUTE_S == 0 and _seen(start_ns, coverage, first - 1):
            minutes[passed, 0] = at + n - MINUTE_S
            minutes[passed, 1] = counts[_SITTING, KNOWN] if counts[_SITTING, OPEN] else 0
            minutes[passed, 2] = counts[_SLOUCHING, KNOWN] if counts[_SLOUCHING, OPEN] else 0
            passed += 1
    return m, passed


@compiled
def _alike(start_ns: NDArray[np.int64], state: NDArray[np.int8], posture: NDArray[np.int8], first: int) -> int:
    """Count the rows from one on that follow each other within a minute and are alike."""
    end = first + 1
    while (
        end < len(start_ns)
        and state[end] == state[first]
        and posture[end] == posture[first]
        and start_ns[end] - start_ns[end - 1] == EPOCH_NS
        and start_ns[end] // EPOCH_NS % MINUTE_S
    ):
        end += 1
    return end - first


@compiled
def _finish(
    counts: NDArray[np.int64], tally: NDArray[np.int32], totals: NDArray[np.int64], done: NDArray[np.int64]
) -> int:
    m = 0
    for k in range(len(counts)):
        m = _entered(tally, totals, k, done, m, finish_one(counts, k, done, m))
    return m


@compiled
def _advance(
    counts: NDArray[np.int64],
    tally: NDArray[np.int32],
    totals: NDArray[np.int64],
    k: int,
    kind: int,
    start: int,
    n: int,
    done: NDArray[np.int64],
    m: int,
) -> int:
    was_open = counts[k, OPEN]
    after = advance(counts, k, kind, start, n, done, m)
    return _entered(tally, totals, k, done, m, after) if was_open and not counts[k, OPEN] else after


@compiled
def _entered(
    tally: NDArray[np.int32], totals: NDArray[np.int64], k: int, done: NDArray[np.int64], m: int, after: int
) -> int:
    """Write beside a bout in row `m`, if there is one, what kind it is; what was counted for a walk is used up."""
    steps_milli, halves = 0, -1
    if k == _WALKING:
        steps_milli, halves = int(totals[_STEPS]), _median(tally)
        totals[_STEPS] = 0
        tally[:] = 0
        if steps_milli < LEAST_STEPS * _MILLI:
            return m
    if after > m:
        done[m, DONE], done[m, DONE + 1], done[m, DONE + 2] = k, steps_milli, halves
    return after


@compiled
def _median(tally: NDArray[np.int32]) -> int:
    """Return the median's place, twice (the two middle ones added up); -1 where nothing was counted."""
    n = tally.sum()
    if not n:
        return -1
    lower, upper, counted = -1, -1, 0
    for place in range(len(tally)):
        counted += tally[place]
        if lower < 0 and counted >= (n - 1) // 2 + 1:
            lower = place
        if counted >= n // 2 + 1:
            upper = place
            break
    return lower + upper


@compiled
def _seen(start_ns: NDArray[np.int64], coverage: NDArray[np.float64], row: int) -> bool:
    """Tell whether anything of the last five seconds up to a row was measured."""
    for i in range(row, max(row - SEEN_S, -1), -1):
        if start_ns[row] - start_ns[i] < SEEN_S * EPOCH_NS and coverage[i] > 0:
            return True
    return False
