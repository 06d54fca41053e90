"""Promise: many wearables, random losses, clients that do not read and garbage: the radio accounts for everything.

What BlueZ does is taken from a trace of BlueZ 5.66 with bleak 3.1.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Callable
from typing import Any

from bleak import BleakClient
from bleak.exc import (
    BleakError,
)
from dbus_fast import Message

from collector.wearables.uuids import WITMOTION_NOTIFY
from firmware_sim.device import VirtualDevice
from firmware_sim.radio import VirtualRadio
from tests.conformance.radio_world import QUICK, find, until, wearable


async def test_sixteen_wearables_lose_nothing(radio: VirtualRadio) -> None:
    devices = [wearable(radio, number) for number in range(1, 17)]
    got: dict[str, int] = dict.fromkeys((one.firmware.address for one in devices), 0)

    def count(address: str) -> Callable[[Any, bytearray], None]:
        def heard(_: Any, value: bytearray) -> None:
            got[address] += len(value) == 20

        return heard

    clients = []
    for device in devices:
        client = BleakClient(await find(device))
        await client.connect()
        await client.start_notify(WITMOTION_NOTIFY, count(device.firmware.address))
        clients.append(client)
    await asyncio.sleep(0.5)
    await asyncio.gather(*(client.stop_notify(WITMOTION_NOTIFY) for client in clients))
    await asyncio.sleep(0.05)
    sent = {one.firmware.address: one.counters.handed for one in devices}
    assert got == sent
    assert all(count >= 50 for count in sent.values())
    await asyncio.gather(*(client.disconnect() for client in clients))


async def test_a_soak_of_random_losses_accounts_for_everything(radio: VirtualRadio) -> None:
    devices = [wearable(radio, number) for number in range(1, 5)]
    heard = dict.fromkeys((one.firmware.address for one in devices), 0)
    dice = random.Random(4)
    wakes: dict[str, asyncio.Event] = {}
    over = False

    async def stay_connected(device: VirtualDevice) -> None:
        while not over:
            wake = wakes[device.firmware.address] = asyncio.Event()

            def count(_: Any, value: bytearray) -> None:
                heard[device.firmware.address] += len(value) == 20

            client = BleakClient(device.firmware.address, disconnected_callback=lambda _, wake=wake: wake.set())
            try:
                await client.connect()
                await client.start_notify(WITMOTION_NOTIFY, count)
                if not over:
                    await wake.wait()
                if client.is_connected:
                    await client.stop_notify(WITMOTION_NOTIFY)
            except BleakError:
                pass  # the link was lost in the middle of something
            finally:
                # bleak 3 trips over a check of its own where a link is lost while it lets go of another
                with contextlib.suppress(BleakError, AssertionError):
                    await client.disconnect()

    tasks = [asyncio.create_task(stay_connected(device)) for device in devices]
    for _ in range(40):
        await asyncio.sleep(dice.uniform(0.0, 0.08))
        dice.choice(devices).drop_link()
    await asyncio.sleep(0.2)
    over = True
    for wake in wakes.values():
        wake.set()
    await asyncio.gather(*tasks)
    assert sum(one.counters.losses for one in devices) >= 20
    for device in devices:
        counters = device.counters
        assert counters.handed == counters.delivered + counters.unheard
        # Between a link and its StartNotify nobody listens, so each value is told once, to the one who hears it.
        assert heard[device.firmware.address] == counters.signals == counters.delivered


async def test_a_client_that_does_not_read_is_cut_off_and_the_others_go_on() -> None:
    async with VirtualRadio(timing=QUICK, queue_limit=4096) as radio:
        device = wearable(radio)
        reader, writer = await asyncio.open_unix_connection(radio.address.removeprefix("unix:path="))
        writer.write(b"\0AUTH EXTERNAL 30\r\nBEGIN\r\n")
        for serial, (member, signature, body) in enumerate(
            [("Hello", "", []), ("AddMatch", "s", ["type=signal"])], start=1
        ):
            message = Message(
                destination="org.freedesktop.DBus",
                path="/org/freedesktop/DBus",
                interface="org.freedesktop.DBus",
                member=member,
                signature=signature,
                body=body,
                serial=serial,
            )
            writer.write(bytes(message._marshall(False)))
        await until(lambda: any(client.rules for client in radio.bus.clients))
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        for client in radio.bus.clients:
            frame = bytearray(b"l" + bytes(200_000))
            for _ in range(20):
                client.send_frame(frame)
        await until(lambda: radio.bus.cut_off == 1)
        assert await find(device)
        writer.close()
        del reader


async def test_garbage_on_the_bus_ends_only_that_connection(radio: VirtualRadio) -> None:
    device = wearable(radio)
    for garbage in (
        b"\0GET / HTTP/1.1\r\n\r\n",
        b"\0AUTH EXTERNAL 30\r\nBEGIN\r\n" + b"\xff" * 64,
        b"\0" + b"A" * 40000,
    ):
        reader, writer = await asyncio.open_unix_connection(radio.address.removeprefix("unix:path="))
        writer.write(garbage)
        await writer.drain()
        await asyncio.sleep(0.02)
        writer.close()
        del reader
    assert await find(device)
