"""Who is near: scanning, and choosing one wearable among those that advertise."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from bleak import BleakAdapter, BleakScanner
from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData, AdvertisementDataCallback
from bleak.exc import (
    BleakBluetoothNotAvailableError,
    BleakBluetoothNotAvailableReason,
    BleakDBusError,
    BleakError,
)

from collector.wearables import Advertisement, Wearable, recognise
from spineclip.contract.errors import RadioUnavailableError, WearableNotFoundError
from spineclip.contract.ids import wearable_id

SCAN_S: Final = 5.0
"""Most wearables advertise several times in so long (our choice)."""
_ADDRESS: Final = re.compile(r"([0-9a-f]{2}:){5}[0-9a-f]{2}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_SETTLE_S: Final = 0.3
"""After the first match of a vague target we listen so long for one that is nearer."""
_NO_ADAPTER: Final = re.compile("adapter '(.*)' not found")
"""What bleak says of an adapter that was named and is not there (bleak 3, bluezdbus/manager.py)."""
_NO_SERVICE: Final = frozenset(
    {"org.freedesktop.DBus.Error.ServiceUnknown", "org.freedesktop.DBus.Error.NameHasNoOwner"}
)


@dataclass(frozen=True, slots=True)
class Sighting:
    """A wearable that advertises near us."""

    device: BLEDevice
    seen: Advertisement
    wearable: Wearable

    @property
    def wearable_id(self) -> str:
        """Its id: kind and address."""
        return wearable_id(self.wearable.kind, self.seen.address)


@dataclass(frozen=True, slots=True)
class Target:
    """What to look for: a kind (``witmotion``), an address, a wearable id, or an advertised name.

    `exact` tells whether only one wearable in the world can be meant.
    """

    text: str

    @property
    def exact(self) -> bool:
        """Whether this is an address or a wearable id."""
        return _ADDRESS.fullmatch(self.text) is not None or re.search(r"-[0-9a-f]{12}$", self.text) is not None

    def matches(self, sighting: Sighting) -> bool:
        """Tell whether a sighting is what was asked for."""
        wanted = self.text.lower()
        return wanted in (
            sighting.seen.address.lower(),
            sighting.wearable_id,
            sighting.wearable.kind,
            sighting.seen.name.lower(),
        )


def sighting(device: BLEDevice, data: AdvertisementData) -> Sighting | None:
    """Recognise an advertisement, or None when it comes from something else."""
    seen = Advertisement(
        name=data.local_name or device.name or "",
        address=device.address,
        services=frozenset(uuid.lower() for uuid in data.service_uuids),
        manufacturer=dict(data.manufacturer_data),
        rssi_dbm=data.rssi if -127 <= data.rssi <= 20 else None,
    )
    wearable = recognise(seen)
    return None if wearable is None else Sighting(device, seen, wearable)


async def connected(adapter: str | None = None) -> list[Sighting]:
    """Return the wearables that this computer is connected to now, whoever connected them.

    Raises
    ------
    RadioUnavailableError
        If there is no Bluetooth to use.
    """
    with radio_errors():
        access = await (BleakAdapter.get() if adapter is None else BleakAdapter.get(bluez={"adapter": adapter}))
        devices = await access.get_connected_devices()
    found = (_remembered(device) for device in devices)
    return [one for one in found if one is not None]


def _remembered(device: BLEDevice) -> Sighting | None:
    """Recognise a connected device by what the system remembers of it."""
    details = device.details if isinstance(device.details, dict) else {}
    known = details.get("props", {})
    seen = Advertisement(
        name=device.name or "",
        address=device.address,
        services=frozenset(uuid.lower() for uuid in known.get("UUIDs", [])),
        manufacturer={company: bytes(data) for company, data in known.get("ManufacturerData", {}).items()},
    )
    wearable = recognise(seen)
    return None if wearable is None else Sighting(device, seen, wearable)


async def look(seconds: float = SCAN_S, adapter: str | None = None) -> list[Sighting]:
    """Scan for so long and return the wearables near, nearest first.

    Raises
    ------
    RadioUnavailableError
        If there is no Bluetooth to use.
    """
    found: dict[str, Sighting] = {}

    def note(device: BLEDevice, data: AdvertisementData) -> None:
        one = sighting(device, data)
        if one is not None:
            found[device.address] = one

    with radio_errors():
        async with _scanner(note, adapter):
            await asyncio.sleep(seconds)
    return sorted(found.values(), key=_nearness, reverse=True)


async def find(
    target: Target,
    seconds: float = SCAN_S,
    adapter: str | None = None,
    taken: Collection[str] = (),
    ours: Collection[str] | None = None,
) -> Sighting:
    """Scan until the target is seen; of several that match a vague target, take the nearest.

    A wearable that this computer is still connected to, since the program that asked for it was killed, does not
    advertise. A collector takes it over without a scan, if there can be no doubt that it is meant: by an exact
    target, or since it is one of `ours`.

    Parameters
    ----------
    target
        What to look for.
    seconds
        How long at most.
    adapter
        Such as ``hci1``; None for the system's choice.
    taken
        Addresses that somebody else in this process uses already.
    ours
        Ids of wearables that were collected from before; None to leave alone what is connected.

    Raises
    ------
    WearableNotFoundError
        If it is not seen.
    RadioUnavailableError
        If there is no Bluetooth to use.
    """
    kept = [one for one in await connected(adapter) if one.device.address not in taken and target.matches(one)]
    surely = [one for one in kept if ours is not None and (target.exact or one.wearable_id in ours)]
    if surely:
        return surely[0]
    found: dict[str, Sighting] = {}
    others: set[str] = set()
    matched = asyncio.Event()

    def note(device: BLEDevice, data: AdvertisementData) -> None:
        one = sighting(device, data)
        if one is None or device.address in taken:
            return
        if target.matches(one):
            found[device.address] = one
            matched.set()
        else:
            others.add(one.wearable_id)

    with radio_errors():
        async with _scanner(note, adapter):
            try:
                async with asyncio.timeout(seconds):
                    await matched.wait()
            except TimeoutError:
                pass
            else:
                if not target.exact:
                    await asyncio.sleep(_SETTLE_S)
    if found:
        return max(found.values(), key=_nearness)
    near = f"Near are {', '.join(sorted(others))}" if others else "No wearable that we know is near"
    advice = f"{near}; check that it is charged, switched on, and not connected to a phone"
    if kept:
        advice = (
            f"This computer is connected to {kept[0].wearable_id} already: stop the collector that uses it, or let "
            "this one take it over by naming it so"
        )
    raise WearableNotFoundError(f"{target.text!r} was not seen within {seconds:g} s", advice=advice)


@contextmanager
def radio_errors() -> Iterator[None]:
    """Turn what bleak and D-Bus raise without Bluetooth into a sentence for people.

    Raises
    ------
    RadioUnavailableError
        In the place of any of them; other errors pass.
    """
    try:
        yield
    except BleakBluetoothNotAvailableError as error:
        what, advice = _UNAVAILABLE.get(error.reason, ("Bluetooth cannot be used", "Run: spineclip doctor"))
        raise RadioUnavailableError(what, advice=advice) from error
    except BleakDBusError as error:
        if error.dbus_error not in _NO_SERVICE:
            raise
        raise RadioUnavailableError(
            "the Bluetooth service does not answer",
            advice="Start it with: sudo systemctl start bluetooth",
        ) from error
    except BleakError as error:
        found = _NO_ADAPTER.fullmatch(str(error))
        if found is None:
            raise
        raise RadioUnavailableError(
            f"this computer has no Bluetooth adapter {found[1]}",
            advice="Name one that this lists: bluetoothctl list; or none, and the system chooses",
        ) from error
    except (FileNotFoundError, ConnectionError, EOFError) as error:
        raise RadioUnavailableError(
            "there is no D-Bus system bus, over which Linux offers Bluetooth",
            advice="Install and start dbus and bluez; in a container, hand in /run/dbus/system_bus_socket",
        ) from error


_DENIED: Final = ("this program may not use Bluetooth", "Allow it in the system's privacy settings")
_UNAVAILABLE: Final = {
    BleakBluetoothNotAvailableReason.NO_BLUETOOTH: (
        "this computer has no Bluetooth adapter",
        "Plug one in; any that speaks Bluetooth 4.0 or newer will do",
    ),
    BleakBluetoothNotAvailableReason.NO_BLE_CENTRAL_ROLE: (
        "the Bluetooth adapter does not speak Bluetooth Low Energy",
        "Use one that speaks Bluetooth 4.0 or newer",
    ),
    BleakBluetoothNotAvailableReason.POWERED_OFF: (
        "Bluetooth is switched off",
        "Switch it on, for instance with: bluetoothctl power on",
    ),
    BleakBluetoothNotAvailableReason.DENIED_BY_USER: _DENIED,
    BleakBluetoothNotAvailableReason.DENIED_BY_SYSTEM: _DENIED,
    BleakBluetoothNotAvailableReason.DENIED_BY_UNKNOWN: _DENIED,
}


def _scanner(note: AdvertisementDataCallback, adapter: str | None) -> BleakScanner:
    return BleakScanner(note) if adapter is None else BleakScanner(note, bluez={"adapter": adapter})


def _nearness(one: Sighting) -> int:
    return -128 if one.seen.rssi_dbm is None else one.seen.rssi_dbm
