"""A clip that moves without being worn: in a bag, in a car, in a train.

One accelerometer cannot tell a bag that is carried from the trunk of its bearer: both go with the same steps. But some
claims contradict themselves, and others are no surer than what was seen of a body:

* nobody sits or lies while the trunk is shaken as by steps, and nobody walks, runs, cycles or stands for seconds with
  the trunk across to their own upright: then nothing is claimed;
* a body at rest is neither shaken nor as still as a table: breath, heart and balance move it. A claim of rest is sure
  only where the quarter of a minute around it shows that, and a claim of movement only once some seconds of it were
  seen since the clip was put on as it is;
* a body that lies is moved by its breath alone, not by wheels; half a walk is no sure ride on a bicycle; and who goes
  goes upright, as they did before.

Of 93,000 seconds worn by 26 people (HARTH, HAR70+, Daily and Sports Activities) the first rule takes back two. What
the others take is certainty, never a state: no patient's data is lost because they ride in a car or carry a bag.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from processing import statistics, wear
from processing.compiled import borrowing, compiled
from processing.epochs import State
from processing.windows import COVERED, GRAVITY, TOTAL

UNPROVEN: Final = 0.85
"""No claim is surer that a clip in a bag or a car could bring about as well (our choice: less than 0.9)."""

PROVEN_S: Final = 10
"""Seconds of a body at rest, since the clip was put on as it is, from which on movement may be surely the wearer's."""

LIFELESS: Final = 2
SHAKEN: Final = 4
TREMBLING: Final = 8
ACROSS: Final = 16
STEPPING: Final = 32
UNSEEN: Final = 64
ASLANT: Final = 128
"""Signs against a worn clip, added up beside `processing.wear`'s odd (1): the seconds around are not a body's rest; too
shaken to sit or lie; too shaken to be surely lying; across to the wearer's upright; much like walking; no body at rest
was seen yet; far from the wearer's upright."""

_LEAST_S: Final = 12
_EXCESS: Final = 2.0  # turning against that of white noise: of 16 seconds, one in four is its standard error
_CALM_G2: Final = 0.06**2
_SHAKEN_G2: Final = 0.2**2  # of all axes, 1 Hz and above; every other second of walking in HARTH and HAR70+ has more
_TREMBLING_G2: Final = 0.015**2  # 95 of 100 surely lying seconds of HARTH and HAR70+ stay below; a train has more
_ACROSS_COS: Final = math.cos(math.radians(75.0))
_ASLANT_COS: Final = math.cos(math.radians(40.0))
_STEPPING: Final = 0.3
_WALK_S: Final = 16
_DOUBT: Final = 0.5
_SITTING: Final = State.SITTING.code
_LYING: Final = State.LYING.code
_STANDING: Final = State.STANDING.code
_CYCLING: Final = State.CYCLING.code
_ACTIVE: Final = State.ACTIVE.code
_UNKNOWN: Final = State.UNKNOWN.code
_GOING: Final = (State.WALKING.code, State.RUNNING.code, _CYCLING)


@borrowing
def signs(table: NDArray[np.float64], at: int, short: NDArray[np.float64], i: int, up: NDArray[np.float64]) -> int:
    """Look for signs against a worn clip, all but `UNSEEN`.

    Parameters
    ----------
    table, at
        Shape (m, `statistics.COLUMNS`), and the second's row in it.
    short, i
        Shape (n, `windows.SUMS`): the windows `windows.SHORT` of seconds, and the second's number among them.
    up
        Shape (3,): the wearer's upright in sensor axes; NaN where it is not surely known.
    """
    seconds = max(short[i, COVERED], 1.0)
    shaking = 0.0
    for band in range(TOTAL.start + 1, TOTAL.stop):
        shaking += short[i, band] / seconds
    found = 0
    still = wear.nothing_but_noise(short, i, _EXCESS)
    if still or short[i, COVERED] < _LEAST_S or shaking > _CALM_G2:
        found += LIFELESS
    if shaking > _TREMBLING_G2:
        found += TREMBLING
    if shaking > _SHAKEN_G2:
        found += SHAKEN
    along, size2, upright2, steps = 0.0, 0.0, 0.0, 0.0
    for axis in range(3):
        mean = short[i, GRAVITY.start + axis] / seconds
        along += mean * up[axis]
        size2 += mean * mean
        upright2 += up[axis] * up[axis]
    if along < _ACROSS_COS * math.sqrt(size2 * upright2):
        found += ACROSS
    if along < _ASLANT_COS * math.sqrt(size2 * upright2):
        found += ASLANT
    for back in range(min(_WALK_S, at + 1)):
        steps += table[at - back, statistics.WALK]
    return found + (STEPPING if steps > _STEPPING * _WALK_S else 0)


@compiled
def doubted(
    codes: NDArray[np.int8], confidence: NDArray[np.float64], against: NDArray[np.int64]
) -> tuple[NDArray[np.int8], NDArray[np.float64]]:
    """Take back what contradicts itself, and the certainty of what need not come from a body.

    Parameters
    ----------
    codes, confidence
        Shape (n,): states as the signal tells them.
    against
        Shape (n,): sums of signs.
    """
    codes, confidence = codes.copy(), confidence.copy()
    for i in range(len(codes)):
        code, sign = codes[i], against[i]
        rests = code in (_SITTING, _LYING)
        goes = code in _GOING
        if (rests and sign & SHAKEN) or ((goes or code == _STANDING) and sign & ACROSS):
            codes[i], confidence[i] = _UNKNOWN, min(confidence[i], _DOUBT)
        unsure = (rests or code == _STANDING) and sign & LIFELESS
        unsure = unsure or (code == _LYING and sign & TREMBLING) or (code == _CYCLING and sign & STEPPING)
        if unsure or ((goes or code == _ACTIVE) and sign & (UNSEEN | ASLANT)):
            confidence[i] = min(confidence[i], UNPROVEN)
    return codes, confidence
