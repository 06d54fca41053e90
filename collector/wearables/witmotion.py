"""WitMotion WT901BLE family: a bare stream of 20-byte frames, without counter, clock or checksum.

Layout, commands and battery table: WitMotion's BWT901BLE5.0 SDK (``device_model.py``, ``Bwt901bleResolver.java``,
``Bwt901bleProcessor.java``) and ``REG.h`` of WitStandardProtocol_JY901. Not yet used with a real device.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from collector.wearables.base import (
    NO_SAMPLES,
    Advertisement,
    Decoded,
    Gatt,
    Rejecting,
    Stream,
    TickClock,
    Usual,
    at_least,
)
from collector.wearables.uuids import WITMOTION_NOTIFY, WITMOTION_SERVICE, WITMOTION_WRITE

FRAME_BYTES: Final = 20
HEAD: Final = 0x55
MOTION: Final = 0x61
REGISTER: Final = 0x71
RANGE_G: Final = 16.0
SCALE_G: Final = RANGE_G / 32_768.0
REGISTER_BATTERY: Final = 0x64

_RATE_CODES: Final = {1.0: 0x03, 2.0: 0x04, 5.0: 0x05, 10.0: 0x06, 20.0: 0x07, 50.0: 0x08, 100.0: 0x09, 200.0: 0x0B}
_UNLOCK: Final = bytes.fromhex("FFAA6988B5")
_PAUSE_S: Final = 0.1
"""The vendor asks for about 100 ms between two commands."""
_EMPTY_CV, _FULL_CV = 340, 399
"""Hundredths of a volt at 0 and at 100 percent: the ends of the vendor's table; we take the line between."""


def battery_pct(centivolts: int) -> int:
    """Turn the battery's hundredths of a volt into percent."""
    return min(100, max(0, round(100 * (centivolts - _EMPTY_CV) / (_FULL_CV - _EMPTY_CV))))


class WitMotionDecoder(Rejecting):
    """Finds frames in a stream of bytes, wherever notifications cut it.

    A frame starts with ``55 61`` (motion) or ``55 71`` (a register). Since nothing guards a frame, the decoder looks
    for such a start after every frame and counts what it had to skip as ``resync``.
    """

    def __init__(self) -> None:
        super().__init__()
        self._rest = b""

    def feed(self, characteristic: str, data: bytes) -> list[Decoded]:
        """Take one notification; return the frames that it completed, one sample each."""
        if characteristic != WITMOTION_NOTIFY:
            return self._reject("foreign-characteristic")
        if self._rest and len(data) >= FRAME_BYTES and data[0] == HEAD and data[1] in (MOTION, REGISTER):
            # A notification that begins with a frame of its own: what is in hand lost its other half on the way.
            self.rejects["truncated"] += 1
            self._rest = b""
        buffer = self._rest + data
        found: list[Decoded] = []
        at = 0
        while True:
            start = _next_head(buffer, at)
            if start > at:
                self.rejects["resync"] += 1
            at = start
            if len(buffer) - at < FRAME_BYTES:
                break
            frame = buffer[at : at + FRAME_BYTES]
            at += FRAME_BYTES
            if frame[1] == MOTION:
                found.append(Decoded(np.frombuffer(frame, "<i2", count=3, offset=2).reshape(1, 3), SCALE_G))
            elif int.from_bytes(frame[2:4], "little") == REGISTER_BATTERY:
                volts = int.from_bytes(frame[4:6], "little")
                found.append(Decoded(NO_SAMPLES, battery_pct=battery_pct(volts)))
        self._rest = buffer[at:]
        return found


def _next_head(buffer: bytes, at: int) -> int:
    """Find where the next frame may start: at a head, or at a lone last byte that may become one."""
    while True:
        at = buffer.find(HEAD, at)
        if at < 0:
            return len(buffer)
        if at + 1 == len(buffer) or buffer[at + 1] in (MOTION, REGISTER):
            return at
        at += 1


class WitMotion(Usual):
    """WT901BLE67, WT901BLE68, WT901BLECL, BWT901BLECL5.0, WT9011DCL."""

    kind = "witmotion"
    label = "WitMotion WT901BLE"
    hardware_seen = False
    notify = (WITMOTION_NOTIFY,)
    clock: TickClock | None = None
    counter_bits: int | None = None
    rates_hz = tuple(_RATE_CODES)
    ranges_g = (RANGE_G,)

    def recognise(self, seen: Advertisement) -> bool:
        """Tell by the service, or by a name that starts with WT as the vendor's SDK does."""
        return WITMOTION_SERVICE in seen.services or seen.name.startswith("WT")

    def decoder(self, stream: Stream) -> WitMotionDecoder:
        """Make the decoder for one connection; the scale is fixed."""
        return WitMotionDecoder()

    def plan(self, rate_hz: float, range_g: float) -> Stream:
        """Choose the rate; the range is always 16 g."""
        return Stream(at_least(self.rates_hz, rate_hz), RANGE_G)

    async def prepare(self, gatt: Gatt, stream: Stream) -> None:
        """Unlock and set the rate, before the first frame comes.

        It is not saved: the wearable keeps its own setting for its own app.
        """
        for command in (_UNLOCK, bytes((0xFF, 0xAA, 0x03, _RATE_CODES[stream.rate_hz], 0x00))):
            await gatt.write(WITMOTION_WRITE, command, response=False)
            await gatt.sleep(_PAUSE_S)

    async def ask_battery(self, gatt: Gatt) -> int | None:
        """Ask for the battery's register; the answer comes as a notification."""
        await gatt.write(WITMOTION_WRITE, bytes((0xFF, 0xAA, 0x27, REGISTER_BATTERY, 0x00)), response=False)
        return None
