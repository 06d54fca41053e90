"""F23: two collectors for one clip, two cores on one store."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from collector.outbox import Outbox
from processing.stores.sqlite import SqliteStore
from spineclip.contract.clock import SystemClock
from tests.fault.world import PATIENT, core_here, core_process, metrics, process, until, uplink_here
from tests.servers.mosquitto import Broker
from tests.system.collecting import day_of_somebody
from tests.system.test_core import in_batch

pytestmark = pytest.mark.server("mosquitto")


async def test_f23_collectors(broker: Broker, tmp_path: Path, figure: Callable[[str], None]) -> None:
    """F23: two collectors of one patient, one after the other with the same clip, both connected all the time.

    Promise: counts exact; neither throws the other out of the broker.
    """
    day = day_of_somebody(120)
    first, second = (Outbox(tmp_path / f"{name}.sqlite", SystemClock()) for name in ("first", "second"))
    store = SqliteStore(tmp_path / "metrics.db")
    async with core_here(broker, store, finish=True) as core:
        async with uplink_here(broker, first) as one, uplink_here(broker, second) as two:
            boot = first.begin("clip-1")
            first.append([replace(batch, boot=boot, seq=batch.seq) for batch in day[:60]])
            one.wake()
            await until(lambda: first.backlog == 0)
            later = max(second.begin("clip-1"), boot + 1)
            second.append([replace(batch, boot=later, seq=batch.seq - 60) for batch in day[60:]])
            two.wake()
            await until(lambda: second.backlog == 0)
            await until(lambda: core.waiting == 0)
            connects = (one.connects, two.connects)
    same = metrics(store) == in_batch(day, PATIENT)
    store.close()
    first.close()
    second.close()
    figure(f"120 batches over two collectors, metrics identical: {same}; connections made: {connects}")
    assert same
    assert connects == (1, 1)


async def test_f23_cores(broker: Broker, tmp_path: Path, figure: Callable[[str], None]) -> None:
    """F23: a second core is started on the store of the first.

    Promise: it says so and ends; the first goes on; counts exact.
    """
    day = day_of_somebody(90)
    outbox = Outbox(tmp_path / "outbox.sqlite", SystemClock())
    async with core_process(tmp_path, broker) as first:
        async with uplink_here(broker, outbox) as uplink:
            outbox.append(day[:45])
            uplink.wake()
            with process(
                "-m", "spineclip", "core", "--host", broker.host, "--port", str(broker.port), "--user",
                broker.username, "--password-file", tmp_path / "password", "--store", tmp_path / "metrics.db",
            ) as second:  # fmt: skip
                code = await second.gone()
                second.close()
                said = " ".join(second.lines)
            outbox.append(day[45:])
            uplink.wake()
            await until(lambda: outbox.backlog == 0)
        assert first.popen.poll() is None
    store = SqliteStore(tmp_path / "metrics.db")
    async with core_here(broker, store, finish=True):
        await asyncio.sleep(0.1)
    same = metrics(store) == in_batch(day, PATIENT)
    store.close()
    outbox.close()
    figure(f"the second ended with {code}: {said[:80]!r}; metrics identical: {same}")
    assert code == 1
    assert "another core" in said
    assert same
