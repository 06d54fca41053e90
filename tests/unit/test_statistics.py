"""The numbers of a second are what their names say, and the same in a stream as in a batch."""

import numpy as np
import pytest
from numpy.typing import NDArray

from processing import statistics
from processing.grid import RATE_HZ, Seconds
from processing.statistics import BANDS, COVERED, FLAT, GRAVITY, MAD, PUSH, TOTAL, VERTICAL, WAVE_HZ

FIRST = 1_700_000_003  # three seconds into a circle of four
TABLE = 2.0**-14  # the tables of cosines are rounded to this
AT_S = (np.arange(RATE_HZ) + 0.5) / RATE_HZ


def _take(xyz_g: NDArray[np.float64], first: int = FIRST) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    rounded = np.rint(xyz_g * 65536) / 65536
    return statistics.statistics(Seconds(first, rounded, np.ones(len(xyz_g))))


def _someone(n: int) -> NDArray[np.float64]:
    return np.random.default_rng(n).normal(0, 0.3, (n, RATE_HZ, 3)) + np.array([0.8, -0.5, 0.2])


def test_gravity_is_the_mean_and_mad_the_mean_distance_of_the_norm_from_its_own() -> None:
    xyz = _someone(7)
    table, _ = _take(xyz)
    norm = np.linalg.norm(xyz, axis=2)
    mad = np.abs(norm - norm.mean(axis=1, keepdims=True)).mean(axis=1)
    assert np.abs(table[:, GRAVITY] - xyz.mean(axis=1)).max() < 2.0**-16
    assert np.abs(table[:, MAD] - mad).max() < 2.0**-14


@pytest.mark.parametrize(("k", "band"), [(1, 0), (2, 1), (6, 1), (7, 2), (16, 2), (17, 3), (24, 3)])
def test_a_swing_has_half_its_square_as_energy_in_its_own_band(k: int, band: int) -> None:
    swing_g = 0.4 * np.cos(np.pi * k * AT_S)
    xyz = np.zeros((2, RATE_HZ, 3))
    xyz[:, :, 2] = 1.0  # up
    xyz[0, :, 2] += swing_g
    xyz[1, :, 0] += swing_g
    table, _ = _take(xyz)
    expected = np.zeros((2, 2, len(BANDS)))
    expected[0, :, band] = expected[1, 1, band] = 0.4**2 / 2
    found = np.stack([table[:, VERTICAL], table[:, TOTAL]], axis=1)
    assert np.abs(found - expected).max() < 0.4 * RATE_HZ * TABLE  # a table's error, squared with the swing


def test_energies_add_up_to_the_variance() -> None:
    xyz = _someone(9)
    table, _ = _take(xyz)
    assert table[:, TOTAL].sum(axis=1) == pytest.approx(xyz.var(axis=1).sum(axis=1), rel=0.01)
    assert (table[:, VERTICAL] <= table[:, TOTAL] * (1 + 1e-9)).all()


def test_waves_of_four_seconds_add_up_to_waves_over_four_seconds() -> None:
    xyz = _someone(4)
    for first in range(FIRST, FIRST + 4):
        _, waves = _take(xyz, first)
        norm = np.linalg.norm(xyz, axis=2).ravel()
        turn = 2 * np.pi * WAVE_HZ[:, None] * (first % 4 + np.arange(4)[:, None] + AT_S).ravel()
        expected = np.concatenate([np.cos(turn) @ norm, np.sin(turn) @ norm]) / RATE_HZ
        assert np.abs(waves.sum(axis=0) - expected).max() < norm.sum() * TABLE


def test_axes_that_do_not_change_are_counted() -> None:
    xyz = _someone(4)
    xyz[1, :, 2] = 0.25
    xyz[2, :, :2] = -0.5
    xyz[3] = 1.0
    table, _ = _take(xyz)
    assert table[:, FLAT].tolist() == [0, 1, 2, 3]


def test_push_points_where_force_runs_a_quarter_period_before_up() -> None:
    turn = 2 * np.pi * 2.0 * AT_S
    xyz = np.zeros((3, RATE_HZ, 3))
    xyz[:, :, 0] = 1.0 + 0.2 * np.sin(turn)
    xyz[0, :, 1] = 0.1 * np.cos(turn)
    xyz[1, :, 2] = -0.1 * np.cos(turn)
    xyz[2, :, 1] = 0.1 * np.sin(turn)  # with up: to neither side
    push = _take(xyz)[0][:, PUSH]
    assert push[0, 1] > 100 * np.abs(push[0, [0, 2]]).max()
    assert -push[1, 2] > 100 * np.abs(push[1, [0, 1]]).max()
    assert np.abs(push[2]).max() < push[0, 1] / 100


def test_nothing_is_said_of_a_second_that_is_not_covered() -> None:
    xyz = np.rint(_someone(3) * 65536) / 65536
    xyz[1] = 0.0
    table, waves = statistics.statistics(Seconds(FIRST, xyz, np.array([1.0, 0.79, 0.8])))
    assert table[:, COVERED].tolist() == [1, 0, 1]
    assert not table[1].any()
    assert not waves[1].any()


def test_a_long_table_is_the_same_bits_as_its_parts() -> None:
    xyz = _someone(431)
    table, waves = _take(xyz)
    for a, b in ((0, 1), (1, 8), (8, 107), (107, 430), (430, 431)):
        part, its = _take(xyz[a:b], FIRST + a)
        assert part.tobytes() == table[a:b].tobytes()
        assert its.tobytes() == waves[a:b].tobytes()
    assert table.flags.c_contiguous
    assert waves.flags.c_contiguous
