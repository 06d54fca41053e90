"""What is kept of a second: some seventy numbers that everything later is made from.

A second's 25 samples are laid out in cosines (DCT-II) and, for the rhythm of steps, in waves from 0.5 to 5.75 Hz.
Both are products with small tables of rounded numbers; since the samples are rounded too (see `processing.grid`),
the products are exact, whatever the library and the cutting. Nothing is filtered over time, so nothing rings after
a gap.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from processing.compiled import compiled
from processing.grid import ENOUGH, RATE_HZ, Seconds
from processing.products import product
from processing.rows import with_room

BANDS: Final = ((1, 2), (2, 7), (7, 17), (17, 25))
"""Cosine numbers (half Hz each) of the four bands: 0.5, 1-3, 3.5-8 and 8.5-12 Hz."""

WAVE_HZ: Final = np.arange(2, 24) * 0.25
"""Frequencies of the rhythm, a quarter Hz apart: whole periods in four seconds."""

COVERED: Final = 0
GRAVITY: Final = slice(1, 4)
VERTICAL: Final = slice(4, 8)
TOTAL: Final = slice(8, 12)
MAD: Final = 12
FLAT: Final = 13
WALK: Final = 14
PUSH: Final = slice(15, 18)
COLUMNS: Final = 18
"""Columns of the table of seconds: measured at all; mean specific force (3); energy along it by band (4); energy of
all axes by band (4), g2; mean amplitude deviation of the norm, g; largest value of any axis, g; number of axes that
did not change at all."""

_TABLE_QUANTUM: Final = 16384.0
_SAMPLE_QUANTUM: Final = 65536.0
"""Samples are whole multiples of 1 / this, g; so are cosines and the norm, once rounded."""
_MEAN_QUANTUM: Final = 16 * _SAMPLE_QUANTUM
_ENERGY_QUANTUM: Final = 1.0 / _SAMPLE_QUANTUM**2
_PIECE: Final = 96
"""Seconds worked on side by side: they stay in the processor's cache, their products on one core (see
`processing.products`); no power of two, whose rows would push each other out of the cache."""


def _cosines() -> NDArray[np.float64]:
    n, k = np.arange(RATE_HZ)[:, None], np.arange(1, RATE_HZ)[None, :]
    table = np.sqrt(2.0) / RATE_HZ * np.cos(np.pi * (n + 0.5) * k / RATE_HZ)
    return np.asarray(np.rint(table * _TABLE_QUANTUM) / _TABLE_QUANTUM)


def _waves() -> NDArray[np.float64]:
    t = (np.arange(RATE_HZ) + 0.5)[:, None] / RATE_HZ
    turn = 2.0 * np.pi * WAVE_HZ[None, :] * t
    table = np.concatenate([np.cos(turn), np.sin(turn)], axis=1) / RATE_HZ
    return np.asarray(np.rint(table * _TABLE_QUANTUM) / _TABLE_QUANTUM)


def _steps() -> NDArray[np.float64]:
    t = (np.arange(RATE_HZ) + 0.5)[:, None] / RATE_HZ
    turn = 2.0 * np.pi * _STEP_HZ[None, :] * t
    table = np.concatenate([np.cos(turn), np.sin(turn)], axis=1)
    table -= table.mean(axis=0)
    return np.asarray(np.rint(table / RATE_HZ * _TABLE_QUANTUM) / _TABLE_QUANTUM)


def _parts() -> NDArray[np.float64]:
    """Tabulate the sum, the cosines and the waves of steps, shape (33, 25)."""
    table = np.concatenate([np.ones((RATE_HZ, 1)), _cosines(), _steps() / _SAMPLE_QUANTUM], axis=1)
    return np.ascontiguousarray(table.T)


def _turns() -> NDArray[np.float64]:
    """Tabulate cosine and sine of what each wave turns by in 0 to 3 seconds, shape (2, 4, 22): 1, 0 or -1.

    A wave of k quarter hertz turns by k quarters of a circle a second: turned back by the second's own number, waves
    of neighbouring seconds can simply be added.
    """
    quarters = np.rint(WAVE_HZ * 4).astype(np.int64)[None, :] * np.arange(4)[:, None] % 4
    return np.stack([np.array([1.0, 0.0, -1.0, 0.0])[quarters], np.array([0.0, 1.0, 0.0, -1.0])[quarters]])


_STEP_HZ: Final = np.array([1.5, 1.75, 2.0, 2.25])
_BAND: Final = np.repeat(np.arange(len(BANDS)), [b - a for a, b in BANDS])
_N_STEPS: Final = len(_STEP_HZ)
_N_WAVES: Final = len(WAVE_HZ)
_PARTS: Final = _parts()
_WAVES: Final = _waves() / _SAMPLE_QUANTUM
_TURNS: Final = _turns()
_NO_ROWS: Final = np.empty((0, COLUMNS))
_NO_WAVES: Final = np.empty((0, 2 * _N_WAVES))


def statistics(
    seconds: Seconds,
    table: NDArray[np.float64] = _NO_ROWS,
    waves: NDArray[np.float64] = _NO_WAVES,
    *,
    start: int = 0,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Take the numbers of each second from row `start` on, and put them after those of earlier ones, if there are any.

    Returns
    -------
    table
        Shape (n, `COLUMNS`); zero in a second that is not covered.
    waves
        Shape (n, 2 x 22): cosine and sine part of the norm at each of `WAVE_HZ`, g, in one phase for all seconds.
    """
    earlier, before, n = len(table), len(waves), len(seconds.coverage) - start
    table, waves = with_room(table, n), with_room(waves, n)
    _fill(seconds.xyz_g[start:], seconds.coverage[start:], seconds.first + start, table[earlier:], waves[before:])
    return table, waves


