"""How well a wearable's rate and phase are found over a radio link, on many simulated links.

For connection intervals of four kinds (any from 30 to 50 ms, one for a link; in Bluetooth's steps of 1.25 ms; a new
one at every event; none, each packet being 30 to 50 ms under way), 35 ppm of drift, 5 % repeated transmissions, and a
host that now and then is busy for 150 ms::

    python -m benchmarks.timing [--links 200] [--packets 13]

`sd` is the standard deviation of the rate's error over the links, `hull` the same for the plain lower hull of the
arrivals (its edge over the mean index) on the very same links, and `x` how many times larger that is.
`said` is the share of links whose truth lies within the published uncertainty (two standard deviations: 95 %).
`known` starts from the rate that an earlier connection has left behind, 1 ppm off. CPU is for the whole link.
"""

from __future__ import annotations

import argparse
import time

import numpy as np

from collector.hull import LowerHull
from collector.timing import CRYSTAL_ERROR, SAME_WEARABLE_ERROR, SegmentClock
from tests.unit.links import PPM, Interval, S, packets

_AT_S = (60, 600)
_INTERVALS: tuple[Interval, ...] = ("any", "steps", "jitter", "free")


def _one(
    seed: int, packets_hz: float, interval: Interval, known: tuple[float, float]
) -> tuple[list[list[float]], float]:
    """Fit a link; returns errors of rate (ppm) and phase (ms), each with what was said, and the plain hull's, per time.

    And CPU seconds.
    """
    clock = SegmentClock(S / packets_hz * (1 + known[0]), known[1])
    true_ns = S / packets_hz * (1 + PPM * 1e-6)
    link = list(packets(seed, packets_hz=packets_hz, seconds=_AT_S[-1], interval=interval))
    plain = LowerHull(*link[0][:2])
    rows: list[list[float]] = []
    ends = {round(at_s * packets_hz) - 1 for at_s in _AT_S}
    cpu_s = -time.process_time()
    for k, arrival_ns, now_ns in link:
        clock.add(k, arrival_ns)
        if k % max(1, round(packets_hz)) == 0:
            clock.line()
        if k in ends:
            line = clock.line()
            rate_ppm, phase_ms = (line.period_ns / true_ns - 1) * 1e6, (line.time_ns(k) - now_ns) / 1e6
            rows.append([rate_ppm, 2e6 * line.rate_error, abs(phase_ms), (line.error_ns(k) - line.delay_ns) / 1e6])
    cpu_s += time.process_time()
    for k, arrival_ns, _ in link[1:]:
        plain.add(k, arrival_ns)
        if k in ends:
            rows[sorted(ends).index(k)].append((plain.slope() / true_ns - 1) * 1e6)
    return rows, cpu_s


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--links", type=int, default=200)
    parser.add_argument("--packets", type=float, default=13.0)
    options = parser.parse_args()
    print(f"{options.links} links, {options.packets:g} packets a second")
    print(f"{'interval':18s} {'after':>6s} | {'rate ppm: median':>16s} {'p90':>8s} {'worst':>8s} {'said':>6s} "
          f"{'sd':>7s} {'hull':>7s} {'x':>5s} | "
          f"{'phase ms: median':>16s} {'p90':>8s} {'worst':>8s} {'said':>6s} | CPU %")  # fmt: skip
    before = PPM * 1e-6 + 1e-6, SAME_WEARABLE_ERROR
    for interval in _INTERVALS:
        for name, known in ((interval, (0.0, CRYSTAL_ERROR)), (f"{interval}, known", before)):
            found = [_one(seed, options.packets, interval, known) for seed in range(options.links)]
            cpu = 100 * sum(one[1] for one in found) / (options.links * _AT_S[-1])
            for at, at_s in enumerate(_AT_S):
                errors, rate_said, phase, phase_said, hull = np.array([one[0][at] for one in found]).T
                rate = np.abs(errors)
                print(
                    f"{name:18s} {at_s:4d} s | {np.median(rate):16.3f} {np.percentile(rate, 90):8.3f} "
                    f"{rate.max():8.3f} {(rate <= rate_said).mean():6.1%} "
                    f"{errors.std():7.3f} {hull.std():7.3f} {hull.std() / errors.std():5.1f} | "
                    f"{np.median(phase):16.3f} "
                    f"{np.percentile(phase, 90):8.3f} {phase.max():8.3f} {(phase <= phase_said + 0.02).mean():6.1%} "
                    f"| {cpu:.2f}",
                    flush=True,
                )


if __name__ == "__main__":
    main()
