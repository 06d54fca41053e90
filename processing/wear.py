"""Whether a clip is worn, and whether what it says can be true.

A clip on a table shows nothing but its own noise; on a body, breathing and balance turn it slowly, even in sleep. So
a second is *still* when, over the minute around it, its mean turns no more than white noise of the size seen within
the seconds would turn it. Of the 21 people of HARTH and HAR70+ one looked so for two and a half minutes (lying), one
for 45 s, one for 35 s, nobody else at all; white noise of 0.5 to 8 mg in steps of 4 mg always does. Published rules
ask for an hour of SD under 3 to 13 mg (PAAT, scikit-digital-health), since they do not look below the noise.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from processing import statistics

DOUBT_S: Final = 90
"""Still for this long: it may not be worn, so no state is claimed."""

NOT_WORN_S: Final = 600
"""Still for this long: not worn."""

THIGH_NOT_WORN_S: Final = 1800
"""Breathing does not move a thigh: lying and sitting may be as still as a table for minutes."""

CONFIDENCE: Final = 0.9
"""How sure `not_worn` is: nobody labelled it in the data at hand, so not surer than this."""

_WINDOW_S: Final = 64
_STILL_G2: Final = 0.0005**2
_NOISE_EXCESS: Final = 1.4
_QUIET_G2: Final = 3 * 0.013**2
_REST_G: Final = (0.5, 1.6)
_DEAD_S: Final = 20
_STUCK_G2: Final = 0.02**2


def still_and_odd(table: NDArray[np.float64], start: int, stop: int) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Judge the rows ``[start, stop)``.

    Returns
    -------
    still
        Nothing but noise around the second.
    odd
        What cannot be a worn clip in order: gravity far from 1 g over a minute (cheap clips read 0.75 to
        1.06 g), an axis that stands still while the others move, or no axis that
        changes at all in twenty of 64 seconds.
    """
    n = stop - start
    low = start - _WINDOW_S + 4
    rows = table[max(low, 0) : min(stop + 3, len(table))]
    columns = np.zeros((7, n + _WINDOW_S - 1))
    here = columns[:, max(-low, 0) : max(-low, 0) + len(rows)]
    gravity = rows[:, statistics.GRAVITY]
    here[0] = rows[:, statistics.COVERED]
    here[1:4] = gravity.T
    here[4] = gravity[:, 0] * gravity[:, 0] + gravity[:, 1] * gravity[:, 1] + gravity[:, 2] * gravity[:, 2]
    total = rows[:, statistics.TOTAL]
    here[5] = (total[:, 0] + total[:, 1]) + (total[:, 2] + total[:, 3])
    here[6] = rows[:, statistics.FLAT] == 3
    width = 1
    while width < _WINDOW_S:
        columns = columns[:, width:] + columns[:, :-width]
        width *= 2
    count = np.maximum(columns[0], 1.0)
    mean = columns[1:5] / count
    size2 = mean[0] * mean[0] + mean[1] * mean[1] + mean[2] * mean[2]
    noise = columns[5] / count
    still = (
        (columns[0] >= _WINDOW_S // 2)
        & (mean[3] - size2 <= np.maximum(_STILL_G2, _NOISE_EXCESS / 25.0 * noise))
        & (noise <= _QUIET_G2)
    )
    own = table[start:stop]
    moved = own[:, statistics.TOTAL]
    stuck = (own[:, statistics.FLAT] > 0) & ((moved[:, 0] + moved[:, 1]) + (moved[:, 2] + moved[:, 3]) > _STUCK_G2)
    rest = (size2 >= _REST_G[0] ** 2) & (size2 <= _REST_G[1] ** 2)
    dead = columns[6] >= _DEAD_S
    here_measured = own[:, statistics.COVERED] > 0
    return still & here_measured, (stuck | dead | ~rest) & here_measured