@compiled
def _fill(
    xyz_g: NDArray[np.float64],
    coverage: NDArray[np.float64],
    first: int,
    table: NDArray[np.float64],
    waves: NDArray[np.float64],
) -> None:
    """Go through the seconds in pieces, and fill a row each of `table` and of `waves`."""
    for a in range(0, len(xyz_g), _PIECE):
        n = min(_PIECE, len(xyz_g) - a)
        xyz, columns = _laid(xyz_g[a : a + n]), np.zeros((COLUMNS, n))
        norm = _norm(xyz)
        parts = product(_PARTS, xyz.reshape((RATE_HZ, 3 * n))).reshape((len(_PARTS), 3, n))
        up = _add_gravity(parts[0], columns)
        _add_energies(parts[1:RATE_HZ], up, columns)
        np.dot(norm.T, _WAVES, waves[a : a + n])
        _turn(waves[a : a + n], first + a)
        _add_deviation(norm, columns)
        _add_flat(xyz, columns)
        _add_push(parts[RATE_HZ:], up, columns)
        _write(columns, coverage[a : a + n], table[a : a + n])


@compiled
def _laid(xyz_g: NDArray[np.float64]) -> NDArray[np.float64]:
    """Lay seconds, shape (n, 25, 3), side by side, shape (25, 3, n), in whole quanta: nothing to scale later.

    Four seconds at a time, since to fetch a place of the result takes longer than to write four numbers there.
    """
    n, size = len(xyz_g), 3 * RATE_HZ
    xyz, flat = np.empty((RATE_HZ, 3, n)), xyz_g.reshape((n, size))
    out, fours = xyz.reshape((size, n)), n - n % 4
    for second in range(0, fours, 4):
        for k in range(size):
            for ahead in range(4):
                out[k, second + ahead] = flat[second + ahead, k] * _SAMPLE_QUANTUM
    for second in range(fours, n):
        for k in range(size):
            out[k, second] = flat[second, k] * _SAMPLE_QUANTUM
    return xyz


@compiled
def _norm(xyz: NDArray[np.float64]) -> NDArray[np.float64]:
    """Size of each sample, from shape (25, 3, n) to (25, n), in whole quanta."""
    n = xyz.shape[2]
    norm = np.empty((RATE_HZ, n))
    for i in range(RATE_HZ):
        for j in range(n):
            x, y, z = xyz[i, 0, j], xyz[i, 1, j], xyz[i, 2, j]
            norm[i, j] = np.rint(np.sqrt(x * x + y * y + z * z))
    return norm


