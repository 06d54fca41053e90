"""Acceleration as some wearables send it: float32 in m/s2, of what a 16-bit sensor has counted."""

from __future__ import annotations

import numpy as np

from firmware_sim.firmware.base import Samples
from firmware_sim.firmware.streaming import Digital
from firmware_sim.recording_units import STANDARD_GRAVITY


def as_mps2(xyz_g: Samples, range_g: float) -> Digital:
    """Return what a sensor of this full scale reads, m/s2 as float32, shape (n, 3)."""
    counts = np.clip(np.rint(xyz_g * (32768 / range_g)), -32768, 32767)
    return (counts * (range_g / 32768 * STANDARD_GRAVITY)).astype("<f4")


def mps2_in_g(digital: Digital) -> Samples:
    """Return what the floats say, g."""
    return np.asarray(digital, np.float64) / STANDARD_GRAVITY
