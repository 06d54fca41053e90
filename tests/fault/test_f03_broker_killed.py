"""F3 and F4: a broker that dies, or comes back knowing nothing, costs time and no data."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from collector.outbox import Outbox
from processing.stores.sqlite import SqliteStore
from spineclip.contract.clock import SystemClock
from tests.fault.world import PATIENT, core_here, metrics, until, uplink_here
from tests.servers.mosquitto import mosquitto
from tests.servers.process import free_port
from tests.system.collecting import day_of_somebody
from tests.system.test_core import in_batch

pytestmark = pytest.mark.server("mosquitto")

_DEFAULTS = "max_queued_messages 1000\npersistence true\nautosave_interval 1800\npersistence_location {folder}/\n"


@pytest.mark.parametrize("memory", ["mosquitto's defaults", "an empty store"])
async def test_f03_f04(memory: str, tmp_path: Path, figure: Callable[[str], None], full: bool) -> None:
    """F3: mosquitto is killed (SIGKILL) under load and started again, with its defaults and with an empty store (F4).

    Promise: nothing lost end to end although the broker forgets what it has confirmed; all stored within 30 s of its
    return.
    """
    kills, port, password = (20 if full else 2), free_port(), "so that it is the same again"
    batches = day_of_somebody(150 * kills + 50)
    store = SqliteStore(tmp_path / "metrics.db")
    outbox = Outbox(tmp_path / "outbox.sqlite", SystemClock())
    config = _DEFAULTS.format(folder=tmp_path) if memory.startswith("mosquitto") else ""
    async with contextlib.AsyncExitStack() as stack:
        for life in range(kills + 1):
            with mosquitto(tmp_path, port=port, password=password, more=config) as broker:
                if life == 0:
                    await stack.enter_async_context(core_here(broker, store, finish=True))
                    uplink = await stack.enter_async_context(uplink_here(broker, outbox))
                outbox.append(batches[150 * life : 150 * life + 150])
                uplink.wake()
                if life < kills:
                    before = uplink.published
                    await until(lambda before=before, uplink=uplink: uplink.published > before + 40)
                    psutil.Process(broker.pid).kill()
                else:
                    back_s = await until(lambda: outbox.backlog == 0, 110)
    outbox.close()
    same = metrics(store) == in_batch(batches, PATIENT)
    store.close()
    figure(
        f"{memory}: {kills} kills, {len(batches)} batches, metrics identical: {same}; all stored after {back_s:.1f} s"
    )
    assert same
    assert back_s <= 30
