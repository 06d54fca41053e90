"""F15, F16 and F17: counters that wrap, clocks that step, clocks that drift."""

from __future__ import annotations

import datetime as dt
import math
import zoneinfo
from collections.abc import Callable, Iterator
from itertools import pairwise

import numpy as np
import pytest

from processing.intake import Intake, IntakeState, StreamState
from spineclip.contract.config import PatientConfig
from spineclip.contract.days import day_of, day_start_ns
from spineclip.contract.wire import Gap, SampleBatch
from tests.unit.test_stream import RATE_HZ, UTC0, _packet, _stream

S = 10**9
LAST = (1 << 32) - 1


def test_f15_sequence(figure: Callable[[str], None]) -> None:
    """F15: a stream's sequence number reaches 2^32 - 1.

    Promise: a new boot begins, no false gap, no record taken for an old one.
    """
    stream = _stream(ticks=True)
    stream._seq = LAST - 3
    records = []
    for k in range(1000):
        records += stream.feed("data", _packet(k), k * 10_000_000, UTC0 + k * 10_000_000)
    records += stream.disconnected("stopped")
    numbers = [(record.boot, record.seq) for record in records]
    assert numbers == [(1, LAST - 3 + k) for k in range(4)] + [(2, k) for k in range(len(records) - 4)]
    assert not any(isinstance(record, Gap) for record in records)
    assert sum(record.n for record in records if isinstance(record, SampleBatch)) == 1000
    intake = Intake(IntakeState({"test-1": StreamState(1, LAST - 3, UTC0)}))
    out = [one for record in records for one in intake.take(record, 0.0)[1]]
    now_s = 0.0
    while len(out) < len(records) and now_s < 60:
        now_s += 0.25
        out += intake.due(now_s)[1]
    figure(f"{len(out)} of {len(records)} records over the wrap in order, 0 gaps, the last after {now_s:g} s")
    assert out == records


def test_f15_ticks(figure: Callable[[str], None]) -> None:
    """F15: the wearable's own clock passes 2^32 ticks, then the wearable reboots.

    Promise: no false loss at the wrap; the reboot is a gap with its reason, and covers every sample that is missing.
    """
    stream = _stream(ticks=True)
    records = []
    for k in range(600):
        records += stream.feed("data", _packet(k, 1, (1 << 32) - 3_000), k * 10_000_000, UTC0 + k * 10_000_000)
    for k in range(900, 1500):
        arrival_ns = k * 10_000_000
        records += stream.feed("data", _packet(k, 1, -9_000), arrival_ns, UTC0 + arrival_ns)
    records += stream.disconnected("stopped")
    gaps = [record for record in records if isinstance(record, Gap)]
    n = sum(record.n for record in records if isinstance(record, SampleBatch))
    figure(f"gaps: {[(gap.reason, (gap.end_ns - gap.start_ns) / S) for gap in gaps]}, {n} of 1200 samples")
    assert [gap.reason for gap in gaps] == ["reboot"]
    assert n >= 1190  # a first few may look like late ones until the reboot is certain; the gap covers them
    assert gaps[0].end_ns - gaps[0].start_ns == pytest.approx(3 * S + (1200 - n) * 10_000_000, abs=2_000)


@pytest.mark.parametrize("step_s", [3600.0, -3600.0, 0.4, -0.4])
def test_f16_steps(step_s: float, figure: Callable[[str], None]) -> None:
    """F16: the wall clock steps by an hour, or by less than a second as NTP does, in the middle of a stream.

    Promise: sample times only rise, no sample is lost or doubled, the spacing of two samples is off by less than one.
    """
    stream, records = _stream(ticks=False), []
    for k in range(3000):
        arrival_ns = k * 10_000_000
        records += stream.feed(
            "data", _packet(k), arrival_ns, UTC0 + arrival_ns + (round(step_s * S) if k > 999 else 0)
        )
    records += stream.disconnected("stopped")
    batches = [record for record in records if isinstance(record, SampleBatch)]
    for before, after in pairwise(records):
        assert (after.start_ns if isinstance(after, Gap) else after.t0_ns) >= before.end_ns
    worst = max(abs(batch.dt_ns - S / RATE_HZ) for batch in batches) / (S / RATE_HZ)
    figure(f"{step_s:+g} s: {sum(b.n for b in batches)} of 3000 samples, spacing off by {worst:.2f} samples")
    assert sum(batch.n for batch in batches) == 3000
    assert worst <= 0.0501  # less than a second is caught up with 5 % longer or shorter steps


@pytest.mark.parametrize(("day", "hours"), [(dt.date(2026, 3, 29), 23), (dt.date(2026, 10, 25), 25)])
def test_f16_days(day: dt.date, hours: int, figure: Callable[[str], None]) -> None:
    """F16: the clocks change in the patient's zone.

    Promise: that day has 23 or 25 hours, and each instant of it belongs to it.
    """
    zone = zoneinfo.ZoneInfo(PatientConfig(time_zone="Europe/Berlin").time_zone)
    start_ns, end_ns = day_start_ns(day, zone), day_start_ns(day + dt.timedelta(days=1), zone)
    figure(f"{day}: {(end_ns - start_ns) / 3600 / S:g} h")
    assert end_ns - start_ns == hours * 3600 * S
    assert {day_of(t_ns, zone) for t_ns in range(start_ns, end_ns, 600 * S)} == {day}


def _radio(seconds: int, ppm: float) -> Iterator[tuple[int, int, float]]:
    """Two packets a second of 50 samples each, over a radio with events every 45 ms and one retry in twenty."""
    rng = np.random.default_rng(3)
    waits = rng.geometric(0.95, seconds * 2) - 1
    last_ns = 0
    for k in range(seconds * 2):
        true_ns = 1e9 + ((k + 1) * 50 - 1) * 1e7 * (1 + ppm * 1e-6)
        last_ns = max(last_ns + 1, round((math.ceil(true_ns / 45e6) + int(waits[k])) * 45e6))
        yield k, last_ns, true_ns


@pytest.mark.parametrize("ppm", [100.0, -100.0])
def test_f17(ppm: float, figure: Callable[[str], None], full: bool) -> None:
    """F17: the wearable's clock runs 100 ppm fast or slow for 24 h (2 h in the short run) over a jittery radio.

    Promise: no sample's time is off by more than 50 ms; none is lost or named lost.
    """
    stream, hours, worst_ns, n, gaps = _stream(ticks=True), (24 if full else 2), 0.0, 0, 0
    for k, arrival_ns, _ in _radio(hours * 3600, ppm):
        for record in stream.feed("data", _packet(k * 50, 50), arrival_ns, UTC0 + arrival_ns):
            if isinstance(record, Gap):
                gaps += 1
                continue
            true_ns = UTC0 + 1e9 + n * 1e7 * (1 + ppm * 1e-6)
            if n > 60 * RATE_HZ:  # the first minute is for learning
                worst_ns = max(worst_ns, abs(record.t0_ns - true_ns))
            n += record.n
    figure(f"{ppm:+g} ppm, {hours} h: {n} samples, {gaps} gaps, off by {worst_ns / 1e6:.1f} ms at most")
    assert gaps == 0
    assert n >= (hours * 3600 - 2) * RATE_HZ
    assert worst_ns < 50e6
