"""Promise: bleak's own BlueZ backend, unmodified, meets in the virtual radio the troubles that it meets in BlueZ.

What BlueZ does is taken from a trace of BlueZ 5.66 with bleak 3.1.
"""

from __future__ import annotations

import asyncio

import pytest
from bleak import BleakClient, BleakScanner
from bleak.exc import (
    BleakBluetoothNotAvailableError,
    BleakBluetoothNotAvailableReason,
    BleakDBusError,
    BleakError,
    BleakGATTProtocolError,
    BleakGATTProtocolErrorCode,
)

from collector.wearables.uuids import WITMOTION_NOTIFY, WITMOTION_WRITE
from firmware_sim.faults import ConnectFault, WriteFault
from firmware_sim.radio import VirtualRadio
from firmware_sim.timing import BluezTiming
from tests.conformance.radio_world import QUICK, find, until, wearable


async def test_an_aborted_connection_is_tried_again_by_bleak(radio: VirtualRadio) -> None:
    device = wearable(radio)
    device.faults.connect.append(ConnectFault.ABORTED)
    async with BleakClient(await find(device)) as client:
        assert client.is_connected
    assert device.counters.connects == 1


async def test_no_answer_to_connect_is_a_timeout(radio: VirtualRadio) -> None:
    device = wearable(radio)
    device.faults.connect.append(ConnectFault.SILENT)
    with pytest.raises(TimeoutError):
        await BleakClient(await find(device), timeout=0.2).connect()


async def test_out_of_range_is_a_timeout_and_coming_back_mends_it(radio: VirtualRadio) -> None:
    device = wearable(radio)
    found = await find(device)
    device.go_away()
    with pytest.raises(TimeoutError):
        await BleakClient(found, timeout=0.2).connect()
    device.come_back()
    async with BleakClient(found) as client:
        assert client.is_connected


async def test_connect_in_progress_is_an_error_at_once(radio: VirtualRadio) -> None:
    device = wearable(radio)
    device.faults.connect.append(ConnectFault.IN_PROGRESS)
    with pytest.raises(BleakDBusError, match="InProgress"):
        await BleakClient(await find(device)).connect()


async def test_a_link_that_drops_in_discovery_is_an_error(radio: VirtualRadio) -> None:
    device = wearable(radio)
    device.faults.connect.append(ConnectFault.LOST_IN_DISCOVERY)
    with pytest.raises(BleakError, match="failed to discover services, device disconnected"):
        await BleakClient(await find(device)).connect()


async def test_a_removed_device_is_not_found(radio: VirtualRadio) -> None:
    device = wearable(radio)
    found = await find(device)
    radio.forget(device)
    with pytest.raises(BleakError, match=r"not found"):
        await BleakClient(found).connect()


async def test_a_wearable_that_was_only_scanned_is_forgotten() -> None:
    async with VirtualRadio(timing=BluezTiming(advert_s=0.01, forget_s=0.05)) as radio:
        device = wearable(radio)
        found = await find(device)
        await until(lambda: found.details["path"] not in radio.bluez.objects)
        with pytest.raises(BleakError, match=r"not found"):
            await BleakClient(found).connect()


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (WriteFault.UNLIKELY, BleakGATTProtocolErrorCode.UNLIKELY_ERROR),
        (WriteFault.NOT_PERMITTED, BleakGATTProtocolErrorCode.WRITE_NOT_PERMITTED),
    ],
)
async def test_a_refused_write_names_the_reason(
    radio: VirtualRadio, fault: WriteFault, code: BleakGATTProtocolErrorCode
) -> None:
    device = wearable(radio)
    async with BleakClient(await find(device)) as client:
        device.faults.write.append(fault)
        with pytest.raises(BleakGATTProtocolError) as refused:
            await client.write_gatt_char(WITMOTION_WRITE, b"\xff\xaa\x00\x00\x00", response=True)
        assert refused.value.code == code


async def test_a_busy_write_is_repeated_by_bleak(radio: VirtualRadio) -> None:
    device = wearable(radio)
    async with BleakClient(await find(device)) as client:
        device.faults.write.extend([WriteFault.IN_PROGRESS] * 4)
        await client.write_gatt_char(WITMOTION_WRITE, b"\xff\xaa\x00\x00\x00", response=True)
    assert device.faults.write == []


async def test_notifications_of_a_characteristic_without_them_are_refused(radio: VirtualRadio) -> None:
    device = wearable(radio)
    async with BleakClient(await find(device)) as client:
        with pytest.raises(BleakDBusError, match="NotSupported"):
            await client.start_notify(WITMOTION_WRITE, lambda *_: None)


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"powered": False}, BleakBluetoothNotAvailableReason.POWERED_OFF),
        ({"adapter": False}, BleakBluetoothNotAvailableReason.NO_BLUETOOTH),
    ],
)
async def test_no_adapter_and_no_power_are_told_apart(
    options: dict[str, bool], reason: BleakBluetoothNotAvailableReason
) -> None:
    async with VirtualRadio(timing=QUICK, **options):
        with pytest.raises(BleakBluetoothNotAvailableError) as missing:
            await BleakScanner.discover(timeout=0.05)
        assert missing.value.reason == reason


async def test_a_link_left_by_a_dead_process_is_taken_over(radio: VirtualRadio) -> None:
    device = wearable(radio)
    found = await find(device)
    radio.connect_from_elsewhere(device)
    await until(lambda: device.connected)
    got: list[bytes] = []
    async with BleakClient(found) as client:
        await client.start_notify(WITMOTION_NOTIFY, lambda _, value: got.append(bytes(value)))
        await until(lambda: len(got) > 3)
    assert device.counters.connects == 1


async def test_a_dead_bluetooth_daemon_is_silent_and_a_new_scan_mends_it(radio: VirtualRadio) -> None:
    device = wearable(radio)
    got: list[bytes] = []
    lost: list[bool] = []
    client = BleakClient(await find(device), disconnected_callback=lambda _: lost.append(True))
    await client.connect()
    await client.start_notify(WITMOTION_NOTIFY, lambda _, value: got.append(bytes(value)))
    await until(lambda: bool(got))
    radio.kill_bluez()
    await asyncio.sleep(0.05)
    count = len(got)
    await asyncio.sleep(0.1)
    assert (len(got), client.is_connected, lost) == (count, True, [])
    with pytest.raises(BleakDBusError, match="ServiceUnknown"):
        await client.read_gatt_char(WITMOTION_NOTIFY)
    with pytest.raises(BleakDBusError):
        await client.disconnect()
    assert (client.is_connected, lost) == (False, [True])
    radio.revive_bluez()
    async with BleakClient(await find(device)) as again:
        assert again.is_connected


async def test_who_waits_for_a_daemon_that_dies_is_told(radio: VirtualRadio) -> None:
    device = wearable(radio)
    found = await find(device)
    device.go_away()
    connecting = asyncio.create_task(BleakClient(found, timeout=30.0).connect())
    await asyncio.sleep(0.1)
    radio.kill_bluez()
    with pytest.raises(BleakDBusError, match="NoReply"):
        await asyncio.wait_for(connecting, 5.0)


async def test_the_death_of_the_bus_is_told(radio: VirtualRadio) -> None:
    device = wearable(radio)
    lost = asyncio.Event()
    client = BleakClient(await find(device), disconnected_callback=lambda _: lost.set())
    await client.connect()
    await radio.kill_bus()
    await asyncio.wait_for(lost.wait(), 5.0)
    assert not client.is_connected
    await client.disconnect()
    await radio.revive_bus()
    async with BleakClient(await find(device)) as again:
        assert again.is_connected
