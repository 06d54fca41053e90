"""From the chances of states to what is said of seconds: one rule after another, the last word to the last.

The likeliest state first; then what the stories of rests and sitting tall have shown; then what a clip in a bag or a
car could bring about as well; then whether the clip is worn at all; and last what nobody can know before a walk.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from processing import activity, carried, grid, orientation, rest_claims, seat, wear
from processing.compiled import compiled


@compiled
def judge(
    chances: NDArray[np.float64],
    coverage: NDArray[np.float64],
    sureness: NDArray[np.float64],
    stories: NDArray[np.float64],
    held: NDArray[np.float64],
    table: NDArray[np.float64],
    lean: float,
    sees_trunk: bool,
    codes_out: NDArray[np.int8],
    confidence_out: NDArray[np.float64],
    seems: NDArray[np.int8],
) -> None:
    """Say the state of seconds, how sure that is, and what it seems to be: apply one rule after another to all of them.

    Parameters
    ----------
    chances, coverage
        Shapes (n, classes) and (n,): chance of each of `activity.CLASSES`; share that was measured.
    sureness
        How often a chance is right: `activity.Model.confidence`.
    stories
        Shape (n, 4), from `rests.follow`.
    held, table
        Shapes (n, `orientation.HELD`) and (n, `statistics.COLUMNS`), the same seconds.
    lean
        Log odds that standing must have over sitting: `activity.lean`.
    sees_trunk
        Whether the clip is worn on the trunk: a thigh tells sitting, and may be as still as a table.
    codes_out, confidence_out, seems
        Shape (n,), to be filled: codes of states and confidence; and the codes with sitting left in that may as well be
        standing, since how a trunk is held may be told where it is not known which of the two it does.
    """
    n = len(chances)
    upright = orientation.upright(held)
    still_s, odd, against = np.empty(n), np.empty(n), np.empty(n, dtype=np.int64)
    covered = np.empty(n, dtype=np.bool_)
    for i in range(n):
        covered[i] = coverage[i] >= grid.ENOUGH
        still_s[i], against[i] = held[i, orientation.STILL_S], int(held[i, orientation.ODD])
        odd[i] = against[i] % 2
    codes, confidence = activity.decide(chances, covered, upright, lean, sureness, sees_trunk)
    unsure = np.zeros(n, dtype=np.bool_)
    if sees_trunk:
        codes, confidence, unsure = rest_claims.told(codes, confidence, stories, chances, covered, upright, held, table)
        codes, confidence = seat.laid(codes, confidence, held, table)
    codes, confidence = seat.seated(codes, confidence, held, table)
    if sees_trunk:
        codes, confidence = carried.doubted(codes, confidence, against)
    codes, confidence = wear.worn(codes, confidence, still_s, odd, upright, sees_trunk)
    for i in range(n):
        seems[i] = codes[i]
    if sees_trunk:
        codes = rest_claims.unsaid(codes, unsure)
    for i in range(n):
        codes_out[i], confidence_out[i] = codes[i], confidence[i]
