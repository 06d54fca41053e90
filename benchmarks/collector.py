"""What collecting costs: processor time per wearable, commits a second, how fast a backlog drains.

``python -m benchmarks.collector [--seconds 20]``

The collector runs as a process of its own (``spineclip collect``); radio, wearables and broker are in this one, so that
the figures are the collector's alone. The outbox commits one record of a second at 100 Hz at a time, each on disk
(``synchronous=FULL``) before the next.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import psutil

from collector.outbox import Outbox
from collector.uplink import Uplink
from firmware_sim.firmware.base import Samples, Times
from firmware_sim.firmware.witmotion import Witmotion
from firmware_sim.radio import VirtualRadio
from spineclip.broker import embedded_broker
from spineclip.contract.clock import SystemClock
from spineclip.contract.placement import Placement
from spineclip.contract.wire import SampleBatch

PATIENT = "p-bench"
RATE_HZ = 100


class Turning:
    """A body that turns."""

    def samples(self, t_ns: Times) -> Samples:
        """Return the specific force, g (n, 3)."""
        angle = (t_ns % 10**12) / 1e9
        return np.stack([np.sin(angle), np.zeros(len(t_ns)), np.cos(angle)], axis=1)


async def cost(wearables: int, seconds: float) -> tuple[float, float, float]:
    """Return notifications a second, CPU percent of one core, and resident MB of a collector of so many wearables."""
    with tempfile.TemporaryDirectory() as folder:
        async with VirtualRadio() as radio, embedded_broker() as broker:
            devices = [
                radio.add(Witmotion(Turning(), address=f"C0:00:00:00:00:{k:02X}", keep_truth=False))
                for k in range(wearables)
            ]
            (Path(folder) / "password").write_text(broker.password)
            words = ["collect", "--patient", PATIENT, "--rate", str(RATE_HZ), "--outbox", f"{folder}/outbox.sqlite"]
            for device in devices:
                words += ["--wearable", device.firmware.address, "--placement", "sternum"]
            words += ["--broker", f"{broker.host}:{broker.port}", "--username", broker.username]
            words += ["--password-file", f"{folder}/password"]
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "spineclip", *words, stdout=asyncio.subprocess.DEVNULL, env=dict(os.environ)
            )
            try:
                while not all(device.subscribed for device in devices):  # noqa: ASYNC110
                    await asyncio.sleep(0.1)
                await asyncio.sleep(3)
                watched = psutil.Process(process.pid)
                before, delivered = watched.cpu_times(), sum(device.counters.delivered for device in devices)
                began = time.monotonic()
                await asyncio.sleep(seconds)
                took_s = time.monotonic() - began
                after = watched.cpu_times()
                busy_s = after.user + after.system - before.user - before.system
                heard = sum(device.counters.delivered for device in devices) - delivered
                return heard / took_s, 100 * busy_s / took_s, watched.memory_info().rss / 1e6
            finally:
                process.terminate()
                await process.wait()


def batch(boot: int, seq: int) -> SampleBatch:
    """Make a record of a second."""
    xyz = np.full((RATE_HZ, 3), seq % 1000, np.int16)
    return SampleBatch("bench-1", Placement.STERNUM, boot, seq, 1_700_000_000 * 10**9 + seq * 10**9, 10**7, 0.001, xyz)


def commits(folder: Path, n: int) -> float:
    """Return commits a second."""
    outbox = Outbox(folder / "commits.sqlite", SystemClock())
    boot = outbox.begin("bench-1")
    began = time.monotonic()
    for seq in range(n):
        outbox.append([batch(boot, seq)])
    took_s = time.monotonic() - began
    outbox.close()
    return n / took_s


async def drain(folder: Path, n: int) -> float:
    """Return records a second that leave a backlog for the broker (embedded, same process)."""
    outbox = Outbox(folder / "drain.sqlite", SystemClock())
    boot = outbox.begin("bench-1")
    outbox.append([batch(boot, seq) for seq in range(n)])
    async with embedded_broker() as broker:
        uplink = Uplink(PATIENT, broker, outbox)
        task = asyncio.create_task(uplink.run())
        while not uplink.connected:  # noqa: ASYNC110
            await asyncio.sleep(0.001)
        began = time.monotonic()
        while uplink.published < n:  # noqa: ASYNC110
            await asyncio.sleep(0.005)
        took_s = time.monotonic() - began
        await uplink.stop(0.0)
        await task
    outbox.close()
    return n / took_s


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=20.0)
    seconds = parser.parse_args().seconds
    base = None
    print("wearables  notifications/s  CPU % of a core  RSS MB  CPU for each")
    for wearables in (1, 4, 8):
        rate, cpu, rss = asyncio.run(cost(wearables, seconds))
        base = cpu if base is None else base
        print(f"{wearables:9d}  {rate:15.0f}  {cpu:15.1f}  {rss:6.0f}  {cpu / wearables / base:.2f} of the first")
    with tempfile.TemporaryDirectory() as folder:
        print(f"outbox: {commits(Path(folder), 2000):.0f} commits/s, each on disk")
        print(f"uplink: {asyncio.run(drain(Path(folder), 1000)):.0f} records/s from a backlog, embedded broker")


if __name__ == "__main__":
    main()
