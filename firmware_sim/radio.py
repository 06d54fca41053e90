"""The virtual radio: wearables without hardware for bleak's own, unmodified BlueZ backend.

The simulator plays the system bus and `org.bluez`; a program under test needs nothing but the environment variable
that says where the bus is, which `VirtualRadio` sets while it is open::

    async with VirtualRadio() as radio:
        device = radio.add(Witmotion(motion))
        found = await BleakScanner.find_device_by_name(device.firmware.name)

By itself the radio lives in real time. `conductor.Conductor` drives it in lock step with a `DrivenClock` instead.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from firmware_sim.bluez import Bluez
from firmware_sim.bus import DEFAULT_QUEUE_LIMIT, Bus
from firmware_sim.device import VirtualDevice
from firmware_sim.faults import Counters, Faults
from firmware_sim.firmware.base import Firmware
from firmware_sim.link import LinkModel
from firmware_sim.timing import BluezTiming
from spineclip.contract.clock import Clock

ADDRESS_VARIABLE: Final = "DBUS_SYSTEM_BUS_ADDRESS"
_IDLE_S: Final = 0.05


class _RealTime:
    """UTC that never steps back while the radio is open."""

    def __init__(self) -> None:
        self._offset_ns = time.time_ns() - time.monotonic_ns()

    def utc_ns(self) -> int:
        return time.monotonic_ns() + self._offset_ns


class VirtualRadio:
    """An adapter, the wearables near it, and the bus behind it.

    Parameters
    ----------
    clock
        A driven clock when a conductor drives this radio; None for real time.
    timing
        How long BlueZ takes for things.
    adapter, powered
        Whether there is an adapter and whether it is on.
    set_environment
        Point ``DBUS_SYSTEM_BUS_ADDRESS`` here while the radio is open.
    tcp
        Listen on a loopback TCP port in the place of a Unix socket.
    socket_path
        Where to put the Unix socket; by default in a new private directory.
    queue_limit
        A client that leaves more bytes than this unread is cut off.
    """

    def __init__(
        self,
        *,
        clock: Clock | None = None,
        timing: BluezTiming | None = None,
        adapter: bool = True,
        powered: bool = True,
        set_environment: bool = True,
        tcp: bool = False,
        socket_path: Path | None = None,
        queue_limit: int = DEFAULT_QUEUE_LIMIT,
    ) -> None:
        self.bus = Bus(queue_limit=queue_limit)
        self.bluez = Bluez(self.bus, timing, adapter=adapter, powered=powered)
        self.devices: list[VirtualDevice] = []
        self.address = ""
        self._driven = clock is not None
        self._clock: Clock | _RealTime = clock or _RealTime()
        self._set_environment = set_environment
        self._environment = ExitStack()
        self._tcp = tcp
        self._socket_path = socket_path
        self._folder: Path | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._stepping = False
        self._open = False

    # --- life ----------------------------------------------------------------------------------------------------

    async def __aenter__(self) -> Self:
        await self._listen()
        if self._set_environment:
            self._environment.enter_context(bus_address(self.address))
        self._open = True
        self.bluez.start()
        self._schedule()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open = False
        if self._timer is not None:
            self._timer.cancel()
        await self.bluez.stop()
        await self.bus.close()
        self._environment.close()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)

    def add(
        self,
        firmware: Firmware,
        *,
        link: LinkModel | None = None,
        faults: Faults | None = None,
        seed: int | None = None,
        rssi_dbm: int = -60,
    ) -> VirtualDevice:
        """Bring a wearable near; see `VirtualDevice` for the parameters and for the handles of what comes back.

        Raises
        ------
        ValueError
            If a wearable of that address is near already.
        """
        if any(one.firmware.address == firmware.address for one in self.devices):
            raise ValueError(f"there is a wearable of the address {firmware.address} already")
        device = VirtualDevice(
            firmware,
            self.now_ns,
            link=link,
            faults=faults,
            seed=len(self.devices) if seed is None else seed,
            rssi_dbm=rssi_dbm,
        )
        device.on_changed = self._schedule
        self.devices.append(device)
        self.bluez.add(device)
        return device

    # --- what can happen to the host -----------------------------------------------------------------------------

    async def kill_bus(self) -> None:
        """End the bus: every client is cut off, and nobody answers until `revive_bus`."""
        self.bluez.die()
        await self.bus.close()

    async def revive_bus(self) -> None:
        """Start the bus again at the same address."""
        await self._listen()
        self.bluez.start()

    def kill_bluez(self) -> None:
        """Kill the Bluetooth daemon on a living bus: nobody is told, calls to it fail."""
        self.bluez.die()

    def revive_bluez(self) -> None:
        """Start the Bluetooth daemon anew; it knows of no wearable until the next scan."""
        self.bluez.start()

    def power(self, on: bool) -> None:
        """Switch the adapter."""
        self.bluez.power(on)

    def forget(self, device: VirtualDevice) -> None:
        """Make BlueZ remove a wearable's object, as ``bluetoothctl remove`` does."""
        self.bluez.peer(device).remove()

    def connect_from_elsewhere(self, device: VirtualDevice) -> None:
        """Leave a wearable connected, as by a process that was killed."""
        self.bluez.peer(device).connect_from_elsewhere()

    # --- time ----------------------------------------------------------------------------------------------------

    def now_ns(self) -> int:
        """Return the true time, UTC nanoseconds."""
        return self._clock.utc_ns()

    def next_ns(self) -> int | None:
        """Return when something happens next on the air, or None."""
        return min((due for one in self.devices if (due := one.next_ns()) is not None), default=None)

    def step(self, until_ns: int) -> None:
        """Let everything happen that is due up to `until_ns`, wearable by wearable."""
        self._stepping = True
        try:
            for device in self.devices:
                device.step(until_ns)
        finally:
            self._stepping = False

    @property
    def subscribed(self) -> bool:
        """Whether a central listens to any wearable."""
        return any(device.subscribed for device in self.devices)

    def unread(self) -> bool:
        """Whether a client has not read all that it was sent."""
        return self.bus.unread()

    @property
    def counters(self) -> dict[str, Counters]:
        """Counters by address."""
        return {device.firmware.address: device.counters for device in self.devices}

    def _schedule(self) -> None:
        if self._driven or not self._open or self._stepping:
            return
        if self._timer is not None:
            self._timer.cancel()
        due = self.next_ns()
        wait = _IDLE_S if due is None else max(0.0, (due - self.now_ns()) / 1e9)
        self._timer = asyncio.get_running_loop().call_later(wait, self._tick)

    def _tick(self) -> None:
        self._timer = None
        self.step(self.now_ns())
        self._schedule()

    async def _listen(self) -> None:
        if self._tcp:
            port = await self.bus.listen_tcp("127.0.0.1", _port_of(self.address))
            self.address = f"tcp:host=127.0.0.1,port={port}"
            return
        if self._socket_path is None:
            self._folder = Path(tempfile.mkdtemp(prefix="spineclip-radio-"))
            self._socket_path = self._folder / "bus"
        await self.bus.listen(self._socket_path)
        self.address = f"unix:path={self._socket_path}"


def _port_of(address: str) -> int:
    return int(address.rpartition("=")[2]) if address.startswith("tcp:") else 0


@contextmanager
def bus_address(address: str) -> Iterator[None]:
    """Point ``DBUS_SYSTEM_BUS_ADDRESS`` at `address`, and back again at the end."""
    before = os.environ.get(ADDRESS_VARIABLE)
    os.environ[ADDRESS_VARIABLE] = address
    try:
        yield
    finally:
        if before is None:
            os.environ.pop(ADDRESS_VARIABLE, None)
        else:
            os.environ[ADDRESS_VARIABLE] = before
