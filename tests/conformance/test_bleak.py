"""Promise: the installed bleak is the one that the collector was written for: names, signatures, exceptions, plug-ins.

No mocks: these assert on the library itself, so that an update that moves something fails here and by name.
"""

from __future__ import annotations

import asyncio
import inspect

import bleak
import bleak.exc
import pytest
from bleak import BleakClient, BleakScanner
from bleak.backends.client import BaseBleakClient
from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData, BaseBleakScanner
from bleak.exc import BleakBluetoothNotAvailableError, BleakBluetoothNotAvailableReason, BleakDBusError, BleakError

from collector.scan import _UNAVAILABLE
from firmware_sim.firmware.witmotion import Witmotion
from firmware_sim.radio import VirtualRadio
from tests.unit.motions import Still


def _parameters(function: object) -> list[str]:
    return list(inspect.signature(function).parameters)  # type: ignore[arg-type]


def test_client_and_scanner_take_what_we_give() -> None:
    client = _parameters(BleakClient.__init__)
    assert client[1:3] == ["address_or_ble_device", "disconnected_callback"]
    assert {"timeout", "bluez", "backend"} <= set(client)
    scanner = _parameters(BleakScanner.__init__)
    assert scanner[1] == "detection_callback"
    assert {"bluez", "backend"} <= set(scanner)


@pytest.mark.parametrize(
    ("method", "wanted"),
    [
        (BleakClient.connect, []),
        (BleakClient.disconnect, []),
        (BleakClient.start_notify, ["char_specifier", "callback"]),
        (BleakClient.write_gatt_char, ["char_specifier", "data", "response"]),
        (BleakClient.read_gatt_char, ["char_specifier"]),
        (BleakScanner.start, []),
        (BleakScanner.stop, []),
    ],
)
def test_calls_are_coroutines_with_our_arguments(method: object, wanted: list[str]) -> None:
    assert inspect.iscoroutinefunction(method)
    assert [name for name in wanted if name in _parameters(method)] == wanted


def test_exceptions_form_the_tree_that_we_catch() -> None:
    raised = [one for _, one in inspect.getmembers(bleak.exc, inspect.isclass) if issubclass(one, Exception)]
    assert all(issubclass(one, BleakError) for one in raised if one.__module__ == "bleak.exc")
    assert issubclass(BleakDBusError, BleakError)
    assert isinstance(BleakDBusError.dbus_error, property)
    reason = BleakBluetoothNotAvailableReason.POWERED_OFF
    assert BleakBluetoothNotAvailableError("off", reason).reason is reason


def test_every_reason_for_no_bluetooth_has_its_sentence() -> None:
    reasons = set(BleakBluetoothNotAvailableReason) - {BleakBluetoothNotAvailableReason.UNKNOWN}
    assert set(_UNAVAILABLE) == reasons


def test_advertisements_have_what_we_read() -> None:
    assert {"local_name", "manufacturer_data", "service_uuids", "rssi"} <= set(AdvertisementData._fields)
    assert {"address", "name"} <= set(dir(BLEDevice("AA:BB:CC:DD:EE:FF", "name", {})))


def test_backends_can_be_plugged_in() -> None:
    assert {"connect", "disconnect", "start_notify", "write_gatt_char", "read_gatt_char"} <= set(dir(BaseBleakClient))
    assert {"start", "stop", "register_detection_callback"} <= set(dir(BaseBleakScanner))


async def test_a_plain_callback_is_called_in_the_loop_and_before_anything_else_runs() -> None:
    """What our time stamps rest on: the callback is not wrapped in a task, and gets characteristic and bytes."""
    async with VirtualRadio() as radio:
        radio.add(Witmotion(Still()))
        device = await BleakScanner.find_device_by_filter(lambda _, data: data.local_name == "WT901BLE68", timeout=5)
        assert device is not None
        heard: asyncio.Future[tuple[str, type, asyncio.Task[object] | None]] = (
            asyncio.get_running_loop().create_future()
        )

        def hear(characteristic: bleak.BleakGATTCharacteristic, data: bytearray) -> None:  # type: ignore[name-defined]
            if not heard.done():
                heard.set_result((characteristic.uuid, type(data), asyncio.current_task()))

        async with BleakClient(device, timeout=5) as client:
            await client.start_notify("0000ffe4-0000-1000-8000-00805f9a34fb", hear)
            uuid, kind, task = await asyncio.wait_for(heard, 5)
    assert uuid == "0000ffe4-0000-1000-8000-00805f9a34fb"
    assert issubclass(kind, bytes | bytearray)
    assert task is None or "hear" not in repr(task.get_coro())


async def test_disconnect_can_be_said_twice_and_after_a_loss() -> None:
    async with VirtualRadio() as radio:
        virtual = radio.add(Witmotion(Still()))
        device = await BleakScanner.find_device_by_filter(lambda _, data: data.local_name == "WT901BLE68", timeout=5)
        assert device is not None
        gone = asyncio.Event()
        client = BleakClient(device, lambda _: gone.set(), timeout=5)
        await client.connect()
        virtual.drop_link()
        await asyncio.wait_for(gone.wait(), 5)
        await client.disconnect()
        await client.disconnect()
        assert not client.is_connected
