"""What the tests of the virtual radio share: wearables, finding them, hearing the bus."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

from bleak import BleakScanner
from bleak.backends.device import BLEDevice
from dbus_fast import BusType, Message, MessageType
from dbus_fast.aio import MessageBus

from firmware_sim.device import VirtualDevice
from firmware_sim.firmware.witmotion import Witmotion
from firmware_sim.radio import VirtualRadio
from firmware_sim.timing import BluezTiming
from tests.unit.motions import Ramp

QUICK = BluezTiming(connect_s=0.005, discover_s=0.005, disconnect_s=0.01, advert_s=0.01)
FAST = 0x0B  # 200 Hz

GAP = "00001800-0000-1000-8000-00805f9b34fb"
GATT = "00001801-0000-1000-8000-00805f9b34fb"


def wearable(radio: VirtualRadio, number: int = 1, **options: Any) -> VirtualDevice:
    firmware = Witmotion(
        Ramp(200), name=f"WT901BLE{number}", address=f"C0:57:49:54:00:{number:02X}", rate_code=FAST, **options
    )
    return radio.add(firmware)


async def find(device: VirtualDevice) -> BLEDevice:
    found = await BleakScanner.find_device_by_address(device.firmware.address, timeout=5.0)
    assert found is not None
    return found


async def until(condition: Callable[[], bool], seconds: float = 5.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        await asyncio.sleep(0.002)


class Ear:
    """Everything that the bus broadcasts."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, str, dict[str, Any], list[str]]] = []
        self._bus = MessageBus(bus_type=BusType.SYSTEM)

    async def open(self) -> Ear:
        await self._bus.connect()
        self._bus.add_message_handler(self._hear)
        reply = await self._bus.call(
            Message(
                destination="org.freedesktop.DBus",
                path="/org/freedesktop/DBus",
                interface="org.freedesktop.DBus",
                member="AddMatch",
                signature="s",
                body=["type='signal',interface='org.freedesktop.DBus.Properties',path_namespace='/org/bluez'"],
            )
        )
        assert reply is not None
        assert reply.message_type is MessageType.METHOD_RETURN
        return self

    def _hear(self, message: Message) -> None:
        if message.member == "PropertiesChanged":
            interface, changed, gone = message.body
            plain = {name: value.value for name, value in changed.items()}
            self.heard.append((str(message.path), interface, plain, gone))

    def device_changes(self) -> list[dict[str, Any]]:
        return [
            changed
            for _, interface, changed, _ in self.heard
            if interface.endswith("Device1") and "RSSI" not in changed
        ]

    def close(self) -> None:
        self._bus.disconnect()
