"""Seconds described by themselves: how the clip sits in each, and how likely each state is by what is seen around it.

One loop after the other goes over the seconds, all of them called at once: for a single second, to call each by itself
costs more than its work.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from processing import activity, clip_state, features, orientation, statistics, windows
from processing.activity import Model
from processing.clip_state import ClipState
from processing.compiled import compiled
from processing.features import Lengths
from processing.frozen import frozen
from processing.orientation import Marks, Mounting, OrientationState

_RHYTHM: Final = len(features.RHYTHM)
_FEATURES: Final = len(features.NAMES)


@frozen
class Description:
    """What is said of n seconds.

    Attributes
    ----------
    orientation
        What is known of the mounting after them.
    held
        Shape (w + n, `orientation.HELD`), the mounting in each of them, after the w rows that the state holds already.
    log_chances
        Shape (n, classes), from `activity.chances`.
    covered, turning
        Shape (n,): whether enough was measured, and the feature ``turning``.
    """

    orientation: OrientationState
    held: NDArray[np.float64]
    log_chances: NDArray[np.float64]
    covered: NDArray[np.bool_]
    turning: NDArray[np.float64]


def describe(state: ClipState, fitted: Model, start: int, stop: int) -> Description:
    """Describe the rows ``[start, stop)`` of the table, and write there how much they are like walking."""
    n, lead, mounting = stop - start, min(start, 1), orientation.opened(state.orientation, state.looked)
    held = np.empty((len(state.held) + n, orientation.HELD))
    log_chances, covered, turning = np.empty((n, len(activity.CLASSES))), np.empty(n, dtype=np.bool_), np.empty(n)
    # a thigh swings forward and back once a stride
    swung_g = state.xyz_g if state.setup.placement.sees_trunk else state.xyz_g[:0]
    marks = _describe(
        state.table, start, clip_state.waves(state, lead), lead, state.looked, features.LENGTHS, mounting, swung_g,
        state.kept - state.first, (fitted.walk, fitted.hidden, fitted.hidden_bias, fitted.out.T, fitted.out_bias),
        fitted.walk_bias, state.held, held, log_chances, covered, turning,
    )  # fmt: skip
    return Description(orientation.closed(state.orientation, mounting, marks), held, log_chances, covered, turning)


@compiled
def _describe(
    table: NDArray[np.float64],
    start: int,
    waves: NDArray[np.float64],
    lead: int,
    first: int,
    lengths: Lengths,
    mounting: Mounting,
    xyz_g: NDArray[np.float64],
    begins: int,
    weights: tuple[NDArray[np.float64], ...],
    walk_bias: float,
    before: NDArray[np.float64],
    held: NDArray[np.float64],
    log_chances: NDArray[np.float64],
    covered: NDArray[np.bool_],
    turning: NDArray[np.float64],
) -> Marks:
    """Go through the stages; the first second is row `start` of the table and row `lead` of the waves.

    `held` becomes what was known `before`, and what is known now.
    """
    n = len(covered)
    walk, hidden, hidden_bias, out, out_bias = weights
    folded = windows.around(table, start, start + n)
    rhythm, described = np.empty((n, _RHYTHM)), np.empty((n, _FEATURES))
    likeness = np.empty(n)
    features.fill_rhythm(waves, lead, folded, lengths, rhythm)
    activity.fill_likeness(rhythm, walk, walk_bias, table[start : start + n], likeness)
    for i in range(n):
        table[start + i, statistics.WALK] = likeness[i]
    for i in range(len(before)):
        for k in range(orientation.HELD):
            held[i, k] = before[i, k]
    mine = held[len(before) :]
    marks = orientation.follow(mounting, first, table, start, folded, xyz_g, begins, mine)
    features.fill(table, rhythm, mine, start, folded, lengths, described)
    activity.fill_chances(described, hidden, hidden_bias, out, out_bias, log_chances)
    for i in range(n):
        covered[i] = table[start + i, statistics.COVERED] > 0
        turning[i] = described[i, features.TURNING]
    return marks
