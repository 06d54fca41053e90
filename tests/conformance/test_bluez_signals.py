"""Promise: the virtual radio signals what BlueZ signals, in its order, with its quirks.

What BlueZ does is taken from a trace of BlueZ 5.66 with bleak 3.1.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from typing import Any

import pytest
from bleak import BleakClient
from bleak.exc import (
    BleakError,
)
from dbus_fast import Message

from collector.wearables.uuids import WITMOTION_NOTIFY, WITMOTION_SERVICE
from firmware_sim.bus import Client
from firmware_sim.radio import VirtualRadio
from firmware_sim.timing import BluezTiming
from tests.conformance.radio_world import GAP, GATT, Ear, find, until, wearable


@pytest.mark.parametrize(("close_first", "copies"), [(False, 2), (True, 1)])
async def test_an_old_client_that_was_not_closed_doubles_everything(
    radio: VirtualRadio, *, close_first: bool, copies: int
) -> None:
    device = wearable(radio)
    old_got: list[bytes] = []
    got: list[bytes] = []
    old = BleakClient(await find(device))
    await old.connect()
    await old.start_notify(WITMOTION_NOTIFY, lambda _, value: old_got.append(bytes(value)))
    await until(lambda: bool(old_got))
    device.drop_link()
    await until(lambda: not old.is_connected)
    if close_first:
        await old.disconnect()
    async with BleakClient(await find(device)) as new:
        await new.start_notify(WITMOTION_NOTIFY, lambda _, value: got.append(bytes(value)))
        await until(lambda: len(got) >= 40)
        device.faults.stalled = True
        await asyncio.sleep(0.02)
    times_heard = Counter(got)
    # The first of them may have come while only the old registration was there.
    assert set(list(times_heard.values())[2:]) == {copies}
    await old.disconnect()


async def test_a_wished_disconnect_takes_its_time_and_is_two_signals() -> None:
    async with VirtualRadio(timing=BluezTiming(disconnect_s=0.2, advert_s=0.01)) as radio:
        device = wearable(radio)
        ear = await Ear().open()
        client = BleakClient(await find(device))
        await client.connect()
        ear.heard.clear()
        began = time.monotonic()
        await client.disconnect()
        assert time.monotonic() - began >= 0.2
        assert ear.device_changes() == [{"ServicesResolved": False}, {"Connected": False}]
        ear.close()


async def test_a_lost_link_is_one_signal(radio: VirtualRadio) -> None:
    device = wearable(radio)
    ear = await Ear().open()
    lost = asyncio.Event()
    client = BleakClient(await find(device), disconnected_callback=lambda _: lost.set())
    await client.connect()
    await until(lambda: {"Connected": True} in ear.device_changes())
    ear.heard.clear()
    device.drop_link()
    await asyncio.wait_for(lost.wait(), 5.0)
    assert ear.device_changes() == [{"ServicesResolved": False, "Connected": False}]
    with pytest.raises(BleakError, match=r"Not connected|Service Discovery has not been performed yet"):
        await client.read_gatt_char(WITMOTION_NOTIFY)
    await client.disconnect()
    ear.close()


async def test_signals_come_in_the_order_of_bluez(radio: VirtualRadio) -> None:
    """After the trace of BlueZ 5.66: scan, connect, services, and the method's answer before the services."""
    device = wearable(radio)
    told: list[str] = []
    broadcast, send = radio.bus.broadcast, Client.send

    def hear(path: str, interface: str, member: str, signature: str, *body: Any) -> None:
        if member == "InterfacesAdded":
            told.extend(f"+{name.removeprefix('org.bluez.')}" for name in body[1])
        elif body[0] in {"org.bluez.Adapter1", "org.bluez.Device1"}:
            told.extend(f"{name}={value.value}" for name, value in body[1].items() if name != "RSSI")
            told.extend(f"-{name}" for name in body[2])
        broadcast(path, interface, member, signature, *body)

    def answer(client: Client, message: Message) -> None:
        told.append("answer")
        send(client, message)

    radio.bus.broadcast = hear  # type: ignore[method-assign]
    found = await find(device)
    assert told == ["Discovering=True", "+Device1", "-RSSI", "Discovering=False"]
    told.clear()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Client, "send", answer)
        async with BleakClient(found):
            pass
    told = told[told.index("Connected=True") :]
    assert told[:2] == ["Connected=True", "answer"]
    assert told[2:8] == [
        "+GattService1",
        "+GattCharacteristic1",
        "+GattDescriptor1",
        "+GattCharacteristic1",
        f"UUIDs={[GAP, GATT, WITMOTION_SERVICE]}",
        "ServicesResolved=True",
    ]
    assert [one for one in told[8:] if one != "answer"] == ["ServicesResolved=False", "Connected=False"]


async def test_gatt_objects_outlive_the_link(radio: VirtualRadio) -> None:
    device = wearable(radio)
    ear = await Ear().open()
    found = await find(device)
    async with BleakClient(found):
        pass
    path = found.details["path"]
    assert any(one.startswith(f"{path}/service") for one in radio.bluez.objects.managed())
    ear.heard.clear()
    async with BleakClient(found) as client:
        assert client.services.get_characteristic(WITMOTION_NOTIFY) is not None
        assert ear.device_changes() == [{"Connected": True}, {"ServicesResolved": True}]
    ear.close()


async def test_reading_a_notified_characteristic_also_tells_the_value(radio: VirtualRadio) -> None:
    device = wearable(radio)
    got: list[bytes] = []
    async with BleakClient(await find(device)) as client:
        await client.start_notify(WITMOTION_NOTIFY, lambda _, value: got.append(bytes(value)))
        read = bytes(await client.read_gatt_char(WITMOTION_NOTIFY))
        assert read in got
