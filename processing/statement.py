"""What is said of seconds of one clip: what the body does, how the trunk is held, and how sure that is."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from processing import activity, grid, judgement, naming, orientation, statistics
from processing.activity import Model
from processing.clip_state import ClipState
from processing.compiled import compiled
from processing.epochs import Neutral, State
from processing.frozen import frozen
from processing.naming import Named

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
    n, setup, place = len(chances), state.setup, state.setup.placement
    row, sample, waiting = first - state.first, first - state.kept, first - state.given
    held = state.held[waiting : waiting + n]
    codes, numbers, trunk = np.empty((2, n), dtype=np.int8), np.empty((3, n)), naming.room(n, learns=ahead_s > 0)
    at = _say(
        chances, state.coverage[sample : sample + n], fitted.confidence, state.stories[waiting : waiting + n], held,
        state.table[row : row + n], leaning, activity.lean(place), place.sees_trunk, bool(setup.poses),
        state.stretch.rows, first - state.stretch.first, ahead_s,
        codes, numbers, trunk.rests, trunk.gravity, trunk.fine, trunk.closes,
    )  # fmt: skip
    named = naming.name(setup, state.habits, trunk, held, at)
    (said, neutral), (confidence, flexion_deg, lateral_deg) = codes, numbers
    return Statement(said, confidence, flexion_deg, lateral_deg, neutral, named)


@compiled
def _say(
    chances: NDArray[np.float64],
    coverage: NDArray[np.float64],
    sureness: NDArray[np.float64],
    stories: NDArray[np.float64],
    held: NDArray[np.float64],
    table: NDArray[np.float64],
    leaning: NDArray[np.float64],
    lean: float,
    sees_trunk: bool,
    shown: bool,
    stretch: NDArray[np.float64],
    skip: int,
    ahead_s: int,
    codes: NDArray[np.int8],
    numbers: NDArray[np.float64],
    rests: NDArray[np.int8],
    gravity: NDArray[np.float64],
    fine: NDArray[np.int8],
    closes: NDArray[np.bool_],
) -> int:
    """Do all of `say` but the names, in one call; gives the first second to be named, n without any.

    `codes` become those of states and of `Neutral`; `numbers` confidence, flexion and lateral lean.
    """
    seems = np.empty(len(chances), dtype=np.int8)
    judgement.judge(chances, coverage, sureness, stories, held, table, lean, sees_trunk, codes[0], numbers[0], seems)
    orientation.angles(held, leaning, numbers[1], numbers[2])
    _neutral(held, numbers[1], shown, codes[1])
    return naming.look(seems, numbers[1], held, stretch, skip, ahead_s, rests, gravity, fine, closes)


@compiled
def _neutral(held: NDArray[np.float64], flexion_deg: NDArray[np.float64], shown: bool, codes: NDArray[np.int8]) -> None:
    """Tell what the angles are against, as codes of `Neutral`; loops over seconds."""
    for i in range(len(held)):
        own = int(held[i, orientation.OWN]) if np.isfinite(flexion_deg[i]) else 0
        codes[i] = _POSES if shown and own == _TAUGHT else own


@frozen
class Moved:
    """Which of n seconds are walked or run, and whether any; how much of each; and how much it moves, milli-g."""

    going: NDArray[np.bool_]
    anywhere: bool
    walking_s: NDArray[np.float64]
    intensity_mg: NDArray[np.float64]


def moving(codes: NDArray[np.int8], coverage: NDArray[np.float64], rows: NDArray[np.float64]) -> Moved:
    """Tell how seconds of these states were moved in; `rows` are theirs of the table."""
    n = len(codes)
    going, walking_s, intensity_mg = np.empty(n, dtype=np.bool_), np.empty(n), np.empty(n)
    anywhere = _moving(codes, coverage, rows, going, walking_s, intensity_mg)
    return Moved(going, anywhere, walking_s, intensity_mg)


@compiled
def _moving(
    codes: NDArray[np.int8], coverage: NDArray[np.float64], rows: NDArray[np.float64],
    going: NDArray[np.bool_], walking_s: NDArray[np.float64], intensity_mg: NDArray[np.float64],
) -> bool:  # fmt: skip
    """Loop over seconds; tells whether any is walked or run."""
    anywhere = False
    for i in range(len(codes)):
        going[i] = codes[i] in (_WALKING, _RUNNING)
        anywhere = anywhere or going[i]
        walking_s[i] = coverage[i] if going[i] else 0.0
        intensity_mg[i] = rows[i, statistics.MAD] * 1000.0 if coverage[i] >= grid.ENOUGH else np.nan
    return anywhere
