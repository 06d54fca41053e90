"""What is said of seconds of one clip: what the body does, how the trunk is held, and how sure that is."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from processing import activity, grid, naming, orientation, statistics
from processing.activity import Model
from processing.clip_state import ClipState
from processing.compiled import compiled
from processing.epochs import Neutral, State
from processing.frozen import frozen
from processing.judgement import judged
from processing.naming import Named, Wearing

_WALKING: Final = State.WALKING.code
_RUNNING: Final = State.RUNNING.code
_TAUGHT: Final = Neutral.TAUGHT.value
_POSES: Final = Neutral.POSES.value


@frozen
class Statement:
    """What is said of seconds, with little or with all of what follows them; columns as those of `Epochs`."""

    codes: NDArray[np.int8]
    confidence: NDArray[np.float64]
    flexion_deg: NDArray[np.float64]
    lateral_deg: NDArray[np.float64]
    neutral: NDArray[np.int8]
    named: Named


def say(
    state: ClipState,
    fitted: Model,
    chances: NDArray[np.float64],
    first: int,
    leaning: NDArray[np.float64],
    *,
    ahead_s: int,
) -> Statement:
    """Judge the seconds from `first` on by their chances, and name how the trunk is held in them.

    Angles are those of the rows `leaning` of the table: the same seconds, or a newer one than a state can be told of.
    """
    n, place, calibration = len(chances), state.setup.placement, state.setup.calibration
    rows = state.table[first - state.first : first - state.first + n]
    coverage = state.coverage[first - state.kept : first - state.kept + n]
    known = slice(first - state.given, first - state.given + n)
    held = state.held[known]
    codes, confidence, seems = judged(
        chances, coverage, fitted.confidence, state.stories[known], held, rows, activity.lean(place), place.sees_trunk
    )
    flexion, lateral = orientation.angles(held, leaning)
    poses = calibration.poses if calibration is not None else {}
    named = naming.name(
        Wearing(place, poses, state.habits), state.stretch, first,
        codes=seems, held=held, known=np.isfinite(flexion), ahead_s=ahead_s,
    )  # fmt: skip
    neutral = np.empty(n, dtype=np.int8)
    _neutral(held, flexion, bool(poses), neutral)
    return Statement(codes, confidence, flexion, lateral, neutral, named)


@compiled
def _neutral(held: NDArray[np.float64], flexion_deg: NDArray[np.float64], shown: bool, codes: NDArray[np.int8]) -> None:
    """Tell what the angles are against, as codes of `Neutral`; loops over seconds."""
    for i in range(len(held)):
        own = int(held[i, orientation.OWN]) if np.isfinite(flexion_deg[i]) else 0
        codes[i] = _POSES if shown and own == _TAUGHT else own


def moving(
    codes: NDArray[np.int8], coverage: NDArray[np.float64], rows: NDArray[np.float64]
) -> tuple[NDArray[np.bool_], NDArray[np.float64], NDArray[np.float64]]:
    """Tell which seconds are walked or run, how much of each, and how much it moves, milli-g."""
    n = len(codes)
    going, walking_s, intensity_mg = np.empty(n, dtype=np.bool_), np.empty(n), np.empty(n)
    _moving(codes, coverage, rows, going, walking_s, intensity_mg)
    return going, walking_s, intensity_mg


@compiled
def _moving(
    codes: NDArray[np.int8], coverage: NDArray[np.float64], rows: NDArray[np.float64],
    going: NDArray[np.bool_], walking_s: NDArray[np.float64], intensity_mg: NDArray[np.float64],
) -> None:  # fmt: skip
    """Loop over seconds."""
    for i in range(len(codes)):
        going[i] = codes[i] in (_WALKING, _RUNNING)
        walking_s[i] = coverage[i] if going[i] else 0.0
        intensity_mg[i] = rows[i, statistics.MAD] * 1000.0 if coverage[i] >= grid.ENOUGH else np.nan
