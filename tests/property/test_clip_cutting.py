"""However a stream is cut on its way, the core says the same, bit for bit."""

from dataclasses import fields
from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from processing import clip
from processing.clip import ClipSetup
from processing.epochs import Epochs
from processing.samples import Block
from spineclip.contract.placement import Placement

START_NS = 1_700_000_000_123_456_789


def _day(seed: int, rate_hz: float, jitter: float) -> Block:
    """Two minutes of rest, walking, a gap, turning over and lying, at any rate and with jittered times."""
    rng = np.random.default_rng(seed)
    n = int(120 * rate_hz)
    t_s = np.arange(n) / rate_hz
    t_ns = START_NS + np.rint((t_s + rng.uniform(0, jitter / rate_hz, n)) * 1e9).astype(np.int64)
    walking = (t_s > 20) & (t_s < 60)
    tilt = np.where(t_s > 85, np.pi / 2, 0.05 * np.sin(t_s / 7))
    up = np.stack([np.cos(tilt), 0.02 * np.sin(t_s), np.sin(tilt)], axis=1)
    step = np.where(walking, 0.25 * np.sin(2 * np.pi * 1.9 * t_s), 0.0)
    xyz = up * (1.0 + step)[:, None] + rng.normal(0, 0.01, (n, 3))
    keep = (t_s < 70) | (t_s > 78.3)
    return Block(t_ns[keep], xyz[keep])


def _whole(block: Block, cuts: list[int]) -> Epochs:
    state = clip.begin(ClipSetup(Placement.LOWER_BACK))
    finals = []
    edges = [0, *sorted(cuts), len(block)]
    for a, b in pairwise(edges):
        state, output = clip.step(state, block.slice(a, b))
        finals.append(output.final)
    return Epochs.concat([*finals, clip.finish(state).final])


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_any_cutting_gives_the_same_bits(data: st.DataObject) -> None:
    rate_hz = data.draw(st.sampled_from([10.0, 25.0, 31.25, 50.0, 50.013, 100.0, 400.0]))
    block = _day(data.draw(st.integers(0, 3)), rate_hz, data.draw(st.sampled_from([0.0, 0.3, 0.9])))
    cuts = data.draw(st.lists(st.integers(0, len(block)), max_size=30))
    one, many = _whole(block, []), _whole(block, cuts)
    for column in fields(Epochs):
        a, b = getattr(one, column.name), getattr(many, column.name)
        assert a.tobytes() == b.tobytes(), column.name


def test_cutting_by_single_samples_gives_the_same_bits() -> None:
    block = _day(0, 50.0, 0.2).slice(0, 2500)
    one, many = _whole(block, []), _whole(block, list(range(1, len(block))))
    for column in fields(Epochs):
        assert getattr(one, column.name).tobytes() == getattr(many, column.name).tobytes(), column.name
