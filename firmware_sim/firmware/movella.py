"""Movella (Xsens) DOT: 40-byte rate quantities with a 32-bit microsecond clock.

Layout: "Movella DOT BLE Services Specification", revision C (July 2023).
"""

from __future__ import annotations

import struct
from typing import Final, Unpack

from collector.wearables.uuids import (
    DOT_BATTERY,
    DOT_BATTERY_SERVICE,
    DOT_CONFIG_SERVICE,
    DOT_CONTROL,
    DOT_DEVICE_CONTROL,
    DOT_LONG,
    DOT_MEASUREMENT_SERVICE,
    DOT_MEDIUM,
    DOT_SHORT,
)
from firmware_sim.firmware.base import NOTIFY, READ, WRITE, AttError, Characteristic, Motion, Samples, Service, Times
from firmware_sim.firmware.floats import as_mps2, mps2_in_g
from firmware_sim.firmware.streaming import Body, Digital, StreamingFirmware

RATES_HZ: Final = (1, 4, 10, 12, 15, 20, 30, 60)
RATE_QUANTITIES: Final = 21
RATE_QUANTITIES_MAG: Final = 20
MEDIUM_BYTES: Final = 40

_CONTROL_BYTES: Final = 32
_VISIT_RATE: Final = 0x10
_RATE_AT: Final = 24
_RANGE_G: Final = 16.0
_MAG_COUNTS: Final = (1638, 0, -3686)
"""A field of 0.4, 0 and -0.9 arbitrary units, in 1/4096."""
_INVALID: Final = 0x80


class MovellaDot(StreamingFirmware):
    """A DOT in measurement mode 20 or 21 (calibrated acceleration with gravity, angular rate); others are refused.

    Parameters
    ----------
    uptime_ns
        What its clock shows at boot; shortly before 2**32 us (71.6 minutes) to see it wrap.
    charging
        For the battery characteristic.
    """

    usual_name = "Movella DOT"
    usual_address = "D4:22:CD:00:00:01"

    def __init__(
        self,
        motion: Motion,
        *,
        battery_pct: int = 66,
        charging: bool = False,
        **body: Unpack[Body],
    ) -> None:
        super().__init__(motion, **body)
        self.battery_pct = battery_pct
        self.charging = charging
        self._wanted_hz = 60
        self._mode = RATE_QUANTITIES

    @property
    def services(self) -> tuple[Service, ...]:
        """Configuration, measurement, battery."""
        return (
            Service(DOT_CONFIG_SERVICE, (Characteristic(DOT_DEVICE_CONTROL, (READ, WRITE)),)),
            Service(
                DOT_MEASUREMENT_SERVICE,
                (
                    Characteristic(DOT_CONTROL, (READ, WRITE)),
                    Characteristic(DOT_LONG, (NOTIFY,)),
                    Characteristic(DOT_MEDIUM, (NOTIFY,)),
                    Characteristic(DOT_SHORT, (NOTIFY,)),
                ),
            ),
            Service(DOT_BATTERY_SERVICE, (Characteristic(DOT_BATTERY, (READ, NOTIFY)),)),
        )

    @property
    def data_char(self) -> str:
        """Both modes send medium payloads."""
        return DOT_MEDIUM

    @property
    def packet_samples(self) -> int:
        """One sample a notification."""
        return 1

    def on_read(self, char: str, t_ns: int) -> bytes:
        """Return battery, measurement state, or the device control block."""
        if char == DOT_BATTERY:
            return bytes([self.battery_pct, self.charging])
        if char == DOT_CONTROL:
            return bytes([1, self.streaming, self._mode])
        if char == DOT_DEVICE_CONTROL:
            block = bytearray(_CONTROL_BYTES)
            struct.pack_into("<H", block, _RATE_AT, self._wanted_hz)
            return bytes(block)
        return super().on_read(char, t_ns)

    def on_write(self, char: str, value: bytes, t_ns: int) -> None:
        """Set the output rate, or start and stop the measurement.

        Raises
        ------
        AttError
            If the rate or mode is not one that it has.
        """
        super().on_write(char, value, t_ns)
        if char == DOT_DEVICE_CONTROL:
            self._configure(value)
        elif char == DOT_CONTROL:
            self._control(value, t_ns)

    def digitise(self, xyz_g: Samples) -> Digital:
        """Return m/s2 as float32, from 16-bit counts of 16 g."""
        return as_mps2(xyz_g, _RANGE_G)

    def in_g(self, digital: Digital) -> Samples:
        """Return what the floats say."""
        return mps2_in_g(digital)

    def encode(self, first: int, t_ns: Times, digital: Digital) -> tuple[bytes, ...]:
        """Turn a sample into time, acceleration, angular rate (still), and in mode 20 the magnetic field."""
        ticks = self.elapsed_ns(int(t_ns[0])) // 1000 % 2**32
        value = struct.pack("<I", ticks) + digital.tobytes() + bytes(12)
        if self._mode == RATE_QUANTITIES_MAG:
            value += struct.pack("<3h", *_MAG_COUNTS)
        return (value.ljust(MEDIUM_BYTES, b"\0"),)

    def _configure(self, value: bytes) -> None:
        if len(value) != _CONTROL_BYTES:
            raise AttError(_INVALID)
        if value[0] & _VISIT_RATE:
            (rate,) = struct.unpack_from("<H", value, _RATE_AT)
            if rate not in RATES_HZ or self.streaming:
                raise AttError(_INVALID)
            self._wanted_hz = rate

    def _control(self, value: bytes, t_ns: int) -> None:
        if len(value) != 3 or value[0] != 1:
            raise AttError(_INVALID)
        if value[1] == 0:
            self.stop(t_ns)
        elif value[2] not in {RATE_QUANTITIES, RATE_QUANTITIES_MAG}:
            raise AttError(_INVALID)
        else:
            self._mode = value[2]
            self.start(float(self._wanted_hz), t_ns)
