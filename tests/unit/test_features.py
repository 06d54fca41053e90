"""Promise: features are what their names say, worked out here second by second from sums over plain slices."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from processing import features, orientation, statistics
from processing.grid import RATE_HZ, Seconds
from processing.windows import AROUND, LONG, NEXT, NOW, PAST, SHORT

Array = NDArray[np.float64]
N = 150
SPANS = {NOW: (0, 1), AROUND: (-1, 3), PAST: (-7, -3), NEXT: (0, 4), SHORT: (-12, 4), LONG: (-60, 4)}
FLOORS_G2 = np.array([2e-6, 4e-6, 1e-5, 1.5e-5])


@pytest.fixture(scope="module")
def seconds() -> tuple[Array, Array, Array]:
    """Table, waves and mounting of a restless clip that missed some seconds."""
    rng = np.random.default_rng(11)
    turn = np.cumsum(rng.normal(0, 0.1, N))
    up = np.stack([np.cos(turn), np.sin(turn), 0.2 * np.sin(3 * turn)], axis=1)
    xyz = up[:, None, :] + rng.normal(0, 1, (N, RATE_HZ, 3)) * rng.uniform(0.001, 0.5, (N, 1, 1))
    xyz = np.rint(xyz * 65536) / 65536
    coverage = (rng.random(N) < 0.95) * 1.0
    xyz[coverage == 0.0] = 0.0
    table, waves = statistics.statistics(Seconds(1_000_003, xyz, coverage))
    table[:, statistics.WALK] = rng.integers(0, 65, N) / 64.0
    held = rng.normal(size=(N, orientation.HELD))
    held[:, orientation.STRENGTH] = rng.uniform(0, 64, N)
    held[:, orientation.SINCE_WALK] = rng.choice([0.0, 1.0, 7.0, 50.0, 500.0, 1e6], N)
    never = rng.random(N) < 0.2
    held[never, :11] = np.nan
    held[never, orientation.STRENGTH], held[never, orientation.SINCE_WALK] = 0.0, 1e6
    return table, waves, held


def _span(rows: Array, k: int, window: int) -> Array:
    low, high = SPANS[window]
    return rows[max(k + low, 0) : max(k + high, 0)]


def _angle(a: Array, b: Array) -> float:
    size = float(np.linalg.norm(a) * np.linalg.norm(b))
    return float(np.arccos(np.clip(a @ b / size, -1.0, 1.0))) * 9.0 / np.pi if size > 1e-9 else 0.0


def _rounded(values: list[float]) -> Array:
    return (np.rint(np.array(values) * 1024.0) / 1024.0).clip(-16.0, 16.0)


def _bands(table: Array, k: int, window: int, size2: float) -> list[float]:
    part = _span(table, k, window)
    count = max(part[:, statistics.COVERED].sum(), 1.0)
    along = part[:, statistics.VERTICAL].sum(axis=0)
    across = (part[:, statistics.TOTAL].sum(axis=0) - along).clip(0.0)
    return [*np.log10(along / (count * size2) + FLOORS_G2), *np.log10(across / (count * size2) + FLOORS_G2)]


def _size2(table: Array, k: int, window: int) -> float:
    part = _span(table, k, window)
    mean = part[:, statistics.GRAVITY].sum(axis=0) / max(part[:, statistics.COVERED].sum(), 1.0)
    return float(mean @ mean)


def _rhythm(table: Array, waves: Array, k: int) -> Array:
    size2 = float(np.clip(_size2(table, k, AROUND), 0.25, 2.25))
    wave = _span(waves, k, AROUND).sum(axis=0).reshape(2, -1)
    power = (wave**2).sum(axis=0) / 8.0
    share = power / (power.sum() + 1e-6)
    return _rounded([
        np.log10(power.sum() / size2 + 1e-6) + 3.0,
        *(np.log10(share + 1e-3) + 1.5),
        4.0 * share.max() - 2.0,
        statistics.WAVE_HZ[share.argmax()] - 2.0,
        *np.array(_bands(table, k, AROUND, size2)) + 3.5,
    ])  # fmt: skip


def _rest(table: Array, held: Array, k: int) -> Array:
    gravity = {window: _span(table, k, window)[:, statistics.GRAVITY].sum(axis=0) for window in SPANS}
    size2 = float(np.clip(_size2(table, k, SHORT), 0.25, 2.25))
    known = bool(np.isfinite(held[k, 0]))
    upright = held[k, orientation.REFERENCE] if known else np.zeros(3)
    last = held[k, orientation.LAST_WALK] if known else np.zeros(3)
    walk = table[:, statistics.WALK]
    logs = [*_bands(table, k, SHORT, size2), *_bands(table, k, LONG, size2)]
    logs += list(np.log10(table[k, statistics.TOTAL] / size2 + FLOORS_G2))
    for window in (AROUND, SHORT, LONG):
        part = _span(table, k, window)
        square = (part[:, statistics.GRAVITY] ** 2).sum() / max(part[:, statistics.COVERED].sum(), 1.0)
        logs.append(float(np.log10(max(square - _size2(table, k, window), 0.0) / size2 + 1e-6)))
    return _rounded([
        *np.array(logs) + 3.5,
        _angle(gravity[AROUND], gravity[SHORT]),
        _angle(gravity[AROUND], gravity[LONG]),
        _angle(gravity[PAST], gravity[NEXT]),
        walk[k],
        walk[max(k - 15, 0) : k + 1].sum() / 16.0,
        walk[max(k - 63, 0) : k + 1].sum() / 64.0,
        np.log2(1.0 + min(held[k, orientation.SINCE_WALK], 120.0)) / 2.0,
        np.log2(1.0 + held[k, orientation.STRENGTH]) / 4.0 + 0.25 if known else 0.0,
        *(_angle(gravity[window], upright) for window in (NOW, AROUND, SHORT, LONG)),
        _angle(gravity[AROUND], last),
        _angle(gravity[NEXT], upright) - _angle(gravity[PAST], upright),
    ])  # fmt: skip


def test_features_are_what_they_are_called(seconds: tuple[Array, Array, Array]) -> None:
    table, waves, held = seconds
    rhythm = features.rhythm(table, waves, 0, N)
    np.testing.assert_allclose(rhythm, [_rhythm(table, waves, k) for k in range(N)], atol=1e-9)
    described = features.features(table, rhythm, held, 0, N)
    assert described.shape == (N, len(features.NAMES))
    np.testing.assert_array_equal(described[:, : len(features.RHYTHM)], rhythm)
    np.testing.assert_allclose(
        described[:, len(features.RHYTHM) :], [_rest(table, held, k) for k in range(N)], atol=1e-9
    )


def test_one_second_is_the_same_bits_as_among_many(seconds: tuple[Array, Array, Array]) -> None:
    table, waves, held = seconds
    rhythm = features.rhythm(table, waves, 0, N)
    described = features.features(table, rhythm, held, 0, N)
    for k in range(N - 3):
        table_yet, waves_yet = table[: k + 4], waves[: k + 4]
        one = features.rhythm(table_yet, waves_yet, k, k + 1)
        np.testing.assert_array_equal(one[0], rhythm[k])
        np.testing.assert_array_equal(features.features(table_yet, one, held[k : k + 1], k, k + 1)[0], described[k])
