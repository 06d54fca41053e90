"""F1: nothing that a collector has committed is lost by killing it."""

from __future__ import annotations

import asyncio
import random
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from processing.stores.sqlite import SqliteStore
from tests.fault.world import PATIENT, core_here, metrics, sender, spying, until
from tests.servers.mosquitto import Broker
from tests.system.test_core import in_batch

pytestmark = pytest.mark.server("mosquitto")


async def test_f01(broker: Broker, tmp_path: Path, figure: Callable[[str], None], full: bool) -> None:
    """F1: the collector's process is killed (SIGKILL) again and again at random moments.

    Promise: no committed batch is lost, none counted twice, at most one more than was reported as committed for each
    life; publishing again within 5 s of the restart.
    """
    kills, rng = (40 if full else 3), random.Random(5)
    promised: set[tuple[int, int]] = set()
    again_s: list[float] = []
    store = SqliteStore(tmp_path / "metrics.db")
    with spying(broker) as spy:
        async with core_here(broker, store, finish=True) as core:
            for life in range(kills + 1):
                with sender(tmp_path, broker, 4_000 if life < kills else 0, 0.01) as process:
                    spy.first_s = float("inf")
                    await process.said("opened")
                    began_s = time.monotonic()
                    if life < kills:
                        await until(lambda: spy.first_s < float("inf"))
                        again_s.append(spy.first_s - began_s)
                        await asyncio.sleep(rng.uniform(0.0, 0.4))
                        process.signal(signal.SIGKILL)
                    else:
                        await process.said("all stored", 110)
                        process.signal(signal.SIGTERM)
                    await process.gone()
                    process.close()
                    rows = [line.split() for line in process.lines if line[:1].isdigit()]
                    promised |= {(int(row[0]), int(row[1])) for row in rows if len(row) == 3}
            await until(lambda: core.waiting == 0)
            sent = {(boot, seq) for _, boot, seq in spy.records}
        lost = promised - sent
        unreported = {(b.boot, b.seq) for b in spy.batches} - promised
        figure(
            f"{kills} kills, {len(promised)} committed, {len(lost)} lost, {len(unreported)} unreported; "
            f"publishing again after at most {max(again_s):.1f} s"
        )
        assert lost == set()
        assert len(unreported) <= kills
        assert metrics(store) == in_batch(spy.batches, PATIENT)
        assert sorted(again_s)[len(again_s) // 2] < 5.0
    store.close()
