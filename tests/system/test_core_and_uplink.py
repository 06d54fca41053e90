"""Promise: outbox, uplink, broker and core together lose nothing and count nothing twice, whoever restarts."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from collector.outbox import Outbox
from collector.uplink import Uplink
from processing import records
from processing.analysis import Track, analyze
from processing.metrics import Point
from processing.stores.sqlite import SqliteReader
from spineclip.broker import Broker, embedded_broker
from spineclip.contract.clock import DrivenClock
from spineclip.contract.config import PatientConfig
from spineclip.contract.placement import Placement
from spineclip.contract.wire import Gap, SampleBatch
from tests.system.collecting import T0_NS, content, core, day_of_somebody

FIRST_BOOT, SECOND_BOOT = 10, 11
pytestmark = pytest.mark.filterwarnings("default::DeprecationWarning")


@contextlib.asynccontextmanager
async def uplink(broker: Broker, path: Path) -> AsyncIterator[tuple[Uplink, Outbox]]:
    outbox = Outbox(path, DrivenClock(T0_NS))
    link = Uplink("p-1", broker, outbox)
    task = asyncio.create_task(link.run())
    try:
        async with asyncio.timeout(20):
            while not link.connected:
                await asyncio.sleep(0.01)
        yield link, outbox
    finally:
        await link.stop(0.0)
        async with asyncio.timeout(20):
            await task
        outbox.close()


async def empty(outbox: Outbox) -> None:
    async with asyncio.timeout(60):
        while outbox.backlog:
            await asyncio.sleep(0.02)


def two_lives() -> tuple[list[SampleBatch], Gap, list[SampleBatch]]:
    """A collector's first life, the gap that its second one begins with, and that second life."""
    whole = day_of_somebody(120, boot=FIRST_BOOT)
    first, rest = whole[:60], whole[70:]
    gap = Gap(
        "clip-1", Placement.LOWER_BACK, SECOND_BOOT, 0, first[-1].end_ns, rest[0].t0_ns, "collector-stopped"
    )  # fmt: skip
    return first, gap, [replace(batch, boot=SECOND_BOOT, seq=k + 1) for k, batch in enumerate(rest)]


def in_batch(batches: list[SampleBatch]) -> dict[object, Point]:
    tracks = [Track("clip-1", Placement.LOWER_BACK, [records.block(batch) for batch in batches])]
    return {
        (point.measurement, point.time_ns, tuple(point.tags.values())): point
        for result in analyze(tracks, PatientConfig(), "p-1")
        for point in result.points
        if point.measurement != "nudge"
    }


def stored(path: Path) -> dict[object, Point]:
    reader = SqliteReader(path)
    found = {key: point for key, point in content(reader, "p-1").items() if key[0] not in ("gap", "device", "fault")}
    reader.close()
    return dict(found)


async def test_a_collector_that_restarts_is_followed_without_waiting(tmp_path: Path) -> None:
    first, gap, second = two_lives()
    async with embedded_broker() as broker, core(broker, tmp_path / "metrics.db", finish=True):
        async with uplink(broker, tmp_path / "outbox.db") as (link, outbox):
            outbox.append(first)
            link.wake()
            await empty(outbox)
        async with uplink(broker, tmp_path / "outbox.db") as (link, outbox):
            outbox.append([gap, *second])
            link.wake()
            async with asyncio.timeout(8):  # less than a wait for the old boot's end would take
                await empty(outbox)
    assert stored(tmp_path / "metrics.db") == in_batch([*first, *second])


async def test_what_two_lives_of_a_collector_gathered_while_the_core_was_away_is_stored_whole(tmp_path: Path) -> None:
    first, gap, second = two_lives()
    async with embedded_broker() as broker:
        async with uplink(broker, tmp_path / "outbox.db") as (link, outbox):
            outbox.append(first)
            link.wake()
            async with core(broker, tmp_path / "metrics.db", finish=True):
                async with asyncio.timeout(30):
                    while outbox.backlog > 30:
                        await asyncio.sleep(0.005)
        async with uplink(broker, tmp_path / "outbox.db") as (link, outbox):
            outbox.append([gap, *second])
            link.wake()
            await asyncio.sleep(0.3)
            async with core(broker, tmp_path / "metrics.db", finish=True):
                await empty(outbox)
    assert stored(tmp_path / "metrics.db") == in_batch([*first, *second])


async def test_a_core_that_comes_last_gets_everything_from_a_broker_that_kept_nothing(tmp_path: Path) -> None:
    first, gap, second = two_lives()
    async with embedded_broker() as broker, uplink(broker, tmp_path / "outbox.db") as (link, outbox):
        outbox.append([*first, gap, *second])
        link.wake()
        async with asyncio.timeout(20):
            while link.published < len(first) + len(second):
                await asyncio.sleep(0.02)
        async with core(broker, tmp_path / "metrics.db", finish=True):
            await empty(outbox)
    assert stored(tmp_path / "metrics.db") == in_batch([*first, *second])
