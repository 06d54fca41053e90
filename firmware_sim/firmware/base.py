"""What a simulated wearable is, whatever carries its packets.

A firmware knows its GATT table, its clock and its body's motion, and nothing of D-Bus or sockets. Whoever carries it
(the virtual radio, a test) tells it what the central does and asks for the notifications that are due. All times that
pass through this interface are true UTC nanoseconds; the wearable's own, wrong clock lives inside the bytes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

Times = NDArray[np.int64]
Samples = NDArray[np.float64]

READ: Final = "read"
WRITE: Final = "write"
WRITE_COMMAND: Final = "write-without-response"
NOTIFY: Final = "notify"
INDICATE: Final = "indicate"

CCCD: Final = "00002902-0000-1000-8000-00805f9b34fb"
"""Client characteristic configuration descriptor: what switches notifications on (Bluetooth Core, Vol 3 Part G)."""


class AttError(Exception):
    """A request that the wearable's attribute server refuses.

    Parameters
    ----------
    code
        ATT error code (Bluetooth Core, Vol 3 Part F, 3.4.1.1), such as 0x0E for "unlikely error".
    """

    def __init__(self, code: int) -> None:
        super().__init__(f"ATT error 0x{code:02x}")
        self.code = code


@dataclass(frozen=True, slots=True)
class Characteristic:
    """One GATT characteristic; `uuid` in full, lower case. The CCCD of a notifying one is added by the carrier."""

    uuid: str
    flags: tuple[str, ...]
    value: bytes = b""

    @property
    def notifies(self) -> bool:
        """Whether a central can subscribe to it."""
        return NOTIFY in self.flags or INDICATE in self.flags


@dataclass(frozen=True, slots=True)
class Service:
    """One GATT service."""

    uuid: str
    characteristics: tuple[Characteristic, ...]


@dataclass(frozen=True, slots=True)
class Notification:
    """A value on its way to the central: handed to the wearable's radio at `t_ns` (true UTC)."""

    t_ns: int
    char: str
    value: bytes


class Motion(Protocol):
    """A body that moves."""

    def samples(self, t_ns: Times) -> Samples:
        """Return the specific force at the given times.

        Parameters
        ----------
        t_ns
            True UTC nanoseconds, shape (n,), rising.

        Returns
        -------
        Specific force in the sensor's axes, g, shape (n, 3). A row of NaN means that there is nothing to measure
        then (a recording has a gap, or is over): the wearable stays silent.
        """
        ...


@runtime_checkable
class Interrupted(Protocol):
    """A motion with silences, that knows where they end."""

    def resumes_ns(self, t_ns: int) -> int | None:
        """Return the first time at or after `t_ns` with something to measure, or None when it is over."""
        ...


class Firmware(Protocol):
    """A wearable without a radio. Times are true UTC nanoseconds and never go back."""

    @property
    def name(self) -> str:
        """Advertised name; empty when it advertises none."""
        ...

    @property
    def address(self) -> str:
        """Bluetooth address, ``AA:BB:CC:DD:EE:FF``."""
        ...

    @property
    def service_uuids(self) -> tuple[str, ...]:
        """Advertised services."""
        ...

    @property
    def manufacturer_data(self) -> Mapping[int, bytes]:
        """Advertised manufacturer data by company identifier."""
        ...

    @property
    def services(self) -> tuple[Service, ...]:
        """The GATT table."""
        ...

    @property
    def mtu(self) -> int:
        """Largest ATT MTU that it takes; a notification carries at most three bytes less."""
        ...

    @property
    def finished(self) -> bool:
        """Whether its motion is over, so that no sample will ever come again."""
        ...

    def on_connect(self, t_ns: int) -> None:
        """A central has connected."""
        ...

    def on_disconnect(self, t_ns: int) -> None:
        """The link is gone: subscriptions and streams are forgotten."""
        ...

    def on_subscribe(self, char: str, on: bool, t_ns: int) -> None:
        """The central has switched notifications of `char` on or off."""
        ...

    def on_write(self, char: str, value: bytes, t_ns: int) -> None:
        """The central has written.

        Raises
        ------
        AttError
            If the wearable refuses.
        """
        ...

    def on_read(self, char: str, t_ns: int) -> bytes:
        """Return what `char` reads now.

        Raises
        ------
        AttError
            If the wearable refuses.
        """
        ...

    def reboot(self, t_ns: int) -> None:
        """Start anew, as after a brown-out: clocks and counters begin again, settings that were not saved are lost."""
        ...

    def next_ns(self) -> int | None:
        """Return when the next notification is due, or None while nothing is to be sent."""
        ...

    def events(self, until_ns: int) -> list[Notification]:
        """Take the notifications that are due up to and including `until_ns`, oldest first."""
        ...
