"""Five seconds of a person: what is stored as ``activity``. A slot is whole: it always has its five seconds."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from processing.compiled import compiled
from processing.epochs import EPOCH_NS, MEASURED, POSTURES, STATES, Epochs, Posture, State
from processing.frozen import frozen
from processing.metrics import Point, Value

SLOT_S: Final = 5
_SLOT_NS: Final = SLOT_S * EPOCH_NS
_FEW: Final = 2 * SLOT_S
_ANGLE_DECIMALS: Final = 2
_SHARE_DECIMALS: Final = 3
_STATE_NAMES: Final = tuple(state.value for state in STATES)
_POSTURE_NAMES: Final = tuple(posture.value for posture in POSTURES)
_NUMBERS = (_FLEXION, _LATERAL, _WALKING_S, _CADENCE, _STEPS, _INTENSITY, _CONFIDENCE, _COVERAGE) = range(8)
"""Rows of what slots come to, in the order of the columns of `Epochs`."""
_UNKNOWN, _POSTURE_UNKNOWN = State.UNKNOWN.code, Posture.UNKNOWN.code
_RESTS: Final = np.array([state in (State.SITTING, State.STANDING) for state in STATES])
_MOVES: Final = np.array([state in (State.WALKING, State.RUNNING) for state in STATES])


@frozen
class SlotState:
    """Seconds that do not yet make a whole slot, in the pieces in which they came."""

    waiting: tuple[Epochs, ...] = ()


def begin() -> SlotState:
    """Return the state before the first second."""
    return SlotState()


def step(state: SlotState, epochs: Epochs, *, last: bool = False) -> tuple[SlotState, Epochs]:
    """Hand out the seconds of all slots that are complete, five rows a slot, what is missing filled in as unknown.

    A slot is complete when its last second, or any second after it, is there; with `last`, at once.
    """
    if not len(epochs) and not (last and state.waiting):
        return state, epochs
    pieces = (*state.waiting, epochs) if len(epochs) else state.waiting
    newest_ns = pieces[-1].start_ns.item(-1)
    oldest, newest = pieces[0].start_ns.item(0) // _SLOT_NS, newest_ns // _SLOT_NS
    whole = last or newest_ns == (newest * SLOT_S + SLOT_S - 1) * EPOCH_NS
    if oldest == newest and not whole:
        return SlotState(pieces), Epochs.empty()
    table = Epochs.concat(list(pieces))
    if whole:
        return SlotState(), _filled(table)
    n = int(table.start_ns.searchsorted(newest * _SLOT_NS))
    rest = table.slice(n, len(table))
    # a view keeps the whole of what it shows a part of: so of few only
    return SlotState((rest if n <= _FEW else rest.copy(),)), _filled(table.slice(0, n))


def _filled(table: Epochs) -> Epochs:
    n, first_ns = len(table.start_ns), table.start_ns.item(0)
    even = n % SLOT_S == 0 and first_ns % _SLOT_NS == 0
    if even and table.start_ns.item(-1) - first_ns == (n - 1) * EPOCH_NS:
        return table
    slots = np.unique(table.start_ns // _SLOT_NS)
    seconds = (slots[:, None] * SLOT_S + np.arange(SLOT_S)).ravel() * EPOCH_NS
    at = np.searchsorted(seconds, table.start_ns)
    full = Epochs.unknown(seconds)
    for whole, known in zip(full.columns(), table.columns(), strict=True):
        whole[at] = known
    return full


def summarise(epochs: Epochs, length_s: int = SLOT_S) -> Epochs:
    """Make one row of each `length_s` rows; they must be whole slots (see `step`).

    The state is the one that fills most of the slot (between equals the middle second's), unknown where less than half
    was measured; angles, intensity and coverage are means, steps and walking seconds are sums, cadence is the mean of
    the seconds that have one.
    """
    if length_s == 1 or not len(epochs):
        return epochs
    m = len(epochs) // length_s
    state, posture = np.empty(m, dtype=np.int8), np.empty(m, dtype=np.int8)
    numbers = np.empty((len(_NUMBERS), m))
    columns = (epochs.flexion_deg, epochs.lateral_deg, epochs.walking_s, epochs.cadence_spm, epochs.steps,
               epochs.intensity_mg, epochs.confidence, epochs.coverage)  # fmt: skip
    _summarise(length_s, epochs.state, epochs.posture, columns, state, posture, numbers)
    return Epochs(epochs.start_ns[::length_s], state, posture, *numbers)


@compiled
def _summarise(
    length_s: int,
    states: NDArray[np.int8],
    postures: NDArray[np.int8],
    columns: tuple[NDArray[np.float64], ...],
    state: NDArray[np.int8],
    posture: NDArray[np.int8],
    numbers: NDArray[np.float64],
) -> None:
    """Go through slots and write what they come to, sums from the first second to the last."""
    flexion, lateral, walking_s, cadence, steps, intensity, confidence, coverage = columns
    often = np.empty(max(len(_MOVES), len(POSTURES)), dtype=np.int64)
    for m in range(len(state)):
        a = m * length_s
        b = a + length_s
        numbers[_COVERAGE, m] = _sum(coverage, a, b) / length_s
        numbers[_WALKING_S, m] = _sum(walking_s, a, b)
        numbers[_STEPS, m] = _sum(steps, a, b)
        numbers[_FLEXION, m] = _mean(flexion, a, b)
        numbers[_LATERAL, m] = _mean(lateral, a, b)
        numbers[_INTENSITY, m] = _mean(intensity, a, b)
        mode = _mode(states, a, b, often) if numbers[_COVERAGE, m] >= MEASURED else _UNKNOWN
        state[m] = mode
        posture[m] = _held(states, postures, a, b, mode, often) if _RESTS[mode] else _POSTURE_UNKNOWN
        sure, same, going, walks = 0.0, 0, 0.0, 0
        for i in range(a, b):
            if states[i] == mode:
                sure += confidence[i]
                same += 1
            if _MOVES[states[i]] and np.isfinite(cadence[i]):
                going += cadence[i]
                walks += 1
        numbers[_CONFIDENCE, m] = sure / max(same, 1)
        numbers[_CADENCE, m] = going / walks if walks else np.nan


@compiled
def _sum(values: NDArray[np.float64], a: int, b: int) -> float:
    total = 0.0
    for i in range(a, b):
        total += values[i]
    return total


@compiled
def _mean(values: NDArray[np.float64], a: int, b: int) -> float:
    """Return the mean of what is known, NaN where nothing is."""
    total, known = 0.0, 0
    for i in range(a, b):
        if np.isfinite(values[i]):
            total += values[i]
            known += 1
    return total / known if known else np.nan


@compiled
def _mode(codes: NDArray[np.int8], a: int, b: int, often: NDArray[np.int64]) -> int:
    """Return the most frequent code; between equals the middle one's, else the smallest."""
    often[:] = 0
    for i in range(a, b):
        often[codes[i]] += 2
    often[codes[a + (b - a) // 2]] += 1
    return int(often.argmax())


@compiled
def _held(
    states: NDArray[np.int8], postures: NDArray[np.int8], a: int, b: int, mode: int, often: NDArray[np.int64]
) -> int:  # fmt: skip
    """Return the most frequent posture of the seconds in one state (unknown in the others), as `_mode` does."""
    often[:] = 0
    for i in range(a, b):
        often[postures[i] if states[i] == mode else _POSTURE_UNKNOWN] += 2
    middle = a + (b - a) // 2
    often[postures[middle] if states[middle] == mode else _POSTURE_UNKNOWN] += 1
    return int(often.argmax())


def points(slots: Epochs, patient: str) -> list[Point]:
    """Write summarised slots as ``activity`` points; angles to 0.01 degrees, shares to 0.001."""
    tags = {"patient": patient}
    angles = (slots.flexion_deg, slots.lateral_deg, slots.cadence_spm, slots.intensity_mg)
    shares = (slots.walking_s, slots.steps, slots.confidence, slots.coverage)
    columns = (*np.round(angles, _ANGLE_DECIMALS).tolist(), *np.round(shares, _SHARE_DECIMALS).tolist())
    rows = zip(slots.start_ns.tolist(), slots.state.tolist(), slots.posture.tolist(), *columns, strict=True)
    made = []
    for time_ns, code, posture, flexion, lateral, cadence, intensity, walking_s, steps, confidence, coverage in rows:
        fields: dict[str, Value] = {"state": _STATE_NAMES[code], "code": code, "posture": _POSTURE_NAMES[posture]}
        # NaN, the one number that is not itself, stands for what is not known: left out
        if flexion == flexion:  # noqa: PLR0124
            fields["flexion_deg"] = flexion
        if lateral == lateral:  # noqa: PLR0124
            fields["lateral_deg"] = lateral
        if cadence == cadence:  # noqa: PLR0124
            fields["cadence_spm"] = cadence
        if intensity == intensity:  # noqa: PLR0124
            fields["intensity_mg"] = intensity
        fields["walking_s"] = walking_s
        fields["steps"] = steps
        fields["confidence"] = confidence
        fields["coverage"] = coverage
        made.append(Point("activity", time_ns, tags, fields))
    return made
