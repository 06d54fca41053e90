"""Promise: a wearable's packets become batches without invented, doubled or silently missing samples."""

from __future__ import annotations

import math
import random
import struct
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import pytest

from collector.stream import ClipStream
from collector.wearables.base import Advertisement, Decoded, Gatt, Stream, TickClock
from spineclip.contract.placement import Placement
from spineclip.contract.wire import Gap, Record, SampleBatch

S = 10**9
UTC0 = 1_700_000_000 * S
RATE_HZ = 100.0


class _Decoder:
    """Packets of a wearable made for these tests: u32 milliseconds of the last sample, u8 n, then x counts."""

    def __init__(self, ticks: bool) -> None:
        self.rejects: Counter[str] = Counter()
        self._ticks = ticks

    def feed(self, characteristic: str, data: bytes) -> list[Decoded]:
        tick, n = struct.unpack_from("<IB", data)
        x = np.frombuffer(data, "<i2", count=n, offset=5)
        counts = np.stack([x, x, x], axis=1)
        return [Decoded(counts, 0.001, tick=tick if self._ticks else None)]


@dataclass
class _Wearable:
    ticks: bool
    kind: str = "test"
    label: str = "Test"
    hardware_seen: bool = False
    notify: tuple[str, ...] = ("data",)
    counter_bits: int | None = None
    rates_hz: tuple[float, ...] = (RATE_HZ,)
    ranges_g: tuple[float, ...] = (8.0,)
    clock: TickClock | None = field(init=False)

    def __post_init__(self) -> None:
        self.clock = TickClock(1e6, 32, "last") if self.ticks else None

    def recognise(self, seen: Advertisement) -> bool:
        return bool(seen.name)

    def decoder(self, stream: Stream) -> _Decoder:
        return _Decoder(self.ticks)

    def plan(self, rate_hz: float, range_g: float) -> Stream:
        return Stream(rate_hz, range_g)

    async def prepare(self, gatt: Gatt, stream: Stream) -> None: ...
    async def start(self, gatt: Gatt, stream: Stream) -> None: ...
    async def stop(self, gatt: Gatt) -> None: ...

    async def ask_battery(self, gatt: Gatt) -> int | None:
        return None

    async def buzz(self, gatt: Gatt) -> bool:
        return False


def _stream(ticks: bool, stopped_ns: int | None = None) -> ClipStream:
    boots = iter(range(1, 100))
    stream = ClipStream("test-1", Placement.STERNUM, _Wearable(ticks), lambda: next(boots), stopped_ns)
    stream.connected(Stream(RATE_HZ, 8.0))
    return stream


def _packet(first: int, n: int = 1, boot_ms: int = 5) -> bytes:
    """Sample i of the truth is taken at i * 10 ms and has the value i."""
    ms = ((first + n - 1) * 10 + boot_ms) % (1 << 32)
    values = [(first + i) % 30_000 for i in range(n)]
    return struct.pack("<IB", ms, n) + struct.pack(f"<{n}h", *values)


def _play(stream: ClipStream, firsts: Iterable[int], n: int = 1, delay: Sequence[int] = (0,)) -> list[Record]:
    records: list[Record] = []
    for k, first in enumerate(firsts):
        arrival_ns = (first + n - 1) * 10_000_000 + delay[k % len(delay)]
        records += stream.feed("data", _packet(first, n), arrival_ns, UTC0 + arrival_ns)
    return records


def _check(records: list[Record], tolerance_ns: int) -> tuple[set[int], list[Gap]]:
    """Check order, seq and the time of every sample by its value; return the values and the gaps."""
    assert [record.seq for record in records] == list(range(len(records)))
    for before, after in pairwise(records):
        start_ns = after.start_ns if isinstance(after, Gap) else after.t0_ns
        assert start_ns >= before.end_ns
    values: list[int] = []
    for record in records:
        if isinstance(record, SampleBatch):
            truth_ns = UTC0 + record.xyz[:, 0].astype(np.int64) * 10_000_000
            assert np.abs(record.times_ns() - truth_ns).max() <= tolerance_ns
            values += record.xyz[:, 0].tolist()
    assert values == sorted(set(values)), "a sample came twice or out of order"
    return set(values), [record for record in records if isinstance(record, Gap)]


