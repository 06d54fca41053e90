"""`org.bluez.Adapter1`: power, discovery, and which wearables a scan sees."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any, Final

from dbus_fast import Variant

from firmware_sim.bus import Call
from firmware_sim.device import VirtualDevice
from firmware_sim.objects import Fields
from firmware_sim.peer import ERROR, Host, Peer

ADAPTER: Final = "org.bluez.Adapter1"
_PATH: Final = "/org/bluez/hci0"
_ADDRESS: Final = "00:00:5E:00:53:01"


class Adapter:
    """One adapter and the peers that it knows."""

    def __init__(self, host: Host, *, powered: bool = True) -> None:
        self.path = _PATH
        self.peers: dict[str, Peer] = {}
        self._host = host
        self._powered = powered
        self._filters: dict[str, dict[str, Any]] = {}
        self._scanning: set[str] = set()
        self._adverts: asyncio.Task[None] | None = None
        self._forgetting: asyncio.TimerHandle | None = None

    def show(self) -> None:
        """Put the object on the bus."""
        self._host.objects.add(self.path, {ADAPTER: self._fields()})

    def end(self) -> None:
        """Stop timers; the object is gone already."""
        if self._forgetting is not None:
            self._forgetting.cancel()
        self._scanning.clear()

    def add(self, device: VirtualDevice) -> Peer:
        """Bring a wearable near."""
        peer = Peer(self._host, self.path, device)
        self.peers[peer.path] = peer
        return peer

    def peer_of(self, path: str) -> Peer | None:
        """Find the peer that an object path belongs to."""
        return next(self._owners(path), None)

    def power(self, on: bool) -> None:
        """Switch the adapter on or off."""
        if on == self._powered:
            return
        self._powered = on
        if not on:
            self._scanning.clear()
            for peer in self.peers.values():
                peer.device.drop_link()
        self._host.objects.change(
            self.path, ADAPTER, {"Powered": Variant("b", on), "Discovering": Variant("b", bool(self._scanning))}
        )

    def call(self, call: Call) -> None:
        """Answer a method of Adapter1."""
        member, client = call.message.member, call.client.name
        if member == "SetDiscoveryFilter":
            self._filters[client] = {key: value.value for key, value in call.message.body[0].items()}
            call.reply()
        elif not self._powered:
            call.error(f"{ERROR}.NotReady", "Resource Not Ready")
        elif member == "StartDiscovery":
            self._start(call)
        elif member == "StopDiscovery":
            if client in self._scanning:
                self._stop(client)
                call.reply()
            else:
                call.error(f"{ERROR}.Failed", "No discovery started")
        elif member == "RemoveDevice":
            peer = self.peers.get(call.message.body[0])
            if peer is None or not peer.known:
                call.error(f"{ERROR}.DoesNotExist", "Does Not Exist")
            else:
                peer.remove()
                call.reply()
        else:
            call.error("org.freedesktop.DBus.Error.UnknownMethod", f"Adapter1 has no method {member} here")

    def forget_client(self, client: str) -> None:
        """End what a client that has gone had begun."""
        self._filters.pop(client, None)
        if client in self._scanning:
            self._stop(client)
        for peer in self.peers.values():
            peer.forget_client(client)

    def _start(self, call: Call) -> None:
        if call.client.name in self._scanning:
            call.error(f"{ERROR}.InProgress", "Operation already in progress")
            return
        self._scanning.add(call.client.name)
        call.reply()
        if len(self._scanning) == 1:
            if self._forgetting is not None:
                self._forgetting.cancel()
                self._forgetting = None
            self._host.objects.change(self.path, ADAPTER, {"Discovering": Variant("b", True)})
            self._adverts = self._host.spawn(self._advertise())

    def _stop(self, client: str) -> None:
        self._scanning.discard(client)
        if self._scanning:
            return
        if self._adverts is not None:
            self._adverts.cancel()
        for peer in self.peers.values():
            peer.scan_ends()
        if self.path in self._host.objects:
            self._host.objects.change(self.path, ADAPTER, {"Discovering": Variant("b", False)})
        loop = asyncio.get_running_loop()
        self._forgetting = loop.call_later(self._host.timing.forget_s, self._forget_strangers)

    async def _advertise(self) -> None:
        while self._scanning:
            for peer in tuple(self.peers.values()):
                if peer.device.in_range and not peer.device.connected and self._wanted(peer):
                    peer.advertise()
            await asyncio.sleep(self._host.timing.advert_s)

    def _wanted(self, peer: Peer) -> bool:
        """Say whether any scan's filter lets it through; a filter without services takes everything."""
        offered = set(peer.device.firmware.service_uuids)
        wishes = [set(self._filters.get(client, {}).get("UUIDs", [])) for client in self._scanning]
        return any(not wish or wish & offered for wish in wishes)

    def _forget_strangers(self) -> None:
        self._forgetting = None
        for peer in self.peers.values():
            if peer.known and not peer.was_connected:
                peer.remove()

    def _owners(self, path: str) -> Iterator[Peer]:
        for one, peer in self.peers.items():
            if path == one or path.startswith(f"{one}/"):
                yield peer

    def _fields(self) -> Fields:
        return {
            "Address": Variant("s", _ADDRESS),
            "AddressType": Variant("s", "public"),
            "Name": Variant("s", "virtual radio"),
            "Alias": Variant("s", "virtual radio"),
            "Class": Variant("u", 0),
            "Powered": Variant("b", self._powered),
            "Discovering": Variant("b", False),
            "Discoverable": Variant("b", False),
            "Pairable": Variant("b", True),
            "UUIDs": Variant("as", []),
            "Modalias": Variant("s", "usb:v1D6Bp0246d0542"),
            "Roles": Variant("as", ["central", "peripheral"]),
        }
