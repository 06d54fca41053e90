"""F23: two collectors for one clip, two cores on one store."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from collector.outbox import Outbox
from processing.stores.influx import InfluxStore
from processing.stores.influx_link import Address
from processing.stores.sqlite import SqliteStore
from spineclip.contract.clock import DrivenClock, SystemClock
from spineclip.contract.placement import Placement
from spineclip.contract.wire import Gap, SampleBatch
from tests.fault.world import PATIENT, core_here, core_process, metrics, process, until, uplink_here
from tests.servers.influx import Influx
from tests.servers.mosquitto import Broker
from tests.system.collecting import content, day_of_somebody
from tests.system.test_core import in_batch

pytestmark = pytest.mark.server("mosquitto")
SECOND = 10**9


class _Collector:
    """A collector's half that has the clip now and then, and names what it missed as a collector does."""

    def __init__(self, path: Path, started_s: int) -> None:
        self.outbox = Outbox(path, DrivenClock(started_s * SECOND))
        self._boot = self.outbox.begin("clip-1")
        self._seq = 0
        self._end_ns: int | None = None

    def take(self, batches: list[SampleBatch]) -> None:
        """Commit a stretch, with the time since the last one as a gap."""
        if self._end_ns is not None:
            gap = Gap(
                "clip-1", Placement.LOWER_BACK, self._boot, self._seq, self._end_ns, batches[0].t0_ns, "out-of-range"
            )
            self.outbox.append([gap])
            self._seq += 1
        for batch in batches:
            self.outbox.append([replace(batch, boot=self._boot, seq=self._seq)])
            self._seq += 1
        self._end_ns = batches[-1].end_ns


@pytest.mark.parametrize("later", ["the first", "the second"])
async def test_f23_collectors(later: str, broker: Broker, tmp_path: Path, figure: Callable[[str], None]) -> None:
    """F23: two collectors of one patient hand a clip back and forth, both connected all the time.

    Promise: counts exact, no gap where the other one had it; neither throws the other out of the broker.
    """
    day = day_of_somebody(150)
    store = SqliteStore(tmp_path / "metrics.db")
    started = (2000, 1000) if later == "the first" else (1000, 2000)
    first, second = (_Collector(tmp_path / f"{name}.sqlite", at) for name, at in zip("ab", started, strict=True))
    async with core_here(broker, store, finish=True) as core:
        async with uplink_here(broker, first.outbox) as one, uplink_here(broker, second.outbox) as two:
            for turn in range(5):
                mine, uplink = (first, one) if turn % 2 == 0 else (second, two)
                mine.take(day[30 * turn : 30 * turn + 30])
                uplink.wake()
                await until(lambda mine=mine: mine.outbox.backlog == 0)
            await until(lambda: core.waiting == 0)
            connects = (one.connects, two.connects)
    same = metrics(store) == in_batch(day, PATIENT)
    gaps = [key for key in content(store, PATIENT) if key[0] == "gap"]
    store.close()
    first.outbox.close()
    second.outbox.close()
    figure(f"5 turns of 30 batches, metrics identical: {same}; gaps: {len(gaps)}; connections made: {connects}")
    assert same
    assert not gaps
    assert connects == (1, 1)


async def test_f23_cores(broker: Broker, tmp_path: Path, figure: Callable[[str], None]) -> None:
    """F23: a second core is started on the store of the first.

    Promise: it says so and ends; the first goes on; counts exact.
    """
    day = day_of_somebody(90)
    outbox = Outbox(tmp_path / "outbox.sqlite", SystemClock())
    async with core_process(tmp_path, broker) as first:
        async with uplink_here(broker, outbox) as uplink:
            outbox.append(day[:45])
            uplink.wake()
            with process(
                "-m", "spineclip", "core", "--host", broker.host, "--port", str(broker.port), "--user",
                broker.username, "--password-file", tmp_path / "password", "--store", tmp_path / "metrics.db",
            ) as second:  # fmt: skip
                code = await second.gone()
                second.close()
                said = " ".join(second.lines)
            outbox.append(day[45:])
            uplink.wake()
            await until(lambda: outbox.backlog == 0)
        assert first.popen.poll() is None
    store = SqliteStore(tmp_path / "metrics.db")
    async with core_here(broker, store, finish=True):
        await asyncio.sleep(0.1)
    same = metrics(store) == in_batch(day, PATIENT)
    store.close()
    outbox.close()
    figure(f"the second ended with {code}: {said[:80]!r}; metrics identical: {same}")
    assert code == 1
    assert "another core" in said
    assert same


@pytest.mark.server("influx")
async def test_f23_cores_on_influx(
    broker: Broker, influx_empty: Influx, tmp_path: Path, figure: Callable[[str], None]
) -> None:
    """F23: a second core is started on the InfluxDB of the first; then the first is stopped (SIGSTOP) for a while.

    Promise: the second says so and ends; one that is started while the first stands still takes its place, and the
    first ends when it goes on; counts exact.
    """
    day = day_of_somebody(90)
    token = tmp_path / "token"
    token.write_text(influx_empty.token)
    there = (
        "--influx", influx_empty.url, "--influx-org", influx_empty.org, "--influx-bucket", influx_empty.bucket,
        "--influx-token-file", token,
    )  # fmt: skip
    outbox = Outbox(tmp_path / "outbox.sqlite", SystemClock())
    async with uplink_here(broker, outbox) as uplink:
        async with core_process(tmp_path, broker, *there) as first:
            outbox.append(day[:30])
            uplink.wake()
            await until(lambda: outbox.backlog == 0)
            with process(
                "-m", "spineclip", "core", "--host", broker.host, "--port", str(broker.port), "--user",
                broker.username, "--password-file", tmp_path / "password", *there,
            ) as second:  # fmt: skip
                code = await second.gone()
                second.close()
                said = " ".join(second.lines)
            outbox.append(day[30:60])
            uplink.wake()
            await until(lambda: outbox.backlog == 0)
            first.signal(signal.SIGSTOP)
            began_s = time.monotonic()
            async with core_process(tmp_path, broker, *there):
                taken_s = time.monotonic() - began_s
                outbox.append(day[60:])
                uplink.wake()
                await until(lambda: outbox.backlog == 0)
                first.signal(signal.SIGCONT)
                replaced = await first.gone()
                first.close()
            last_words = " ".join(first.lines)
    outbox.close()
    store = InfluxStore(Address(influx_empty.url, influx_empty.bucket, influx_empty.token, influx_empty.org))
    async with core_here(broker, store, finish=True):
        await asyncio.sleep(0.1)
    same = metrics(store) == in_batch(day, PATIENT)
    store.close()
    figure(
        f"the second ended with {code}: {said[:70]!r}; one that hangs is replaced after {taken_s:.1f} s and ends with "
        f"{replaced}; metrics identical: {same}"
    )
    assert (code, replaced) == (1, 1)
    assert "another core works on the bucket" in said
    assert "another core works on the bucket" in last_words
    assert same
