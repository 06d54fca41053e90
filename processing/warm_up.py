"""Have the core compiled and loaded before the first patient's samples come.

A function is compiled when it is first called, which takes one core a minute and a half for all of them the first
time, and two seconds later on, when they only need to be loaded (see `processing.compiled`). Nobody shall wait for
that: a service does it at its start, and the set-up of an installation once (``python -m processing.warm_up``).
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Final

import numpy as np

from processing import analysis, clip, pipeline
from processing.clip import ClipSetup
from processing.samples import Block
from spineclip.contract.config import Calibration, Clip, PatientConfig
from spineclip.contract.placement import Placement

_RATE_HZ: Final = 50
_WALK_S: Final = 60
_REST_S: Final = 60
_START_NS: Final = 1_700_000_000 * 10**9
_AXES: Final = {"x": "up", "z": "forward"}


@cache
def warm_up() -> None:
    """Lead a made person, who walks and then sits, through the core: at once with three clips, and second by second.

    Once in a process is enough; what was taught decides which loops a second takes.
    """
    block = _motion()
    places = {"back": Placement.UPPER_BACK, "belt": Placement.LOWER_BACK, "leg": Placement.THIGH}
    neutral = Calibration(_START_NS, (1.0, 0.0, 0.0))
    shown = replace(neutral, poses={"slouched": (0.9, 0.0, 0.43)})
    config = PatientConfig(clips={name: Clip(place, _AXES, shown) for name, place in places.items()})
    tracks = [analysis.Track(name, place, [block]) for name, place in places.items()]
    for _ in analysis.analyze(tracks, config):
        pass
    for taught in (None, neutral, shown):
        _stream(PatientConfig(clips={"back": Clip(Placement.UPPER_BACK, {}, taught)}), block)
    uneven = Block(block.t_ns + np.arange(len(block)) % 7 * 10**6, block.xyz_g)
    clip.finish(clip.step(clip.begin(ClipSetup(Placement.LOWER_BACK)), uneven)[0])


def _stream(config: PatientConfig, block: Block) -> None:
    state = pipeline.begin("nobody", config)
    for part in (block.slice(0, _WALK_S * _RATE_HZ), block.slice(_WALK_S * _RATE_HZ, len(block))):
        for a in range(0, 40 * _RATE_HZ, _RATE_HZ):
            state, _ = pipeline.step(state, "back", Placement.UPPER_BACK, part.slice(a, a + _RATE_HZ))
    pipeline.finish(state)


def _motion() -> Block:
    """Make a minute of steps, and one of a body that breathes and now and then leans; a gap is between the two."""
    t_s = np.arange((_WALK_S + _REST_S) * _RATE_HZ) / _RATE_HZ
    walks = t_s < _WALK_S
    turn = 2.0 * np.pi * t_s
    xyz = np.stack([np.ones_like(t_s), 0.02 * np.sin(0.9 * turn), 0.02 * np.sin(0.25 * turn)], axis=1)
    xyz[walks, 0] += 0.3 * np.sin(1.8 * turn[walks])
    xyz[walks, 2] += 0.15 * np.cos(1.8 * turn[walks])
    xyz[walks] += np.random.default_rng(0).normal(0.0, 0.05, (int(walks.sum()), 3))  # as feet land; smooth, it cycles
    xyz[~walks, 2] += np.where(t_s[~walks] % 40.0 < 20.0, 0.0, 0.3)
    t_ns = _START_NS + np.rint(t_s * 1e9).astype(np.int64) + np.where(walks, 0, 30 * 10**9)
    return Block(t_ns, xyz)


if __name__ == "__main__":
    warm_up()
