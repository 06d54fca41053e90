"""MbientLab MetaMotion with a BMI160 or BMI270: module commands, raw and packed streams without time.

Layout: MetaWear-SDK-Cpp, metawearboard.cpp and accelerometer_bosch*.cpp, and that SDK's own tests.
"""

from __future__ import annotations

from typing import Final, Unpack

import numpy as np

from collector.wearables.uuids import METAWEAR_COMMAND, METAWEAR_NOTIFY, METAWEAR_SERVICE
from firmware_sim.firmware.base import (
    NOTIFY,
    READ,
    WRITE,
    WRITE_COMMAND,
    Characteristic,
    Motion,
    Samples,
    Service,
    Times,
)
from firmware_sim.firmware.peripheral import battery, device_information
from firmware_sim.firmware.streaming import Body, Digital, StreamingFirmware

ACCELEROMETER: Final = 0x03
_HAPTIC: Final = 0x08
_PULSE: Final = 0x01
_POWER, _ENABLE, _CONFIG, _RAW, _INFO = 0x01, 0x02, 0x03, 0x04, 0x80
_PACKED: Final = {"bmi160": 0x1C, "bmi270": 0x05}
_IMPLEMENTATION: Final = {"bmi160": 1, "bmi270": 4}
_DEFAULT: Final = {"bmi160": (0x28, 0x03), "bmi270": (0xA8, 0x02)}
_RATES_HZ: Final = {odr: 12.5 * 2 ** (odr - 5) for odr in range(5, 13)}
_COUNTS_PER_G: Final = {
    "bmi160": {0x3: 16384, 0x5: 8192, 0x8: 4096, 0xC: 2048},
    "bmi270": {0: 16384, 1: 8192, 2: 4096, 3: 2048},
}
_REPLY_NS: Final = 5_000_000


class Metamotion(StreamingFirmware):
    """A MetaMotion R, C (``bmi160``) or S (``bmi270``).

    Raises
    ------
    KeyError
        If `sensor` is neither.
    """

    service_uuids = (METAWEAR_SERVICE,)

    usual_name = "MetaWear"
    usual_address = "C0:4D:42:4C:00:01"

    def __init__(
        self,
        motion: Motion,
        *,
        sensor: str = "bmi160",
        battery_pct: int = 74,
        **body: Unpack[Body],
    ) -> None:
        super().__init__(motion, **body)
        self.battery_pct = battery_pct
        self._sensor = sensor
        self._config = _DEFAULT[sensor]
        self._on: set[int] = set()
        self.buzzes_ms: list[int] = []
        """How long the motor ran, each time."""

    @property
    def services(self) -> tuple[Service, ...]:
        """Commands in, data out, battery, device information."""
        own = Service(
            METAWEAR_SERVICE,
            (
                Characteristic(METAWEAR_COMMAND, (READ, WRITE, WRITE_COMMAND)),
                Characteristic(METAWEAR_NOTIFY, (READ, NOTIFY)),
            ),
        )
        return (own, battery(self.battery_pct), device_information("MbientLab Inc", "5"))

    @property
    def data_char(self) -> str:
        """Answers and data share it."""
        return METAWEAR_NOTIFY

    @property
    def packet_samples(self) -> int:
        """Three when packed, else one."""
        return 3 if self._packed in self._on else 1

    @property
    def sends_partial(self) -> bool:
        """A packed frame always holds three."""
        return self._packed not in self._on

    @property
    def counts_per_g(self) -> int:
        """Sensitivity at the range that is set."""
        return _COUNTS_PER_G[self._sensor][self._config[1]]

    def on_write(self, char: str, value: bytes, t_ns: int) -> None:
        """Take ``[module][register][data]``; what it does not know is ignored, as on the real one."""
        super().on_write(char, value, t_ns)
        if char != METAWEAR_COMMAND or len(value) < 2:
            return
        module, register, data = value[0], value[1], value[2:]
        if register == _INFO:
            told = bytes([_IMPLEMENTATION[self._sensor], 0]) if module == ACCELEROMETER else b""
            self.reply(METAWEAR_NOTIFY, bytes([module, _INFO]) + told, t_ns + _REPLY_NS)
        elif module == _HAPTIC and register == _PULSE and len(data) == 4 and data[3] == 0:
            self.buzzes_ms.append(int.from_bytes(data[1:3], "little"))
        elif module == ACCELEROMETER:
            self._obey(register, data)
            self._update(t_ns)

    def on_disconnect(self, t_ns: int) -> None:
        """Forget what was switched on."""
        super().on_disconnect(t_ns)
        self._on.clear()

    def reboot(self, t_ns: int) -> None:
        """Start anew with the default rate and range."""
        super().reboot(t_ns)
        self._config = _DEFAULT[self._sensor]

    def digitise(self, xyz_g: Samples) -> Digital:
        """Return int16 counts."""
        return np.clip(np.rint(xyz_g * self.counts_per_g), -32768, 32767).astype("<i2")

    def in_g(self, digital: Digital) -> Samples:
        """Return what the counts say."""
        return np.asarray(digital / self.counts_per_g, np.float64)

    def encode(self, first: int, t_ns: Times, digital: Digital) -> tuple[bytes, ...]:
        """Turn one or three samples into a frame."""
        register = self._packed if self._packed in self._on else _RAW
        return (bytes([ACCELEROMETER, register]) + digital.tobytes(),)

    @property
    def _packed(self) -> int:
        return _PACKED[self._sensor]

    def _obey(self, register: int, data: bytes) -> None:
        if register == _CONFIG and len(data) == 2:
            if (data[0] & 0x0F) in _RATES_HZ and data[1] in _COUNTS_PER_G[self._sensor]:
                self._config = (data[0], data[1])
        elif register in {_POWER, _RAW, self._packed} and len(data) == 1:
            self._switch(register, on=data[0] == 1)
        elif register == _ENABLE and len(data) == 2:
            if data[0] == 1:
                self._switch(_ENABLE, on=True)
            elif data[1] == 1:
                self._switch(_ENABLE, on=False)

    def _switch(self, register: int, *, on: bool) -> None:
        if on:
            self._on.add(register)
        else:
            self._on.discard(register)

    def _update(self, t_ns: int) -> None:
        runs = {_POWER, _ENABLE} <= self._on and bool({_RAW, self._packed} & self._on)
        if runs and not self.streaming:
            self.start(_RATES_HZ[self._config[0] & 0x0F], t_ns)
        elif not runs:
            self.stop(t_ns)
