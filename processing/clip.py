"""One clip from samples to seconds: the streaming core, the same code for one second and for a fortnight.

A second is looked at when the three after it are there, and is final at most 15 s after the newest sample. Work is
done in slices of bounded length, so memory does not grow with a recording.
"""

from __future__ import annotations

import math
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from processing import (
    activity,
    clip_state,
    description,
    grid,
    orientation,
    posture,
    rests,
    smoothing,
    statement,
    stretches,
    walking,
    windows,
)
from processing.activity import Model
from processing.clip_state import ClipSetup, ClipState, begin
from processing.compiled import compiled
from processing.epochs import POSTURES, STATES, Epochs, Posture, State
from processing.frozen import frozen
from processing.grid import RATE_HZ, SECOND_NS
from processing.samples import Block

__all__ = ["ClipOutput", "ClipSetup", "ClipState", "LiveSecond", "begin", "finish", "step"]

MAX_SILENCE_S: Final = 7 * 86400
"""Seconds of silence that are written out second by second as unknown; after a longer one the table starts anew."""

_SLICE: Final = 2700
"""Seconds that are worked on together: with fewer there are more calls; with more, tables leave the processor's
cache."""

_LONG: Final = 16384
"""Samples of a block that is not of a stream: five minutes and more."""

_KEPT_BYTES: Final = 24 * 2**20
"""No table of a slice is as large."""

_THIS: Final = np.ones(1, dtype=np.bool_)


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


def step(state: ClipState, block: Block, fitted: Model | None = None) -> tuple[ClipState, ClipOutput]:
    """Take samples in; hand out what has become final and what is so now.

    `fitted` stands in for the shipped numbers, for measuring on people whom a fit has not seen.
    """
    fitted = fitted or activity.load(state.setup.placement)
    finals: list[Epochs] = []
    if len(block) > _LONG:
        _keep_memory()
    before = state.looked
    for low, high in block.cuts(_SLICE * SECOND_NS):
        state, final = _advance(state, block.slice(low, high), fitted, last=False)
        finals += final
    live = _live(state, fitted) if state.looked != before else None
    return clip_state.forget(state), ClipOutput(Epochs.concat(finals), live)


@cache
def _keep_memory() -> None:
    """Have the C library keep memory that one slice lets go of for the next one; once in a process is enough.

    glibc gives large blocks back to the system and fetches fresh pages for the next ones, until it has let go of a
    block as large as they are (``M_MMAP_THRESHOLD`` in mallopt(3)): a tenth of the time of a long recording.
    """
    np.empty(_KEPT_BYTES, dtype=np.uint8)


def finish(state: ClipState, fitted: Model | None = None) -> ClipOutput:
    """Hand out what is still held back, with what is known by now."""
    fitted = fitted or activity.load(state.setup.placement)
    _, finals = _advance(state, Block.empty(), fitted, last=True)
    return ClipOutput(Epochs.concat(finals), None)


def _advance(state: ClipState, block: Block, fitted: Model, *, last: bool) -> tuple[ClipState, list[Epochs]]:
    """Take in a slice."""
    finals: list[Epochs] = []
    if len(block.t_ns) and len(state.grid.t_ns):
        silence_ns = block.t_ns.item(0) - state.grid.t_ns.item(-1)
        if silence_ns > MAX_SILENCE_S * SECOND_NS:
            finals.append(finish(state, fitted).final)
            state = begin(state.setup)
    before, state = state.table, clip_state.append(state, block, last=last)
    if state.table is not before:
        state, final = _give(_look(state, fitted, last=last), fitted, last=last)
        finals.append(final)
    return state, finals


