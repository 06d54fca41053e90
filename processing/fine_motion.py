"""The fine motion of a trunk that sits: breath, heart beats and the tremor of muscles, by frequency and direction.

A trunk that sits still is never still. Each heart beat pushes it along the spine and back (ballistocardiography: Inan
et al. 2015, IEEE J Biomed Health Inform 19:1414), each breath turns it, and working muscles make it tremble. How this
motion runs, whether up goes with forward and which comes first, depends on how the spine is bent and what it rests
on. It tells postures apart whose angles are alike, such as a slouch and a lean from the hips.

Windows of four seconds are as good as ten (measured on the IMU Sitting Postures Dataset, people left out), and their
numbers can simply be averaged over a stretch, so that a stream carries nothing but sums.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

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

_FLOOR_G2: Final = 1e-9  # far below the noise of a clip, so that a silent axis has a logarithm
_AXES: Final = np.arange(3)
_FIRST: Final = np.array([0, 1, 2, 0, 0, 1])
_SECOND: Final = np.array([0, 1, 2, 1, 2, 2])
_SYMMETRIC: Final = np.array([[0, 3, 4], [3, 1, 5], [4, 5, 2]])
_QUADRATURE: Final = np.array([8, 7, 6])
_VECTOR: Final = np.array([2, 1, 0])
_SIGNS: Final = np.array([1.0, -1.0, 1.0])
_NEXT: Final = np.array([1, 2, 0])
_LAST: Final = np.array([2, 0, 1])
_TABLE_QUANTUM: Final = 2.0**22
_ENERGY_QUANTUM: Final = 2.0**38
_LOUDEST_G2: Final = 256.0
_N: Final = WINDOW_S * RATE_HZ
_PIECE: Final = 60  # windows that stay in the processor's cache


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


def _shares() -> Array:
    """Which frequencies make up a band, shape (50, `BANDS`), 0 or 1."""
    hz = np.arange(1, _N // 2 + 1) / WINDOW_S
    return np.stack([(hz >= low) & (hz < high) for low, high in pairwise(EDGES_HZ)], axis=1).astype(np.float64)


_WAVES: Final = _waves()
_SHARES: Final = _shares()


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
    out = np.empty((len(xyz_g), COUNT))
    for a in range(0, len(xyz_g), _PIECE):
        here = slice(a, a + _PIECE)
        out[here] = _numbers(_sums(xyz_g[here]), _body(up[here], forward[here]))
    return out


def _sums(xyz_g: Array) -> Array:
    """Cross spectra of windows by band, in sensor axes, shape (n, bands, 9): six in phase, three in quadrature."""
    n = len(xyz_g)
    parts = np.ascontiguousarray(xyz_g.transpose(0, 2, 1)) @ _WAVES  # window by window: see `processing.products`
    parts = parts.reshape(n, 3, 2, _N // 2)
    cosine, sine = parts[:, :, 0], parts[:, :, 1]
    products = np.empty((n, 9, _N // 2))
    products[:, :6] = cosine[:, _FIRST] * cosine[:, _SECOND] + sine[:, _FIRST] * sine[:, _SECOND]
    products[:, 6:] = sine[:, _FIRST[3:]] * cosine[:, _SECOND[3:]] - cosine[:, _FIRST[3:]] * sine[:, _SECOND[3:]]
    products.clip(-_LOUDEST_G2, _LOUDEST_G2, out=products)
    products *= _ENERGY_QUANTUM
    np.rint(products, out=products)  # so that the sums over a band are exact
    products *= 1.0 / _ENERGY_QUANTUM
    return np.ascontiguousarray((products @ _SHARES).transpose(0, 2, 1))


def _body(up: Array, forward: Array) -> Array:
    """Rows up, forward and right in sensor axes, shape (n, 3, 3); NaN where they cannot be told."""
    along = _unit(up)
    ahead = _unit(forward - _dot(forward, along)[:, None] * along)
    out = np.empty((len(up), 3, 3))
    out[:, 0], out[:, 1] = along, ahead
    out[:, 2] = ahead[:, _NEXT] * along[:, _LAST] - ahead[:, _LAST] * along[:, _NEXT]
    return out


def _dot(a: Array, b: Array) -> Array:
    return np.asarray(a[:, 0] * b[:, 0] + a[:, 1] * b[:, 1] + a[:, 2] * b[:, 2])


def _unit(rows: Array) -> Array:
    size = np.sqrt(_dot(rows, rows))
    return np.where(size > 1e-3, 1.0, np.nan)[:, None] * rows / np.maximum(size, 1e-3)[:, None]


def _numbers(sums: Array, axes: Array) -> Array:
    """Turn cross spectra, shape (n, bands, 9), into the wearer's axes, (n, 3, 3), and make them free of unit.

    What runs in phase is a symmetric matrix. What runs in quadrature is antisymmetric and so a vector; seen in the
    wearer's axes, which are left-handed (up, forward, right), it turns sign.
    """
    n = len(sums)
    once = axes[:, None, :, :, None] * sums[:, :, None, _SYMMETRIC]
    half = once[..., 0, :] + once[..., 1, :] + once[..., 2, :]
    twice = half[:, :, _FIRST] * axes[:, None, _SECOND]
    same = twice[..., 0] + twice[..., 1] + twice[..., 2]
    turned = axes[:, None, _VECTOR] * (sums[:, :, _QUADRATURE] * _SIGNS)[:, :, None]
    apart = turned[..., 0] + turned[..., 1] + turned[..., 2]
    energy = np.maximum(same[:, :, :3], 0.0) + _FLOOR_G2
    size = np.sqrt(energy[:, :, _FIRST[3:]] * energy[:, :, _SECOND[3:]])
    out = np.empty((n, BANDS, 9))
    np.log(energy, out=out[:, :, :3])
    np.divide(same[:, :, 3:], size, out=out[:, :, 3::2])
    np.divide(apart * -_SIGNS, size, out=out[:, :, 4::2])
    return out.reshape(n, COUNT)
