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


async def test_f20(
    broker: Broker, tmp_path: Path, figure: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """F20: one patient sends thousands of messages at once, over and over the same.

    Promise: the others' p95 from sample to stored grows by less than a second (three on a loaded machine); the flooder
    is throttled and named.
    """
    monkeypatch.setattr("processing.service.INBOX_MAX", 256)
    store = SqliteStore(tmp_path / "metrics.db")
    flood = [encode(batch) for batch in day_of_somebody(200, seed=9)]
    async with collecting(broker, "p-calm") as calm, collecting(broker, "p-flood") as flooder:
        async with core_here(broker, store) as core:
            before = await _waits(calm, 0, 12)
            task = asyncio.create_task(_pour(flooder, flood))
            await until(lambda: core.received > 200)
            during = await _waits(calm, 12, 12)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            received, rejects, named = core.received, dict(core.rejects), dict(core.floods)
    store.close()
    base, now = np.percentile(before, 95), np.percentile(during, 95)
    figure(f"p95 {base:.2f} s before, {now:.2f} s in a flood of {received} messages; refused {rejects}, named {named}")
    assert now < base + 3.0
    assert set(named) <= {"p-flood"}


async def _pour(flooder: Collecting, flood: list[bytes]) -> None:
    while True:
        for payload in flood:
            flooder.publish("samples", payload)
        await asyncio.sleep(0.3)
