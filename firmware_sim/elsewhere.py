"""What a clip feels that nobody wears but that moves all the same: in a bag, in a car, in a train.

Samples at 50 Hz with their own noise, from a seed. Sizes are those of the literature on ride comfort and of carried
loads: a seat or floor of a car on a road shakes with 0.3 to 0.8 m/s2, mostly up and down and below 15 Hz, its body
resonates at 1 to 2.5 Hz, braking and bends take 0.1 to 0.3 g for seconds (ISO 2631-1:1997, annex C; Griffin 1990,
Handbook of Human Vibration); an idling engine hums at 20 to 30 Hz; trains ride more softly and speed up for longer.
A bag in the hand swings as a pendulum with each stride, and takes over some of the bearer's rise and fall; one at the
shoulder leans on the body and takes over all of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from firmware_sim.gait import step_amplitude_g
from firmware_sim.mount import random_rotation

Array = NDArray[np.float64]

RATE_HZ: Final = 50
_NOISE_G: Final = 0.004
_MG: Final = 1e-3


@dataclass
class Elsewhere:
    """A clip lying somewhere, turned in any way; what happens to it is added up from call to call.

    Parameters
    ----------
    seed
        Draws how it lies, and all that happens.
    """

    seed: int

    def __post_init__(self) -> None:
        """Draw how the clip lies at first."""
        self._rng = np.random.default_rng([self.seed, 29])
        self._lies = random_rotation(self._rng)

    def handled(self, seconds: float = 6.0) -> Array:
        """Take it in the hand and lay it elsewhere: it tumbles, and lies otherwise then."""
        n = round(seconds * RATE_HZ)
        self._lies = random_rotation(self._rng)
        turn = np.cumsum(self._band(n, 0.2, 1.5) * 0.03, axis=0)
        up = np.stack([np.sin(turn[:, 0]), np.sin(turn[:, 1]), np.cos(turn[:, 0]) * np.cos(turn[:, 1])], axis=1)
        return self._read(up + 0.15 * self._band(n, 0.5, 8.0))

    def lies(self, seconds: float, *, floor_mg: float = 0.0) -> Array:
        """Lie still, in a bag on a floor on which people walk by."""
        n = round(seconds * RATE_HZ)
        return self._read(_upright(n) + floor_mg * _MG * self._band(n, 8.0, 20.0))

    def carried(self, seconds: float, cadence_spm: float, *, in_hand: bool) -> Array:
        """Be carried by somebody who walks."""
        n = round(seconds * RATE_HZ)
        rng = self._rng
        step = step_amplitude_g(cadence_spm)
        phase = 2.0 * np.pi * cadence_spm / 60.0 * np.arange(n) / RATE_HZ + 0.3 * np.cumsum(rng.normal(0.0, 0.02, n))
        swing = np.radians(rng.uniform(6.0, 18.0) if in_hand else rng.uniform(1.5, 4.0))
        roll = np.radians(rng.uniform(2.0, 6.0) if in_hand else 1.0)
        drift = np.radians(2.0) * self._band(n, 0.1, 0.6)
        ahead = swing * np.sin(0.5 * phase + rng.uniform(0.0, 6.0)) + drift[:, 0]
        aside = roll * np.sin(0.5 * phase + 1.0) + drift[:, 1]
        rise = np.cos(phase) + 0.25 * np.cos(2.0 * phase + 1.0) + 0.1 * np.cos(3.0 * phase + 2.0)
        rise *= step * (0.7 if in_hand else 1.0)
        force = np.stack(
            [
                np.sin(ahead) + 0.3 * step * np.cos(phase + 1.5),
                np.sin(aside) + 0.15 * step * np.cos(0.5 * phase),
                np.cos(ahead) * np.cos(aside) + rise,
            ],
            axis=1,
        )
        return self._read(force + 40.0 * _MG * self._band(n, 3.0, 20.0))

    def in_car(self, seconds: float, *, rough: float = 1.0) -> Array:
        """Ride on a dashboard, a seat or in a cup holder, with stops."""
        n = round(seconds * RATE_HZ)
        rng = self._rng
        speed, bends = self._speed(n), np.zeros(n)
        for start, stop in self._times(n, (8.0, 50.0), (2.0, 6.0)):
            size = rng.choice([-1.0, 1.0]) * rng.uniform(0.08, 0.3)
            bends[start:stop] += size * np.sin(np.pi * np.arange(stop - start) / (stop - start))
        shaken = self._band(n, 1.0, 2.5) * [8.0, 8.0, 25.0] + self._band(n, 2.5, 15.0) * [10.0, 10.0, 25.0]
        shaken *= (rough * _MG * speed)[:, None] * (1.0 + 0.4 * self._band(n, 0.02, 0.2)[:, :1])
        hum = np.sin(2.0 * np.pi * 23.3 * np.arange(n) / RATE_HZ + np.cumsum(rng.normal(0.0, 0.05, n)))
        force = _upright(n) + shaken + hum[:, None] * (np.array([4.0, 4.0, 8.0]) * _MG)
        force[:, 0] += 0.2 * RATE_HZ * np.gradient(speed) + 0.02 * self._band(n, 0.03, 0.3)[:, 0] * speed
        force[:, 1] += bends * speed + 0.015 * self._band(n, 0.03, 0.3)[:, 1] * speed
        return self._read(force)

    def in_train(self, seconds: float) -> Array:
        """Ride in a train."""
        n = round(seconds * RATE_HZ)
        shaken = self._band(n, 1.0, 10.0) * [6.0, 12.0, 15.0] + self._band(n, 0.05, 0.5) * [8.0, 10.0, 1.0]
        force = _upright(n) + shaken * _MG
        for start, stop in self._times(n, (60.0, 150.0), (20.0, 30.0)):
            force[start:stop, 0] += 0.07 * self._rng.choice([-1.0, 1.0])
        return self._read(force)

    def _speed(self, n: int) -> Array:
        """Speed against the usual one: 0 at lights; five seconds to stop or start, so 0.2 g of braking."""
        speed = np.ones(n)
        for start, stop in self._times(n, (40.0, 240.0), (8.0, 40.0)):
            speed[start:stop] = 0.0
        width = 5 * RATE_HZ
        return np.asarray(np.convolve(speed, np.ones(width) / width, "same"))

    def _times(self, n: int, apart_s: tuple[float, float], lasts_s: tuple[float, float]) -> list[tuple[int, int]]:
        found, at = [], round(self._rng.uniform(*apart_s) * RATE_HZ)
        while at < n - 1:
            stop = min(at + round(self._rng.uniform(*lasts_s) * RATE_HZ), n)
            found.append((at, stop))
            at = stop + round(self._rng.uniform(*apart_s) * RATE_HZ)
        return found

    def _band(self, n: int, low_hz: float, high_hz: float) -> Array:
        """Noise of unit size between two frequencies, shape (n, 3)."""
        hz = np.fft.rfftfreq(n, 1.0 / RATE_HZ)
        inside = (hz >= low_hz) & (hz <= high_hz)
        spectrum = inside[:, None] * (self._rng.normal(size=(len(hz), 3)) + 1j * self._rng.normal(size=(len(hz), 3)))
        rows = np.fft.irfft(spectrum, n, axis=0)
        return np.asarray(rows / rows.std(axis=0))

    def _read(self, force: Array) -> Array:
        return np.asarray(force @ self._lies.T + self._rng.normal(0.0, _NOISE_G, force.shape))


def _upright(n: int) -> Array:
    return np.tile([0.0, 0.0, 1.0], (n, 1))
