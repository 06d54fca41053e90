"""Posture from two clips: one at the pelvis and one high on the trunk see more together than each by itself.

Measured on the IMU Sitting Postures Dataset, people left out, with one upright trial as neutral (macro F1 over six
postures): T4 alone 0.87, L5 with T4 0.92 (docs/validation.md).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from processing.epochs import Neutral, Posture
from processing.posture import classify_two
from spineclip.contract.placement import Placement

LOWER: Final = (Placement.LOWER_BACK, Placement.BELT)
"""Clips that turn with the pelvis."""
UPPER: Final = (Placement.UPPER_BACK, Placement.STERNUM, Placement.COLLAR)
"""Clips that turn with a rounded back."""
PELVIS_BACK_DEG: Final = -15.0
"""Further back than this the pelvis of a bent trunk is not, against sitting tall (IMU Sitting Postures Dataset)."""

_BENT: Final = (Posture.SLOUCHED.code, Posture.LEANING_FORWARD.code)


class Trunk(Protocol):
    """Angles of one clip by second, and what they are against; columns of `Epochs`."""

    @property
    def flexion_deg(self) -> NDArray[np.float64]:
        """Forward positive; NaN where not known."""

    @property
    def lateral_deg(self) -> NDArray[np.float64]:
        """To the right positive; NaN where not known."""

    @property
    def beyond(self) -> NDArray[np.int8]:
        """What is known beyond the angles, shape (n, 6)."""

    @property
    def neutral(self) -> NDArray[np.int8]:
        """Codes of `Neutral`."""


@dataclass(frozen=True, slots=True)
class Held:
    """How one clip says that the trunk is held; columns as those of `Epochs`."""

    flexion_deg: NDArray[np.float64]
    lateral_deg: NDArray[np.float64]
    neutral: NDArray[np.int8]
    beyond: NDArray[np.int8]


def together(posture: NDArray[np.int8], lower: Trunk, upper: Trunk) -> NDArray[np.int8]:
    """Name the posture from both clips, where it can be told.

    Where both neutrals were taught, the two name every posture. A neutral from walking holds the pelvis otherwise
    than sitting tall does: then the pelvis only tells a bent trunk that leans forward, which turns it, from one that
    slouches, which does not, and nothing where it is far behind its neutral. What each clip knows beyond its angles,
    by the fine motion, by shown poses and by how its wearer sits, weighs in.

    Parameters
    ----------
    posture
        Shape (n,), what the upper clip says alone, codes of `Posture`.

    Returns
    -------
    Shape (n,), codes of `Posture`.
    """
    beyond = lower.beyond.astype(np.int16) + upper.beyond
    says = classify_two((lower.flexion_deg, lower.lateral_deg), (upper.flexion_deg, upper.lateral_deg), beyond)
    known = says != Posture.UNKNOWN.code
    taught = (lower.neutral >= Neutral.TAUGHT) & (upper.neutral >= Neutral.TAUGHT)
    bent = (lower.flexion_deg > PELVIS_BACK_DEG) & np.isin(posture, _BENT) & np.isin(says, _BENT)
    return np.where(known & (taught | bent), says, posture).astype(np.int8)
