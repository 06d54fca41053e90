"""F2: a core that is killed ends with the same bytes as one that never was."""

from __future__ import annotations

import asyncio
import random
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from collector.outbox import Outbox
from processing.stores.sqlite import SqliteStore
from spineclip.contract.clock import SystemClock
from tests.fault.world import PATIENT, core_here, core_process, metrics, spying, until, uplink_here
from tests.servers.mosquitto import Broker, mosquitto
from tests.system.collecting import day_of_somebody
from tests.system.test_core import in_batch

pytestmark = pytest.mark.server("mosquitto")


async def test_f02(tmp_path: Path, figure: Callable[[str], None], full: bool) -> None:
    """F2: the core's process is killed (SIGKILL) again and again while records come.

    Promise: nothing lost, nothing twice, metrics byte-identical to an uninterrupted run; caught up within 10 s.
    """
    kills, rng = (20 if full else 2), random.Random(11)
    batches = day_of_somebody(80 * kills + 80)
    outbox = Outbox(tmp_path / "outbox.sqlite", SystemClock())
    with mosquitto(tmp_path) as broker, spying(broker) as spy:
        async with uplink_here(broker, outbox) as uplink:
            for life in range(kills):
                async with core_process(tmp_path, broker) as core:
                    acks = spy.acks
                    outbox.append(batches[80 * life : 80 * life + 80])
                    uplink.wake()
                    await until(lambda acks=acks: spy.acks > acks)
                    await asyncio.sleep(rng.uniform(0.0, 1.5))
                    core.signal(signal.SIGKILL)
                    await core.gone()
            outbox.append(batches[80 * kills :])
            caught_up_s = await last_core(broker, tmp_path, outbox)
    outbox.close()
    store = SqliteStore(tmp_path / "metrics.db")
    same = metrics(store) == in_batch(batches, PATIENT)
    store.close()
    figure(f"{kills} kills, {len(batches)} batches, metrics identical: {same}; caught up in {caught_up_s:.1f} s")
    assert same


async def last_core(broker: Broker, folder: Path, outbox: Outbox) -> float:
    """Let a core finish; return how long it took to catch up."""
    store = SqliteStore(folder / "metrics.db")
    async with core_here(broker, store, finish=True):
        caught_up_s = await until(lambda: outbox.backlog == 0, 120)
    store.close()
    return caught_up_s
