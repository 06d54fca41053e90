"""Five seconds of a person: what is stored as ``activity``. A slot is whole: it always has its five seconds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from processing.epochs import EPOCH_NS, POSTURES, STATES, Epochs, Posture, State
from processing.metrics import Point, Value

SLOT_S: Final = 5
_SLOT_NS: Final = SLOT_S * EPOCH_NS
ENOUGH: Final = 0.5
"""A second of which less was measured counts as missing, and so does a slot (our choice: the larger half)."""
_ANGLE_DECIMALS: Final = 2
_ANGLES: Final = ("flexion_deg", "lateral_deg", "cadence_spm", "intensity_mg")
_SHARE_DECIMALS: Final = 3
_SHARES: Final = ("walking_s", "steps", "confidence", "coverage")


@dataclass(frozen=True, slots=True)
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
    oldest, newest = int(pieces[0].start_ns[0]) // _SLOT_NS, int(pieces[-1].start_ns[-1]) // _SLOT_NS
    whole = last or int(pieces[-1].start_ns[-1]) == (newest * SLOT_S + SLOT_S - 1) * EPOCH_NS
    if oldest == newest and not whole:
        return SlotState(pieces), Epochs.empty()
    table = Epochs.concat(list(pieces)) if len(pieces) > 1 else pieces[0]
    slot = table.start_ns // _SLOT_NS
    n = len(table) if whole else int(np.searchsorted(slot, newest))
    rest = () if whole else (table.slice(n, len(table)).copy(),)
    return SlotState(rest), _filled(table.slice(0, n), slot[:n])


def _filled(table: Epochs, slot: NDArray[np.int64]) -> Epochs:
    n = len(table)
    if not n or (n % SLOT_S == 0 and (slot[::SLOT_S] == slot[SLOT_S - 1 :: SLOT_S]).all()):
        return table
    slots = np.unique(slot)
    seconds = (slots[:, None] * SLOT_S + np.arange(SLOT_S)).ravel() * EPOCH_NS
    at = np.searchsorted(seconds, table.start_ns)
    full = Epochs.unknown(seconds)
    for name in Epochs.__slots__:
        getattr(full, name)[at] = getattr(table, name)
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
    state = epochs.state.reshape(m, length_s)
    coverage = _sum(epochs.coverage.reshape(m, length_s)) / length_s
    mode = np.where(coverage >= ENOUGH, _mode(state, len(STATES)), np.int8(State.UNKNOWN.code))
    same = state == mode[:, None]
    resting = (mode == State.SITTING.code) | (mode == State.STANDING.code)
    posture = np.where(same & resting[:, None], epochs.posture.reshape(m, length_s), np.int8(Posture.UNKNOWN.code))
    moving = (epochs.state == State.WALKING.code) | (epochs.state == State.RUNNING.code)
    cadence = np.where(moving, epochs.cadence_spm, np.nan)
    sums = [epochs.walking_s, epochs.steps, np.where(same.ravel(), epochs.confidence, 0.0)]
    means = [epochs.flexion_deg, epochs.lateral_deg, cadence, epochs.intensity_mg]
    walking_s, steps, confidence = _sum(np.concatenate(sums).reshape(-1, length_s)).reshape(-1, m)
    flexion, lateral, cadence, intensity = _mean(np.concatenate(means).reshape(-1, length_s)).reshape(-1, m)
    return Epochs(
        epochs.start_ns[::length_s],
        mode,
        np.where(resting, _mode(posture, len(POSTURES)), np.int8(Posture.UNKNOWN.code)),
        flexion,
        lateral,
        walking_s,
        cadence,
        steps,
        intensity,
        confidence / np.maximum(same.sum(axis=1), 1),
        coverage,
    )


def points(slots: Epochs, patient: str) -> list[Point]:
    """Write summarised slots as ``activity`` points; angles to 0.01 degrees, shares to 0.001."""
    tags = {"patient": patient}
    columns = _rounded(slots, _ANGLES, _ANGLE_DECIMALS) | _rounded(slots, _SHARES, _SHARE_DECIMALS)
    made = []
    states, postures = slots.state.tolist(), slots.posture.tolist()
    for k, time_ns in enumerate(slots.start_ns.tolist()):
        fields: dict[str, Value] = {
            "state": STATES[states[k]].value,
            "code": states[k],
            "posture": POSTURES[postures[k]].value,
        }
        for name, values in columns.items():
            value = values[k]
            if value == value:  # noqa: PLR0124  NaN: not known, left out
                fields[name] = value
        made.append(Point("activity", time_ns, tags, fields))
    return made


def _rounded(slots: Epochs, names: tuple[str, ...], decimals: int) -> dict[str, list[float]]:
    table = np.round(np.array([getattr(slots, name) for name in names]), decimals)
    return dict(zip(names, table.tolist(), strict=True))


def _mode(codes: NDArray[np.int8], kinds: int) -> NDArray[np.int8]:
    """Return the most frequent code of each row (m, k); between equals the middle one's, else the smallest code."""
    counts = 2 * (codes[:, :, None] == np.arange(kinds, dtype=np.int8)).sum(axis=1)
    counts[np.arange(len(codes)), codes[:, codes.shape[1] // 2]] += 1
    return np.asarray(counts.argmax(axis=1), dtype=np.int8)


def _mean(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the mean of what is known in each row, NaN where nothing is."""
    known = np.isfinite(values)
    n = known.sum(axis=1)
    total = _sum(np.where(known, values, 0.0))
    return np.where(n > 0, total / np.maximum(n, 1), np.nan)


def _sum(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Add up each row from left to right, in the same order whatever the number of rows."""
    total = values[:, 0].copy()
    for column in range(1, values.shape[1]):
        total += values[:, column]
    return total
