"""How well anybody could find a wearable's rate where connection events come at no even interval.

With a new interval, 30 to 50 ms, at every event (`benchmarks.timing` calls it jitter) each packet's delay is one draw:
the wait for the next event, in one case of twenty another interval, some microseconds, and now and then a busy host.
Whoever knows the density of that draw exactly, and forms the mean over all lines weighed by it, errs least in the mean
square of all who take packets one by one (Pitman 1939). No wearable tells that density; this is what there is to gain::

    python -m benchmarks.timing_bound [--links 200] [--seconds 60]

About two seconds a link and minute.
"""

from __future__ import annotations

import argparse

import numpy as np
from numpy.typing import NDArray

from collector.hull import LowerHull
from collector.timing import CRYSTAL_ERROR, SegmentClock
from tests.unit.links import PPM, S, packets

_PACKETS_HZ = 13.0
_TRUE_NS = S / _PACKETS_HZ * (1 + PPM * 1e-6)
_BIN_MS = 0.002
_SHARP_MS = 0.25
"""So near the least delay the density is taken as it was drawn; beyond, it is smooth and is smoothed."""
_SLOPES, _HEIGHTS = 41, 40

Reals = NDArray[np.float64]


def _log_density(rng: np.random.Generator, draws: int = 20_000_000) -> Reals:
    """Logarithm of the density of delays, in bins; up to a constant."""
    interval_ms = rng.uniform(30, 50, 2 * draws)
    interval_ms = interval_ms[rng.random(2 * draws) < interval_ms / 50][:draws]  # a long one is met more often
    delay_ms = interval_ms * rng.random(len(interval_ms))
    again = rng.random(len(delay_ms)) < 0.05
    while again.any():
        delay_ms[again] += rng.uniform(30, 50, again.sum())
        again &= rng.random(len(delay_ms)) < 0.05
    delay_ms += rng.exponential(0.01, len(delay_ms))
    busy = rng.random(len(delay_ms)) < 0.003
    delay_ms[busy] += rng.uniform(0, 150, busy.sum())
    drawn = np.histogram(delay_ms, np.arange(0, 400, _BIN_MS))[0].astype(np.float64)
    smooth = np.convolve(drawn, np.ones(101) / 101, "same")
    sharp = np.convolve(drawn, np.ones(3) / 3, "same")
    sharp[0] = drawn[0]
    near = np.arange(len(drawn)) * _BIN_MS < _SHARP_MS
    return np.log(np.where(near, sharp, smooth) + 1e-3)


def _best_ppm(number: Reals, arrival_ns: Reals, log_density: Reals) -> float:
    """Mean error of the rate, ppm, over all lines below the arrivals, weighed by the exact odds."""
    x = number - number.mean()
    y = (arrival_ns - arrival_ns[0] - (number - number[0]) * _TRUE_NS) / 1e6
    ms_per_ppm = _TRUE_NS / 1e12
    depths = np.linspace(0.0, 500.0 / len(x), _HEIGHTS)
    middle, half = 0.0, 1500.0 / len(x) / np.ptp(number)
    slopes = chances = np.empty(0)
    for _ in range(12):
        slopes = np.linspace(middle - half, middle + half, _SLOPES)
        weights = np.empty((_SLOPES, _HEIGHTS))
        for row, slope in enumerate(slopes):
            above = y - slope * x
            bins = ((above - above.min())[:, None] + depths) / _BIN_MS
            weights[row] = log_density[np.minimum(bins.astype(np.int64), len(log_density) - 1)].sum(axis=0)
        weights -= ((slopes / ms_per_ppm + PPM) / (CRYSTAL_ERROR * 1e6))[:, None] ** 2 / 2
        chances = np.exp(weights - weights.max()).sum(axis=1)
        chances /= chances.sum()
        likely = np.flatnonzero(chances > 6e-6 * chances.max())
        if likely[0] == 0 or likely[-1] == _SLOPES - 1:
            middle, half = float(slopes[int(chances.argmax())]), 2 * half
        elif likely[-1] - likely[0] < _SLOPES // 3:
            middle = float(slopes[likely[0] - 1] + slopes[likely[-1] + 1]) / 2
            half = float(slopes[likely[-1] + 1] - slopes[likely[0] - 1]) / 2
        else:
            break
    return float(chances @ slopes) / ms_per_ppm


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--links", type=int, default=200)
    parser.add_argument("--seconds", type=int, default=60)
    options = parser.parse_args()
    log_density = _log_density(np.random.default_rng(1))
    errors: dict[str, list[float]] = {"best there is": [], "ours": [], "plain hull": []}
    for seed in range(options.links):
        link = list(packets(seed, packets_hz=_PACKETS_HZ, seconds=options.seconds, interval="jitter"))
        clock, hull = SegmentClock(S / _PACKETS_HZ, CRYSTAL_ERROR), LowerHull(*link[0][:2])
        for k, arrival_ns, _ in link:
            clock.add(k, arrival_ns)
            if k:
                hull.add(k, arrival_ns)
        number, arrival, _ = np.array(link).T
        errors["best there is"].append(_best_ppm(number, arrival, log_density))
        errors["ours"].append((clock.line().period_ns / _TRUE_NS - 1) * 1e6)
        errors["plain hull"].append((hull.slope() / _TRUE_NS - 1) * 1e6)
    print(f"{options.links} links, a new interval at each event, {options.seconds} s: error of the rate, ppm")
    for name, ppm in errors.items():
        size = np.abs(ppm)
        print(f"{name:14s} median {np.median(size):.3f}, 90 of 100 {np.percentile(size, 90):.3f}, sd {np.std(ppm):.3f}")


if __name__ == "__main__":
    main()
