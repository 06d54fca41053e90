"""One clip from samples to seconds: the streaming core, the same code for one second and for a fortnight.

A second is looked at when the three after it are there, and is final at most 15 s after the newest sample. Work is
done in slices of bounded length, so memory does not grow with a recording.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from processing import (
    activity,
    features,
    grid,
    habits,
    naming,
    orientation,
    posture,
    rising,
    smoothing,
    statistics,
    stretches,
    walking,
    windows,
)
from processing.activity import Model
from processing.epochs import POSTURES, STATES, Epochs, Neutral, Posture, State
from processing.grid import RATE_HZ, SECOND_NS, GridState, Seconds
from processing.habits import Habits
from processing.judgement import judged
from processing.naming import Wearing
from processing.orientation import OrientationState
from processing.rising import RisingState
from processing.samples import Block
from processing.smoothing import SmoothingState
from processing.stretches import StretchState
from spineclip.contract.config import Calibration
from spineclip.contract.placement import Placement

MAX_SILENCE_S: Final = 7 * 86400
"""Seconds of silence that are written out second by second as unknown; after a longer one the table starts anew."""

_SLICE: Final = 2000
_HISTORY: Final = windows.BEFORE_S + 2
_MOST: Final = 8
"""Seconds that nothing ahead depends on, above which a state is not carried on without letting go of them."""


@dataclass(frozen=True, slots=True)
class ClipSetup:
    """Where a clip is worn and what has been told about how it sits there."""

    placement: Placement
    axes: Mapping[str, str] = field(default_factory=dict)
    calibration: Calibration | None = None


@dataclass(frozen=True, slots=True)
class LiveSecond:
    """The body a moment ago: provisional, within 5 s of the newest sample.

    `neutral` is a code of `Neutral`, `beyond` a row of that column of `Epochs`; `posture_confidence` is the chance that
    the posture is right, 0 where it is unknown.
    """

    time_ns: int
    state: State
    posture: Posture
    confidence: float
    flexion_deg: float
    lateral_deg: float
    cadence_spm: float
    oriented: bool
    neutral: int = 0
    beyond: tuple[int, ...] = (0,) * 6
    posture_confidence: float = 0.0


@dataclass(frozen=True, slots=True)
class ClipOutput:
    """What a step gives: seconds that are final, and the newest live second (None when nothing new is known)."""

    final: Epochs
    live: LiveSecond | None


@dataclass(frozen=True, slots=True)
class ClipState:
    """Everything that is carried from step to step; small, and made of plain values and arrays.

    Rows of `table` are the seconds from `first` on, those of `xyz_g` and `coverage` from `kept` on, those of `held`
    and `risen` from `given` on; `waves` has the newest of the same seconds. `looked` and `given` count, as seconds
    since 1970, how far features and final epochs have come.
    """

    setup: ClipSetup
    grid: GridState
    first: int
    looked: int
    given: int
    table: NDArray[np.float64]
    waves: NDArray[np.float64]
    kept: int
    xyz_g: NDArray[np.float64]
    coverage: NDArray[np.float64]
    held: NDArray[np.float64]
    orientation: OrientationState
    smoothing: SmoothingState
    stretch: StretchState = field(default_factory=stretches.begin)
    habits: Habits = field(default_factory=habits.begin)
    rising: RisingState = field(default_factory=RisingState)
    risen: NDArray[np.int8] = field(default_factory=lambda: np.empty(0, dtype=np.int8))


def begin(setup: ClipSetup) -> ClipState:
    """Return the state of a clip before its first sample."""
    neutral = None if setup.calibration is None else setup.calibration.neutral
    table, waves = np.empty((0, statistics.COLUMNS)), np.empty((0, 2 * len(statistics.WAVE_HZ)))
    return ClipState(
        setup, grid.begin(), 0, 0, 0, table, waves, 0, np.empty((0, RATE_HZ, 3)), np.empty(0),
        np.empty((0, orientation.HELD)), orientation.begin(setup.axes, neutral, setup.placement), smoothing.begin(),
    )  # fmt: skip


def step(state: ClipState, block: Block, fitted: Model | None = None) -> tuple[ClipState, ClipOutput]:
    """Take samples in; hand out what has become final and what is so now.

    `fitted` stands in for the shipped numbers, for measuring on people whom a fit has not seen.
    """
    fitted = fitted or activity.load(state.setup.placement)
    finals: list[Epochs] = []
    before = state.looked
    for low, high in block.cuts(_SLICE * SECOND_NS):
        held = len(state.grid.t_ns)  # what is carried lies right before, so that nothing needs to be copied
        part = block.slice(low - held if held <= low else low, high)
        state, final = _advance(state, part, fitted, begins=min(held, low), last=False)
        finals.extend(final)
    live = _live(state, fitted) if state.looked != before else None
    return _forget(state), ClipOutput(Epochs.concat(finals), live)


def finish(state: ClipState, fitted: Model | None = None) -> ClipOutput:
    """Hand out what is still held back, with what is known by now."""
    fitted = fitted or activity.load(state.setup.placement)
    _, finals = _advance(state, Block.empty(), fitted, begins=0, last=True)
    return ClipOutput(Epochs.concat(finals), None)


def _advance(
    state: ClipState, block: Block, fitted: Model, *, begins: int, last: bool
) -> tuple[ClipState, list[Epochs]]:
    """Take in a slice; its samples before row `begins` may be those that are carried already."""
    finals: list[Epochs] = []
    if len(block) and len(state.grid.t_ns):
        silence_ns = int(block.t_ns[begins]) - int(state.grid.t_ns[-1])
        if silence_ns > MAX_SILENCE_S * SECOND_NS:
            finals.append(finish(state, fitted).final)
            state, block = begin(state.setup), block.slice(begins, len(block))
    gridded, seconds = grid.step(state.grid, block, last=last)
    if not len(seconds) and not last:
        return replace(state, grid=gridded), finals
    state = _append(state, gridded, seconds)
    state = _look(state, fitted, last=last)
    state, final = _give(state, fitted, last=last)
    finals.append(final)
    return state, finals


def _append(state: ClipState, gridded: GridState, seconds: Seconds) -> ClipState:
    """Add finished seconds, and let go of those that nothing ahead depends on."""
    if not len(seconds):
        return replace(state, grid=gridded, table=state.table.copy())
    table, waves = statistics.statistics(seconds)
    if not len(state.table):
        start = seconds.first
        return replace(
            state, grid=gridded, first=start, looked=start, given=start, kept=start,
            table=table, waves=waves, xyz_g=seconds.xyz_g, coverage=seconds.coverage,
        )  # fmt: skip
    rows, samples = _done(state)
    return ClipState(  # by itself, not by `replace`, which costs as much as a stage: so once in every stage
        state.setup, gridded, state.first + rows, state.looked, state.given,
        np.concatenate([state.table[rows:], table]),
        np.concatenate([_waves(state, 1), waves]),
        state.kept + samples,
        np.concatenate([state.xyz_g[samples:], seconds.xyz_g]),
        np.concatenate([state.coverage[samples:], seconds.coverage]),
        state.held, state.orientation, state.smoothing, state.stretch, state.habits, state.rising, state.risen,
    )  # fmt: skip


def _look(state: ClipState, fitted: Model, *, last: bool) -> ClipState:
    """Features and chances of every second whose look-ahead is there."""
    stop = state.first + len(state.table) - (0 if last else windows.AHEAD_S)
    if stop <= state.looked:
        return state
    a, b = state.looked - state.first, stop - state.first
    table = state.table  # new, from `_append`
    lead = min(a, 1)
    waves = _waves(state, lead)
    near = windows.around(table, a, b)
    rhythm = features.rhythm(table, waves, lead, lead + b - a, near=near)
    table[a:b, statistics.WALK] = activity.likeness(fitted, rhythm, table[a:b])
    place = state.setup.placement
    swung = state.xyz_g if place.sees_trunk else state.xyz_g[:0]  # a thigh swings forward and back once a stride
    oriented, held = orientation.step(
        state.orientation, state.looked, table, a, b, near=near, xyz_g=swung, begins=state.kept - state.first
    )
    described = features.features(table, rhythm, held, a, b, near=near)
    covered = table[a:b, statistics.COVERED] > 0
    seen = stretches.Looked(state.looked, a, b, table, state.xyz_g[state.looked - state.kept :], held)
    stretch = stretches.look(state.stretch, seen, posture.fine_model(place)) if place.sees_trunk else state.stretch
    mount = np.ascontiguousarray(held[:, orientation.MOUNT])
    risen, how = rising.follow(state.rising, state.looked, table, a, mount, state.xyz_g, state.kept - state.first)
    smoothed = smoothing.observe(
        state.smoothing, activity.chances(fitted, described), covered, described[:, features.TURNING]
    )
    return ClipState(
        state.setup, state.grid, state.first, stop, state.given, table, state.waves, state.kept, state.xyz_g,
        state.coverage, np.concatenate([state.held, held]), oriented, smoothed, stretch, state.habits, risen,
        np.concatenate([state.risen, how]),
    )  # fmt: skip


def _give(state: ClipState, fitted: Model, *, last: bool) -> tuple[ClipState, Epochs]:
    smoothed, chances = smoothing.release(state.smoothing, state.given, last=last)
    n = len(chances)
    if not n:
        return state, Epochs.empty()
    a = state.given - state.kept
    rows = state.table[state.given - state.first : state.given - state.first + n]
    held = state.held[:n]
    start_ns = (state.given + np.arange(n, dtype=np.int64)) * SECOND_NS
    coverage = state.coverage[a : a + n]
    codes, confidence, seems = _state(state, fitted, chances, state.given, slice(0, n))
    low = max(a - walking.BEFORE_S, 0)
    high = min(a + n + walking.AFTER_S, len(state.coverage))
    going = (codes == State.WALKING.code) | (codes == State.RUNNING.code)
    wanted = np.zeros(high - low, dtype=np.bool_)
    wanted[a - low : a - low + n] = going
    gait = walking.gait(_with_nan(state, low, high), wanted)
    flexion, lateral = orientation.angles(held, rows)
    how = naming.name(
        _wearing(state), state.stretch, state.given,
        codes=seems, held=held, known=np.isfinite(flexion), ahead_s=stretches.AHEAD_S,
    )  # fmt: skip
    mad = rows[:, statistics.MAD] * 1000.0
    epochs = Epochs(
        start_ns,
        codes,
        how.posture,
        flexion,
        lateral,
        np.where(going, coverage, 0.0),
        gait.cadence_spm[a - low : a - low + n],
        gait.steps[a - low : a - low + n],
        np.where(coverage >= grid.ENOUGH, mad, np.nan),
        confidence,
        coverage,
        _neutral(state.setup, held, flexion),
        how.beyond,
    )
    given = state.given + n
    stretch = stretches.forget(state.stretch, given)
    state = ClipState(
        state.setup, state.grid, state.first, state.looked, given, state.table, state.waves, state.kept, state.xyz_g,
        state.coverage, state.held[n:], state.orientation, smoothed, stretch, how.habits, state.rising, state.risen[n:],
    )  # fmt: skip
    return state, epochs


def _state(
    state: ClipState, fitted: Model, chances: NDArray[np.float64], first: int, part: slice
) -> tuple[NDArray[np.int8], NDArray[np.float64], NDArray[np.int8]]:
    """Judge the seconds from `first` on; they are `part` of the rows of `held`."""
    n, trunk = len(chances), state.setup.placement.sees_trunk
    rows = state.table[first - state.first : first - state.first + n]
    covered = state.coverage[first - state.kept : first - state.kept + n] >= grid.ENOUGH
    return judged(chances, covered, fitted.confidence, state.risen[part], state.held[part], rows, trunk)


def _wearing(state: ClipState) -> Wearing:
    calibration = state.setup.calibration
    return Wearing(state.setup.placement, calibration.poses if calibration is not None else {}, state.habits)


def _neutral(setup: ClipSetup, held: NDArray[np.float64], flexion_deg: NDArray[np.float64]) -> NDArray[np.int8]:
    """Tell what the angles are against, as codes of `Neutral`."""
    own = np.where(np.isfinite(flexion_deg), held[:, orientation.OWN], 0.0).astype(np.int8)
    shown = setup.calibration is not None and bool(setup.calibration.poses)
    return own + np.int8(1) * (own == Neutral.TAUGHT) if shown else own


def _with_nan(state: ClipState, low: int, high: int) -> NDArray[np.float64]:
    xyz = state.xyz_g[low:high].reshape(-1, 3)
    missing = state.coverage[low:high] < grid.ENOUGH
    if missing.any():
        xyz = xyz.copy()
        xyz[np.repeat(missing, RATE_HZ)] = np.nan
    return xyz


def _live(state: ClipState, fitted: Model) -> LiveSecond | None:
    """Say what the newest look at the stream says."""
    if not len(state.held):
        return None
    row = state.looked - 1 - state.kept
    newest = len(state.coverage) - 1
    codes, confidence, seems = _state(
        state, fitted, smoothing.now(state.smoothing), state.looked - 1, slice(len(state.held) - 1, None)
    )
    now = STATES[int(codes[0])]
    seen = bool(state.coverage[newest] >= grid.ENOUGH)
    flexion, lateral = orientation.angles(state.held[-1:], state.table[-1:])
    how = naming.name(
        _wearing(state), state.stretch, state.looked - 1,
        codes=seems, held=state.held[-1:], known=np.isfinite(flexion), ahead_s=0,
    )  # fmt: skip
    cadence = np.nan
    if now in (State.WALKING, State.RUNNING):
        low = max(row - walking.BEFORE_S, 0)
        wanted = np.zeros(newest + 1 - low, dtype=np.bool_)
        wanted[row - low] = True
        cadence = float(walking.gait(_with_nan(state, low, newest + 1), wanted).cadence_spm[row - low])
    return LiveSecond(
        (state.kept + newest + 1) * SECOND_NS,
        now,
        POSTURES[int(how.posture[0])],
        float(confidence[0]),
        float(flexion[0]) if seen else float("nan"),
        float(lateral[0]) if seen else float("nan"),
        cadence,
        bool(np.isfinite(flexion[0])),
        int(_neutral(state.setup, state.held[-1:], flexion)[0]),
        tuple(how.beyond[0].tolist()),
        float(how.chance[0]),
    )


def _done(state: ClipState) -> tuple[int, int]:
    """How many rows of the table, and how many of the samples, nothing ahead depends on."""
    rows = max(min(state.given, state.looked - _HISTORY) - state.first, 0)
    return rows, max(state.given - walking.BEFORE_S - state.kept, 0)


def _waves(state: ClipState, lead: int) -> NDArray[np.float64]:
    """Return the waves of the seconds that were not looked at yet, with so many before them."""
    ahead = state.first + len(state.table) - state.looked + lead
    return state.waves[max(len(state.waves) - ahead, 0) :]


def _forget(state: ClipState) -> ClipState:
    rows, samples = _done(state)
    if max(rows, samples) <= _MOST:
        return state
    return replace(
        state,
        first=state.first + rows,
        table=state.table[rows:].copy(),
        kept=state.kept + samples,
        waves=_waves(state, 1).copy(),
        xyz_g=state.xyz_g[samples:].copy(),
        coverage=state.coverage[samples:].copy(),
    )