@pytest.mark.parametrize("ticks", [False, True])
def test_exact_arrivals_give_every_sample_at_its_time(ticks: bool) -> None:
    stream = _stream(ticks)
    records = _play(stream, range(1050)) + stream.disconnected("stopped")
    values, gaps = _check(records, tolerance_ns=1_000)
    assert values == set(range(1050))
    assert not gaps
    assert len(records) == 11


@pytest.mark.parametrize("ticks", [False, True])
@pytest.mark.parametrize("missing", [range(437, 438), range(437, 452), range(400, 401), range(700, 820)])
def test_f13_lost_samples_are_named_as_a_gap_of_their_length(ticks: bool, missing: range) -> None:
    stream = _stream(ticks)
    firsts = [k for k in range(1500) if k not in missing]
    records = _play(stream, firsts) + stream.disconnected("stopped")
    values, (gap,) = _check(records, tolerance_ns=1_000)
    assert values == set(firsts)
    assert gap.reason == "lost"
    assert gap.start_ns == pytest.approx(UTC0 + missing.start * 10_000_000, abs=1_000)
    assert gap.end_ns - gap.start_ns == pytest.approx(len(missing) * 10_000_000, abs=2_000)


@pytest.mark.parametrize(
    ("n", "interval_ms", "slow"),
    [(1, 10.0, 0.0088), (1, 10.0, 0.004), (1, 10.0, -0.0019), (3, 30.0, 0.0155), (3, 30.0, -0.0063)],
)
@pytest.mark.parametrize("again", [0.0, 0.02])
@pytest.mark.parametrize("seed", range(2))
def test_packets_that_slide_over_the_connection_events_are_not_a_loss(
    n: int, interval_ms: float, slow: float, again: float, seed: int
) -> None:
    """A sensor slightly off, in step with the events: for seconds all packets wait as long, then one misses its own."""
    dice = random.Random(seed)
    stream, interval_ns, phase_ns = _stream(ticks=False), interval_ms * 1e6, dice.uniform(0, interval_ms * 1e6)
    records: list[Record] = []
    arrival_ns = 0
    for first in range(0, 3000, n):
        made_ns = (first + n) * 10_000_000 * (1 + slow)
        event = math.ceil((made_ns - phase_ns) / interval_ns) + (dice.random() < again)
        arrival_ns = max(arrival_ns, round(phase_ns + event * interval_ns + dice.expovariate(1 / 10e3)))
        records += stream.feed("data", _packet(first, n), arrival_ns, UTC0 + arrival_ns)
    records += stream.disconnected("stopped")
    assert [record for record in records if isinstance(record, Gap)] == []
    assert sum(record.n for record in records if isinstance(record, SampleBatch)) == 3000


def test_a_busy_host_is_not_a_loss() -> None:
    # Every 3 s all packets of 300 ms arrive together at its end: late, in order, none missing.
    stream = _stream(ticks=False)
    records: list[Record] = []
    for k in range(3000):
        in_stall = k % 300 >= 250 and k % 300 < 280
        arrival_ns = (k - k % 300 + 280 if in_stall else k) * 10_000_000
        records += stream.feed("data", _packet(k), arrival_ns, UTC0 + arrival_ns)
    records += stream.disconnected("stopped")
    values, gaps = _check(records, tolerance_ns=10_000_000)
    assert values == set(range(3000))
    assert not gaps


