"""Simulated radio links, as the facts of the field describe them: what a wearable's packets look like on arrival."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Final, Literal

import numpy as np

S: Final = 10**9
PPM: Final = 35.0
"""The wearable's clock runs so much slow."""

Interval = Literal["any", "steps", "jitter", "free"]
"""Connection interval: one for a link, anything from 30 to 50 ms; one in steps of 1.25 ms, as Bluetooth has them; or a
new one at every event, which no Bluetooth link has, but which other radios and busy adapters look like; or no events:
each packet is under way for anything from 30 to 50 ms."""


def packets(
    seed: int, *, packets_hz: float, seconds: float, interval: Interval = "any", bend_ppm_s: float = 0.0
) -> Iterator[tuple[int, int, float]]:
    """Simulate a link: yields (packet number, arrival ns, true time ns), in order of arrival.

    One transmission in twenty has to wait for the next event; one packet in five hundred meets a host that is busy
    for 150 ms. The truth is the instant of the packet's last sample. The wearable's rate changes by `bend_ppm_s` ppm a
    second, as it does when it grows warm.
    """
    rng = np.random.default_rng(seed)
    period_ns = S / packets_hz * (1 + PPM * 1e-6)
    interval_ns = 1.25e6 * rng.integers(24, 41) if interval == "steps" else rng.uniform(30e6, 50e6)
    phase_ns = rng.uniform(0, interval_ns)
    events_ns = np.cumsum(rng.uniform(30e6, 50e6, round(seconds / 0.03) + 200)) if interval == "jitter" else None
    busy_until_ns, last_ns = 0.0, 0
    for k in range(round(seconds * packets_hz)):
        true_ns = 1e9 + k * period_ns * (1 + bend_ppm_s * 1e-6 * k / packets_hz / 2)
        first = (
            math.ceil((true_ns - phase_ns) / interval_ns) if events_ns is None else np.searchsorted(events_ns, true_ns)
        )
        event = int(first)
        while rng.random() < 0.05:
            event += 1
        sent_ns = phase_ns + event * interval_ns if events_ns is None else float(events_ns[event])
        if interval == "free":
            sent_ns = true_ns + rng.uniform(30e6, 50e6) * (1 + event - int(first))
        arrival_ns = sent_ns + rng.exponential(0.01e6)
        if rng.random() < 0.002:
            busy_until_ns = max(busy_until_ns, arrival_ns + 150e6)
        last_ns = max(last_ns, round(max(arrival_ns, busy_until_ns)))
        yield k, last_ns, true_ns
