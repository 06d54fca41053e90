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
from processing.compiled import compiled
from processing.grid import RATE_HZ

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
    return np.asarray(np.rint(table * np.sqrt(2.0 / (_N * (hann**2).sum())) * _TABLE_QUANTUM) / _TABLE_QUANTUM)


_WAVES: Final = _waves()
_BAND: Final = np.searchsorted(np.arange(1, _HALF + 1) / WINDOW_S, EDGES_HZ)
"""Rows of frequencies at which the bands begin, and after the last."""


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
    """Do as `fine_motion` for windows that begin at these rows of samples, shape (m, 3); loops over the windows."""
    out = np.empty((len(begins), COUNT))
    parts, products, sums = np.empty((3, _N)), np.empty((9, _HALF)), np.empty((9, BANDS))
    axes, work = np.empty((3, 3)), np.empty((9, BANDS))
    for i in range(len(begins)):
        _transform(samples_g, begins[i], parts)
        _multiply(parts, products)
        _add_up(products, sums)
        _body(up, forward, i, axes)
        _turn(sums, axes, work)
        _describe(work, out, i)
    return out


@compiled
def _transform(samples_g: Array, begin: int, parts: Array) -> None:
    """Cosine and sine parts of a window's axes, shape (3, 2 x 50); loops over four samples at a time."""
    parts[:] = 0.0
    for n in range(0, _N, 4):
        at = begin + n
        x0, x1, x2, x3 = samples_g[at, 0], samples_g[at + 1, 0], samples_g[at + 2, 0], samples_g[at + 3, 0]
        y0, y1, y2, y3 = samples_g[at, 1], samples_g[at + 1, 1], samples_g[at + 2, 1], samples_g[at + 3, 1]
        z0, z1, z2, z3 = samples_g[at, 2], samples_g[at + 1, 2], samples_g[at + 2, 2], samples_g[at + 3, 2]
        for j in range(_N):
            w0, w1, w2, w3 = _WAVES[n, j], _WAVES[n + 1, j], _WAVES[n + 2, j], _WAVES[n + 3, j]
            parts[0, j] += (w0 * x0 + w1 * x1) + (w2 * x2 + w3 * x3)
            parts[1, j] += (w0 * y0 + w1 * y1) + (w2 * y2 + w3 * y3)
            parts[2, j] += (w0 * z0 + w1 * z1) + (w2 * z2 + w3 * z3)


@compiled
def _multiply(parts: Array, products: Array) -> None:
    """Cross spectra, shape (9, 50): six in phase, three in quadrature; loops over frequencies.

    Rounded, so that the sums over a band are exact.
    """
    for j in range(_HALF):
        a, b, c = parts[0, j], parts[1, j], parts[2, j]
        u, v, w = parts[0, _HALF + j], parts[1, _HALF + j], parts[2, _HALF + j]
        products[0, j] = _rounded(a * a + u * u)
        products[1, j] = _rounded(b * b + v * v)
        products[2, j] = _rounded(c * c + w * w)
        products[3, j] = _rounded(a * b + u * v)
        products[4, j] = _rounded(a * c + u * w)
        products[5, j] = _rounded(b * c + v * w)
        products[6, j] = _rounded(u * b - a * v)
        products[7, j] = _rounded(u * c - a * w)
        products[8, j] = _rounded(v * c - b * w)


@compiled
def _rounded(product_g2: float) -> float:
    held = min(max(product_g2, -_LOUDEST_G2), _LOUDEST_G2)
    return float(np.rint(held * _ENERGY_QUANTUM))


@compiled
def _add_up(products: Array, sums: Array) -> None:
    """Sums of cross spectra over the bands, shape (9, bands)."""
    for p in range(9):
        for band in range(BANDS):
            total = 0.0
            for j in range(_BAND[band], _BAND[band + 1]):
                total += products[p, j]
            sums[p, band] = total * (1.0 / _ENERGY_QUANTUM)


@compiled
def _body(up: Array, forward: Array, i: int, axes: Array) -> None:
    """Rows up, forward and right in sensor axes, shape (3, 3); NaN where they cannot be told."""
    x, y, z = _unit(up[i, 0], up[i, 1], up[i, 2])
    a, b, c = forward[i, 0], forward[i, 1], forward[i, 2]
    along = a * x + b * y + c * z
    a, b, c = _unit(a - along * x, b - along * y, c - along * z)
    axes[0, 0], axes[0, 1], axes[0, 2] = x, y, z
    axes[1, 0], axes[1, 1], axes[1, 2] = a, b, c
    axes[2, 0], axes[2, 1], axes[2, 2] = b * z - c * y, c * x - a * z, a * y - b * x


@compiled
def _unit(x: float, y: float, z: float) -> tuple[float, float, float]:
    size = np.sqrt(x * x + y * y + z * z)
    if not size > _SHORTEST_G:
        return np.nan, np.nan, np.nan
    return x / size, y / size, z / size


@compiled
def _turn(sums: Array, axes: Array, turned: Array) -> None:
    """Turn cross spectra, shape (9, bands), into the wearer's axes; loops over the bands.

    What runs in phase is a symmetric matrix. What runs in quadrature is antisymmetric and so a vector; seen in the
    wearer's axes, which are left-handed (up, forward, right), it turns sign.
    """
    for p in range(6):
        i, k = _FIRST[p], _SECOND[p]
        turned[p] = 0.0
        for c in range(3):
            s, t, u = _SYMMETRIC[0, c], _SYMMETRIC[1, c], _SYMMETRIC[2, c]
            for band in range(BANDS):
                once = axes[i, 0] * sums[s, band] + axes[i, 1] * sums[t, band] + axes[i, 2] * sums[u, band]
                turned[p, band] += once * axes[k, c]
    for q in range(3):
        x, y, z = axes[2 - q, 0], axes[2 - q, 1], axes[2 - q, 2]
        sign = 1.0 if q == 1 else -1.0
        for band in range(BANDS):
            turned[6 + q, band] = sign * (x * sums[8, band] - y * sums[7, band] + z * sums[6, band])


@compiled
def _describe(turned: Array, out: Array, row: int) -> None:
    """Make a window's cross spectra in the wearer's axes free of unit; loops over the bands."""
    for p in range(3):
        for band in range(BANDS):
            turned[p, band] = max(turned[p, band], 0.0) + _FLOOR_G2
    for p in range(3):
        i, k = _FIRST[3 + p], _SECOND[3 + p]
        for band in range(BANDS):
            size = np.sqrt(turned[i, band] * turned[k, band])
            turned[3 + p, band] /= size
            turned[6 + p, band] /= size
    for p in range(3):
        for band in range(BANDS):
            turned[p, band] = elementary.log(turned[p, band])
    for band in range(BANDS):
        for p in range(3):
            out[row, 9 * band + p] = turned[p, band]
            out[row, 9 * band + 3 + 2 * p] = turned[3 + p, band]
            out[row, 9 * band + 4 + 2 * p] = turned[6 + p, band]
