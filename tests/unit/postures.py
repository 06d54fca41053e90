"""Angles to postures as the core names them: seconds of sitting, each held otherwise than the one before."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from processing import habits, naming, orientation, statistics, stretches
from processing.clip_state import ClipSetup
from processing.epochs import State
from processing.stretches import Looked
from spineclip.contract.config import Calibration
from spineclip.contract.placement import Placement

_RESTLESS_G = 1.0


def leaning(flexion_deg: float | NDArray[np.float64], lateral_deg: float | NDArray[np.float64]) -> NDArray[np.float64]:
    """Up in (up, right, forward), shape (..., 3), as a trunk sees it that leans so: what points forward, right dips."""
    flexion, lateral = np.broadcast_arrays(np.radians(flexion_deg), np.radians(lateral_deg))
    tilt = np.hypot(flexion, lateral)
    dip = np.sinc(tilt / np.pi)
    return np.stack([np.cos(tilt), -lateral * dip, -flexion * dip], axis=-1)


def named(
    placement: Placement,
    flexion_deg: NDArray[np.float64],
    lateral_deg: NDArray[np.float64],
    poses_deg: dict[str, tuple[float, float]] | None = None,
) -> tuple[NDArray[np.int8], NDArray[np.float64]]:
    """Name the posture of each pair of angles against a taught neutral, and how sure that is; shapes (n,).

    The wearer has shown `poses_deg` (flexion, lateral). Nobody keeps still, so that each second stands for itself.
    """
    n = len(flexion_deg)
    held = np.zeros((n, orientation.HELD))
    held[:, orientation.NEUTRAL], held[:, orientation.FORWARD] = (1.0, 0.0, 0.0), (0.0, 0.0, 1.0)
    held[:, orientation.OWN] = orientation.TAUGHT
    table = np.zeros((n, statistics.COLUMNS))
    table[:, statistics.COVERED], table[:, statistics.MAD] = 1.0, _RESTLESS_G
    table[:, statistics.GRAVITY] = leaning(flexion_deg, lateral_deg)
    seen = stretches.look(stretches.begin(), Looked(0, 0, n, table, np.empty((0, 25, 3)), held), None)
    poses = {name: tuple(leaning(*angles).tolist()) for name, angles in (poses_deg or {}).items()}
    trunk, sits = naming.room(n, learns=True), np.full(n, State.SITTING.code, dtype=np.int8)
    first = naming.look(
        sits, flexion_deg, held, seen.rows, 0, stretches.AHEAD_S, trunk.rests, trunk.gravity, trunk.fine, trunk.closes
    )
    setup = ClipSetup(placement, calibration=Calibration(0, None, poses))
    said = naming.name(setup, habits.begin(), trunk, held, first)
    return said.posture, said.chance
