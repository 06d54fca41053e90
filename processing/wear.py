"""Whether a clip is worn, and whether what it says can be true.

A clip on a table shows nothing but its own noise; on a body, breathing and balance turn it slowly, even in sleep. So
a second is *still* when, over the minute around it, its mean turns no more than white noise of the size seen within
the seconds would turn it. Of the 21 people of HARTH and HAR70+ one looked so for two and a half minutes (lying), one
for 45 s, one for 35 s, nobody else at all; white noise of 0.5 to 8 mg in steps of 4 mg always does. Published rules
ask for an hour of SD under 3 to 13 mg (PAAT, scikit-digital-health), since they do not look below the noise.
"""

from __future__ import annotations

from typing import Final

from processing.rows import Row, at_least, dot
from processing.windows import COVERED, DEAD, GRAVITY, LONG, NOW, SQUARE, TOTAL, Windows

UNSURE_S: Final = 45
"""Still for this long: it may not be worn, so what is said is not surer than `UNSURE`."""

UNSURE: Final = 0.6
"""How sure a state may be of a clip that may not be worn."""

DOUBT_S: Final = 180
"""Still for this long: it is likely not worn, so no state is claimed."""

NOT_WORN_S: Final = 600
"""Still for this long: not worn."""

THIGH_NOT_WORN_S: Final = 1800
"""Breathing does not move a thigh: lying and sitting may be as still as a table for minutes."""

CONFIDENCE: Final = 0.9
"""How sure `not_worn` is: nobody labelled it in the data at hand, so not surer than this."""

_LEAST_S: Final = 32
"""Measured seconds of the minute without which nothing is judged."""
_STILL_G2: Final = 0.0005**2
_NOISE_EXCESS: Final = 1.4
_QUIET_G2: Final = 3 * 0.013**2
_REST_G: Final = (0.5, 1.6)
_DEAD_S: Final = 20
_STUCK_G2: Final = 0.02**2


def still_and_odd(flat: Row, near: Windows) -> tuple[Row, Row]:
    """Judge seconds by the number of their axes that do not change at all, and by their windows.

    Returns
    -------
    still
        Nothing but noise around the second.
    odd
        What cannot be a worn clip in order: gravity far from 1 g over a minute (cheap clips read 0.75 to
        1.06 g), an axis that stands still while the others move, or no axis that
        changes at all in twenty of 64 seconds.
    """
    minute, count, now = near.rows(LONG), near.seconds(LONG), near.rows(NOW)
    mean = [part / count for part in minute[GRAVITY]]
    size2 = dot(mean, mean)
    noise = _all_bands(minute[TOTAL]) / count
    turning = minute[SQUARE] / count - size2
    still = (minute[COVERED] >= _LEAST_S) & (noise <= _QUIET_G2)
    still &= turning <= at_least(noise * (_NOISE_EXCESS / 25.0), _STILL_G2)
    odd = (size2 < _REST_G[0] ** 2) | (size2 > _REST_G[1] ** 2) | (minute[DEAD] >= _DEAD_S)
    odd |= (flat > 0) & (_all_bands(now[TOTAL]) > _STUCK_G2)
    measured = now[COVERED] > 0
    return still & measured, odd & measured


def _all_bands(total: list[Row]) -> Row:
    return (total[0] + total[1]) + (total[2] + total[3])
