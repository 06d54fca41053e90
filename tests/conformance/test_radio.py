"""Promise: bleak's own BlueZ backend, unmodified, meets in the virtual radio what it meets in BlueZ.

What BlueZ does is taken from a trace of BlueZ 5.66 with bleak 3.1.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import random
import re
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from bleak import BleakClient, BleakScanner
from bleak.backends.device import BLEDevice
from bleak.exc import (
    BleakBluetoothNotAvailableError,
    BleakBluetoothNotAvailableReason,
    BleakDBusError,
    BleakError,
    BleakGATTProtocolError,
    BleakGATTProtocolErrorCode,
)
from dbus_fast import BusType, Message, MessageType
from dbus_fast.aio import MessageBus

from firmware_sim.bus import Client
from firmware_sim.device import VirtualDevice
from firmware_sim.faults import ConnectFault, WriteFault
from firmware_sim.firmware.witmotion import COMMAND, DATA, SERVICE, Witmotion
from firmware_sim.radio import VirtualRadio
from firmware_sim.timing import BluezTiming
from tests.unit.motions import Ramp

QUICK = BluezTiming(connect_s=0.005, discover_s=0.005, disconnect_s=0.01, advert_s=0.01)
FAST = 0x0B  # 200 Hz

GAP = "00001800-0000-1000-8000-00805f9b34fb"
GATT = "00001801-0000-1000-8000-00805f9b34fb"


@pytest.fixture
async def radio() -> AsyncIterator[VirtualRadio]:
    async with VirtualRadio(timing=QUICK) as one:
        yield one


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


async def test_scan_sees_what_is_advertised(radio: VirtualRadio) -> None:
    device = wearable(radio)
    hidden = wearable(radio, 2)
    hidden.go_away()
    found = await BleakScanner.discover(timeout=0.1, return_adv=True)
    assert set(found) == {device.firmware.address}
    seen, advert = found[device.firmware.address]
    assert seen.name == advert.local_name == "WT901BLE1"
    assert advert.service_uuids == [SERVICE]
    assert advert.rssi == pytest.approx(-60, abs=2)


async def test_scan_filtered_by_service_sees_only_those(radio: VirtualRadio) -> None:
    device = wearable(radio)
    other = await BleakScanner.discover(timeout=0.05, service_uuids=["0000180d-0000-1000-8000-00805f9b34fb"])
    ours = await BleakScanner.discover(timeout=0.05, service_uuids=[SERVICE])
    assert other == []
    assert [one.address for one in ours] == [device.firmware.address]


async def test_everything_sent_arrives_once_and_in_order(radio: VirtualRadio) -> None:
    device = wearable(radio)
    got: list[bytes] = []
    async with BleakClient(await find(device)) as client:
        await client.start_notify(DATA, lambda _, value: got.append(bytes(value)))
        await until(lambda: len(got) >= 100)
        await client.stop_notify(DATA)
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
        assert client.services.get_characteristic(DATA).max_write_without_response_size == 244


async def test_registers_are_answered_on_the_data_characteristic(radio: VirtualRadio) -> None:
    device = wearable(radio, battery_v=3.93)
    got: list[bytes] = []
    async with BleakClient(await find(device)) as client:
        await client.start_notify(DATA, lambda _, value: got.append(bytes(value)))
        await client.write_gatt_char(COMMAND, bytes.fromhex("ffaa276400"), response=False)
        await until(lambda: any(value[:2] == b"\x55\x71" for value in got))
    reply = next(value for value in got if value[:2] == b"\x55\x71")
    assert (len(reply), reply[2:6]) == (20, bytes.fromhex("64008901"))  # register 0x64, 393 hundredths of a volt


@pytest.mark.parametrize(("close_first", "copies"), [(False, 2), (True, 1)])
async def test_an_old_client_that_was_not_closed_doubles_everything(
    radio: VirtualRadio, *, close_first: bool, copies: int
) -> None:
    device = wearable(radio)
    old_got: list[bytes] = []
    got: list[bytes] = []
    old = BleakClient(await find(device))
    await old.connect()
    await old.start_notify(DATA, lambda _, value: old_got.append(bytes(value)))
    await until(lambda: bool(old_got))
    device.drop_link()
    await until(lambda: not old.is_connected)
    if close_first:
        await old.disconnect()
    async with BleakClient(await find(device)) as new:
        await new.start_notify(DATA, lambda _, value: got.append(bytes(value)))
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
        await client.read_gatt_char(DATA)
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
        f"UUIDs={[GAP, GATT, SERVICE]}",
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
        assert client.services.get_characteristic(DATA) is not None
        assert ear.device_changes() == [{"Connected": True}, {"ServicesResolved": True}]
    ear.close()


async def test_reading_a_notified_characteristic_also_tells_the_value(radio: VirtualRadio) -> None:
    device = wearable(radio)
    got: list[bytes] = []
    async with BleakClient(await find(device)) as client:
        await client.start_notify(DATA, lambda _, value: got.append(bytes(value)))
        read = bytes(await client.read_gatt_char(DATA))
        assert read in got


# --- the fault menu ----------------------------------------------------------------------------------------------


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
            await client.write_gatt_char(COMMAND, b"\xff\xaa\x00\x00\x00", response=True)
        assert refused.value.code == code


async def test_a_busy_write_is_repeated_by_bleak(radio: VirtualRadio) -> None:
    device = wearable(radio)
    async with BleakClient(await find(device)) as client:
        device.faults.write.extend([WriteFault.IN_PROGRESS] * 4)
        await client.write_gatt_char(COMMAND, b"\xff\xaa\x00\x00\x00", response=True)
    assert device.faults.write == []


async def test_notifications_of_a_characteristic_without_them_are_refused(radio: VirtualRadio) -> None:
    device = wearable(radio)
    async with BleakClient(await find(device)) as client:
        with pytest.raises(BleakDBusError, match="NotSupported"):
            await client.start_notify(COMMAND, lambda *_: None)


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
        await client.start_notify(DATA, lambda _, value: got.append(bytes(value)))
        await until(lambda: len(got) > 3)
    assert device.counters.connects == 1


async def test_a_dead_bluetooth_daemon_is_silent_and_a_new_scan_mends_it(radio: VirtualRadio) -> None:
    device = wearable(radio)
    got: list[bytes] = []
    lost: list[bool] = []
    client = BleakClient(await find(device), disconnected_callback=lambda _: lost.append(True))
    await client.connect()
    await client.start_notify(DATA, lambda _, value: got.append(bytes(value)))
    await until(lambda: bool(got))
    radio.kill_bluez()
    await asyncio.sleep(0.05)
    count = len(got)
    await asyncio.sleep(0.1)
    assert (len(got), client.is_connected, lost) == (count, True, [])
    with pytest.raises(BleakDBusError, match="ServiceUnknown"):
        await client.read_gatt_char(DATA)
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
        await client.start_notify(DATA, count(device.firmware.address))
        clients.append(client)
    await asyncio.sleep(0.5)
    await asyncio.gather(*(client.stop_notify(DATA) for client in clients))
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
                await client.start_notify(DATA, count)
                if not over:
                    await wake.wait()
                if client.is_connected:
                    await client.stop_notify(DATA)
            except BleakError:
                pass  # the link was lost in the middle of something
            finally:
                with contextlib.suppress(BleakError):
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


async def test_over_tcp_as_well() -> None:
    async with VirtualRadio(timing=QUICK, tcp=True) as radio:
        assert radio.address.startswith("tcp:host=127.0.0.1,port=")
        device = wearable(radio)
        got: list[bytes] = []
        async with BleakClient(await find(device)) as client:
            await client.start_notify(DATA, lambda _, value: got.append(bytes(value)))
            await until(lambda: len(got) > 10)
