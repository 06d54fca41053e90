"""Movella DOT (formerly Xsens DOT): one sample a notification, microseconds that wrap after 71.6 minutes.

Layout: "Movella DOT BLE Services Specification", revision C (July 2023). We use mode 21, "rate quantities":
acceleration with gravity, in m/s2. Not yet used with a real device.
"""

from __future__ import annotations

import struct
from typing import Final

import numpy as np

from collector.wearables.base import (
    STANDARD_GRAVITY_MPS2,
    Advertisement,
    Decoded,
    Gatt,
    Rejecting,
    Stream,
    TickClock,
    at_least,
)
from collector.wearables.uuids import DOT_BATTERY, DOT_CONTROL, DOT_DEVICE_CONTROL, DOT_MEDIUM

RATE_QUANTITIES: Final = 21
_CONTROL_BYTES: Final = 32
_VISIT_RATE: Final = 0x10
_RATE_AT: Final = 24
_LEAST_BYTES: Final = 28
"""Time, acceleration, angular rate; the notification is padded to 40."""
RANGE_G: Final = 16.0


class MovellaDecoder(Rejecting):
    """Medium payloads of mode 20 and 21, and the battery."""

    def feed(self, characteristic: str, data: bytes) -> list[Decoded]:
        """Take one notification: one sample."""
        if characteristic != DOT_MEDIUM:
            return self._reject("foreign-characteristic")
        if len(data) < _LEAST_BYTES:
            return self._reject("truncated")
        tick, values = read_sample(data)
        return self._from_floats(values, 1.0 / STANDARD_GRAVITY_MPS2, RANGE_G, tick)


def read_sample(data: bytes) -> tuple[int, np.ndarray[tuple[int, int], np.dtype[np.float32]]]:
    """Read time (us) and the three floats (m/s2, shape (1, 3)) with which every payload of acceleration begins."""
    return int.from_bytes(data[:4], "little"), np.frombuffer(data, "<f4", count=3, offset=4).reshape(1, 3)


class MovellaDot:
    """Movella DOT and Xsens DOT."""

    kind = "dot"
    label = "Movella DOT"
    hardware_seen = False
    notify = (DOT_MEDIUM,)
    clock: TickClock | None = TickClock(1e3, 32, "last")
    counter_bits: int | None = None
    rates_hz = (10.0, 12.0, 15.0, 20.0, 30.0, 60.0)
    ranges_g = (RANGE_G,)

    def recognise(self, seen: Advertisement) -> bool:
        """Tell by name."""
        return seen.name.startswith(("Movella DOT", "Xsens DOT"))

    def decoder(self, stream: Stream) -> MovellaDecoder:
        """Make the decoder for one connection."""
        return MovellaDecoder()

    def plan(self, rate_hz: float, range_g: float) -> Stream:
        """Choose the rate; the range is 16 g."""
        return Stream(at_least(self.rates_hz, rate_hz), RANGE_G)

    async def prepare(self, gatt: Gatt, stream: Stream) -> None:
        """Stop, since a running measurement keeps its rate, and set the rate."""
        await self.stop(gatt)
        block = bytearray(_CONTROL_BYTES)
        block[0] = _VISIT_RATE
        struct.pack_into("<H", block, _RATE_AT, round(stream.rate_hz))
        await gatt.write(DOT_DEVICE_CONTROL, bytes(block), response=True)

    async def start(self, gatt: Gatt, stream: Stream) -> None:
        """Start mode 21."""
        await gatt.write(DOT_CONTROL, bytes((1, 1, RATE_QUANTITIES)), response=True)

    async def stop(self, gatt: Gatt) -> None:
        """Stop measuring."""
        await gatt.write(DOT_CONTROL, bytes((1, 0, RATE_QUANTITIES)), response=True)

    async def ask_battery(self, gatt: Gatt) -> int | None:
        """Read level and charging state; the level counts."""
        value = await gatt.read(DOT_BATTERY)
        return value[0] if value and value[0] <= 100 else None

    async def buzz(self, gatt: Gatt) -> bool:
        """Blink, by the device control's identify bit."""
        block = bytearray(_CONTROL_BYTES)
        block[0], block[1] = 0x01, 0x01
        await gatt.write(DOT_DEVICE_CONTROL, bytes(block), response=True)
        return True
