"""Whether a back is bent forward in a live second: surely, surely not, or not known.

One clip cannot tell a slouch from a lean over the desk, and what a nudge asks for is the same after both. So the cause
of a nudge is the bent back, which the angle shows, and the name of the posture only has a veto. Leaning sideways is
measured, and no cause, even where the back is bent as well: nobody who leans on an armrest is to read of a bent back.
"""

from __future__ import annotations

import math
from typing import Final

from processing.clip import LiveSecond
from processing.epochs import Neutral, Posture, State
from spineclip.contract.placement import Placement

BENT_DEG: Final = 12.0
"""Flexion against sitting tall from which on a back is bent. At T4 of the IMU Sitting Postures Dataset the least acted
slouch of 30 people lies at 16 degrees, and the furthest upright trial at 4."""

BENT_WALKING_DEG: Final = 20.0
"""The same against the wearer's walking, which is another neutral by some degrees: trunks that are inclined by more
than 20 degrees may be held only for a while by ISO 11226."""

WOBBLE_DEG: Final = 1.0
"""So near to the threshold it is not sure whether a back is bent: who sits still there crosses it all the time. The
angle of a second of acted sitting differs by less than 1.1 degrees from that of its trial in 19 of 20 (T4)."""

BENT_SHOWN_DEG: Final = 5.0
"""The same in a slouch that the wearer has shown: nearer to neutral none can be taught."""

AT_REST: Final = 0.4
"""Confidence from which on a second of sitting or standing is one of rest: which of the two it is does not matter to
the back, and where both are about as likely, neither has more."""

_BENT: Final = (Posture.SLOUCHED, Posture.LEANING_FORWARD)
_STRAIGHT: Final = (Posture.UPRIGHT, Posture.RECLINED)
_MOVED: Final = 0.6


def bent(second: LiveSecond, placement: Placement) -> bool | None:
    """Tell whether the back is bent forward.

    Parameters
    ----------
    second
        The live second, its angles from the clip at `placement`.
    placement
        Where that clip is worn. At the pelvis a round back cannot be seen, unless its wearer has shown it.

    Returns
    -------
    True or False where it is sure, else None.
    """
    if second.state not in (State.SITTING, State.STANDING):
        moves = second.state not in (State.UNKNOWN, State.NOT_WORN) and second.confidence >= _MOVED
        return False if moves else None
    flexion_deg = second.flexion_deg
    if not second.oriented or math.isnan(flexion_deg):
        return None
    least_deg = _least_deg(second, placement)
    if least_deg is None:
        return None
    wobble_deg = WOBBLE_DEG if least_deg > BENT_SHOWN_DEG else 0.0  # what was shown is told by its pose
    if flexion_deg < least_deg - wobble_deg or second.posture in _STRAIGHT:
        return False
    if flexion_deg < least_deg + wobble_deg:
        return None
    return True if second.posture in _BENT and second.confidence >= AT_REST else None


def _least_deg(second: LiveSecond, placement: Placement) -> float | None:
    if second.neutral == Neutral.POSES and second.posture is Posture.SLOUCHED:
        return BENT_SHOWN_DEG
    if not placement.sees_slouch:
        return None
    if second.neutral in (Neutral.TAUGHT, Neutral.POSES):
        return BENT_DEG
    return BENT_WALKING_DEG if second.neutral == Neutral.WALKING else None
