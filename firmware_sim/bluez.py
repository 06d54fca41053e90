"""`org.bluez` on our own bus: who is asked for what, and how the daemon dies and comes back."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, Final

from firmware_sim.adapter import ADAPTER, Adapter
from firmware_sim.bus import Bus, Call
from firmware_sim.device import VirtualDevice
from firmware_sim.gatt import CHARACTERISTIC
from firmware_sim.objects import OBJECT_MANAGER, PROPERTIES, Objects
from firmware_sim.peer import DEVICE, Peer
from firmware_sim.timing import BluezTiming

NAME: Final = "org.bluez"
_UNKNOWN_OBJECT: Final = "org.freedesktop.DBus.Error.UnknownObject"


class Bluez:
    """The daemon: one adapter (or none) and what it knows.

    Parameters
    ----------
    bus
        Where it offers its service.
    timing
        How long things take.
    adapter, powered
        Whether there is an adapter, and whether it is switched on.
    """

    def __init__(
        self, bus: Bus, timing: BluezTiming | None = None, *, adapter: bool = True, powered: bool = True
    ) -> None:
        self.bus = bus
        self.timing = timing or BluezTiming()
        self.objects = Objects(bus)
        self._tasks: set[asyncio.Task[None]] = set()
        self._has_adapter = adapter
        self._powered = powered
        self._devices: list[VirtualDevice] = []
        self._adapter = Adapter(self, powered=powered)
        bus.on_gone.append(self._client_gone)
        self.alive = False

    def start(self) -> None:
        """Appear on the bus, knowing of no wearable yet."""
        self._adapter = Adapter(self, powered=self._powered)
        for device in self._devices:
            self._adapter.add(device)
        self.objects.clear()
        self.bus.start_service(NAME, self._call)
        self.alive = True
        if self._has_adapter:
            self._adapter.show()

    def die(self) -> None:
        """End without a word, as by SIGKILL: links are gone, and nobody is told."""
        self.alive = False
        for task in tuple(self._tasks):
            task.cancel()
        self.bus.end_service(NAME)
        self._adapter.end()
        for device in self._devices:
            device.close()
        self.objects.clear()

    async def stop(self) -> None:
        """End and wait for what ran in the background."""
        tasks = tuple(self._tasks)
        self.die()
        if tasks:
            await asyncio.wait(tasks)

    def add(self, device: VirtualDevice) -> Peer:
        """Bring a wearable near."""
        self._devices.append(device)
        return self._adapter.add(device)

    def peer(self, device: VirtualDevice) -> Peer:
        """Find what BlueZ makes of a wearable."""
        return next(one for one in self._adapter.peers.values() if one.device is device)

    def power(self, on: bool) -> None:
        """Switch the adapter on or off."""
        self._powered = on
        self._adapter.power(on)

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run something in the background until BlueZ ends."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def _client_gone(self, client: str) -> None:
        if self.alive:
            self._adapter.forget_client(client)

    def _call(self, call: Call) -> None:
        path, interface = call.message.path or "", call.message.interface
        if interface == OBJECT_MANAGER and call.message.member == "GetManagedObjects":
            call.reply("a{oa{sa{sv}}}", self.objects.managed())
        elif path not in self.objects:
            call.error(_UNKNOWN_OBJECT, f'Method "{call.message.member}" on the object {path} that does not exist')
        elif interface == PROPERTIES:
            self._properties(call, path)
        elif interface == ADAPTER:
            self._adapter.call(call)
        elif interface == DEVICE and (peer := self._adapter.peer_of(path)) is not None:
            peer.call(call)
        elif interface == CHARACTERISTIC and (peer := self._adapter.peer_of(path)) is not None:
            peer.call_characteristic(call, path)
        else:
            call.error("org.freedesktop.DBus.Error.UnknownMethod", f"{interface} is not to be had at {path}")

    def _properties(self, call: Call, path: str) -> None:
        interface, *rest = call.message.body
        fields = self.objects.fields(path, interface)
        if fields is None:
            call.error("org.freedesktop.DBus.Error.UnknownInterface", f"{path} has no interface {interface}")
        elif call.message.member == "GetAll":
            call.reply("a{sv}", dict(fields))
        elif rest[0] not in fields:
            call.error("org.freedesktop.DBus.Error.UnknownProperty", f"{interface} has no property {rest[0]}")
        elif call.message.member == "Get":
            call.reply("v", fields[rest[0]])
        elif (interface, rest[0]) == (ADAPTER, "Powered"):
            self.power(bool(rest[1].value))
            call.reply()
        else:
            self.objects.change(path, interface, {rest[0]: rest[1]})
            call.reply()