def _busy(seed: int, interval_ms: float, busy_s: float, late_ms: tuple[float, float]) -> list[int]:
    """Arrivals of a minute at 100 Hz on a host that hands all on late, each by another time, for some s in every 15."""
    rng = np.random.default_rng(seed)
    made_ns = np.arange(6000) * 1e7
    sent_ns = made_ns if not interval_ms else (np.floor(made_ns / (interval_ms * 1e6)) + 1) * interval_ms * 1e6
    busy = (made_ns >= 20e9) & ((made_ns - 20e9) % 15e9 < busy_s * 1e9)
    late = np.where(busy, late_ms[0] + rng.exponential(late_ms[1], 6000), rng.exponential(0.1, 6000))
    return np.maximum.accumulate(np.round(sent_ns + late * 1e6)).astype(np.int64).tolist()


@pytest.mark.parametrize("late_ms", [(8.0, 6.0), (20.0, 20.0), (80.0, 60.0)])
@pytest.mark.parametrize("busy_s", [0.6, 1.5, 3.0])
@pytest.mark.parametrize("interval_ms", [0.0, 45.0])
def test_a_host_that_is_late_with_everything_is_not_a_loss(
    interval_ms: float, busy_s: float, late_ms: tuple[float, float]
) -> None:
    """A loss makes all that follows late by the same; a busy host by something else each time."""
    stream, records = _stream(ticks=False), []
    for k, arrival_ns in enumerate(_busy(1, interval_ms, busy_s, late_ms)):
        records += stream.feed("data", _packet(k), arrival_ns, UTC0 + arrival_ns)
    records += stream.disconnected("stopped")
    values, gaps = _check(records, tolerance_ns=100_000_000)
    assert values == set(range(6000))
    assert not gaps


def test_a_loss_on_a_busy_host_is_named_when_it_can_be_told() -> None:
    # 12 samples are lost at 20.5 s, amid three busy seconds: 120 ms, which stay when the host has time again.
    arrivals = _busy(1, 0.0, 3.0, (20.0, 20.0))
    stream, records = _stream(ticks=False), []
    for k, arrival_ns in enumerate(arrivals):
        if not 2050 <= k < 2062:
            records += stream.feed("data", _packet(k), arrival_ns, UTC0 + arrival_ns)
    records += stream.disconnected("stopped")
    values, gaps = _check(records, tolerance_ns=200_000_000)
    assert values == set(range(6000)) - set(range(2050, 2062))
    assert sum(gap.end_ns - gap.start_ns for gap in gaps) == pytest.approx(120_000_000, abs=60_000_000)
    assert all(gap.reason == "lost" for gap in gaps)


