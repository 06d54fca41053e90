"""Samples at any rate come onto one grid: 25 means a second, nothing across a gap, nothing that is not a number."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from processing import grid
from processing.grid import RATE_HZ, SECOND_NS, Seconds
from processing.samples import Block

START_S = 1_700_000_000
QUANTUM_G = 2.0**-16


def _seconds(*blocks: Block) -> Seconds:
    state, found = grid.begin(), []
    for block in blocks:
        state, seconds = grid.step(state, block)
        found.append(seconds)
    found.append(grid.step(state, Block.empty(), last=True)[1])
    found = [seconds for seconds in found if len(seconds)]
    return Seconds(
        found[0].first,
        np.concatenate([seconds.xyz_g for seconds in found]),
        np.concatenate([seconds.coverage for seconds in found]),
    )


def _times(rate_hz: float, seconds: float, offset_ns: int = 0) -> NDArray[np.int64]:
    n = round(seconds * rate_hz)
    return START_S * SECOND_NS + offset_ns + np.rint(np.arange(n) / rate_hz * 1e9).astype(np.int64)


def _same(a: Seconds, b: Seconds) -> None:
    assert a.first == b.first
    assert a.xyz_g.tobytes() == b.xyz_g.tobytes()
    assert a.coverage.tobytes() == b.coverage.tobytes()


@pytest.mark.parametrize("a_bin", [2, 3, 4, 16])
def test_a_regular_second_is_the_means_of_its_bins(a_bin: int) -> None:
    xyz = np.random.default_rng(a_bin).normal(0, 1, (3 * RATE_HZ * a_bin, 3))
    found = _seconds(Block(_times(RATE_HZ * a_bin, 3), xyz))
    means = xyz.reshape(3, RATE_HZ, a_bin, 3).mean(axis=2)
    assert np.abs(found.xyz_g - means).max() <= QUANTUM_G / 2 + 1e-12
    assert np.array_equal(found.xyz_g / QUANTUM_G, np.rint(found.xyz_g / QUANTUM_G))
    assert found.first == START_S
    assert found.coverage.tolist() == [1.0] * 3


@pytest.mark.parametrize("rate_hz", [10.0, 12.5, 25.0, 31.25, 50.013, 104.0])
@pytest.mark.parametrize("jitter", [0.0, 0.4])
def test_a_straight_line_stays_one_at_any_rate(rate_hz: float, jitter: float) -> None:
    t_ns = _times(rate_hz, 6, 3_000_000)
    t_ns += np.rint(np.random.default_rng(1).uniform(0, jitter / rate_hz, len(t_ns)) * 1e9).astype(np.int64)
    slope_g_s = np.array([0.1, -0.2, 0.3])
    found = _seconds(Block(t_ns, (t_ns - START_S * SECOND_NS)[:, None] / 1e9 * slope_g_s))
    middle_s = np.arange(1, 5)[:, None] + (np.arange(RATE_HZ) + 0.5) / RATE_HZ
    inside = found.xyz_g[1:5]
    bin_s = 1.0 / RATE_HZ if rate_hz >= 2 * RATE_HZ else 0.0  # there it may be a mean, of samples anywhere in it
    assert np.abs(inside - middle_s[..., None] * slope_g_s).max() <= 0.3 * bin_s / 2 + QUANTUM_G / 2 + 1e-9
    assert found.coverage[1:5].tolist() == [1.0] * 4


def test_a_gap_is_not_bridged() -> None:
    t_ns = _times(50, 8)
    at_s = (t_ns - START_S * SECOND_NS) / 1e9
    there = (at_s < 2.9) | (at_s >= 5.5)  # the second from 2 on is measured to its 0.88, that from 5 on from 0.5 on
    ramp = np.stack([at_s, -at_s, np.ones_like(at_s)], axis=1)
    found = _seconds(Block(t_ns[there], ramp[there]))
    points_s = (np.arange(2 * RATE_HZ) + 0.5) / (2 * RATE_HZ)
    assert found.coverage.tolist() == [1, 1, np.mean(points_s <= 0.88), 0, 0, np.mean(points_s >= 0.5), 1, 1]
    assert found.covered.tolist() == [True, True, True, False, False, False, True, True]
    assert not found.xyz_g[3:6].any()
    assert np.abs(found.xyz_g[2, -3:, 0] - 2.87).max() < QUANTUM_G  # the newest point that was measured is held
    assert np.abs(found.xyz_g[2, :21, 0] - (2 + (np.arange(21) + 0.5) / RATE_HZ)).max() < QUANTUM_G


def test_two_samples_half_a_second_apart_are_joined_and_further_apart_are_not() -> None:
    for apart_ns, coverage in ((grid.GAP_NS, 1.0), (grid.GAP_NS + 1, 0.5)):
        t_ns = START_S * SECOND_NS + np.array([-grid.GAP_NS, 0, apart_ns, 2 * grid.GAP_NS], dtype=np.int64)
        found = _seconds(Block(t_ns, np.ones((4, 3))))
        assert found.first == START_S - 1
        assert found.coverage[1] == coverage


@pytest.mark.parametrize("spoilt", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("at", [0, 70, 199])
def test_what_is_no_number_counts_as_not_measured(spoilt: float, at: int) -> None:
    t_ns, xyz = _times(50, 4), np.random.default_rng(2).normal(0, 1, (200, 3))
    without = np.delete(np.arange(200), at)
    hurt = xyz.copy()
    hurt[at, 1] = spoilt
    _same(_seconds(Block(t_ns, hurt)), _seconds(Block(t_ns[without], xyz[without])))


def test_samples_that_are_too_large_for_a_sum_are_held_within_bounds() -> None:
    found = _seconds(Block(_times(50, 2), np.full((100, 3), 1.7e308)))
    assert np.array_equal(found.xyz_g, np.full((2, RATE_HZ, 3), 64.0))


def test_samples_that_are_not_newer_are_left_out() -> None:
    t_ns, xyz = _times(50, 5), np.random.default_rng(3).normal(0, 1, (250, 3))
    again = Block(t_ns[90:180], np.concatenate([xyz[90:130] + 1.0, xyz[130:180]]))
    late = _seconds(Block(t_ns[:130], xyz[:130]), again, Block(t_ns[180:], xyz[180:]))
    _same(late, _seconds(Block(t_ns, xyz)))


@given(st.data())
def test_any_cutting_gives_the_same_bits(data: st.DataObject) -> None:
    rng = np.random.default_rng(data.draw(st.integers(0, 99)))
    t_ns = _times(data.draw(st.sampled_from([10.0, 25.0, 50.0, 75.0, 100.0])), 6, 123_456_789)
    xyz = rng.normal(0, 1, (len(t_ns), 3))
    xyz[rng.random(len(t_ns)) < 0.01] = np.nan
    there = np.ones(len(t_ns), dtype=np.bool_)
    for at in rng.integers(0, len(t_ns), data.draw(st.integers(0, 2))).tolist():
        there[at : at + int(rng.integers(1, len(t_ns) // 3))] = False
    whole = Block(t_ns[there], xyz[there])
    edges = sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=8)))
    parts = [whole.slice(a, b) for a, b in zip([0, *edges], [*edges, len(whole)], strict=True)]
    if np.isfinite(whole.xyz_g).all(axis=1).any():
        _same(_seconds(*parts), _seconds(whole))
