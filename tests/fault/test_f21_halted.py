"""F21: a broker or core that hangs without dying is noticed."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from collector.outbox import Outbox
from processing.stores.sqlite import SqliteStore
from spineclip.contract.clock import SystemClock
from tests.fault.world import core_here, core_process, until, uplink_here
from tests.servers.mosquitto import Broker, mosquitto
from tests.system.collecting import day_of_somebody

pytestmark = pytest.mark.server("mosquitto")


async def test_f21_broker(
    tmp_path: Path, figure: Callable[[str], None], full: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """F21: the broker is stopped in its tracks (SIGSTOP), connections half open, and goes on later (SIGCONT).

    Promise: collector and core notice within one and a half keepalives (of 10 s); nothing lost.
    """
    keepalive_s = 10 if full else 6
    monkeypatch.setattr("spineclip.contract.connection.KEEPALIVE_S", keepalive_s)
    batches = day_of_somebody(60)
    store = SqliteStore(tmp_path / "metrics.db")
    outbox = Outbox(tmp_path / "outbox.sqlite", SystemClock())
    with mosquitto(tmp_path) as broker:
        async with core_here(broker, store) as core, uplink_here(broker, outbox) as uplink:
            outbox.append(batches[:30])
            uplink.wake()
            await until(lambda: outbox.backlog == 0)
            os.kill(broker.pid, signal.SIGSTOP)
            try:
                outbox.append(batches[30:])
                uplink.wake()
                noticed_s = await until(lambda: not uplink.connected and not core.connected)
            finally:
                os.kill(broker.pid, signal.SIGCONT)
            await until(lambda: outbox.backlog == 0)
    outbox.close()
    store.close()
    figure(f"noticed after {noticed_s:.1f} s at a keepalive of {keepalive_s} s; nothing lost")
    assert noticed_s <= 1.5 * keepalive_s


async def test_f21_core(broker: Broker, tmp_path: Path, figure: Callable[[str], None]) -> None:
    """F21: the core is stopped in its tracks (SIGSTOP) and goes on later.

    Promise: nothing lost, nothing acknowledged meanwhile; all stored when it goes on.
    """
    batches = day_of_somebody(90)
    outbox = Outbox(tmp_path / "outbox.sqlite", SystemClock())
    async with core_process(tmp_path, broker) as core:
        async with uplink_here(broker, outbox) as uplink:
            outbox.append(batches[:30])
            uplink.wake()
            await until(lambda: outbox.backlog == 0)
            core.signal(signal.SIGSTOP)
            acks = uplink.acks
            outbox.append(batches[30:])
            uplink.wake()
            await until(lambda: uplink.published >= 90)
            assert uplink.acks == acks
            assert outbox.backlog == 60
            core.signal(signal.SIGCONT)
            took_s = await until(lambda: outbox.backlog == 0)
    outbox.close()
    figure(f"60 batches kept meanwhile, stored {took_s:.1f} s after it went on")
