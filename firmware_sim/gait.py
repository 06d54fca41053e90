"""Steps of the generated person: when they fall, and how the trunk moves with each.

The shape of a stride is a sum of harmonics of the stride frequency. Up and down and forward and back repeat every
step (even harmonics), from side to side every stride (odd ones): Menz et al. 2003, Gait Posture 18:35. Sizes are
medians of people walking and running with a clip at the lower back (HARTH, HAR70+).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

_SHAPE_ROWS: Final = 512

# amplitude against that of the step frequency (V), then side to side (ML), then forward (AP), harmonics 1 to 10
_WALK: Final = np.array(
    [
        [0.07, 1.0, 0.10, 0.20, 0.07, 0.16, 0.07, 0.12, 0.04, 0.06],
        [0.18, 0.10, 0.24, 0.08, 0.22, 0.08, 0.22, 0.06, 0.12, 0.04],
        [0.09, 0.62, 0.09, 0.34, 0.09, 0.18, 0.07, 0.16, 0.05, 0.08],
    ]
)
_RUN: Final = np.array(
    [
        [0.04, 1.0, 0.06, 0.20, 0.04, 0.17, 0.04, 0.13, 0.03, 0.06],
        [0.12, 0.04, 0.17, 0.04, 0.07, 0.04, 0.10, 0.05, 0.04, 0.02],
        [0.02, 0.18, 0.03, 0.12, 0.03, 0.10, 0.03, 0.08, 0.02, 0.04],
    ]
)


@dataclass(frozen=True)
class Walk:
    """The steps of one stretch.

    Attributes
    ----------
    steps_s
        Shape (n,), heel strikes in seconds from the start of the stretch, rising.
    size
        Shape (n,), strength of each step around 1.
    shape_g
        Shape (rows + 1, 3): one stride of trunk acceleration (up, right, forward), g; the last row is the first.
    """

    steps_s: NDArray[np.float64]
    size: NDArray[np.float64]
    shape_g: NDArray[np.float64]

    def at(self, t_s: NDArray[np.float64]) -> NDArray[np.float64]:
        """Acceleration of the trunk (up, right, forward) in g at seconds from the start, shape (n, 3)."""
        if len(self.steps_s) < 2:
            return np.zeros((len(t_s), 3))
        index = np.clip(np.searchsorted(self.steps_s, t_s, side="right") - 1, 0, len(self.steps_s) - 2)
        share = (t_s - self.steps_s[index]) / (self.steps_s[index + 1] - self.steps_s[index])
        inside = (share >= 0.0) & (share < 1.0)
        share = np.clip(share, 0.0, 1.0)
        place = ((index % 2) + share) * (0.5 * _SHAPE_ROWS)
        row = np.minimum(place.astype(np.int64), _SHAPE_ROWS - 1)
        value = self.shape_g[row] + (self.shape_g[row + 1] - self.shape_g[row]) * (place - row)[:, None]
        size = self.size[index] + (self.size[index + 1] - self.size[index]) * share
        return np.asarray(value * np.where(inside, size, 0.0)[:, None])

    def phase(self, t_s: NDArray[np.float64]) -> NDArray[np.float64]:
        """Strides since the first heel strike, shape (n,)."""
        return np.asarray(np.interp(t_s, self.steps_s, 0.5 * np.arange(len(self.steps_s))))


def step_amplitude_g(cadence_spm: float) -> float:
    """Size of the rise and fall at the step frequency, g.

    The trunk rises and falls by more the longer the step, and steps lengthen with cadence, so that the acceleration
    grows with about the cube of the cadence: 0.08 g at 76, 0.25 g at 112, 0.40 g at 127 steps a minute (HARTH, HAR70+).
    """
    return float(np.clip(0.25 * (cadence_spm / 112.0) ** 3, 0.045, 0.5))


def walk(
    rng: np.random.Generator,
    seconds: float,
    cadence_spm: float,
    *,
    running: bool = False,
    limp: float = 0.0,
    strength: float = 1.0,
    sideways: float = 1.0,
    stride_cv: float = 0.025,
    damping: float = 1.0,
) -> Walk:
    """Draw the steps of a stretch whose mean cadence is `cadence_spm`.

    Step times vary by `stride_cv` from step to step with a slow drift (persistence of stride times: Hausdorff et al.
    1995); a limp makes every other step longer and the weaker leg's push smaller. `damping` under 1 softens the
    harmonics above the step, as the spine does towards the head (Menz et al. 2003).
    """
    mean_s = 60.0 / cadence_spm
    n = int(seconds / mean_s * 1.2) + 8
    drift = np.zeros(n)
    kicks = rng.normal(0.0, 1.0, n)
    for i in range(1, n):
        drift[i] = 0.97 * drift[i - 1] + 0.24 * kicks[i]
    factor = 1.0 + stride_cv * (0.7 * rng.normal(0.0, 1.0, n) + 0.5 * drift)
    sign = np.where(np.arange(n) % 2 == 0, 1.0, -1.0)
    times = 0.15 * mean_s + np.concatenate([[0.0], np.cumsum(mean_s * (factor + limp * sign))])
    times = times[times < seconds]
    size = np.exp(rng.normal(0.0, 0.07, len(times))) * (1.0 - 0.6 * limp * (np.arange(len(times)) % 2))
    if len(size) > 6:  # nobody starts at full stride
        size[:2] *= [0.5, 0.8]
    amplitude = strength * (1.35 if running else step_amplitude_g(cadence_spm))
    return Walk(times, size, _shape(rng, amplitude, running=running, limp=limp, sideways=sideways, damping=damping))


def _shape(
    rng: np.random.Generator, amplitude_g: float, *, running: bool, limp: float, sideways: float, damping: float
) -> NDArray[np.float64]:
    relative = (_RUN if running else _WALK) * np.exp(rng.normal(0.0, 0.2, _WALK.shape))
    relative[0, 1] = 1.0
    relative[1, 0] = max(relative[1, 0], 0.03 / amplitude_g)
    relative[1] *= sideways
    relative[[0, 2], 0] += limp * np.array([0.5, 0.35])
    relative[:, 3:] *= damping
    harmonics = np.arange(1, relative.shape[1] + 1)
    phase = rng.uniform(0.0, 2.0 * np.pi, relative.shape)
    # the body is lowest, and pushed up most, just after a strike; forward lags up by about 105 degrees in HARTH, HAR70+
    phase[0, 1], phase[0, 3], phase[2, 1] = -0.9, 0.4, 0.93
    turn = 2.0 * np.pi * np.arange(_SHAPE_ROWS + 1) / _SHAPE_ROWS
    waves = np.cos(harmonics[None, :, None] * turn[None, None, :] + phase[:, :, None])
    return np.asarray(amplitude_g * np.sum(relative[:, :, None] * waves, axis=1).T)
