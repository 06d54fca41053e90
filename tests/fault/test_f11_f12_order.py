"""F11 and F12: everything several times, and everything in the wrong order."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from processing.service import Core
from processing.stores.sqlite import SqliteStore
from spineclip.contract.wire import encode
from tests.fault.world import PATIENT, content, core_here, metrics, until
from tests.servers.mosquitto import Broker
from tests.system.collecting import T0_NS, collecting, day_of_somebody
from tests.system.test_core import in_batch

pytestmark = pytest.mark.server("mosquitto")


async def _through_core(broker: Broker, path: Path, order: list[Any]) -> tuple[dict[object, Any], Core]:
    store = SqliteStore(path)
    async with collecting(broker, PATIENT) as collector:
        async with core_here(broker, store, finish=True) as core:
            for k in range(0, len(order), 500):
                for batch in order[k : k + 500]:
                    collector.publish("samples", encode(batch))
                await until(lambda k=k: core.processed >= min(len(order), k + 500))
    found = metrics(store)
    store.close()
    return found, core


async def test_f11(broker: Broker, tmp_path: Path, figure: Callable[[str], None]) -> None:
    """F11: every message is delivered one to five times.

    Promise: exact, as if each had come once.
    """
    batches, rng = day_of_somebody(180), random.Random(2)
    order = [batch for batch in batches for _ in range(rng.randint(1, 5))]
    found, _ = await _through_core(broker, tmp_path / "metrics.db", order)
    same = found == in_batch(batches, PATIENT)
    figure(f"{len(order)} deliveries of {len(batches)} batches, metrics identical: {same}")
    assert same


async def test_f12_within(broker: Broker, tmp_path: Path, figure: Callable[[str], None]) -> None:
    """F12: messages come in any order within 32 batches.

    Promise: output identical to the one in order.
    """
    batches, rng = day_of_somebody(192), random.Random(4)
    order = [batch for k in range(0, 192, 32) for batch in rng.sample(batches[k : k + 32], 32)]
    found, _ = await _through_core(broker, tmp_path / "metrics.db", order)
    same = found == in_batch(batches, PATIENT)
    figure(f"{len(batches)} batches shuffled by 32, metrics identical: {same}")
    assert same


async def test_f12_beyond(
    broker: Broker, tmp_path: Path, figure: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """F12: two batches come after the core has given them up.

    Promise: reported as a gap of their length; later they are counted as late and change nothing (an in-order stream
    never gives up what its collector still has).
    """
    monkeypatch.setattr("processing.intake.GIVE_UP_S", 1.0)
    batches = day_of_somebody(120)
    store = SqliteStore(tmp_path / "metrics.db")
    async with collecting(broker, PATIENT) as collector:
        async with core_here(broker, store, finish=True) as core:
            for batch in batches:
                if batch.seq not in (40, 41):
                    collector.publish("samples", encode(batch))
            await collector.until_acked(119)
            for batch in batches[40:42]:
                collector.publish("samples", encode(batch))
            await until(lambda: core.rejects["late"] == 2)
    gaps = [point for key, point in content(store, PATIENT).items() if key[0] == "gap"]
    same = metrics(store) == in_batch([b for b in batches if b.seq not in (40, 41)], PATIENT)
    store.close()
    figure(f"gap of {gaps[0].fields['dur_s']} s reported, 2 counted as late; metrics as without them: {same}")
    assert [(gap.time_ns, gap.fields["dur_s"]) for gap in gaps] == [(T0_NS + 40 * 10**9, 2.0)]
    assert same
