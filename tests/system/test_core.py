"""Promises of the core over a real broker and a real store: nothing lost, nothing twice, the same as in batch."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import cbor2
import pytest

from processing import pipeline, records
from processing.analysis import Track, analyze
from processing.metrics import Point
from processing.service import Core
from processing.stores.sqlite import SqliteReader, SqliteStore
from spineclip.broker import Broker, embedded_broker
from spineclip.contract.clock import DrivenClock
from spineclip.contract.config import PatientConfig
from spineclip.contract.connection import BrokerAccess
from spineclip.contract.messages import Event, Stored
from spineclip.contract.placement import Placement
from spineclip.contract.wire import Gap, SampleBatch, encode
from tests.servers.mosquitto import mosquitto
from tests.system.collecting import T0_NS, collecting, content, core, day_of_somebody

pytestmark = pytest.mark.filterwarnings("default::DeprecationWarning")


@pytest.fixture
async def broker() -> AsyncIterator[Broker]:
    async with embedded_broker() as running:
        yield running


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "metrics.db"


def _settings(broker: Broker) -> BrokerAccess:
    return BrokerAccess(broker.host, broker.port, broker.username, broker.password)


def in_batch(batches: list[SampleBatch], patient: str, config: PatientConfig | None = None) -> dict[object, Point]:
    """What the same samples give in batch."""
    tracks = [Track(batches[0].device, Placement.LOWER_BACK, [records.block(batch) for batch in batches])]
    return {
        (point.measurement, point.time_ns, tuple(point.tags.values())): point
        for result in analyze(tracks, config or PatientConfig(), patient)
        for point in result.points
        if point.measurement != "nudge"
    }


async def test_live_ends_with_the_same_metrics_as_batch(broker: Broker, path: Path) -> None:
    batches = day_of_somebody(180)
    async with collecting(broker, "p-1") as collector:
        async with core(broker, path, finish=True):
            collector.send(batches)
            await collector.until_acked(179)
        assert collector.waiting == {}
        assert [live.state for live in collector.live if live.time_ns > T0_NS + 20 * 10**9]
    reader = SqliteReader(path)
    assert content(reader, "p-1") == in_batch(batches, "p-1")
    reader.close()


async def test_f11_f12_order_within_the_window_and_repetition_do_not_matter(broker: Broker, path: Path) -> None:
    batches = day_of_somebody(150)
    rng = random.Random(3)
    order = [batch for k in range(0, 150, 30) for batch in rng.sample(batches[k : k + 30], 30)]
    repeated = [batch for batch in order for _ in range(rng.randint(1, 5))]
    async with collecting(broker, "p-1") as collector, core(broker, path, finish=True) as service:
        collector.send(repeated)
        await collector.until_acked(149)
        async with asyncio.timeout(20):
            while service.processed < len(repeated):
                await asyncio.sleep(0.02)
    reader = SqliteReader(path)
    assert content(reader, "p-1") == in_batch(batches, "p-1")
    reader.close()


async def test_f22_a_stopped_core_has_stored_everything_and_goes_on_where_it_was(broker: Broker, path: Path) -> None:
    batches = day_of_somebody(150)
    async with collecting(broker, "p-1") as collector:
        async with core(broker, path) as service:
            collector.send(batches[:70])
            async with asyncio.timeout(30):
                while service.processed < 70:
                    await asyncio.sleep(0.01)
        await collector.until_acked(69)
        assert collector.waiting == {}  # nothing is left to be sent again
        async with core(broker, path, finish=True):
            collector.send(batches[70:])
            await collector.until_acked(149)
    reader = SqliteReader(path)
    assert content(reader, "p-1") == in_batch(batches, "p-1")
    reader.close()


async def test_f8_poison_is_kept_aside_by_reason_and_the_stream_goes_on(broker: Broker, path: Path) -> None:
    batches = day_of_somebody(60)
    whole = cbor2.loads(encode(batches[0]))
    poison = {
        "cbor": b"\xff\x00 no cbor",
        "schema": cbor2.dumps({**whole, "v": 99}),
        "absurd-time": cbor2.dumps({**whole, "t0_ns": 0}),
        "field": cbor2.dumps({**whole, "n": "many"}),
        "size": b"\x00" * (1 << 21),
    }
    async with collecting(broker, "p-1") as collector:
        async with core(broker, path) as service:
            for k, payload in enumerate(poison.values()):
                collector.send(batches[10 * k : 10 * k + 10])
                collector.publish("samples", payload)
            collector.send(batches[50:])
            await collector.until_acked(59)
            async with asyncio.timeout(10):
                while sum(service.rejects.values()) < len(poison):
                    await asyncio.sleep(0.02)
            assert dict(service.rejects) == dict.fromkeys(poison, 1)
    store = SqliteStore(path)
    assert dict(store.aside("p-1")) == dict.fromkeys(poison, 1)
    store.close()


async def test_a_record_that_cannot_be_processed_is_kept_aside_and_the_rest_goes_on(
    broker: Broker, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    step = pipeline.step

    def _breaks(state: pipeline.PatientState, device: str, *rest: Any, **more: Any) -> Any:
        if device == "clip-2":
            raise ZeroDivisionError("a defect that nobody has found yet")
        return step(state, device, *rest, **more)

    monkeypatch.setattr("processing.pipeline.step", _breaks)
    async with collecting(broker, "p-1") as collector:
        async with core(broker, path) as service:
            collector.send([*day_of_somebody(5, device="clip-2"), *day_of_somebody(20)])
            await collector.until_acked(19)
            assert service.rejects["failed"] == 5
    store = SqliteStore(path)
    assert dict(store.aside("p-1")) == {"failed": 5}
    store.close()


async def test_f6_no_ack_while_the_store_is_busy(broker: Broker, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("processing.stores.sqlite.BUSY_TIMEOUT_S", 0.02)
    batches = day_of_somebody(20)
    async with collecting(broker, "p-1") as collector, core(broker, path) as service:
        hog = SqliteStore(path)
        hog._db.execute("BEGIN IMMEDIATE")
        collector.send(batches)
        async with asyncio.timeout(20):
            while service.processed < 20:
                await asyncio.sleep(0.02)
        await asyncio.sleep(0.6)
        assert service.commits == 0
        assert collector.acks == []
        hog._db.execute("ROLLBACK")
        hog.close()
        await collector.until_acked(19)


async def test_a_hole_is_asked_for_and_filled(broker: Broker, path: Path) -> None:
    batches = day_of_somebody(60)
    async with collecting(broker, "p-1") as collector, core(broker, path, finish=True):
        for k, batch in enumerate(batches):
            if 20 <= k < 25:
                collector.waiting["clip-1", 1, k] = batch  # committed, and lost on the way
            else:
                collector.send([batch])
        await collector.until_acked(59)
        assert (collector.asked[-1].from_seq, collector.asked[-1].through_seq) == (20, 24)
    reader = SqliteReader(path)
    assert content(reader, "p-1") == in_batch(batches, "p-1")
    reader.close()


async def test_f4_a_core_tells_again_what_is_stored_and_asks_for_the_rest(tmp_path: Path, path: Path) -> None:
    batches = day_of_somebody(40)
    async with embedded_broker() as first, collecting(first, "p-1") as collector, core(first, path):
        collector.send(batches[:20])
        await collector.until_acked(19)
    async with embedded_broker() as second, collecting(second, "p-1") as collector:  # knows nothing any more
        for batch in batches[15:]:
            collector.waiting["clip-1", 1, batch.seq] = batch
        async with core(second, path):
            await collector.until_acked(39)
        assert collector.acks[0].stored == {"clip-1": Stored(1, 19)}


async def test_config_gaps_and_reports_are_used(broker: Broker, path: Path) -> None:
    batches = day_of_somebody(30)
    gap = Gap("clip-1", Placement.LOWER_BACK, 1, 30, T0_NS + 30 * 10**9, T0_NS + 40 * 10**9, "out-of-range")
    async with collecting(broker, "p-1") as collector:
        collector.publish("config", PatientConfig(time_zone="Pacific/Auckland").to_json(), retain=True)
        async with core(broker, path, finish=True):
            collector.send([*batches, gap])
            detail = {"battery_pct": 80, "rate_hz": 50.0, "placement": "lower-back", "unheard_of": 1}
            collector.publish("event", Event("device", T0_NS, "clip-1", detail).to_json())
            await collector.until_acked(30)
    reader = SqliteReader(path)
    found = content(reader, "p-1")
    reader.close()
    (day,) = [point for key, point in found.items() if key[0] == "daily"]
    # 2025-10-09T08:53:20Z is the evening of that day in Auckland, which began at 11:00 UTC the day before
    assert (day.fields["date"], day.time_ns) == ("2025-10-09", 1_759_921_200 * 10**9)
    (lost,) = [point for key, point in found.items() if key[0] == "gap"]
    assert (lost.time_ns, lost.fields) == (gap.start_ns, {"dur_s": 10.0, "reason": "out-of-range"})
    (device,) = [point for key, point in found.items() if key[0] == "device"]
    assert device.fields == {"battery_pct": 80.0, "rate_hz": 50.0, "placement": "lower-back"}


async def test_f20_a_flood_costs_only_its_sender(broker: Broker, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("processing.service.INBOX_MAX", 8)
    async with collecting(broker, "p-1") as flood, collecting(broker, "p-2") as calm, core(broker, path) as service:
        for batch in day_of_somebody(300):  # all at once, without a breath for the core in between
            flood.waiting["clip-1", 1, batch.seq] = batch
            service._on_message("spineclip/v1/p-1/samples", encode(batch))
        assert service.rejects == {"flood": 292}
        calm.send(day_of_somebody(8))
        await calm.until_acked(7)
        async with asyncio.timeout(60):
            while flood.waiting:  # what was dropped is not acknowledged, and comes again
                flood.send_again()
                await asyncio.sleep(0.5)


async def test_a_patient_who_sends_nothing_is_told_as_not_worn_at_local_midnight(
    broker: Broker, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("processing.service.SETTLE_S", 0.0)
    config = PatientConfig(time_zone="Pacific/Auckland")  # 13 hours ahead of UTC: T0 is 21:53 there
    clock, store = DrivenClock(T0_NS), SqliteStore(path)
    reader = SqliteReader(path)

    def days() -> list[tuple[object, object, object]]:
        found = reader.points("daily", "p-1", 0, 1 << 62)
        return [(one.fields["date"], one.fields["worn_min"], one.fields["attention_why"]) for one in found]

    async def until_told(n: int) -> None:
        async with asyncio.timeout(30):
            while len(days()) < n:
                await asyncio.sleep(0.02)

    async with collecting(broker, "p-1") as collector:
        collector.publish("config", config.to_json(), retain=True)
        task = asyncio.create_task((service := Core(store, _settings(broker), clock, commit_s=0.1)).run())
        async with asyncio.timeout(20):
            while not ("p-1" in service._desks and service._desks["p-1"].look_ns):  # it has looked at the day
                await asyncio.sleep(0.01)
        clock.advance(3600 * 2.5)  # over midnight
        await until_told(1)
        await service.stop()
        await task
        assert days() == [("2025-10-09", 0.0, "not worn")]
        clock.advance(3600 * 48)  # two midnights while no core runs
        task = asyncio.create_task((service := Core(store, _settings(broker), clock, commit_s=0.1)).run())
        await until_told(3)
        collector.send(day_of_somebody(60))  # late, of the first day
        await collector.until_acked(59)
        await service.stop(finish=True)
        await task
    assert [day[0] for day in days()] == ["2025-10-09", "2025-10-10", "2025-10-11"]
    assert [day[1] for day in days()] == [1.0, 0.0, 0.0]
    reader.close()
    store.close()


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.server("mosquitto")
async def test_f2_a_core_killed_again_and_again_ends_with_the_same_bytes(tmp_path: Path, path: Path) -> None:
    batches = day_of_somebody(120)
    rng = random.Random(11)
    with mosquitto(tmp_path) as broker:
        secret = tmp_path / "password"
        secret.write_text(broker.password)
        command = [
            sys.executable, "-m", "spineclip", "core", "--host", broker.host, "--port", str(broker.port),
            "--user", broker.username, "--password-file", str(secret), "--store", str(path),
        ]  # fmt: skip
        async with collecting(broker, "p-1") as collector:
            collector.send(batches)
            for _ in range(3):
                process = await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.DEVNULL)
                acks = len(collector.acks)
                async with asyncio.timeout(60):
                    while len(collector.acks) == acks:  # it lives
                        collector.send_again()
                        await asyncio.sleep(1.0)
                await asyncio.sleep(rng.uniform(0.0, 1.0))
                os.kill(process.pid, signal.SIGKILL)
                await process.wait()
        async with collecting(broker, "p-1") as last:
            last.waiting = dict(collector.waiting)
            async with core(broker, path, finish=True):  # type: ignore[arg-type]
                last.send_again()
                await last.until_acked(119)
    reader = SqliteReader(path)
    assert content(reader, "p-1") == in_batch(batches, "p-1")
    reader.close()


async def test_a_report_of_no_time_or_number_that_a_store_holds_holds_up_nobody(broker: Broker, path: Path) -> None:
    """Each of these was stored never, and with it nothing else of its patient."""
    absurd = [
        Event("device", 1 << 70, "clip-1", {"battery_pct": 50.0}),
        Event("device", T0_NS + 2 * 86_400 * 10**9, "clip-1", {"battery_pct": 50.0}),
        Event("device", T0_NS, "clip-1", {"reconnects": 1 << 80}),
    ]
    async with collecting(broker, "p-1") as collector, core(broker, path) as service:
        for event in absurd:
            collector.publish("event", event.to_json())
        collector.publish("event", b'{"v":1,"kind":"device","time_ns":%d,"device":"","detail":{"rate_hz":NaN}}' % T0_NS)
        collector.send(day_of_somebody(20))
        await collector.until_acked(19)
        async with asyncio.timeout(10):
            while sum(service.rejects.values()) < 4:
                await asyncio.sleep(0.02)
        assert service.rejects == {"absurd-time": 2, "absurd-value": 2}
    store = SqliteStore(path)
    assert dict(store.aside("p-1")) == {"absurd-time": 2, "absurd-value": 2}
    assert store.points("device", "p-1", 0, 1 << 62) == []
    store.close()


async def test_what_is_refused_right_before_a_stop_is_kept_aside(broker: Broker, path: Path) -> None:
    async with core(broker, path) as service:
        service._on_message("spineclip/v1/p-1/samples", b"\xff")
    store = SqliteStore(path)
    assert dict(store.aside("p-1")) == {"cbor": 1}
    store.close()


async def test_late_records_that_cannot_be_processed_are_kept_aside_and_the_core_goes_on(
    broker: Broker, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def _breaks(*_: Any, **__: Any) -> Any:
        raise ZeroDivisionError("a defect that nobody has found yet")

    monkeypatch.setattr("processing.pipeline.amend", _breaks)
    monkeypatch.setattr("processing.intake.GIVE_UP_S", 0.2)
    monkeypatch.setattr("processing.late.QUIET_S", 0.2)
    batches = day_of_somebody(40)
    async with collecting(broker, "p-1") as collector, core(broker, path) as service:
        collector.send([*batches[:10], *batches[12:30]])
        await collector.until_acked(29)
        collector.send(batches[10:12])
        async with asyncio.timeout(20):
            while service.rejects["failed"] < 2:
                await asyncio.sleep(0.02)
        collector.send(batches[30:])
        await collector.until_acked(39)
    store = SqliteStore(path)
    assert store.aside("p-1")["failed"] == 2
    store.close()
