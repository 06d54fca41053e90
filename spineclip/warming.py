"""Having the core's loops compiled before anything waits for them.

They become machine code when they are first called, which takes a minute once on a machine, and holds up everything
else in the process: also the hearing of packets, whose arrival tells when their samples were taken.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np

from processing import pipeline
from processing.epochs import Posture
from processing.samples import Block
from spineclip.contract.config import Calibration, Clip, PatientConfig
from spineclip.contract.placement import Placement

_SECONDS: Final = 90
_RATE_HZ: Final = 50
_DEVICE: Final = "clip-0"
_BEGINS_NS: Final = 1_700_000_000 * 10**9


def warm() -> None:
    """Let the core see three of whom each walks, then rests: one who taught the clip nothing, a neutral, and a pose."""
    neutral = Calibration(_BEGINS_NS, (1.0, 0.0, 0.1))
    slouched = replace(neutral, poses={Posture.SLOUCHED.value: (0.9, 0.0, 0.4)})
    for taught in (None, neutral, slouched):
        _watch(PatientConfig(clips={_DEVICE: Clip(Placement.STERNUM, {}, taught)}))


def _watch(config: PatientConfig) -> None:
    state = pipeline.begin("p-nobody", config)
    t_s = np.arange(_RATE_HZ) / _RATE_HZ
    for second in range(_SECONDS):
        walks = second < _SECONDS // 2
        steps_g = 0.3 * np.sin(2 * np.pi * 1.9 * (second + t_s)) if walks else 0.002 * np.sin(70 * t_s)
        xyz_g = np.stack([1.0 + steps_g, 0.3 * steps_g, 0.1 + 0.2 * steps_g], axis=1)
        block = Block(_BEGINS_NS + second * 10**9 + np.round(t_s * 1e9).astype(np.int64), xyz_g)
        state, _ = pipeline.step(state, _DEVICE, Placement.STERNUM, block)
    pipeline.finish(state)
