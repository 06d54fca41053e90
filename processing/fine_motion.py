"""The fine motion of a trunk that sits: breath, heart beats and the tremor of muscles, by frequency and direction.

A trunk that sits still is never still. Each heart beat pushes it along the spine and back (ballistocardiography: Inan
et al. 2015, IEEE J Biomed Health Inform 19:1414), each breath turns it, and working muscles make it tremble. How this
motion runs, whether up goes with forward and which comes first, depends on how the spine is bent and what it rests
on. It tells postures apart whose angles are alike, such as a slouch and a lean from the hips.

Windows of four seconds are as good as ten (measured on the IMU Sitting Postures Dataset, people left out), and their
numbers can simply be averaged over a stretch, so that a stream carries nothing but sums.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from processing import elementary
from processing.compiled import borrowing, compiled
from processing.grid import RATE_HZ
from processing.products import product

Array = NDArray[np.float64]

WINDOW_S: Final = 4
"""Length of a window, whole seconds of the grid."""

EDGES_HZ: Final = (0.2, 0.45, 0.8, 1.2, 2.0, 3.0, 4.5, 6.0, 8.0, 10.0, 12.6)
"""Edges of the bands: breath below 0.8 Hz, heart beats from there with their overtones, tremor above."""

KINDS: Final = ("up", "forward", "right", "up forward", "up right", "forward right")
"""What is taken of a band: log energies along three axes, then how each two go together, at once and in quadrature."""

BANDS: Final = len(EDGES_HZ) - 1
COUNT: Final = BANDS * 9
MIRROR: Final = np.tile(np.array([1.0, 1, 1, 1, 1, -1, -1, -1, -1]), BANDS)
"""Signs that turn the numbers of a trunk into those of its mirror image, left for right."""

_SHORTEST_G: Final = 1e-3
_FLOOR_G2: Final = 1e-9  # far below the noise of a clip, so that a silent axis has a logarithm
_FIRST: Final = (0, 1, 2, 0, 0, 1)
_SECOND: Final = (0, 1, 2, 1, 2, 2)
_SYMMETRIC: Final = np.array([[0, 3, 4], [3, 1, 5], [4, 5, 2]])
_TABLE_QUANTUM: Final = 2.0**22
_ENERGY_QUANTUM: Final = 2.0**38
_LOUDEST_G2: Final = 256.0
_N: Final = WINDOW_S * RATE_HZ
_HALF: Final = _N // 2
_TOGETHER: Final = 8
"""Windows worked on side by side: their products are done on one core (see `processing.products`)."""


def _waves() -> Array:
    """Cosines and sines of a window, shape (100, 2 x 50), Hann-weighted, blind to a mean and to a straight drift.

    Scaled as a power spectrum (Welch 1967, IEEE Trans Audio Electroacoust 15:70), and rounded, so that products with
    rounded samples are exact in float64, whatever the library and the cutting.
    """
    t = np.linspace(-1.0, 1.0, _N)
    straight = np.stack([np.full(_N, 1.0 / np.sqrt(_N)), t / np.sqrt((t * t).sum())], axis=1)
    rest = np.eye(_N) - straight @ straight.T
    hann = np.hanning(_N)
    turn = 2.0 * np.pi * np.arange(_N)[:, None] * np.arange(1, _N // 2 + 1)[None, :] / _N
    table = rest @ (hann[:, None] * np.concatenate([np.cos(turn), -np.sin(turn)], axis=1))
    table = np.rint(table * np.sqrt(2.0 / (_N * (hann**2).sum())) * _TABLE_QUANTUM) / _TABLE_QUANTUM
    return np.ascontiguousarray(table)


_WAVES: Final = _waves()
_BAND: Final = np.searchsorted(np.arange(1, _HALF + 1) / WINDOW_S, EDGES_HZ)
"""Numbers of frequencies at which the bands begin, and after the last."""


def fine_motion(xyz_g: Array, up: Array, forward: Array) -> Array:
    """Take the fine motion of windows in which nobody moved.

    Parameters
    ----------
    xyz_g
        Shape (n, 100, 3): specific force on the grid of `processing.grid`, sensor axes.
    up
        Shape (n, 3): mean specific force of each window.
    forward
        Shape (n, 3): the wearer's forward in sensor axes; only its part across `up` counts.

    Returns
    -------
    Shape (n, `COUNT`): nine numbers a band, all without unit; NaN where there is no direction. Bit for bit the same
    for one window as for many.
    """
    samples = np.ascontiguousarray(xyz_g, dtype=np.float64).reshape(-1, 3)
    return numbers(samples, np.arange(len(xyz_g)) * _N, up, forward)


@compiled
def numbers(samples_g: Array, begins: NDArray[np.int64], up: Array, forward: Array) -> Array:
    """Do as `fine_motion` for windows that begin at these rows of samples, shape (m, 3); loops over a few at a time."""
    out, spectrum = np.empty((len(begins), COUNT)), np.empty(_HALF)
    for first in range(0, len(begins), _TOGETHER):
        n = min(_TOGETHER, len(begins) - first)
        sums, axes, turned = np.empty((9, BANDS, n)), np.empty((3, 3, n)), np.zeros((9, BANDS, n))
        _add_up(_transform(samples_g, begins[first : first + n]), spectrum, sums)
        _body(up[first : first + n], forward[first : first + n], axes)
        _turn(sums, axes, turned)
        _describe(turned, out[first : first + n])
    return out


@compiled
def _transform(samples_g: Array, begins: NDArray[np.int64]) -> Array:
    """Cosine and sine parts of the axes of n windows, shape (3, n, 2 x 50)."""
    n = len(begins)
    laid = np.empty((3, n, _N))
    for i in range(n):
        window = samples_g[begins[i] : begins[i] + _N]
        for axis in range(3):
            for t in range(_N):
                laid[axis, i, t] = window[t, axis]
    return product(laid.reshape((3 * n, _N)), _WAVES).reshape((3, n, _N))


@borrowing
def _add_up(parts: Array, spectrum: Array, sums: Array) -> None:
    """Add cross spectra up over the bands, shape (9, bands, n): six in phase, three in quadrature.

    They are rounded, so that the sums are exact. Loops over frequencies side by side, in a `spectrum` at a time.
    """
    for i in range(parts.shape[1]):
        for p in range(6):
            one, other = parts[_FIRST[p], i], parts[_SECOND[p], i]
            a, u, b, v = one[:_HALF], one[_HALF:], other[:_HALF], other[_HALF:]
            for j in range(_HALF):
                spectrum[j] = _rounded(a[j] * b[j] + u[j] * v[j])
            _add_bands(spectrum, sums[p], i)
            if p >= 3:
                for j in range(_HALF):
                    spectrum[j] = _rounded(u[j] * b[j] - a[j] * v[j])
                _add_bands(spectrum, sums[p + 3], i)


@borrowing
def _add_bands(spectrum: Array, sums: Array, i: int) -> None:
    for band in range(BANDS):
        total = 0.0
        for j in range(_BAND[band], _BAND[band + 1]):
            total += spectrum[j]
        sums[band, i] = total


@compiled
def _rounded(product_g2: float) -> float:
    held = -_LOUDEST_G2 if product_g2 < -_LOUDEST_G2 else product_g2
    held = _LOUDEST_G2 if held > _LOUDEST_G2 else held
    return float(np.rint(held * _ENERGY_QUANTUM)) * (1.0 / _ENERGY_QUANTUM)


@compiled
def _body(up: Array, forward: Array, axes: Array) -> None:
    """Rows up, forward and right in sensor axes, shape (3, 3, n); NaN where they cannot be told."""
    for i in range(len(up)):
        x, y, z = _unit(up[i, 0], up[i, 1], up[i, 2])
        a, b, c = forward[i, 0], forward[i, 1], forward[i, 2]
        along = a * x + b * y + c * z
        a, b, c = _unit(a - along * x, b - along * y, c - along * z)
        axes[0, 0, i], axes[0, 1, i], axes[0, 2, i] = x, y, z
        axes[1, 0, i], axes[1, 1, i], axes[1, 2, i] = a, b, c
        axes[2, 0, i], axes[2, 1, i], axes[2, 2, i] = b * z - c * y, c * x - a * z, a * y - b * x


@compiled
def _unit(x: float, y: float, z: float) -> tuple[float, float, float]:
    size = np.sqrt(x * x + y * y + z * z)
    if not size > _SHORTEST_G:
        return np.nan, np.nan, np.nan
    return x / size, y / size, z / size


@compiled
def _turn(sums: Array, axes: Array, turned: Array) -> None:
    """Turn cross spectra, shape (9, bands, n), into the wearers' axes; loops over the bands.

    What runs in phase is a symmetric matrix. What runs in quadrature is antisymmetric and so a vector; seen in the
    wearer's axes, which are left-handed (up, forward, right), it turns sign.
    """
    n = sums.shape[2]
    for p in range(6):
        one, other = axes[_FIRST[p]], axes[_SECOND[p]]
        for c in range(3):
            x, y, z = sums[_SYMMETRIC[0, c]], sums[_SYMMETRIC[1, c]], sums[_SYMMETRIC[2, c]]
            for band in range(BANDS):
                for i in range(n):
                    once = one[0, i] * x[band, i] + one[1, i] * y[band, i] + one[2, i] * z[band, i]
                    turned[p, band, i] += once * other[c, i]
    for q in range(3):
        along, sign = axes[2 - q], 1.0 if q == 1 else -1.0
        for band in range(BANDS):
            for i in range(n):
                rolled = (
                    along[0, i] * sums[8, band, i] - along[1, i] * sums[7, band, i] + along[2, i] * sums[6, band, i]
                )
                turned[6 + q, band, i] = sign * rolled


@compiled
def _describe(turned: Array, out: Array) -> None:
    """Make cross spectra in the wearers' axes free of unit, and write a row for each window; loops over the bands."""
    flat = turned.reshape((9, BANDS * len(out)))
    for p in range(3):
        for k in range(flat.shape[1]):
            flat[p, k] = (0.0 if flat[p, k] < 0.0 else flat[p, k]) + _FLOOR_G2
    for p in range(3):
        one, other = flat[_FIRST[3 + p]], flat[_SECOND[3 + p]]
        for k in range(flat.shape[1]):
            size = np.sqrt(one[k] * other[k])
            flat[3 + p, k] /= size
            flat[6 + p, k] /= size
    for p in range(3):
        for k in range(flat.shape[1]):
            flat[p, k] = elementary.log(flat[p, k])
    for i in range(len(out)):
        for band in range(BANDS):
            for p in range(3):
                out[i, 9 * band + p] = turned[p, band, i]
                out[i, 9 * band + 3 + 2 * p] = turned[3 + p, band, i]
                out[i, 9 * band + 4 + 2 * p] = turned[6 + p, band, i]
