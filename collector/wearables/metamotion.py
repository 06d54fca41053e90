"""MbientLab MetaMotion R, C (BMI160) and S (BMI270): packed acceleration, three samples a frame, no clock, no counter.

Layout: MetaWear-SDK-Cpp, ``metawearboard.cpp``, ``accelerometer_bosch*.cpp`` and the SDK's own tests. Not yet used with
a real device.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from collector.wearables.base import (
    Advertisement,
    Decoded,
    Gatt,
    Rejecting,
    Stream,
    TickClock,
    Usual,
    at_least,
)
from collector.wearables.uuids import METAWEAR_COMMAND, METAWEAR_NOTIFY, METAWEAR_SERVICE

_ACC: Final = 0x03
_POWER, _ENABLE, _CONFIG, _RAW, _INFO = 0x01, 0x02, 0x03, 0x04, 0x80
_PACKED_BMI160, _PACKED_BMI270 = 0x1C, 0x05
_BMI270: Final = 4
"""The accelerometer module's implementation number that means BMI270; 1 is BMI160."""
_BMI160_RANGES: Final = {2.0: 0x3, 4.0: 0x5, 8.0: 0x8, 16.0: 0xC}
_BMI270_RANGES: Final = {2.0: 0, 4.0: 1, 8.0: 2, 16.0: 3}
_SAMPLES: Final = {_RAW: 1, _PACKED_BMI160: 3, _PACKED_BMI270: 3}
_LED: Final = 0x02
_HAPTIC: Final = 0x08
_PULSE: Final = 0x01
_FULL: Final = 248
"""The duty that the SDK sends for 100 %: 248 times the share (MetaWear-SDK-Cpp, ``haptic.cpp``; its own test expects
08 01 f8 88 13 00 for 100 % and 5000 ms)."""
BUZZ_MS: Final = 500


class MetaMotionDecoder(Rejecting):
    """Accelerometer frames; full scale is 32768 at the range that was set."""

    def __init__(self, range_g: float) -> None:
        super().__init__()
        self._scale_g = range_g / 32_768.0

    def feed(self, characteristic: str, data: bytes) -> list[Decoded]:
        """Take one notification: one or three samples, or an answer."""
        if characteristic != METAWEAR_NOTIFY:
            return self._reject("foreign-characteristic")
        if len(data) < 2:
            return self._reject("truncated")
        if data[0] != _ACC or data[1] not in _SAMPLES:
            return [] if data[1] & _INFO else self._reject("other-module")
        if len(data) != 2 + 6 * _SAMPLES[data[1]]:
            return self._reject("wrong-length")
        return [Decoded(np.frombuffer(data, "<i2", offset=2).reshape(-1, 3), self._scale_g)]


class MetaMotion(Usual):
    """MetaMotion boards of MbientLab."""

    kind = "metamotion"
    label = "MbientLab MetaMotion"
    hardware_seen = False
    notify = (METAWEAR_NOTIFY,)
    clock: TickClock | None = None
    counter_bits: int | None = None
    rates_hz = (12.5, 25.0, 50.0, 100.0, 200.0, 400.0)
    ranges_g = (2.0, 4.0, 8.0, 16.0)

    def recognise(self, seen: Advertisement) -> bool:
        """Tell by service or name."""
        return METAWEAR_SERVICE in seen.services or seen.name.startswith("MetaWear")

    def decoder(self, stream: Stream) -> MetaMotionDecoder:
        """Make the decoder for one connection."""
        return MetaMotionDecoder(stream.range_g)

    def plan(self, rate_hz: float, range_g: float) -> Stream:
        """Choose rate and range; three samples travel together."""
        return Stream(at_least(self.rates_hz, rate_hz), at_least(self.ranges_g, range_g), 3)

    async def start(self, gatt: Gatt, stream: Stream) -> None:
        """Ask which sensor it has, set it, subscribe to packed data, switch on."""
        answer = await gatt.ask(
            METAWEAR_COMMAND,
            bytes((_ACC, _INFO)),
            answer_on=METAWEAR_NOTIFY,
            answer_head=bytes((_ACC, _INFO)),
            response=False,
        )
        modern = answer is not None and len(answer) > 2 and answer[2] == _BMI270
        odr = 5 + round(np.log2(stream.rate_hz / 12.5))
        if modern:
            config, packed = (0xA0 | odr, _BMI270_RANGES[stream.range_g]), _PACKED_BMI270
        else:
            config, packed = (0x20 | odr, _BMI160_RANGES[stream.range_g]), _PACKED_BMI160
        for command in (
            (_ACC, _POWER, 0),
            (_ACC, _CONFIG, *config),
            (_ACC, packed, 1),
            (_ACC, _ENABLE, 1, 0),
            (_ACC, _POWER, 1),
        ):
            await gatt.write(METAWEAR_COMMAND, bytes(command), response=False)

    async def stop(self, gatt: Gatt) -> None:
        """Switch the accelerometer off."""
        for command in ((_ACC, _POWER, 0), (_ACC, _ENABLE, 0, 1), (_ACC, _PACKED_BMI160, 0), (_ACC, _PACKED_BMI270, 0)):
            await gatt.write(METAWEAR_COMMAND, bytes(command), response=False)

    async def buzz(self, gatt: Gatt) -> bool:
        """Run the motor for half a second, and blink green three times for boards without one.

        Haptic module: pulse, duty, milliseconds (little endian), 0 for the motor. LED module: pattern, then play.
        """
        pulse = bytes((_HAPTIC, _PULSE, _FULL, *BUZZ_MS.to_bytes(2, "little"), 0))
        await gatt.write(METAWEAR_COMMAND, pulse, response=False)
        pattern = bytes((_LED, 0x03, 0x00, 0x02, 31, 31, 0, 0, 50, 0, 0, 0, 244, 1, 0, 0, 3))
        await gatt.write(METAWEAR_COMMAND, pattern, response=False)
        await gatt.write(METAWEAR_COMMAND, bytes((_LED, 0x01, 0x01)), response=False)
        return True
