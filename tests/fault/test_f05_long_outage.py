"""F5: an hour without a broker is kept on disk, not in memory, and worked off fast."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from processing.stores.sqlite import SqliteStore
from tests.fault.world import PATIENT, core_here, metrics, sender, until
from tests.servers.mosquitto import mosquitto
from tests.servers.process import free_port
from tests.system.collecting import day_of_somebody
from tests.system.test_core import in_batch

pytestmark = pytest.mark.server("mosquitto")


async def test_f05(tmp_path: Path, figure: Callable[[str], None], full: bool) -> None:
    """F5: the broker is away for an hour of batches (20 minutes in the short run).

    Promise: nothing lost; the collector's memory grows by less than 20 MiB; drained at 20 times real time or faster.
    """
    seconds, port = (3600 if full else 1200), free_port()
    with mosquitto(tmp_path, port=port, password="the same") as broker:
        address = broker
    store = SqliteStore(tmp_path / "metrics.db")
    with sender(tmp_path, address, seconds, 0.0) as collector:
        await until(lambda: len(collector.lines) > 20)
        memory = psutil.Process(collector.pid).memory_info
        before = memory().rss
        await collector.said("all committed", 100)
        after = memory().rss
        with mosquitto(tmp_path, port=port, password="the same"):
            async with core_here(address, store, finish=True) as core:
                began_s = time.monotonic()
                await collector.said("all stored", 170 if full else 110)
                took_s = time.monotonic() - began_s
                await until(lambda: core.waiting == 0)
            draining = memory().rss
        collector.signal(signal.SIGTERM)
        assert await collector.gone() == 0
    same = metrics(store) == in_batch(day_of_somebody(seconds), PATIENT)
    store.close()
    figure(
        f"{seconds} s away; RSS {before >> 20} MiB at the start, {(after - before) / 2**20:+.1f} MiB in the outage, "
        f"{(draining - before) / 2**20:+.1f} MiB after draining; drained at {seconds / took_s:.0f} x real time; "
        f"metrics identical: {same}"
    )
    assert same
    assert after - before < 20 << 20
    assert draining - before < 20 << 20
    assert seconds / took_s >= 20