@compiled
def _add_gravity(total: NDArray[np.float64], columns: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean specific force, g, from the sum of each axis, shape (3, n); return its direction."""
    n = total.shape[1]
    up, gravity = np.empty((3, n)), columns[GRAVITY]
    for j in range(n):
        x = np.rint(total[0, j] * (16 / RATE_HZ)) * (1.0 / _MEAN_QUANTUM)
        y = np.rint(total[1, j] * (16 / RATE_HZ)) * (1.0 / _MEAN_QUANTUM)
        z = np.rint(total[2, j] * (16 / RATE_HZ)) * (1.0 / _MEAN_QUANTUM)
        size = max(np.sqrt(x * x + y * y + z * z), 1e-6)
        gravity[0, j], gravity[1, j], gravity[2, j] = x, y, z
        up[0, j], up[1, j], up[2, j] = x / size, y / size, z / size
    return up


@compiled
def _add_energies(cosines: NDArray[np.float64], up: NDArray[np.float64], columns: NDArray[np.float64]) -> None:
    """Add up the squares of the cosines, shape (24, 3, n), along `up` and of all axes, band by band."""
    for k in range(RATE_HZ - 1):
        vertical, total = columns[VERTICAL.start + _BAND[k]], columns[TOTAL.start + _BAND[k]]
        for j in range(cosines.shape[2]):
            x, y, z = np.rint(cosines[k, 0, j]), np.rint(cosines[k, 1, j]), np.rint(cosines[k, 2, j])
            along = x * up[0, j] + y * up[1, j] + z * up[2, j]
            vertical[j] += along * along * _ENERGY_QUANTUM
            total[j] += (x * x + y * y + z * z) * _ENERGY_QUANTUM


@compiled
def _add_deviation(norm: NDArray[np.float64], columns: NDArray[np.float64]) -> None:
    """Mean amplitude deviation of the norm, shape (25, n): a sum of whole numbers, so it is exact."""
    deviation, total = columns[MAD], np.zeros(norm.shape[1])
    for i in range(RATE_HZ):
        for j in range(len(total)):
            total[j] += norm[i, j]
    for i in range(RATE_HZ):
        for j in range(len(total)):
            deviation[j] += abs(norm[i, j] * RATE_HZ - total[j])
    for j in range(len(total)):
        deviation[j] /= RATE_HZ * RATE_HZ * _SAMPLE_QUANTUM


@compiled
def _add_flat(xyz: NDArray[np.float64], columns: NDArray[np.float64]) -> None:
    """Number of axes of each second, shape (25, 3, n), whose samples are all the same."""
    n = xyz.shape[2]
    moved = np.empty(n)
    for axis in range(3):
        for j in range(n):
            moved[j] = 0.0
        i, still = 1, n
        while still and i < RATE_HZ:
            still = 0
            for j in range(n):
                moved[j] += abs(xyz[i, axis, j] - xyz[0, axis, j])
                still += moved[j] == 0.0
            i += 1
        for j in range(n):
            columns[FLAT, j] += 1.0 if moved[j] == 0.0 else 0.0


@compiled
def _add_push(steps: NDArray[np.float64], up: NDArray[np.float64], columns: NDArray[np.float64]) -> None:
    """How far each axis follows the vertical one by a quarter period, at the frequencies of steps.

    The trunk slows down as the foot lands and gains speed as it rises, so forward runs a quarter period apart from
    up, to the same side in everyone, while sideways moves at half the frequency (measured: the sum over a walk
    points forward within 15 degrees in 17 of 21 people of HARTH and HAR70+ and in all five of the chest recordings).
    `steps` has shape (8, 3, n): cosines, then sines, at each of the four frequencies.
    """
    for k in range(_N_STEPS):
        for j in range(up.shape[1]):
            x, y, z = steps[k, 0, j], steps[k, 1, j], steps[k, 2, j]
            u, v, w = steps[_N_STEPS + k, 0, j], steps[_N_STEPS + k, 1, j], steps[_N_STEPS + k, 2, j]
            cos = x * up[0, j] + y * up[1, j] + z * up[2, j]
            sin = u * up[0, j] + v * up[1, j] + w * up[2, j]
            columns[PUSH.start, j] += sin * x - cos * u
            columns[PUSH.start + 1, j] += sin * y - cos * v
            columns[PUSH.start + 2, j] += sin * z - cos * w


@compiled
def _write(columns: NDArray[np.float64], coverage: NDArray[np.float64], table: NDArray[np.float64]) -> None:
    """Write seconds that lie side by side as rows; zero where they are not covered."""
    for row in range(len(table)):
        if coverage[row] >= ENOUGH:
            for k in range(COLUMNS):
                table[row, k] = columns[k, row]
            table[row, COVERED] = 1.0
        else:
            for k in range(COLUMNS):
                table[row, k] = 0.0


@compiled
def _turn(waves: NDArray[np.float64], first: int) -> None:
    """Turn the waves of each second, shape (n, 44), back by its number."""
    for row in range(len(waves)):
        turn = (first + row) % 4
        for k in range(_N_WAVES):
            real, imag = waves[row, k], waves[row, _N_WAVES + k]
            cos, sin = _TURNS[0, turn, k], _TURNS[1, turn, k]
            waves[row, k] = real * cos - imag * sin
            waves[row, _N_WAVES + k] = real * sin + imag * cos
