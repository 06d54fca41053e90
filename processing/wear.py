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

from processing.activity import UPRIGHT
from processing.compiled import borrowing, compiled
from processing.epochs import State
from processing.windows import COVERED, DEAD, GRAVITY, SQUARE, TOTAL

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

_DOUBT: Final = 0.5
"""How sure what is taken back may still be called: as likely wrong as right."""

_LEAST_S: Final = 32
"""Measured seconds of the minute without which nothing is judged."""
_STILL_G2: Final = 0.0005**2
_NOISE_EXCESS: Final = 1.4
_QUIET_G2: Final = 3 * 0.013**2
_REST_G: Final = (0.5, 1.6)
_DEAD_S: Final = 20
_STUCK_G2: Final = 0.02**2
_UNKNOWN: Final = State.UNKNOWN.code
_NOT_WORN: Final = State.NOT_WORN.code


@borrowing
def still_and_odd(flat: float, now: NDArray[np.float64], minute: NDArray[np.float64], i: int) -> tuple[bool, bool]:
    """Judge a second by the number of its axes that do not change at all, and by its windows.

    Parameters
    ----------
    flat
        Axes of the second that do not change.
    now, minute
        Shape (n, `windows.SUMS`): the windows `windows.NOW` and `windows.LONG` of seconds.
    i
        The second's number among them.

    Returns
    -------
    still
        Nothing but noise around the second.
    odd
        What cannot be a worn clip in order: gravity far from 1 g over a minute (cheap clips read 0.75 to
        1.06 g), an axis that stands still while the others move, or no axis that
        changes at all in twenty of 64 seconds.
    """
    if not now[i, COVERED] > 0:
        return False, False
    size2 = _size2(minute, i)
    still = minute[i, COVERED] >= _LEAST_S and nothing_but_noise(minute, i, _NOISE_EXCESS)
    odd = size2 < _REST_G[0] ** 2 or size2 > _REST_G[1] ** 2 or minute[i, DEAD] >= _DEAD_S
    odd = odd or (flat > 0 and _all_bands(now, i) > _STUCK_G2)
    return still, odd


@borrowing
def nothing_but_noise(sums: NDArray[np.float64], i: int, excess: float) -> bool:
    """Tell whether a window's mean turns no more than white noise of the size seen within its seconds would turn it.

    Few seconds tell the size of the turning badly: `excess` is how much more of it may be chance.
    """
    seconds = max(sums[i, COVERED], 1.0)
    noise = _all_bands(sums, i) / seconds
    turning = sums[i, SQUARE] / seconds - _size2(sums, i)
    return bool(noise <= _QUIET_G2 and turning <= max(noise * (excess / 25.0), _STILL_G2))


@borrowing
def _size2(sums: NDArray[np.float64], i: int) -> float:
    """Squared size of a window's mean specific force."""
    seconds, size2 = max(sums[i, COVERED], 1.0), 0.0
    for axis in range(GRAVITY.start, GRAVITY.stop):
        mean = sums[i, axis] / seconds
        size2 += mean * mean
    return size2


@borrowing
def _all_bands(sums: NDArray[np.float64], i: int) -> float:
    first = TOTAL.start
    return float((sums[i, first] + sums[i, first + 1]) + (sums[i, first + 2] + sums[i, first + 3]))


@compiled
def worn(
    codes: NDArray[np.int8],
    confidence: NDArray[np.float64],
    still_s: NDArray[np.float64],
    odd: NDArray[np.float64],
    upright: NDArray[np.int64],
    sees_trunk: bool,
) -> tuple[NDArray[np.int8], NDArray[np.float64]]:
    """Take back what is said of a clip that is not worn, may not be, or is out of order.

    Parameters
    ----------
    codes, confidence
        Shape (n,): states as the body tells them.
    still_s, odd
        Shape (n,): seconds of nothing but noise so far; whether it cannot be a clip in order.
    upright
        Shape (n,): how upright is known, from `orientation.upright`.
    sees_trunk
        Whether the clip is worn where breathing moves it; a thigh may be as still as a table.
    """
    unsure_s, doubt_s = (UNSURE_S, DOUBT_S) if sees_trunk else (NOT_WORN_S, NOT_WORN_S)
    off_s = NOT_WORN_S if sees_trunk else THIGH_NOT_WORN_S
    codes, confidence = codes.copy(), confidence.copy()
    for i in range(len(codes)):
        unsure = odd[i] > 0 or still_s[i] >= unsure_s
        unwalked = upright[i] < UPRIGHT - 1  # then no rest is claimed on `UNSURE` alone
        if odd[i] > 0 or still_s[i] >= doubt_s or (unsure and unwalked):
            codes[i], confidence[i] = _UNKNOWN, min(confidence[i], _DOUBT)
        elif unsure:
            confidence[i] = min(confidence[i], UNSURE)
        if still_s[i] >= off_s:
            codes[i], confidence[i] = _NOT_WORN, CONFIDENCE
    return codes, confidence