def test_batches_of_packets_with_a_clock_survive_wrap_loss_and_repeats() -> None:
    stream = _stream(ticks=True)
    boot_ms = (1 << 32) - 20_000  # the clock wraps after 20 s
    records: list[Record] = []
    kept = [k for k in range(0, 4000, 8) if k not in (800, 808, 2400)]
    for k in kept:
        arrival_ns = (k + 7) * 10_000_000
        for _ in range(2 if k % 400 == 0 else 1):  # some come twice
            records += stream.feed("data", _packet(k, 8, boot_ms), arrival_ns, UTC0 + arrival_ns)
    records += stream.disconnected("stopped")
    values, gaps = _check(records, tolerance_ns=1_000)
    assert values == {first + i for first in kept for i in range(8)}
    assert [(gap.end_ns - gap.start_ns) // 10_000_000 for gap in gaps] == [16, 8]
    assert stream.repeated == sum(1 for k in kept if k % 400 == 0)


def test_f15_a_reboot_breaks_the_segment_and_the_times_go_on() -> None:
    stream = _stream(ticks=True)
    records: list[Record] = []
    for k in range(500):
        arrival_ns = k * 10_000_000
        records += stream.feed("data", _packet(k, 1, 100_000), arrival_ns, UTC0 + arrival_ns)
    for k in range(900, 1500):
        arrival_ns = k * 10_000_000
        data = struct.pack("<IB", (k - 900) * 10, 1) + struct.pack("<h", k)
        records += stream.feed("data", data, arrival_ns, UTC0 + arrival_ns)
    records += stream.disconnected("stopped")
    values, (gap,) = _check(records, tolerance_ns=1_000)
    assert values == set(range(500)) | set(range(900, 1500))
    assert (gap.reason, gap.start_ns, gap.end_ns) == ("reboot", UTC0 + 5 * S, UTC0 + 9 * S)


@pytest.mark.parametrize("ticks", [False, True])
def test_f14_a_lost_link_is_a_gap_with_its_reason(ticks: bool) -> None:
    stream = _stream(ticks)
    records = _play(stream, range(330)) + stream.disconnected("link-lost")
    stream.connected(Stream(RATE_HZ, 8.0))
    records += _play(stream, range(600, 800)) + stream.disconnected("stopped")
    values, (gap,) = _check(records, tolerance_ns=1_000)
    assert values == set(range(330)) | set(range(600, 800))
    assert gap.reason == "link-lost"
    assert gap.start_ns == pytest.approx(UTC0 + 3_300_000_000, abs=1_000)
    assert gap.end_ns == pytest.approx(UTC0 + 6 * S, abs=1_000)


def test_the_time_without_a_collector_is_a_gap() -> None:
    stream = _stream(ticks=False, stopped_ns=UTC0 - 60 * S)
    records = _play(stream, range(200))
    _, (gap,) = _check(records, tolerance_ns=1_000)
    assert (gap.reason, gap.start_ns, gap.end_ns) == ("collector-off", UTC0 - 60 * S, UTC0)


@pytest.mark.parametrize("step_s", [3600, -3600])
def test_f16_the_wall_clock_may_step(step_s: int) -> None:
    stream = _stream(ticks=False)
    records: list[Record] = []
    for k in range(2000):
        arrival_ns = k * 10_000_000
        utc_ns = UTC0 + arrival_ns + (step_s * S if k >= 1000 else 0)
        records += stream.feed("data", _packet(k), arrival_ns, utc_ns)
    batches = [record for record in records if isinstance(record, SampleBatch)]
    assert sum(batch.n for batch in batches) == 2000
    for before, after in pairwise(records):
        assert (after.start_ns if isinstance(after, Gap) else after.t0_ns) >= before.end_ns
    gaps = [record for record in records if isinstance(record, Gap)]
    if step_s > 0:
        (gap,) = gaps
        assert gap.reason == "clock-step"
        assert gap.end_ns - gap.start_ns == pytest.approx(3600 * S, abs=1_000)
    else:
        assert not gaps


def test_doubled_notifications_without_counter_are_left_out() -> None:
    # What BlueZ does when an old client was not disconnected: every value comes twice at once.
    stream = _stream(ticks=False)
    records: list[Record] = []
    for k in range(1000):
        for _ in range(2):
            records += stream.feed("data", _packet(k), k * 10_000_000, UTC0 + k * 10_000_000)
    records += stream.disconnected("stopped")
    values, gaps = _check(records, tolerance_ns=1_000)
    assert values == set(range(1000))
    assert not gaps
    assert stream.repeated == 1000


def test_a_slow_link_is_said_once() -> None:
    stream = _stream(ticks=True)
    rng = np.random.default_rng(1)
    _play(stream, [k for k in range(6000) if rng.random() < 0.57])
    (notice,) = (one for one in stream.delivery.notices if "slow" in one)
    assert notice.startswith("link too slow: 5")
    assert notice.endswith("of 100 Hz")


def test_real_radio_jitter_keeps_samples_and_order() -> None:
    rng = np.random.default_rng(7)
    stream = _stream(ticks=False)
    records: list[Record] = []
    last_ns = 0
    for k in range(12_000):
        event_ns = (k * 10_000_000 // 38_750_000 + 1 + (rng.random() < 0.05)) * 38_750_000
        last_ns = max(last_ns, event_ns + (150_000_000 if rng.random() < 0.0005 else 0))
        records += stream.feed("data", _packet(k), last_ns, UTC0 + last_ns)
    records += stream.disconnected("stopped")
    values, gaps = _check(records, tolerance_ns=40_000_000)
    assert values == set(range(12_000))
    assert not gaps
