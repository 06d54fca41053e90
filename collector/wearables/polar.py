"""Polar H10, Verity Sense and OH1: Polar Measurement Data (PMD), raw and delta-compressed acceleration.

Layout: Polar BLE SDK, ``technical_documentation/online_measurement.pdf`` (v1.0, August 2024), with the vectors of its
``AccDataTest.kt``, and a frame that a user of a real Verity Sense has shown (polar-ble-sdk #443). A frame's time
is that of its *last* sample; the absolute time is worth nothing (an H10 that was without power begins in 2019). Not yet
used with a real device by us.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

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
    quantise,
)
from collector.wearables.uuids import POLAR_PMD_CONTROL, POLAR_PMD_DATA

_ACC, _SDK_MODE = 0x02, 0x09
_START, _STOP = 0x02, 0x03
_RESPONSE: Final = 0xF0
_COMPRESSED: Final = 0x80
_HEAD: Final = struct.Struct("<BQB")
_FACTOR: Final = 5
_SETTING_BYTES: Final = {0: 2, 1: 2, 2: 2, 3: 4, 4: 1, 5: 4, 6: 16}
_STATUS: Final = {
    1: "does not know the command",
    2: "cannot measure acceleration",
    5: "does not offer this rate and range",
    8: "does not offer this rate",
    10: "needs a larger MTU",
    12: "is busy with another measurement",
    13: "lies in its charger",
}
_MG: Final = 0.001
_DEFAULT_FACTOR_G: Final = 2.44e-4
"""What a Verity Sense has at 8 g, should its answer to the start command be lost."""
_CLOCK: Final = TickClock(1.0, 64, "last")
_RAW_BYTES: Final = {0: 1, 1: 2, 2: 3}


class PolarDecoder(Rejecting):
    """PMD frames and control point responses."""

    def __init__(self) -> None:
        super().__init__()
        self._factor: float | None = None

    def feed(self, characteristic: str, data: bytes) -> list[Decoded]:
        """Take one notification: one frame or one response."""
        if characteristic == POLAR_PMD_CONTROL:
            return self._response(data)
        if characteristic != POLAR_PMD_DATA:
            return self._reject("foreign-characteristic")
        if len(data) < _HEAD.size:
            return self._reject("truncated")
        kind, tick, frame_type = _HEAD.unpack_from(data)
        if kind & 0x3F != _ACC:
            return self._reject("other-measurement")
        content = data[_HEAD.size :]
        if frame_type & _COMPRESSED:
            return self._compressed(frame_type & 0x7F, tick, content)
        return self._raw(frame_type, tick, content)

    def _raw(self, frame_type: int, tick: int, content: bytes) -> list[Decoded]:
        width = _RAW_BYTES.get(frame_type)
        if width is None:
            return self._reject("frame-type")
        if not content or len(content) % (3 * width):
            return self._reject("truncated")
        if width == 2:
            return [Decoded(np.frombuffer(content, "<i2").reshape(-1, 3), _MG, tick=tick)]
        numbers = [
            int.from_bytes(content[at : at + width], "little", signed=True) for at in range(0, len(content), width)
        ]
        counts, scale_g = quantise(np.array(numbers, np.float64).reshape(-1, 3) * _MG, 8.0)
        if scale_g * 32_768 > 64.0:
            return self._reject("absurd-value")
        return [Decoded(counts, scale_g, tick=tick)]

    def _compressed(self, frame_type: int, tick: int, content: bytes) -> list[Decoded]:
        if frame_type == 0:
            scale_g = _DEFAULT_FACTOR_G if self._factor is None else self._factor
        elif frame_type == 1:
            scale_g = _MG * (1.0 if self._factor is None else self._factor)
        else:
            return self._reject("frame-type")
        samples = unpack_deltas(content)
        if samples is None:
            return self._reject("truncated")
        if int(np.abs(samples).max()) > 32_767:
            return self._reject("absurd-value")
        return [Decoded(samples.astype(np.int16), scale_g, tick=tick)]

    def _response(self, data: bytes) -> list[Decoded]:
        if len(data) < 4 or data[0] != _RESPONSE:
            return self._reject("response")
        operation, kind, status = data[1], data[2] & 0x3F, data[3]
        if (operation, kind) != (_START, _ACC):
            return []
        if status not in (0, 6):
            why = _STATUS.get(status, f"answers with status {status}")
            return [Decoded(NO_SAMPLES, notice=f"the Polar {why}")]
        factor = _find_factor(data[5:])
        if factor is not None:
            if not 1e-6 < factor < 10.0:
                return self._reject("factor")
            self._factor = factor
        return []


def unpack_deltas(content: bytes) -> NDArray[np.int64] | None:
    """Unpack a compressed frame's content, or None when it does not add up.

    A reference sample of three int16, then blocks of {bits in a delta, samples, deltas}: signed, least significant bit
    first, channel by channel, each added to the sample before; a block fills whole bytes.

    Returns
    -------
    Shape (n, 3).
    """
    if len(content) < 6:
        return None
    parts = [np.frombuffer(content, "<i2", count=3).astype(np.int64).reshape(1, 3)]
    at = 6
    while at < len(content):
        if at + 2 > len(content):
            return None
        width, count = content[at], content[at + 1]
        size = -(-3 * width * count // 8)
        at += 2
        if not 1 <= width <= 32 or at + size > len(content):
            return None
        bits = np.unpackbits(np.frombuffer(content, np.uint8, count=size, offset=at), bitorder="little")
        words = bits[: 3 * width * count].reshape(-1, width).astype(np.int64)
        deltas = words @ (np.int64(1) << np.arange(width, dtype=np.int64))
        deltas -= words[:, -1] << width
        parts.append(deltas.reshape(-1, 3))
        at += size
    return np.cumsum(np.concatenate(parts), axis=0)


def _find_factor(parameters: bytes) -> float | None:
    at = 0
    while at + 2 <= len(parameters):
        setting, count = parameters[at], parameters[at + 1]
        width = _SETTING_BYTES.get(setting)
        if width is None:
            return None
        if setting == _FACTOR and count == 1 and at + 6 <= len(parameters):
            return float(struct.unpack_from("<f", parameters, at + 2)[0])
        at += 2 + width * count
    return None


@dataclass(frozen=True, slots=True)
class Polar(Usual):
    """One Polar product with the PMD service.

    `sdk_rates_hz` need the SDK mode, which is switched on before the start; `channels` is said by some products only.
    """

    kind: str
    label: str
    names: tuple[str, ...]
    plain_rates_hz: tuple[float, ...]
    plain_ranges_g: tuple[float, ...]
    sdk_rates_hz: tuple[float, ...] = ()
    sdk_ranges_g: tuple[float, ...] = ()
    channels: bool = False
    packet_samples: int = 36
    hardware_seen: bool = False
    notify: tuple[str, ...] = (POLAR_PMD_CONTROL, POLAR_PMD_DATA)
    clock: TickClock | None = _CLOCK
    counter_bits: int | None = None

    @property
    def rates_hz(self) -> tuple[float, ...]:
        """Rates, rising."""
        return tuple(sorted({*self.plain_rates_hz, *self.sdk_rates_hz}))

    @property
    def ranges_g(self) -> tuple[float, ...]:
        """Ranges, rising."""
        return tuple(sorted({*self.plain_ranges_g, *self.sdk_ranges_g}))

    def recognise(self, seen: Advertisement) -> bool:
        """Tell by the advertised name."""
        return seen.name.startswith(self.names)

    def decoder(self, stream: Stream) -> PolarDecoder:
        """Make the decoder for one connection; scales come in its frames and answers."""
        return PolarDecoder()

    def plan(self, rate_hz: float, range_g: float) -> Stream:
        """Choose rate and range; the plain mode where it is enough."""
        plain = rate_hz <= self.plain_rates_hz[-1] and range_g <= self.plain_ranges_g[-1]
        rates = self.plain_rates_hz if plain or not self.sdk_rates_hz else self.sdk_rates_hz
        ranges = self.plain_ranges_g if plain or not self.sdk_ranges_g else self.sdk_ranges_g
        return Stream(at_least(rates, rate_hz), at_least(ranges, range_g), self.packet_samples)

    async def start(self, gatt: Gatt, stream: Stream) -> None:
        """End what an earlier life may have left running, choose the mode, start."""
        await gatt.write(POLAR_PMD_CONTROL, bytes((_STOP, _ACC)), response=True)
        if stream.rate_hz not in self.plain_rates_hz or stream.range_g not in self.plain_ranges_g:
            await gatt.write(POLAR_PMD_CONTROL, bytes((_START, _SDK_MODE)), response=True)
        command = struct.pack("<BBBBHBBHBBH", _START, _ACC, 0, 1, round(stream.rate_hz), 1, 1, 16, 2, 1,
                              round(stream.range_g))  # fmt: skip
        await gatt.write(POLAR_PMD_CONTROL, command + (b"\x04\x01\x03" if self.channels else b""), response=True)

    async def stop(self, gatt: Gatt) -> None:
        """Stop; else it would measure on until its battery is empty."""
        await gatt.write(POLAR_PMD_CONTROL, bytes((_STOP, _ACC)), response=True)


H10: Final = Polar(
    "polar-h10", "Polar H10", ("Polar H10",), (25.0, 50.0, 100.0, 200.0), (2.0, 4.0, 8.0), packet_samples=36
)
VERITY_SENSE: Final = Polar(
    "polar-sense", "Polar Verity Sense", ("Polar Sense", "Polar Verity"), (52.0,), (8.0,),
    (26.0, 52.0, 104.0, 208.0, 416.0), (2.0, 4.0, 8.0, 16.0), channels=True, packet_samples=57,
)  # fmt: skip
OH1: Final = Polar("polar-oh1", "Polar OH1", ("Polar OH1",), (50.0,), (8.0,), packet_samples=36)
"""The Verity Sense's elder brother, with uncompressed frames (polar-ble-sdk issues 213 and 317)."""
