"""Five seconds of a person: what is stored as ``activity``. A slot is whole: it always has its five seconds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from processing.epochs import EPOCH_NS, POSTURES, STATES, Epochs, Posture, State
from processing.metrics import Point, Value

SLOT_S: Final = 5
ENOUGH: Final = 0.5
"""A second of which less was measured counts as missing, and so does a slot (our choice: the larger half)."""
_ANGLE_DECIMALS: Final = 2
_SHARE_DECIMALS: Final = 3


@dataclass(frozen=True, slots=True)
class SlotState:
    """Seconds that do not yet make a whole slot."""

    waiting: Epochs


def begin() -> SlotState:
    """Return the state before the first second."""
    return SlotState(Epochs.empty())


def step(state: SlotState, epochs: Epochs, *, last: bool = False) -> tuple[SlotState, Epochs]:
    """Hand out the seconds of all slots that are complete, five rows a slot, what is missing filled in as unknown.

    A slot is complete when its last second, or any second after it, is there; with `last`, at once.
    """
    table = Epochs.concat([state.waiting, epochs]) if len(state.waiting) else epochs
    if not len(table):
        return state, table
    slot = table.start_ns // (SLOT_S * EPOCH_NS)
    newest = int(slot[-1])
    whole = last or int(table.start_ns[-1]) == (newest * SLOT_S + SLOT_S - 1) * EPOCH_NS
    n = len(table) if whole else int(np.searchsorted(slot, newest))
    ready = table.slice(0, n)
    rest = Epochs.concat([table.slice(n, len(table))])
    return SlotState(rest), _filled(ready, slot[:n])


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
    coverage = _sum(_rows(epochs.coverage, m)) / length_s
    mode = np.where(coverage >= ENOUGH, _mode(state, len(STATES)), np.int8(State.UNKNOWN.code))
    same = state == mode[:, None]
    resting = np.isin(mode, (State.SITTING.code, State.STANDING.code))
    posture = np.where(
        same & resting[:, None], epochs.posture.reshape(m, length_s), np.int8(Posture.UNKNOWN.code)
    )  # fmt: skip
    moving = np.isin(state, (State.WALKING.code, State.RUNNING.code))
    return Epochs(
        epochs.start_ns.reshape(m, length_s)[:, 0],
        mode,
        np.where(resting, _mode(posture, len(POSTURES)), np.int8(Posture.UNKNOWN.code)),
        _mean(_rows(epochs.flexion_deg, m)),
        _mean(_rows(epochs.lateral_deg, m)),
        _sum(_rows(epochs.walking_s, m)),
        _mean(np.where(moving, _rows(epochs.cadence_spm, m), np.nan)),
        _sum(_rows(epochs.steps, m)),
        _mean(_rows(epochs.intensity_mg, m)),
        _sum(np.where(same, _rows(epochs.confidence, m), 0.0)) / np.maximum(same.sum(axis=1), 1),
        coverage,
    )


def points(slots: Epochs, patient: str) -> list[Point]:
    """Write summarised slots as ``activity`` points; angles to 0.01 degrees, shares to 0.001."""
    tags = {"patient": patient}
    columns = {
        "flexion_deg": np.round(slots.flexion_deg, _ANGLE_DECIMALS).tolist(),
        "lateral_deg": np.round(slots.lateral_deg, _ANGLE_DECIMALS).tolist(),
        "walking_s": np.round(slots.walking_s, _SHARE_DECIMALS).tolist(),
        "cadence_spm": np.round(slots.cadence_spm, _ANGLE_DECIMALS).tolist(),
        "steps": np.round(slots.steps, _SHARE_DECIMALS).tolist(),
        "intensity_mg": np.round(slots.intensity_mg, _ANGLE_DECIMALS).tolist(),
        "confidence": np.round(slots.confidence, _SHARE_DECIMALS).tolist(),
        "coverage": np.round(slots.coverage, _SHARE_DECIMALS).tolist(),
    }
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


def _rows(values: NDArray[np.float64], m: int) -> NDArray[np.float64]:
    return values.reshape(m, -1)


def _mode(codes: NDArray[np.int8], kinds: int) -> NDArray[np.int8]:
    """Return the most frequent code of each row (m, k); between equals the middle one's, else the smallest code."""
    counts = np.zeros((len(codes), kinds), dtype=np.int16)
    for code in range(kinds):
        counts[:, code] = 2 * (codes == code).sum(axis=1)
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
