"""F11 and F12: everything several times, and everything in the wrong order."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from processing.metrics import Point
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
    """F12: a minute of batches comes after the core has given it up.

    Promise: reported as a gap of its length; once it has come, its minute, hour and day are amended, and the gap says
    that it was filled late.
    """
    monkeypatch.setattr("processing.intake.GIVE_UP_S", 1.0)
    batches = day_of_somebody(240)
    store = SqliteStore(tmp_path / "metrics.db")

    def found(name: str) -> list[Point]:
        return [point for key, point in content(store, PATIENT).items() if key[0] == name]

    async with collecting(broker, PATIENT) as collector:
        async with core_here(broker, store, finish=True) as core:
            for batch in batches:
                if not 90 <= batch.seq < 150:
                    collector.publish("samples", encode(batch))
            await collector.until_acked(239)
            (gap,) = found("gap")
            assert (gap.time_ns, gap.fields) == (T0_NS + 90 * 10**9, {"dur_s": 60.0, "reason": "lost"})
            for batch in batches[90:150]:
                collector.publish("samples", encode(batch))
            await until(lambda: core.rejects["late"] == 60)
    (gap,), day, (hour,) = found("gap"), found("daily")[0], found("hourly")
    slots, streaks = {point.time_ns: point for point in found("activity")}, {point.time_ns for point in found("streak")}
    store.close()
    complete = {p.time_ns: p for p in in_batch(batches, PATIENT).values() if p.measurement == "activity"}
    inside = [T0_NS + k * 10**9 for k in range(90, 150, 5)]
    same = sum(slots[t].fields["state"] == complete[t].fields["state"] for t in inside)
    figure(
        f"60 s came late; the gap is now {gap.fields}; {same} of {len(inside)} slots as if it had come in time, "
        f"{day.fields['worn_min']} min worn"
    )
    assert gap.fields == {"dur_s": 0.0, "reason": "late"}
    assert all(slots[t].fields["coverage"] == 1.0 for t in inside)
    assert same >= len(inside) - 3, "but for the 15 s that a second waits for its neighbours"
    assert {t * 10**9 for t in range(T0_NS // 10**9 + 95, T0_NS // 10**9 + 145) if t % 60 == 0} <= streaks
    assert day.fields["worn_min"] == 4.0
    (whole,) = [p for p in in_batch(batches, PATIENT).values() if p.measurement == "hourly"]
    minutes = [sum(float(v) for v in one.fields.values() if isinstance(v, float)) for one in (hour, whole)]
    assert minutes[0] == pytest.approx(minutes[1])
