"""A day of fifty patients through a real broker and one core, faster than real time: ``make soak``.

Prints what was lost, the time from commit to store (p95), and how the core's memory grew. Needs mosquitto.
``python -m benchmarks.soak [PATIENTS] [HOURS]``
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import psutil

from collector.outbox import Outbox
from collector.uplink import Uplink
from processing.stores.sqlite import SqliteReader
from spineclip.contract.clock import SystemClock
from spineclip.contract.connection import BrokerAccess
from tests.fault.world import core_process
from tests.servers.mosquitto import Broker, mosquitto
from tests.system.collecting import T0_NS, day_of_somebody

STEP_S = 60


class _One:
    """One patient's outbox and uplink; a day of it is a quarter of an hour over and over."""

    def __init__(self, name: str, broker: Broker, folder: Path) -> None:
        self.outbox = Outbox(folder / f"{name}.sqlite", SystemClock())
        access = BrokerAccess(broker.host, broker.port, broker.username, broker.password)
        self.uplink = Uplink(name, access, self.outbox)
        self.task = asyncio.create_task(self.uplink.run())
        self.day = day_of_somebody(900, seed=int(name[2:]))
        self.boot = self.outbox.begin("clip-1")
        self.waits: list[float] = []

    def commit(self, second: int) -> None:
        self.outbox.append(
            [
                replace(self.day[k % 900], boot=self.boot, seq=k, t0_ns=T0_NS + k * 10**9)
                for k in range(second, second + STEP_S)
            ]
        )

    async def stored(self) -> None:
        began_s = time.monotonic()
        while self.outbox.backlog:  # noqa: ASYNC110 - falls in a thread
            await asyncio.sleep(0.02)
        self.waits.append(time.monotonic() - began_s)


async def _soak(patients: int, hours: float) -> None:
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        with mosquitto(folder) as broker:
            async with core_process(folder, broker) as core:
                rss = psutil.Process(core.pid).memory_info
                ones = [_One(f"p-{k:04d}", broker, folder) for k in range(patients)]
                began_s, memory = time.monotonic(), []
                for second in range(0, round(hours * 3600), STEP_S):
                    for one in ones:
                        await asyncio.to_thread(one.commit, second)
                        one.uplink.wake()
                    await asyncio.gather(*(one.stored() for one in ones))
                    memory.append(rss().rss / 2**20)
                took_s = time.monotonic() - began_s
                for one in ones:
                    await one.uplink.stop(1.0)
                    one.uplink.wake()
                await asyncio.wait([one.task for one in ones], timeout=10)
        reader = SqliteReader(folder / "metrics.db")
        gaps = sum(len(reader.points("gap", f"p-{k:04d}", 0, 1 << 62)) for k in range(patients))
        reader.close()
        batches = patients * round(hours * 3600)
        half = len(memory) // 2
        slope = (memory[-1] - memory[half]) / max(1e-9, (len(memory) - half) * STEP_S / 3600)
        p95 = np.percentile([wait for one in ones for wait in one.waits], 95)
        left = sum(one.outbox.backlog for one in ones)
        for one in ones:
            one.outbox.close()
        print(f"{patients} patients, {hours:g} h in {took_s:.0f} s ({hours * 3600 / took_s:.0f} x real time)")
        print(f"{batches} batches, {batches / took_s:.0f} a second from outbox through broker and core into the store")
        print(f"lost: {left} not stored, {gaps} gaps")
        print(f"p95 from the end of a burst of {STEP_S} batches a patient to stored: {p95:.1f} s")
        print(f"RSS of the core: {memory[0]:.0f} MiB at first, {memory[-1]:.0f} MiB at last, {slope:+.2f} MiB an hour")


if __name__ == "__main__":
    words = sys.argv[1:]
    asyncio.run(_soak(int(words[0]) if words else 50, float(words[1]) if len(words) > 1 else 24.0))