def _look(state: ClipState, fitted: Model, *, last: bool) -> ClipState:
    """Features and chances of every second whose look-ahead is there."""
    stop = state.first + len(state.table) - (0 if last else windows.AHEAD_S)
    if stop <= state.looked:
        return state
    a, b = state.looked - state.first, stop - state.first
    table = state.table  # new, from `clip_state.append`
    place = state.setup.placement
    found = description.describe(state, fitted, a, b)
    held, log_chances = found.held[len(state.held) :], found.log_chances
    seen = stretches.Looked(state.looked, a, b, table, state.xyz_g[state.looked - state.kept :], held)
    stretch = stretches.look(state.stretch, seen, posture.fine_model(place)) if place.sees_trunk else state.stretch
    smoothed = smoothing.observe(state.smoothing, log_chances, found.covered, found.turning)
    if place in rests.PLACES:
        begins, waiting = state.kept - state.first, state.stories
        if len(waiting) != len(state.held):  # a checkpoint of before there were stories
            waiting = np.zeros((len(state.held), rests.COLUMNS))
        rested, stories = rests.follow(
            state.rests, state.looked, table, a, log_chances, held, state.xyz_g, begins, waiting
        )  # fmt: skip
    else:
        rested, stories = state.rests, np.zeros((len(found.held), rests.COLUMNS))
    return ClipState(
        state.setup, state.grid, state.first, stop, state.given, table, state.waves, state.kept, state.xyz_g,
        state.coverage, found.held, found.orientation, smoothed, stretch, state.habits, rested, stories,
    )  # fmt: skip


def _give(state: ClipState, fitted: Model, *, last: bool) -> tuple[ClipState, Epochs]:
    smoothed, chances = smoothing.release(state.smoothing, state.given, last=last)
    n = len(chances)
    if not n:
        return state, Epochs.empty()
    rows = state.table[state.given - state.first : state.given - state.first + n]
    said = statement.say(state, fitted, chances, state.given, rows, ahead_s=stretches.AHEAD_S)
    a = state.given - state.kept
    coverage = state.coverage[a : a + n]
    moved = statement.moving(said.codes, coverage, rows)
    steps, cadence_spm = _steps(state, a, moved.going) if moved.anywhere else (np.zeros(n), np.full(n, np.nan))
    epochs = Epochs(
        np.arange(state.given * SECOND_NS, (state.given + n) * SECOND_NS, SECOND_NS, dtype=np.int64),
        said.codes,
        said.named.posture,
        said.flexion_deg,
        said.lateral_deg,
        moved.walking_s,
        cadence_spm,
        steps,
        moved.intensity_mg,
        said.confidence,
        coverage,
        said.neutral,
        said.named.beyond,
    )
    given = state.given + n
    state = ClipState(
        state.setup, state.grid, state.first, state.looked, given, state.table, state.waves, state.kept, state.xyz_g,
        state.coverage, state.held[n:], state.orientation, smoothed, stretches.forget(state.stretch, given),
        said.named.habits, state.rests, state.stories[n:],
    )  # fmt: skip
    return state, epochs


def _live(state: ClipState, fitted: Model) -> LiveSecond | None:
    """Say what the newest look at the stream says."""
    if not len(state.held):
        return None
    said = statement.say(state, fitted, smoothing.now(state.smoothing), state.looked - 1, state.table[-1:], ahead_s=0)
    now, axes, newest = STATES[said.codes.item(0)], state.held[-1], len(state.coverage)
    seen = state.coverage.item(newest - 1) >= grid.ENOUGH
    cadence_spm = math.nan
    if now in (State.WALKING, State.RUNNING):
        cadence_spm = _steps(state, state.looked - 1 - state.kept, _THIS)[1].item(0)
    return LiveSecond(
        (state.kept + newest) * SECOND_NS,
        now,
        POSTURES[said.named.posture.item(0)],
        said.confidence.item(0),
        said.flexion_deg.item(0) if seen else math.nan,
        said.lateral_deg.item(0) if seen else math.nan,
        cadence_spm,
        math.isfinite(axes.item(orientation.NEUTRAL.start)) and math.isfinite(axes.item(orientation.FORWARD.start)),
        said.neutral.item(0),
        tuple(said.named.beyond[0].tolist()),
        said.named.chance.item(0),
        int(axes.item(orientation.MOUNT)),
    )


def _steps(state: ClipState, a: int, going: NDArray[np.bool_]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Count the steps, and find the cadence, of seconds that are walked or run, from the row `a` of samples on."""
    n = len(going)
    low, high = max(a - walking.BEFORE_S, 0), min(a + n + walking.AFTER_S, len(state.coverage))
    wanted = np.zeros(high - low, dtype=np.bool_)
    wanted[a - low : a - low + n] = going
    gait = walking.gait(_with_nan(state.xyz_g[low:high], state.coverage[low:high]), wanted)
    return gait.steps[a - low : a - low + n], gait.cadence_spm[a - low : a - low + n]


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
