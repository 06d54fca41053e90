"""A connection without Bluetooth: simulated time, one wearable, its link and faults, and nothing in between.

For questions about bytes and time, where bus and client would only cost time: hours pass in seconds. It offers what a
client of a wearable needs (`has`, `read`, `write`, `ask`, `sleep`), so that starting it is the same code as over the
air.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from firmware_sim.device import VirtualDevice
from firmware_sim.faults import Faults
from firmware_sim.firmware.base import Firmware
from firmware_sim.link import LinkModel

_PATIENCE_S: Final = 3.0

Heard = Callable[[str, bytes, int], None]
"""Called with characteristic, value, and true time of arrival (UTC nanoseconds)."""


class Shortcut:
    """A connected wearable.

    Parameters
    ----------
    firmware
        The wearable.
    start_ns
        True time at which the connection begins.
    heard
        Gets every notification.
    link, faults, seed
        As for `VirtualDevice`.
    """

    def __init__(
        self,
        firmware: Firmware,
        start_ns: int,
        heard: Heard,
        *,
        link: LinkModel | None = None,
        faults: Faults | None = None,
        seed: int = 0,
    ) -> None:
        self.now_ns = start_ns
        self.device = VirtualDevice(firmware, lambda: self.now_ns, link=link, faults=faults, seed=seed)
        self.device.on_value = self._value
        self._heard = heard
        self._waiting: list[tuple[str, bytes]] = []
        self._answer: bytes | None = None
        self.device.open()

    def run(self, until_ns: int) -> None:
        """Let time pass."""
        while (due := self.device.next_ns()) is not None and due <= until_ns:
            self.now_ns = max(self.now_ns, due)
            self.device.step(due)
        self.now_ns = max(self.now_ns, until_ns)

    def subscribe(self, *characteristics: str) -> None:
        """Switch notifications on, of those that it has."""
        for char in characteristics:
            if self.has(char):
                self.device.subscribe(char, True)

    def has(self, characteristic: str) -> bool:
        """Tell whether the wearable offers it."""
        services = self.device.firmware.services
        return any(one.uuid == characteristic for service in services for one in service.characteristics)

    async def read(self, characteristic: str) -> bytes:
        """Read a value."""
        return self.device.read(characteristic)

    async def write(self, characteristic: str, data: bytes, *, response: bool) -> None:
        """Write a value."""
        del response
        self.device.write(characteristic, data)

    async def ask(
        self,
        characteristic: str,
        data: bytes,
        *,
        answer_on: str,
        answer_head: bytes,
        response: bool,
        within_s: float = _PATIENCE_S,
    ) -> bytes | None:
        """Write, and let time pass until the notification that begins with `answer_head`; None when none comes."""
        self._answer, self._waiting = None, [(answer_on, answer_head)]
        await self.write(characteristic, data, response=response)
        patience_ns = self.now_ns + round(within_s * 1e9)
        while self._answer is None and self.now_ns < patience_ns:
            due = self.device.next_ns()
            self.run(patience_ns if due is None else min(due, patience_ns))
        self._waiting.clear()
        return self._answer

    async def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self.run(self.now_ns + round(seconds * 1e9))

    def _value(self, char: str, value: bytes) -> None:
        if any(char == on and value.startswith(head) for on, head in self._waiting):
            self._answer = value
        self._heard(char, value, self.now_ns)
