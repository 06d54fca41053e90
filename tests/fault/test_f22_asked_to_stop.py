"""F22: who is asked to stop finishes its work first."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from collector.outbox import Outbox
from spineclip.contract.clock import SystemClock
from tests.fault.world import core_process, sender, spying, until, uplink_here
from tests.servers.mosquitto import Broker
from tests.system.collecting import day_of_somebody

pytestmark = pytest.mark.server("mosquitto")


async def test_f22(broker: Broker, tmp_path: Path, figure: Callable[[str], None]) -> None:
    """F22: collector and core are asked to stop (SIGTERM) in the middle of a stream.

    Promise: both drain and exit with 0 within 10 s; nothing is sent again at the next start.
    """
    async with core_process(tmp_path, broker) as core:
        with spying(broker) as spy, sender(tmp_path, broker, 4_000, 0.1) as collector:
            await until(lambda: spy.acks > 3)
            began_s = time.monotonic()
            collector.signal(signal.SIGTERM)
            assert await collector.gone() == 0
            collector_s = time.monotonic() - began_s
            collector.close()
            left = collector.lines[-1]
        began_s = time.monotonic()
        core.signal(signal.SIGTERM)
        assert await core.gone() == 0
        core_s = time.monotonic() - began_s
    outbox = Outbox(tmp_path / "outbox.sqlite", SystemClock())
    async with uplink_here(broker, outbox) as uplink, core_process(tmp_path, broker):
        await until(lambda: uplink.connected and uplink.acks > 0)
        await asyncio.sleep(1.0)
        again = uplink.published
    outbox.close()
    figure(f"collector out after {collector_s:.1f} s ({left}), core after {core_s:.1f} s; {again} sent again")
    assert left == "left 0"
    assert again == 0
    assert max(collector_s, core_s) < 10 + 10  # ten more for a loaded machine


async def test_f22_core_drains_what_has_arrived(broker: Broker, tmp_path: Path, figure: Callable[[str], None]) -> None:
    """F22: the core is asked to stop with a heap of records on its desk.

    Promise: what has arrived is stored and acknowledged before it leaves.
    """
    outbox = Outbox(tmp_path / "outbox.sqlite", SystemClock())
    async with core_process(tmp_path, broker) as core:
        async with uplink_here(broker, outbox) as uplink:
            outbox.append(day_of_somebody(100))
            uplink.wake()
            await until(lambda: uplink.acks > 0)
            core.signal(signal.SIGTERM)
            assert await core.gone() == 0
            await until(lambda: outbox.backlog == 0, 10)
    outbox.close()
    figure("100 of 100 stored, exit code 0")
