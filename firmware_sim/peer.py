"""`org.bluez.Device1` and its GATT objects for one wearable: connect, discover, notify, disconnect, lose.

The order of signals follows a trace of BlueZ 5.66: Connected, the method's answer, the GATT objects, then
ServicesResolved. The objects stay when the link goes, and at the next connection only ServicesResolved comes.
A wished disconnect is two signals after a grace time; a lost link is one signal for both properties.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Coroutine
from typing import Any, Final, Protocol

from dbus_fast import Variant

from collector.wearables.uuids import BATTERY_LEVEL
from firmware_sim.bus import Bus, Call
from firmware_sim.device import VirtualDevice
from firmware_sim.faults import ConnectFault, WriteFault
from firmware_sim.firmware.base import WRITE, WRITE_COMMAND, AttError
from firmware_sim.gatt import CHARACTERISTIC, Entry, GattTable
from firmware_sim.objects import PROPERTIES, Fields, Objects
from firmware_sim.timing import BluezTiming

DEVICE: Final = "org.bluez.Device1"
BATTERY: Final = "org.bluez.Battery1"
ERROR: Final = "org.bluez.Error"
ABORTED: Final = "le-connection-abort-by-local"


class Host(Protocol):
    """What a peer needs of the BlueZ that it belongs to."""

    bus: Bus
    objects: Objects
    timing: BluezTiming

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run something in the background until BlueZ ends."""
        ...


