"""One clip from samples to seconds: the streaming core, the same code for one second and for a fortnight.

A second is looked at when the three after it are there, and is final at most 15 s after the newest sample. Work is
done in slices of bounded length, so memory does not grow with a recording.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

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
from processing.compiled import compiled
from processing.epochs import POSTURES, STATES, Epochs, Neutral, Posture, State
from processing.frozen import frozen
from processing.grid import RATE_HZ, SECOND_NS, GridState, Seconds
from processing.habits import Habits
from processing.judgement import judged
from processing.naming import Named, Wearing
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
_WAVES: Final = 2 * len(statistics.WAVE_HZ)
_WALKING, _RUNNING = State.WALKING.code, State.RUNNING.code
_TAUGHT, _POSES = Neutral.TAUGHT.value, Neutral.POSES.value
_MOST: Final = 8
"""Seconds that nothing ahead depends on, above which a state is not carried on without letting go of them."""


@dataclass(frozen=True, slots=True)
class ClipSetup:
    """Where a clip is worn and what has been told about how it sits there."""

    placement: Placement
    axes: Mapping[str, str] = field(default_factory=dict)
    calibration: Calibration | None = None


@frozen
class LiveSecond:
    """The body a moment ago: provisional, within 5 s of the newest sample.

    `neutral` is a code of `Neutral`, `beyond` a row of that column of `Epochs`; `posture_confidence` is the chance that
    the posture is right, 0 where it is unknown. `oriented` says whether up and forward are known, be this second
    measured or not; `mount` counts how often the clip was put on anew.
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
    mount: int = 0


@frozen
class ClipOutput:
    """What a step gives: seconds that are final, and the newest live second (None when nothing new is known)."""

    final: Epochs
    live: LiveSecond | None


