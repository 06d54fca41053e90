"""Promise: in lock step every packet arrives at its own time, whatever the speed, and nothing is lost on the way."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import numpy as np
import pytest
from bleak import BleakClient, BleakScanner

from collector.wearables.uuids import POLAR_PMD_CONTROL, POLAR_PMD_DATA, WITMOTION_NOTIFY
from firmware_sim.conductor import Conductor
from firmware_sim.device import VirtualDevice
from firmware_sim.firmware.polar import Polar
from firmware_sim.firmware.witmotion import Witmotion
from firmware_sim.link import LinkModel
from firmware_sim.player import Player
from firmware_sim.radio import VirtualRadio
from firmware_sim.timing import BluezTiming
from spineclip.contract.clock import DrivenClock

S = 1_000_000_000
START = 1_700_000_000 * S
QUICK = BluezTiming(connect_s=0.005, discover_s=0.005, disconnect_s=0.01, advert_s=0.01)
Heard = list[tuple[int, bytes]]


def recording(seconds: float, *, gap: tuple[float, float] | None = None) -> Player:
    t = START + np.arange(round(seconds * 50), dtype=np.int64) * 20_000_000
    x = np.arange(len(t)) % 30_000 / 2048 - 7
    if gap is not None:
        keep = (t < START + gap[0] * S) | (t >= START + gap[1] * S)
        t, x = t[keep], x[keep]
    return Player(t, np.stack([x, np.zeros(len(t)), np.ones(len(t))], axis=1))


@asynccontextmanager
async def listening(
    clock: DrivenClock, player: Player, heard: Heard, *, link: LinkModel | None = None
) -> AsyncIterator[tuple[VirtualRadio, VirtualDevice, asyncio.Task[BleakClient]]]:
    async with VirtualRadio(clock=clock, timing=QUICK) as radio:
        device = radio.add(Witmotion(player, rate_code=0x08, boot_ns=START), link=link)

        async def client() -> BleakClient:
            found = await BleakScanner.find_device_by_address(device.firmware.address, timeout=5.0)
            assert found is not None
            one = BleakClient(found)
            await one.connect()
            await one.start_notify(WITMOTION_NOTIFY, lambda _, value: heard.append((clock.utc_ns(), bytes(value))))
            return one

        task = asyncio.create_task(client())
        yield radio, device, task
        await (await task).disconnect()


async def test_every_packet_arrives_at_its_own_time() -> None:
    clock, heard, player = DrivenClock(START - 3600 * S), Heard(), recording(60)
    async with listening(clock, player, heard) as (radio, device, _):
        conductor = Conductor(radio, clock)
        await conductor.begin_at(player.start_ns)
        await conductor.run(player.end_ns + 1)
        truth = device.firmware.truth  # type: ignore[attr-defined]
    assert [t for t, _ in heard] == truth.t_ns.tolist() == (START + np.arange(3000) * 20_000_000).tolist()


async def test_any_speed_hears_the_same() -> None:
    runs = []
    for speed in (20.0, math.inf):
        clock, heard, player = DrivenClock(START - 60 * S), Heard(), recording(4)
        async with listening(clock, player, heard, link=LinkModel(retransmission=0.2)) as (radio, _, _):
            conductor = Conductor(radio, clock, speed=speed)
            await conductor.begin_at(player.start_ns)
            began = time.monotonic()
            await conductor.run(START + 4 * S)
            took = time.monotonic() - began
            if math.isfinite(speed):
                assert took >= 4 / speed * 0.99
        runs.append([value for _, value in heard])
    assert runs[0] == runs[1]
    assert len(runs[0]) > 190


async def test_in_coarser_steps_nothing_is_lost_and_little_is_late() -> None:
    clock, heard, player = DrivenClock(START - 60 * S), Heard(), recording(10)
    async with listening(clock, player, heard) as (radio, device, _):
        conductor = Conductor(radio, clock, grain_s=0.1)
        await conductor.begin_at(player.start_ns)
        await conductor.run(player.end_ns + 1)
        sent = device.firmware.truth.t_ns.tolist()  # type: ignore[attr-defined]
    late = [(arrived - t) / 1e9 for (arrived, _), t in zip(heard, sent, strict=True)]
    assert 0 <= min(late) <= max(late) <= 0.1
    assert conductor.steps < 120


async def test_sleepers_wake_in_their_turn() -> None:
    clock, heard, player = DrivenClock(START - 60 * S), Heard(), recording(3)
    woken: list[tuple[int, int]] = []

    async def watch() -> None:
        while True:
            await clock.sleep(0.5)
            woken.append((clock.utc_ns(), len(heard)))

    async with listening(clock, player, heard) as (radio, _, _):
        conductor = Conductor(radio, clock)
        await conductor.begin_at(player.start_ns)
        watcher = asyncio.create_task(watch())
        await asyncio.sleep(0)
        await conductor.run(START + 2 * S)
        watcher.cancel()
    begun = START - 1_000_000
    # At START + 0.499 s and so on, when the packets of 0, 20, .. 480 ms have been heard.
    assert woken == [(begun + k * S // 2, 25 * k) for k in range(1, 5)]


async def test_it_waits_until_what_came_has_been_worked_off() -> None:
    clock, heard, player = DrivenClock(START - 60 * S), Heard(), recording(1)
    done: list[int] = []

    async def settled() -> None:
        await asyncio.sleep(0.001)
        done.append(len(heard))

    async with listening(clock, player, heard) as (radio, _, _):
        conductor = Conductor(radio, clock, settled=settled)
        await conductor.begin_at(player.start_ns)
        done.clear()
        await conductor.run(player.end_ns + 1)
    assert done == list(range(1, 51))


async def test_time_is_real_while_nobody_listens() -> None:
    clock = DrivenClock(START)
    async with VirtualRadio(clock=clock, timing=QUICK) as radio:
        radio.add(Witmotion(recording(10), boot_ns=START))
        conductor = Conductor(radio, clock)
        began = time.monotonic()
        sleeper = asyncio.create_task(clock.sleep(0.1))
        await conductor.run(START + S // 5)
        assert time.monotonic() - began >= 0.2 * 0.99
        assert sleeper.done()
        with pytest.raises(TimeoutError, match="nobody subscribed"):
            await conductor.begin_at(START + 100 * S, timeout_s=0.05)


@pytest.mark.parametrize(("skip_s", "monotonic_s"), [(None, 100.0), (10.0, 20.0)])
async def test_a_long_silence_passes_or_is_skipped_on_the_wall_clock(skip_s: float | None, monotonic_s: float) -> None:
    clock, heard, player = DrivenClock(START - 60 * S), Heard(), recording(100, gap=(10, 90))
    async with listening(clock, player, heard) as (radio, _, _):
        conductor = Conductor(radio, clock, skip_silence_s=skip_s)
        await conductor.begin_at(player.start_ns)
        before = clock.monotonic_ns()
        await conductor.run(player.end_ns + 1)
        assert (clock.monotonic_ns() - before) / 1e9 == pytest.approx(monotonic_s, abs=0.1)
    assert [t for t, _ in heard] == [START + k * S // 50 for k in range(5000) if not 500 <= k < 4500]


async def test_time_does_not_fly_before_a_silent_wearable_is_told_to_stream() -> None:
    """A Polar H10 that is subscribed to says nothing until it is started, which takes real time."""
    clock, heard = DrivenClock(START - 60 * S), Heard()
    async with VirtualRadio(clock=clock, timing=QUICK) as radio:
        device = radio.add(Polar(recording(4), boot_ns=START))
        conductor = Conductor(radio, clock)

        async def client() -> BleakClient:
            found = await BleakScanner.find_device_by_address(device.firmware.address, timeout=5.0)
            assert found is not None
            one = BleakClient(found)
            await one.connect()
            await one.start_notify(POLAR_PMD_CONTROL, lambda *_: None)
            await one.start_notify(POLAR_PMD_DATA, lambda _, value: heard.append((clock.utc_ns(), bytes(value))))
            await asyncio.sleep(0.1)
            await one.write_gatt_char(POLAR_PMD_CONTROL, bytes.fromhex("0202 00013200 01011000 02010800"))
            return one

        task = asyncio.create_task(client())
        await conductor.begin_at(START)
        await conductor.run(START + 4 * S)
        await (await task).disconnect()
    assert device.firmware.finished
    # 200 samples in frames of 36, and the last frame short.
    assert [(len(value) - 10) // 6 for _, value in heard] == [36] * 5 + [20]


def test_time_cannot_stand_still() -> None:
    clock = DrivenClock()
    with pytest.raises(ValueError, match="speed"):
        Conductor(VirtualRadio(clock=clock), clock, speed=0.0)