class Peer:
    """One Device1 object."""

    def __init__(self, host: Host, adapter: str, device: VirtualDevice) -> None:
        self.device = device
        self.path = f"{adapter}/dev_{device.firmware.address.replace(':', '_')}"
        self.was_connected = False
        self._host = host
        self._adapter = adapter
        self._gatt: GattTable | None = None
        self._connecting: asyncio.Task[None] | None = None
        self._discovering: asyncio.Task[None] | None = None
        self._call: Call | None = None
        self._dice = random.Random(device.firmware.address)  # noqa: S311 - not for secrets
        device.on_value = self._value
        device.on_lost = self._lost

    @property
    def known(self) -> bool:
        """Whether BlueZ shows an object for it."""
        return self.path in self._host.objects

    # --- advertising ---------------------------------------------------------------------------------------------

    def advertise(self) -> None:
        """Be seen by a scan."""
        rssi = Variant("n", self.device.rssi_dbm + self._dice.randint(-2, 2))
        if not self.known:
            self._host.objects.add(self.path, {DEVICE: self._fields(rssi)})
        else:
            self._host.objects.change(self.path, DEVICE, {"RSSI": rssi})

    def scan_ends(self) -> None:
        """Forget the signal strength."""
        if self._host.objects.fields(self.path, DEVICE):
            self._host.objects.change(self.path, DEVICE, {}, ("RSSI",))

    def remove(self) -> None:
        """Make BlueZ forget the wearable altogether."""
        self.device.close()
        self._abandon("the device was removed")
        self._host.objects.remove(self.path)
        self._gatt = None
        self.was_connected = False

    # --- Device1 -------------------------------------------------------------------------------------------------

    def call(self, call: Call) -> None:
        """Answer a method of Device1."""
        member = call.message.member
        if member == "Connect":
            self._connect(call)
        elif member == "Disconnect":
            self._disconnect(call)
        elif member == "Pair":
            self._host.objects.change(self.path, DEVICE, {"Paired": _yes(True), "Bonded": _yes(True)})
            call.reply()
        else:
            call.error("org.freedesktop.DBus.Error.UnknownMethod", f"Device1 has no method {member} here")

    def _connect(self, call: Call) -> None:
        fault = self.device.faults.next_connect()
        if self.device.connected:
            call.error(f"{ERROR}.AlreadyConnected", "Already Connected")
        elif self._connecting is not None or fault is ConnectFault.IN_PROGRESS:
            call.error(f"{ERROR}.InProgress", "Operation already in progress")
        else:
            self._call = call
            self._connecting = self._host.spawn(self._establish(call, fault))

    async def _establish(self, call: Call, fault: ConnectFault | None) -> None:
        try:
            await asyncio.sleep(self._host.timing.connect_s)
            while not self.device.in_range or fault is ConnectFault.SILENT:  # noqa: ASYNC110 - as a page scan does
                await asyncio.sleep(self._host.timing.advert_s)
            if fault is ConnectFault.ABORTED:
                self._set({"Connected": _yes(True)})
                self._set({"Connected": _yes(False)})
                call.error(f"{ERROR}.Failed", ABORTED)
                return
            self._up()
            call.reply()
            self._discovering = self._host.spawn(self._discover(lost=fault is ConnectFault.LOST_IN_DISCOVERY))
        finally:
            self._connecting = self._call = None

    def _up(self) -> None:
        self.device.open()
        self.was_connected = True
        self._set({"Connected": _yes(True)})

    async def _discover(self, *, lost: bool) -> None:
        await asyncio.sleep(self._host.timing.discover_s)
        if lost:
            self.device.drop_link()
        if not self.device.connected or not self.known:
            return
        if self._gatt is None:
            firmware = self.device.firmware
            self._gatt = GattTable(self.path, firmware.services, min(firmware.mtu, 517))
            for path, interfaces in self._gatt.objects():
                self._host.objects.add(path, interfaces)
            if (level := self._gatt.by_uuid(BATTERY_LEVEL)) is not None:
                percent = self.device.read(level.uuid)[:1] or b"\0"
                self._host.objects.add(self.path, {BATTERY: {"Percentage": Variant("y", percent[0])}})
            self._set({"UUIDs": Variant("as", self._gatt.uuids), "ServicesResolved": _yes(True)})
        else:
            self._set({"ServicesResolved": _yes(True)})
        for entry in self._gatt.entries.values():
            if entry.listeners:
                self.device.subscribe(entry.uuid, True)

    def connect_from_elsewhere(self) -> None:
        """Be connected by a process that has died since: BlueZ keeps such links (bluez#89)."""
        if not self.known:
            self._host.objects.add(self.path, {DEVICE: self._fields(None)})
        self._up()
        self._discovering = self._host.spawn(self._discover(lost=False))

    def _disconnect(self, call: Call) -> None:
        if self._connecting is not None:
            self._abandon(ABORTED)
            call.reply()
        elif not self.device.connected:
            call.error(f"{ERROR}.NotConnected", "Not Connected")
        else:
            self._host.spawn(self._part(call))

    async def _part(self, call: Call) -> None:
        await asyncio.sleep(self._host.timing.disconnect_s)
        if self.device.connected:
            self.device.close()
            self._set({"ServicesResolved": _yes(False)})
            self._set({"Connected": _yes(False)})
        call.reply()

    def _abandon(self, why: str) -> None:
        task, call = self._connecting, self._call
        if task is not None and call is not None:
            task.cancel()
            self._connecting = self._call = None  # a task that had not begun cannot do it
            call.error(f"{ERROR}.Failed", why)
        if self._discovering is not None:
            self._discovering.cancel()

    def _lost(self) -> None:
        self._set({"ServicesResolved": _yes(False), "Connected": _yes(False)})

    # --- GattCharacteristic1 -------------------------------------------------------------------------------------

    def call_characteristic(self, call: Call, path: str) -> None:
        """Answer a method of GattCharacteristic1."""
        entry = self._gatt.entries.get(path) if self._gatt is not None else None
        if entry is None:
            call.error("org.freedesktop.DBus.Error.UnknownObject", f"There is no object {path}")
            return
        member = call.message.member
        if member == "StopNotify":
            self._stop_notify(call, entry)
        elif not self.device.connected:
            call.error(f"{ERROR}.Failed", "Not connected")
        elif member == "StartNotify":
            self._start_notify(call, entry)
        elif member == "WriteValue":
            self._write(call, entry)
        elif member == "ReadValue":
            self._read(call, entry)
        else:
            call.error(f"{ERROR}.NotSupported", "Operation is not supported")

    def forget_client(self, client: str) -> None:
        """Drop the notifications of a client that has gone."""
        for entry in self._gatt.forget(client) if self._gatt is not None else ():
            self._notifying(entry, on=False)

    def _start_notify(self, call: Call, entry: Entry) -> None:
        if not entry.notifies:
            call.error(f"{ERROR}.NotSupported", "Operation is not supported")
            return
        if call.client.name in entry.listeners:
            call.error(f"{ERROR}.InProgress", "Operation already in progress")
            return
        entry.listeners.append(call.client.name)
        if len(entry.listeners) == 1:
            self._notifying(entry, on=True)
        call.reply()

    def _stop_notify(self, call: Call, entry: Entry) -> None:
        if call.client.name not in entry.listeners:
            call.error(f"{ERROR}.Failed", "No notify session started")
            return
        entry.listeners.remove(call.client.name)
        if not entry.listeners:
            self._notifying(entry, on=False)
        call.reply()

    def _notifying(self, entry: Entry, *, on: bool) -> None:
        self._host.objects.change(entry.path, CHARACTERISTIC, {"Notifying": _yes(on)})
        self.device.subscribe(entry.uuid, on)

    def _write(self, call: Call, entry: Entry) -> None:
        value, options = bytes(call.message.body[0]), call.message.body[1]
        kind = options["type"].value if "type" in options else "request"
        fault = self.device.faults.next_write()
        if fault is WriteFault.IN_PROGRESS:
            call.error(f"{ERROR}.InProgress", "Operation already in progress")
        elif fault is WriteFault.UNLIKELY:
            call.error(f"{ERROR}.Failed", "Operation failed with ATT error: 0x0e")
        elif fault is WriteFault.NOT_PERMITTED or (WRITE_COMMAND if kind == "command" else WRITE) not in entry.flags:
            call.error(f"{ERROR}.NotPermitted", "Write not permitted")
        else:
            with _refusals(call):
                self.device.write(entry.uuid, value)
                call.reply()

    def _read(self, call: Call, entry: Entry) -> None:
        with _refusals(call):
            value = self.device.read(entry.uuid)
            self._tell(entry, value)
            call.reply("ay", value)

    def _value(self, char: str, value: bytes) -> None:
        entry = self._gatt.by_uuid(char) if self._gatt is not None else None
        if entry is not None:
            for _ in entry.listeners:
                self.device.counters.signals += 1
                self._tell(entry, value)

    def _tell(self, entry: Entry, value: bytes) -> None:
        self._host.bus.broadcast_frame(
            entry.path, PROPERTIES, "PropertiesChanged", CHARACTERISTIC, entry.signal.fill(value)
        )
        if entry.uuid == BATTERY_LEVEL and value and self._host.objects.fields(self.path, BATTERY) is not None:
            self._host.objects.change(self.path, BATTERY, {"Percentage": Variant("y", value[0])})

    # --- properties ----------------------------------------------------------------------------------------------

    def _set(self, changed: Fields) -> None:
        if self.known:
            self._host.objects.change(self.path, DEVICE, changed)

    def _fields(self, rssi: Variant | None) -> Fields:
        firmware = self.device.firmware
        fields = {
            "Address": Variant("s", firmware.address),
            "AddressType": Variant("s", "random"),
            "Alias": Variant("s", firmware.name or firmware.address.replace(":", "-")),
            "Paired": _yes(False),
            "Bonded": _yes(False),
            "Trusted": _yes(False),
            "Blocked": _yes(False),
            "LegacyPairing": _yes(False),
            "Connected": _yes(self.device.connected),
            "UUIDs": Variant("as", list(firmware.service_uuids)),
            "Adapter": Variant("o", self._adapter),
            "ServicesResolved": _yes(False),
        }
        if rssi is not None:
            fields["RSSI"] = rssi
        if firmware.name:
            fields["Name"] = Variant("s", firmware.name)
        if firmware.manufacturer_data:
            data = {company: Variant("ay", value) for company, value in firmware.manufacturer_data.items()}
            fields["ManufacturerData"] = Variant("a{qv}", data)
        return fields


def _yes(value: bool) -> Variant:
    return Variant("b", value)


class _refusals(contextlib.AbstractContextManager[None]):  # noqa: N801 - reads as a phrase
    """Turns an ATT error into the D-Bus error that BlueZ makes of it."""

    def __init__(self, call: Call) -> None:
        self._call = call

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> bool:
        if not isinstance(error, AttError):
            return False
        self._call.error(f"{ERROR}.Failed", f"Operation failed with ATT error: 0x{error.code:02x}")
        return True
