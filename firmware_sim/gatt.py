"""A wearable's GATT table as BlueZ shows it: paths, handles, and who has asked to be notified.

BlueZ keeps the request for notifications per D-Bus connection, across disconnects, until that connection ends or
calls StopNotify. After a reconnect it enables them again, and tells each value once per connection that asked: a
client that never closed its old connection gets everything twice (seen on BlueZ 5.66; hbldh/bleak#2002).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from dbus_fast import Variant

from collector.wearables.uuids import sig
from firmware_sim.firmware.base import CCCD, Characteristic, Service
from firmware_sim.frames import ValueSignal
from firmware_sim.objects import Fields

SERVICE: Final = "org.bluez.GattService1"
CHARACTERISTIC: Final = "org.bluez.GattCharacteristic1"
DESCRIPTOR: Final = "org.bluez.GattDescriptor1"

_FIRST_HANDLE: Final = 0x000A
"""Generic access and generic attribute come before; BlueZ hides the first and this table leaves out the second."""


class Entry:
    """One characteristic of a connected (or once connected) wearable."""

    def __init__(self, path: str, characteristic: Characteristic) -> None:
        self.path = path
        self.uuid = characteristic.uuid
        self.flags = characteristic.flags
        self.notifies = characteristic.notifies
        self.listeners: list[str] = []
        self.signal = ValueSignal(path, CHARACTERISTIC)


class GattTable:
    """Paths ``.../serviceHHHH/charHHHH/descHHHH`` with four hexadecimal digits: bleak counts on that.

    Parameters
    ----------
    device
        Object path of the device.
    services
        The wearable's table.
    mtu
        Negotiated ATT MTU.
    """

    def __init__(self, device: str, services: tuple[Service, ...], mtu: int) -> None:
        # Generic access and attribute services are on every device; BlueZ names them, but keeps them to itself.
        self.uuids = [sig(0x1800), sig(0x1801), *(service.uuid for service in services)]
        self.entries: dict[str, Entry] = {}
        self._objects: list[tuple[str, dict[str, Fields]]] = []
        handle = _FIRST_HANDLE
        for service in services:
            service_path = f"{device}/service{handle:04x}"
            handle += 1
            self._objects.append((service_path, {SERVICE: _service_fields(device, service)}))
            for one in service.characteristics:
                path = f"{service_path}/char{handle:04x}"
                handle += 2  # declaration and value
                self.entries[path] = Entry(path, one)
                self._objects.append((path, {CHARACTERISTIC: _characteristic_fields(service_path, one, mtu)}))
                if one.notifies:
                    fields = {
                        "UUID": Variant("s", CCCD),
                        "Characteristic": Variant("o", path),
                        "Value": Variant("ay", b""),
                    }
                    self._objects.append((f"{path}/desc{handle:04x}", {DESCRIPTOR: fields}))
                    handle += 1

    def objects(self) -> Iterator[tuple[str, dict[str, Fields]]]:
        """Iterate over the objects, parents first."""
        yield from self._objects

    def by_uuid(self, uuid: str) -> Entry | None:
        """Find a characteristic."""
        return next((entry for entry in self.entries.values() if entry.uuid == uuid), None)

    def forget(self, client: str) -> list[Entry]:
        """Drop a client's requests; return the characteristics that nobody listens to any more."""
        silent: list[Entry] = []
        for entry in self.entries.values():
            if client in entry.listeners:
                entry.listeners.remove(client)
                if not entry.listeners:
                    silent.append(entry)
        return silent


def _service_fields(device: str, service: Service) -> Fields:
    return {
        "UUID": Variant("s", service.uuid),
        "Device": Variant("o", device),
        "Primary": Variant("b", True),
        "Includes": Variant("ao", []),
    }


def _characteristic_fields(service: str, one: Characteristic, mtu: int) -> Fields:
    fields = {
        "UUID": Variant("s", one.uuid),
        "Service": Variant("o", service),
        "Value": Variant("ay", one.value),
        "Flags": Variant("as", list(one.flags)),
        "MTU": Variant("q", mtu),
    }
    if one.notifies:
        fields["Notifying"] = Variant("b", False)
    # NotifyAcquired and WriteAcquired stay away, so that clients use StartNotify and WriteValue as by default.
    return fields
