"""Promise: bleak's own BlueZ backend, unmodified, finds, connects and hears the wearables of the virtual radio.

What BlueZ does is taken from a trace of BlueZ 5.66 with bleak 3.1.
"""

from __future__ import annotations

import itertools
import re

import pytest
from bleak import BleakClient, BleakScanner

from collector.wearables.uuids import WITMOTION_NOTIFY, WITMOTION_SERVICE, WITMOTION_WRITE
from firmware_sim.radio import VirtualRadio
from tests.conformance.radio_world import QUICK, find, until, wearable


async def test_scan_sees_what_is_advertised(radio: VirtualRadio) -> None:
    device = wearable(radio)
    hidden = wearable(radio, 2)
    hidden.go_away()
    found = await BleakScanner.discover(timeout=0.1, return_adv=True)
    assert set(found) == {device.firmware.address}
    seen, advert = found[device.firmware.address]
    assert seen.name == advert.local_name == "WT901BLE1"
    assert advert.service_uuids == [WITMOTION_SERVICE]
    assert advert.rssi == pytest.approx(-60, abs=2)


async def test_scan_filtered_by_service_sees_only_those(radio: VirtualRadio) -> None:
    device = wearable(radio)
    other = await BleakScanner.discover(timeout=0.05, service_uuids=["0000180d-0000-1000-8000-00805f9b34fb"])
    ours = await BleakScanner.discover(timeout=0.05, service_uuids=[WITMOTION_SERVICE])
    assert other == []
    assert [one.address for one in ours] == [device.firmware.address]


async def test_everything_sent_arrives_once_and_in_order(radio: VirtualRadio) -> None:
    device = wearable(radio)
    got: list[bytes] = []
    async with BleakClient(await find(device)) as client:
        await client.start_notify(WITMOTION_NOTIFY, lambda _, value: got.append(bytes(value)))
        await until(lambda: len(got) >= 100)
        await client.stop_notify(WITMOTION_NOTIFY)
    counts = [int.from_bytes(value[2:4], "little", signed=True) for value in got]
    sent = [round(x * 2048) for x in device.firmware.truth.xyz_g[:, 0]]
    assert counts == sent
    assert all((b - a) % 30000 == 1 for a, b in itertools.pairwise(counts))


async def test_gatt_paths_are_those_that_bleak_cuts_apart(radio: VirtualRadio) -> None:
    device = wearable(radio)
    async with BleakClient(await find(device)) as client:
        path = "/org/bluez/hci0/dev_C0_57_49_54_00_01/service[0-9a-f]{4}/char[0-9a-f]{4}"
        characteristics = list(client.services.characteristics.values())
        assert len(characteristics) == 2
        for one in characteristics:
            assert re.fullmatch(path, one.obj[0])
            assert int(one.obj[0][-4:], 16) == one.handle
        assert client.services.get_characteristic(WITMOTION_NOTIFY).max_write_without_response_size == 244


async def test_registers_are_answered_on_the_data_characteristic(radio: VirtualRadio) -> None:
    device = wearable(radio, battery_v=3.93)
    got: list[bytes] = []
    async with BleakClient(await find(device)) as client:
        await client.start_notify(WITMOTION_NOTIFY, lambda _, value: got.append(bytes(value)))
        await client.write_gatt_char(WITMOTION_WRITE, bytes.fromhex("ffaa276400"), response=False)
        await until(lambda: any(value[:2] == b"\x55\x71" for value in got))
    reply = next(value for value in got if value[:2] == b"\x55\x71")
    assert (len(reply), reply[2:6]) == (20, bytes.fromhex("64008901"))  # register 0x64, 393 hundredths of a volt


async def test_over_tcp_as_well() -> None:
    async with VirtualRadio(timing=QUICK, tcp=True) as radio:
        assert radio.address.startswith("tcp:host=127.0.0.1,port=")
        device = wearable(radio)
        got: list[bytes] = []
        async with BleakClient(await find(device)) as client:
            await client.start_notify(WITMOTION_NOTIFY, lambda _, value: got.append(bytes(value)))
            await until(lambda: len(got) > 10)
