"""F20: one patient floods the broker; the others do not feel it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from processing.stores.sqlite import SqliteStore
from spineclip.contract.wire import encode
from tests.fault.world import core_here, until
from tests.servers.mosquitto import Broker
from tests.system.collecting import Collecting, collecting, day_of_somebody

pytestmark = pytest.mark.server("mosquitto")
N = 24


async def _waits(patient: Collecting, first: int, n: int) -> list[float]:
    """Send a batch now and then; return how long each took until it was stored."""
    waits = []
    for batch in day_of_somebody(first + n)[first:]:
        began_s = time.monotonic()
        patient.send([batch])
        await patient.until_acked(batch.seq)
        waits.append(time.monotonic() - began_s)
        await asyncio.sleep(0.05)
    return waits


async def test_f20(broker: Broker, tmp_path: Path, figure: Callable[[str], None]) -> None:
    """F20: one patient sends a hundred messages and more a second, over and over the same, while another sends one.

    Promise: the other's p95 from sample to stored is at most twice what it was before; the flooder is throttled and
    named.
    """
    store = SqliteStore(tmp_path / "metrics.db")
    flood = [encode(batch) for batch in day_of_somebody(200, seed=9)]
    async with collecting(broker, "p-calm") as calm, collecting(broker, "p-flood") as flooder:
        async with core_here(broker, store) as core:
            before = await _waits(calm, 0, N)
            began_s, received = time.monotonic(), core.received
            task = asyncio.create_task(_pour(flooder, flood))
            await until(lambda: core.received > received + 200)
            during = await _waits(calm, N, N)
            rate = (core.received - received) / (time.monotonic() - began_s)
            await until(lambda: bool(core.floods))
            throttled = await _waits(calm, 2 * N, N)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            rejects, named = dict(core.rejects), dict(core.floods)
    store.close()
    base, now, then = (float(np.percentile(some, 95)) for some in (before, during, throttled))
    figure(
        f"p95 {base:.2f} s before, {now:.2f} s in a flood of {rate:.0f} messages/s, {then:.2f} s once it is throttled; "
        f"refused {rejects}, named {named}"
    )
    assert rate >= 100, "a hundred times what a patient sends"
    assert set(named) == {"p-flood"}
    assert max(now, then) <= 2 * base


async def _pour(flooder: Collecting, flood: list[bytes]) -> None:
    while True:
        for payload in flood:
            flooder.publish("samples", payload)
        await asyncio.sleep(0.3)
