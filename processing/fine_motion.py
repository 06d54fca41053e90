"""The fine motion of a trunk that sits: breath, heart beats and the tremor of muscles, by frequency and direction.

A trunk that sits still is never still. Each heart beat pushes it along the spine and back (ballistocardiography: Inan
et al. 2015, IEEE J Biomed Health Inform 19:1414), each breath turns it, and working muscles make it tremble. How this
motion runs, whether up goes with forward and which comes first, depends on how the spine is bent and what it rests
on. It tells postures apart whose angles are alike, such as a slouch and a lean from the hips.
"""

from __future__ import annotations

import itertools
from typing import Final

import numpy as np
from numpy.typing import NDArray

EDGES_HZ: Final = (0.1, 0.25, 0.5, 0.8, 1.2, 2.0, 3.0, 4.5, 6.0, 8.0, 10.0, 13.0, 16.0, 20.0, 24.0)
"""Edges of the bands: breath below 0.5 Hz, heart beats from 0.8 Hz with their overtones to 13 Hz, tremor above."""

KINDS: Final = ("up", "forward", "right", "up forward", "up right", "forward right")
"""What is taken of a band: log energies along three axes, then how each two go together, at once and in quadrature."""

COUNT: Final = (len(EDGES_HZ) - 1) * 9
MIRROR: Final = np.tile(np.array([1.0, 1, 1, 1, 1, -1, -1, -1, -1]), len(EDGES_HZ) - 1)
"""Signs that turn the numbers of a trunk into those of its mirror image, left for right."""

SHORTEST_S: Final = 2.0
_WINDOW_S: Final = 10.24
_FLOOR_G2: Final = 1e-9  # far below the noise of a clip, so that a silent axis has a logarithm
_PAIRS: Final = ((0, 1), (0, 2), (1, 2))


def fine_motion(xyz_g: NDArray[np.float64], forward: NDArray[np.float64], rate_hz: float) -> NDArray[np.float64]:
    """Take the fine motion of one stretch in one posture.

    Cross spectra are those of Welch (1967, IEEE Trans Audio Electroacoust 15:70), Hann windows of 10.24 s that
    overlap by half, with the median over the windows so that one fidget does not count.

    Parameters
    ----------
    xyz_g
        Shape (n, 3): specific force in sensor axes. Single missing values (NaN) are drawn straight between their
        neighbours.
    forward
        Shape (3,): the wearer's forward in sensor axes; only its part across the mean of the stretch counts.
    rate_hz
        Samples a second; bands above half of it are NaN.

    Returns
    -------
    Shape (`COUNT`,): nine numbers a band, all without unit. NaN where the stretch is shorter than `SHORTEST_S`, or
    has no direction.
    """
    nothing = np.full(COUNT, np.nan)
    if len(xyz_g) < SHORTEST_S * rate_hz or not np.isfinite(xyz_g).any(axis=0).all():
        return nothing
    xyz = _drawn(np.asarray(xyz_g, dtype=np.float64))
    up = xyz.mean(axis=0)
    ahead = np.asarray(forward, dtype=np.float64) - (forward @ up) / max(float(up @ up), 1e-12) * up
    if min(float(up @ up), float(ahead @ ahead)) < 1e-6:
        return nothing
    up, ahead = up / np.linalg.norm(up), ahead / np.linalg.norm(ahead)
    body = xyz @ np.stack([up, ahead, np.cross(ahead, up)], axis=1)
    n = len(body)
    t = np.linspace(-1.0, 1.0, n)[:, None]
    body = body - body.mean(axis=0)
    body = body - t * (t * body).sum(axis=0) / (t * t).sum()
    frequency_hz, cross = _cross_spectra(body, min(n, round(_WINDOW_S * rate_hz)), rate_hz)
    return np.concatenate([_band(cross, frequency_hz, lo, hi) for lo, hi in itertools.pairwise(EDGES_HZ)])


def _drawn(xyz: NDArray[np.float64]) -> NDArray[np.float64]:
    out = xyz.copy()
    for axis in out.T:
        known = np.isfinite(axis)
        if not known.all():
            axis[~known] = np.interp(np.flatnonzero(~known), np.flatnonzero(known), axis[known])
    return out


def _cross_spectra(
    body: NDArray[np.float64], window: int, rate_hz: float
) -> tuple[NDArray[np.float64], NDArray[np.complex128]]:
    """Frequencies (f,) and cross spectra by window (w, f, 3, 3), g2 a step of frequency."""
    hann = np.hanning(window)[:, None]
    parts = [body[start : start + window] for start in range(0, len(body) - window + 1, window // 2)]
    waves = np.stack([np.fft.rfft((part - part.mean(axis=0)) * hann, axis=0) for part in parts])
    cross = np.einsum("wfa,wfb->wfab", waves, waves.conj()) * (2.0 / (window * float((hann**2).sum())))
    return np.asarray(np.fft.rfftfreq(window, 1.0 / rate_hz), dtype=np.float64), np.asarray(cross)


def _band(
    cross: NDArray[np.complex128], frequency_hz: NDArray[np.float64], low_hz: float, high_hz: float
) -> NDArray[np.float64]:
    if high_hz > frequency_hz[-1]:
        return np.full(9, np.nan)
    inside = (frequency_hz >= low_hz) & (frequency_hz < high_hz)
    if not inside.any():
        inside[np.argmin(np.abs(frequency_hz - 0.5 * (low_hz + high_hz)))] = True
    sums = cross[:, inside].sum(axis=1)
    real, imaginary = np.median(sums.real, axis=0), np.median(sums.imag, axis=0)
    energy = np.diag(real) + _FLOOR_G2
    out = list(np.log(energy))
    for a, b in _PAIRS:
        size = np.sqrt(energy[a] * energy[b])
        out += [real[a, b] / size, imaginary[a, b] / size]
    return np.array(out)
