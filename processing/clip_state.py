"""What is carried of one clip from step to step, and how it grows by new seconds and lets go of old ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from processing import grid, habits, orientation, rests, smoothing, statistics, stretches, walking, windows
from processing.frozen import frozen, replace
from processing.grid import RATE_HZ, GridState, Seconds
from processing.habits import Habits
from processing.orientation import OrientationState
from processing.rests import RestState
from processing.samples import Block
from processing.smoothing import SmoothingState
from processing.stretches import StretchState
from spineclip.contract.config import Calibration
from spineclip.contract.placement import Placement

_HISTORY: Final = windows.BEFORE_S + 2
_WAVES: Final = 2 * len(statistics.WAVE_HZ)
_NO_POSES: Final[Mapping[str, tuple[float, float, float]]] = {}
_MOST: Final = 8
"""Seconds that nothing ahead depends on, above which a state is not carried on without letting go of them."""


@dataclass(frozen=True, slots=True)
class ClipSetup:
    """Where a clip is worn and what has been told about how it sits there."""

    placement: Placement
    axes: Mapping[str, str] = field(default_factory=dict)
    calibration: Calibration | None = None

    @property
    def poses(self) -> Mapping[str, tuple[float, float, float]]:
        """Mean specific force in the poses that the wearer has shown, by name, in sensor axes."""
        return _NO_POSES if self.calibration is None else self.calibration.poses


@frozen
class ClipState:
    """Everything that is carried from step to step; small, and made of plain values and arrays.

    Rows of `table` are the seconds from `first` on, those of `xyz_g` and `coverage` from `kept` on, those of `held`
    and `stories` from `given` on; `waves` has the newest of the same seconds. `looked` and `given` count, as seconds
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
    rests: RestState = field(default_factory=RestState)
    stories: NDArray[np.float64] = field(default_factory=lambda: np.empty((0, rests.COLUMNS)))


def begin(setup: ClipSetup) -> ClipState:
    """Return the state of a clip before its first sample."""
    neutral = None if setup.calibration is None else setup.calibration.neutral
    table, waves = np.empty((0, statistics.COLUMNS)), np.empty((0, _WAVES))
    return ClipState(
        setup, grid.begin(), 0, 0, 0, table, waves, 0, np.empty((0, RATE_HZ, 3)), np.empty(0),
        np.empty((0, orientation.HELD)), orientation.begin(setup.axes, neutral, setup.placement), smoothing.begin(),
    )  # fmt: skip


def append(state: ClipState, block: Block, *, last: bool = False) -> ClipState:
    """Add the seconds that samples finish, and let go of those that nothing ahead depends on.

    With `last`, the second that has begun is added as well. The table is a new one if it has become longer, or `last`.
    """
    rows, samples = _done(state)
    kept = Seconds(state.kept + samples, state.xyz_g[samples:], state.coverage[samples:])
    gridded, seconds = grid.step(state.grid, block, last=last, kept=kept)
    held, n = len(kept.coverage), len(seconds.coverage)
    if n == held and not last:
        return replace(state, grid=gridded)
    table, tones = statistics.statistics(seconds, state.table[rows:], waves(state, 1), start=held)
    begun = (state.first + rows, state.looked, state.given) if len(state.table) else (seconds.first,) * 3
    return ClipState(
        state.setup, gridded, *begun, table, tones, seconds.first, seconds.xyz_g, seconds.coverage, state.held,
        state.orientation, state.smoothing, state.stretch, state.habits, state.rests, state.stories,
    )  # fmt: skip


def waves(state: ClipState, lead: int) -> NDArray[np.float64]:
    """Return the waves of the seconds that were not looked at yet, with so many before them."""
    ahead = state.first + len(state.table) - state.looked + lead
    return state.waves[max(len(state.waves) - ahead, 0) :]


def forget(state: ClipState) -> ClipState:
    """Let go of seconds that nothing ahead depends on, once there are many of them."""
    rows, samples = _done(state)
    if max(rows, samples) <= _MOST:
        return state
    return replace(
        state,
        first=state.first + rows,
        table=state.table[rows:].copy(),
        kept=state.kept + samples,
        waves=waves(state, 1).copy(),
        xyz_g=state.xyz_g[samples:].copy(),
        coverage=state.coverage[samples:].copy(),
    )


def _done(state: ClipState) -> tuple[int, int]:
    """How many rows of the table, and how many of the samples, nothing ahead depends on."""
    rows = max(min(state.given, state.looked - _HISTORY) - state.first, 0)
    return rows, max(state.given - walking.BEFORE_S - state.kept, 0)