@frozen
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
    table, waves = np.empty((0, statistics.COLUMNS)), np.empty((0, _WAVES))
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
    kept = state.table[rows:], _waves(state, 1), state.xyz_g[samples:], state.coverage[samples:]
    new = table, waves, seconds.xyz_g, seconds.coverage
    table, waves, xyz_g, coverage = (
        np.empty((len(kept[0]) + len(table), statistics.COLUMNS)),
        np.empty((len(kept[1]) + len(waves), _WAVES)),
        np.empty((len(kept[2]) + len(seconds), RATE_HZ, 3)),
        np.empty(len(kept[3]) + len(seconds)),
    )
    _join(*kept, *new, table, waves, xyz_g, coverage)
    return ClipState(  # by itself, not by `replace`, which costs as much as a stage: so once in every stage
        state.setup, gridded, state.first + rows, state.looked, state.given, table, waves, state.kept + samples,
        xyz_g, coverage, state.held, state.orientation, state.smoothing, state.stretch, state.habits, state.rising,
        state.risen,
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
    covered = table[a:b, statistics.COVERED].astype(np.bool_)
    seen = stretches.Looked(state.looked, a, b, table, state.xyz_g[state.looked - state.kept :], held)
    stretch = stretches.look(state.stretch, seen, posture.fine_model(place)) if place.sees_trunk else state.stretch
    mount = np.ascontiguousarray(held[:, orientation.MOUNT])
    risen, how = rising.follow(state.rising, state.looked, table, a, mount, state.xyz_g, state.kept - state.first)
    smoothed = smoothing.observe(
        state.smoothing, activity.chances(fitted, described), covered, described[:, features.TURNING]
    )
    n = len(state.held) + len(held)
    known, ups = np.empty((n, orientation.HELD)), np.empty(n, dtype=np.int8)
    _lengthen(state.held, held, state.risen, how, known, ups)
    return ClipState(
        state.setup, state.grid, state.first, stop, state.given, table, state.waves, state.kept, state.xyz_g,
        state.coverage, known, oriented, smoothed, stretch, state.habits, risen, ups,
    )  # fmt: skip


def _give(state: ClipState, fitted: Model, *, last: bool) -> tuple[ClipState, Epochs]:
    smoothed, chances = smoothing.release(state.smoothing, state.given, last=last)
    n = len(chances)
    if not n:
        return state, Epochs.empty()
    rows = state.table[state.given - state.first : state.given - state.first + n]
    said = _say(state, fitted, chances, state.given, rows, ahead_s=stretches.AHEAD_S)
    a = state.given - state.kept
    coverage = state.coverage[a : a + n]
    going, walking_s, intensity_mg = np.empty(n, dtype=np.bool_), np.empty(n), np.empty(n)
    _moving(said.codes, coverage, rows, going, walking_s, intensity_mg)
    low = max(a - walking.BEFORE_S, 0)
    high = min(a + n + walking.AFTER_S, len(state.coverage))
    wanted = np.zeros(high - low, dtype=np.bool_)
    wanted[a - low : a - low + n] = going
    gait = walking.gait(_with_nan(state.xyz_g[low:high], state.coverage[low:high]), wanted)
    epochs = Epochs(
        np.arange(state.given * SECOND_NS, (state.given + n) * SECOND_NS, SECOND_NS, dtype=np.int64),
        said.codes,
        said.named.posture,
        said.flexion_deg,
        said.lateral_deg,
        walking_s,
        gait.cadence_spm[a - low : a - low + n],
        gait.steps[a - low : a - low + n],
        intensity_mg,
        said.confidence,
        coverage,
        said.neutral,
        said.named.beyond,
    )
    given = state.given + n
    state = ClipState(
        state.setup, state.grid, state.first, state.looked, given, state.table, state.waves, state.kept, state.xyz_g,
        state.coverage, state.held[n:], state.orientation, smoothed, stretches.forget(state.stretch, given),
        said.named.habits, state.rising, state.risen[n:],
    )  # fmt: skip
    return state, epochs


def _live(state: ClipState, fitted: Model) -> LiveSecond | None:
    """Say what the newest look at the stream says."""
    if not len(state.held):
        return None
    said = _say(state, fitted, smoothing.now(state.smoothing), state.looked - 1, state.table[-1:], ahead_s=0)
    now = STATES[int(said.codes[0])]
    axes = state.held[-1]
    newest = len(state.coverage)
    seen = state.coverage[newest - 1] >= grid.ENOUGH
    flexion_deg, cadence_spm = float(said.flexion_deg[0]), math.nan
    if now in (State.WALKING, State.RUNNING):
        row = state.looked - 1 - state.kept
        low = max(row - walking.BEFORE_S, 0)
        wanted = np.zeros(newest - low, dtype=np.bool_)
        wanted[row - low] = True
        gait = walking.gait(_with_nan(state.xyz_g[low:], state.coverage[low:]), wanted)
        cadence_spm = float(gait.cadence_spm[row - low])
    return LiveSecond(
        (state.kept + newest) * SECOND_NS,
        now,
        POSTURES[int(said.named.posture[0])],
        float(said.confidence[0]),
        flexion_deg if seen else math.nan,
        float(said.lateral_deg[0]) if seen else math.nan,
        cadence_spm,
        math.isfinite(axes[orientation.NEUTRAL.start]) and math.isfinite(axes[orientation.FORWARD.start]),
        int(said.neutral[0]),
        tuple(said.named.beyond[0].tolist()),
        float(said.named.chance[0]),
        int(axes[orientation.MOUNT]),
    )


@frozen
class _Said:
    """What is said of seconds, with little or with all of what follows them; columns as those of `Epochs`."""

    codes: NDArray[np.int8]
    confidence: NDArray[np.float64]
    flexion_deg: NDArray[np.float64]
    lateral_deg: NDArray[np.float64]
    neutral: NDArray[np.int8]
    named: Named


def _say(
    state: ClipState,
    fitted: Model,
    chances: NDArray[np.float64],
    first: int,
    leaning: NDArray[np.float64],
    *,
    ahead_s: int,
) -> _Said:
    """Judge the seconds from `first` on by their chances, and name how the trunk is held in them.

    Angles are those of the rows `leaning` of the table: the same seconds, or a newer one than a state can be told of.
    """
    n, place, calibration = len(chances), state.setup.placement, state.setup.calibration
    rows = state.table[first - state.first : first - state.first + n]
    coverage = state.coverage[first - state.kept : first - state.kept + n]
    known = slice(first - state.given, first - state.given + n)
    held = state.held[known]
    codes, confidence, seems = judged(
        chances, coverage, fitted.confidence, state.risen[known], held, rows, place.sees_trunk
    )
    flexion, lateral = orientation.angles(held, leaning)
    poses = calibration.poses if calibration is not None else {}
    named = naming.name(
        Wearing(place, poses, state.habits), state.stretch, first,
        codes=seems, held=held, known=np.isfinite(flexion), ahead_s=ahead_s,
    )  # fmt: skip
    neutral = np.empty(n, dtype=np.int8)
    _neutral(held, flexion, bool(poses), neutral)
    return _Said(codes, confidence, flexion, lateral, neutral, named)


@compiled
def _neutral(held: NDArray[np.float64], flexion_deg: NDArray[np.float64], shown: bool, codes: NDArray[np.int8]) -> None:
    """Tell what the angles are against, as codes of `Neutral`; loops over seconds."""
    for i in range(len(held)):
        own = int(held[i, orientation.OWN]) if np.isfinite(flexion_deg[i]) else 0
        codes[i] = _POSES if shown and own == _TAUGHT else own


@compiled
def _moving(
    codes: NDArray[np.int8], coverage: NDArray[np.float64], rows: NDArray[np.float64],
    going: NDArray[np.bool_], walking_s: NDArray[np.float64], intensity_mg: NDArray[np.float64],
) -> None:  # fmt: skip
    """Tell which seconds are walked or run, how much of each, and how much it moves, milli-g; loops over seconds."""
    for i in range(len(codes)):
        going[i] = codes[i] in (_WALKING, _RUNNING)
        walking_s[i] = coverage[i] if going[i] else 0.0
        intensity_mg[i] = rows[i, statistics.MAD] * 1000.0 if coverage[i] >= grid.ENOUGH else np.nan


@compiled
def _with_nan(xyz_g: NDArray[np.float64], coverage: NDArray[np.float64]) -> NDArray[np.float64]:
    """Give the samples of seconds, shape (25 n, 3), NaN in those of which too little was measured."""
    missing = 0
    for i in range(len(coverage)):
        missing += coverage[i] < grid.ENOUGH
    samples_g = xyz_g.reshape(-1, 3) if missing == 0 else xyz_g.copy().reshape(-1, 3)
    for i in range(len(coverage)):
        if coverage[i] < grid.ENOUGH:
            samples_g[i * RATE_HZ : (i + 1) * RATE_HZ] = np.nan
    return samples_g


@compiled
def _join(
    table: NDArray[np.float64], waves: NDArray[np.float64], xyz_g: NDArray[np.float64], coverage: NDArray[np.float64],
    new_table: NDArray[np.float64], new_waves: NDArray[np.float64], new_xyz_g: NDArray[np.float64],
    new_coverage: NDArray[np.float64], table_out: NDArray[np.float64], waves_out: NDArray[np.float64],
    xyz_out: NDArray[np.float64], coverage_out: NDArray[np.float64],
) -> None:  # fmt: skip
    """Put new seconds after those that are kept, in one call for all arrays: one by one, they cost a stage."""
    _put(table.reshape(-1), new_table.reshape(-1), table_out.reshape(-1))
    _put(waves.reshape(-1), new_waves.reshape(-1), waves_out.reshape(-1))
    _put(xyz_g.reshape(-1), new_xyz_g.reshape(-1), xyz_out.reshape(-1))
    _put(coverage, new_coverage, coverage_out)


@compiled
def _lengthen(
    held: NDArray[np.float64], new_held: NDArray[np.float64], risen: NDArray[np.int8], new_risen: NDArray[np.int8],
    held_out: NDArray[np.float64], risen_out: NDArray[np.int8],
) -> None:  # fmt: skip
    """Do the same for what is known of seconds that are not given yet."""
    _put(held.reshape(-1), new_held.reshape(-1), held_out.reshape(-1))
    _put(risen, new_risen, risen_out)


@compiled
def _put(kept: NDArray[Any], new: NDArray[Any], out: NDArray[Any]) -> None:
    for i in range(len(kept)):
        out[i] = kept[i]
    for i in range(len(new)):
        out[len(kept) + i] = new[i]


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
