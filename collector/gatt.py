"""bleak's client as what wearables ask for."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Final

from bleak import BleakClient

from spineclip.contract.clock import Clock

CALL_S: Final = 10.0
"""A read or write that takes longer is a link in trouble (our choice: a third of the 30 s after which Bluetooth itself
gives a transaction up, Core, Vol 3 Part F, 3.3.3)."""
ANSWER_S: Final = 3.0
"""A wearable's own answer, which comes as a notification, is there long before, or not at all (our choice)."""

Question = tuple[str, bytes, "asyncio.Future[bytes]"]
"""Characteristic and head of the notification that somebody waits for."""


@dataclass(frozen=True, slots=True)
class ClientGatt:
    """A connected client; every call has a time limit. `questions` are looked at whenever a notification comes."""

    client: BleakClient
    clock: Clock
    questions: list[Question]

    def has(self, characteristic: str) -> bool:
        """Tell whether the connected device offers it."""
        return self.client.services.get_characteristic(characteristic) is not None

    async def read(self, characteristic: str) -> bytes:
        """Read a value."""
        async with asyncio.timeout(CALL_S):
            return bytes(await self.client.read_gatt_char(characteristic))

    async def write(self, characteristic: str, data: bytes, *, response: bool) -> None:
        """Write a value."""
        async with asyncio.timeout(CALL_S):
            await self.client.write_gatt_char(characteristic, data, response=response)

    async def ask(
        self,
        characteristic: str,
        data: bytes,
        *,
        answer_on: str,
        answer_head: bytes,
        response: bool,
        within_s: float = ANSWER_S,
    ) -> bytes | None:
        """Write, and wait for the notification that begins with `answer_head`; None when it does not come in time."""
        answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        question = (answer_on, answer_head, answer)
        self.questions.append(question)
        try:
            await self.write(characteristic, data, response=response)
            async with asyncio.timeout(within_s):
                return await answer
        except TimeoutError:
            return None
        finally:
            self.questions.remove(question)

    async def sleep(self, seconds: float) -> None:
        """Give the device time."""
        await self.clock.sleep(seconds)
