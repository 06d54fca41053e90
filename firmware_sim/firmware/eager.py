"""Wearables that stream as soon as somebody listens: micro:bit, Arduino Nicla Sense ME, InfiniTime.

Layouts: micro:bit Bluetooth profile (lancaster-university.github.io/microbit-docs/ble/accelerometer-service);
Arduino's Nicla Sense ME dashboard example (docs.arduino.cc, nicla-sense-me, web-ble-dashboard) and the SensorXYZ.h of
its library Arduino_BHY2 (int16 counts, +-8 g unless told otherwise); InfiniTime doc/MotionService.md.
"""

from __future__ import annotations

from typing import Final, Unpack

import numpy as np

from collector.wearables.uuids import (
    INFINITIME_MOTION,
    INFINITIME_SERVICE,
    MICROBIT_DATA,
    MICROBIT_PERIOD,
    MICROBIT_SERVICE,
    NICLA_ACCELERATION,
    NICLA_SERVICE,
)
from firmware_sim.firmware.base import NOTIFY, READ, WRITE, Characteristic, Motion, Samples, Service, Times
from firmware_sim.firmware.peripheral import battery
from firmware_sim.firmware.streaming import Body, Digital, StreamingFirmware


class EagerFirmware(StreamingFirmware):
    """Streams one sample a notification while its data characteristic is subscribed to."""

    wanted_hz: float = 10.0

    @property
    def packet_samples(self) -> int:
        """One sample a notification."""
        return 1

    def on_subscribe(self, char: str, on: bool, t_ns: int) -> None:
        """Stream while somebody listens."""
        super().on_subscribe(char, on, t_ns)
        if char == self.data_char:
            if on:
                self.start(self.wanted_hz, t_ns)
            else:
                self.stop(t_ns)

    def encode(self, first: int, t_ns: Times, digital: Digital) -> tuple[bytes, ...]:
        """Send the numbers as they are."""
        return (digital.tobytes(),)


class Microbit(EagerFirmware):
    """A BBC micro:bit V2 with the accelerometer service: int16 milli-g, no time; MTU 23, battery unknown."""

    service_uuids = (MICROBIT_SERVICE,)
    mtu = 23
    PERIODS_MS: Final = (1, 2, 5, 10, 20, 80, 160, 640)
    USUAL_MS: Final = 20

    usual_name = "BBC micro:bit [vuzap]"
    usual_address = "C0:42:42:43:00:01"

    def __init__(
        self,
        motion: Motion,
        *,
        range_g: float = 2.0,
        **body: Unpack[Body],
    ) -> None:
        super().__init__(motion, **body)
        self._limit_mg = range_g * 1000
        self._period_ms = self.USUAL_MS
        self.wanted_hz = 1000 / self._period_ms

    @property
    def services(self) -> tuple[Service, ...]:
        """Samples and their period."""
        data = Characteristic(MICROBIT_DATA, (READ, NOTIFY))
        return (Service(MICROBIT_SERVICE, (data, Characteristic(MICROBIT_PERIOD, (READ, WRITE)))),)

    @property
    def data_char(self) -> str:
        """Three int16."""
        return MICROBIT_DATA

    def on_read(self, char: str, t_ns: int) -> bytes:
        """Return the period."""
        return self._period_ms.to_bytes(2, "little") if char == MICROBIT_PERIOD else super().on_read(char, t_ns)

    def on_write(self, char: str, value: bytes, t_ns: int) -> None:
        """Set the period to the next one that it has."""
        super().on_write(char, value, t_ns)
        if char == MICROBIT_PERIOD and len(value) == 2:
            wanted = int.from_bytes(value, "little")
            self._period_ms = next((one for one in self.PERIODS_MS if one >= wanted), self.PERIODS_MS[-1])
            self.wanted_hz = 1000 / self._period_ms
            if self.streaming:
                self.start(self.wanted_hz, t_ns)

    def reboot(self, t_ns: int) -> None:
        """Start anew, with the usual period."""
        super().reboot(t_ns)
        self._period_ms = self.USUAL_MS
        self.wanted_hz = 1000 / self._period_ms

    def digitise(self, xyz_g: Samples) -> Digital:
        """Return milli-g."""
        return np.clip(np.rint(xyz_g * 1000), -self._limit_mg, self._limit_mg).astype("<i2")

    def in_g(self, digital: Digital) -> Samples:
        """Return what the milli-g say."""
        return np.asarray(digital / 1000, np.float64)


class Nicla(EagerFirmware):
    """An Arduino Nicla Sense ME with the dashboard example, which sends counts as float32.

    The example's loop keeps no pace; ours sends `rate_hz` times a second, each sample once.
    """

    service_uuids = (NICLA_SERVICE,)
    COUNTS_PER_G: Final = 4096

    usual_name = "NiclaSenseME-0001"
    usual_address = "C0:4E:49:43:00:01"

    def __init__(
        self,
        motion: Motion,
        *,
        rate_hz: float = 50.0,
        **body: Unpack[Body],
    ) -> None:
        super().__init__(motion, **body)
        self.wanted_hz = rate_hz

    @property
    def services(self) -> tuple[Service, ...]:
        """The acceleration only."""
        return (Service(NICLA_SERVICE, (Characteristic(NICLA_ACCELERATION, (READ, NOTIFY)),)),)

    @property
    def data_char(self) -> str:
        """Three float32."""
        return NICLA_ACCELERATION

    def digitise(self, xyz_g: Samples) -> Digital:
        """Return counts, as float32."""
        return np.clip(np.rint(xyz_g * self.COUNTS_PER_G), -32768, 32767).astype("<f4")

    def in_g(self, digital: Digital) -> Samples:
        """Return what the counts say."""
        return digital.astype(np.float64) / self.COUNTS_PER_G


class Infinitime(EagerFirmware):
    """A PineTime with InfiniTime: three int16, 1024 to the g, +-2 g, ten a second."""

    COUNTS_PER_G: Final = 1024

    usual_name = "InfiniTime"
    usual_address = "C0:49:54:4D:00:01"

    def __init__(
        self,
        motion: Motion,
        *,
        battery_pct: int = 58,
        **body: Unpack[Body],
    ) -> None:
        super().__init__(motion, **body)
        self.battery_pct = battery_pct

    @property
    def services(self) -> tuple[Service, ...]:
        """Motion and battery."""
        motion = Service(INFINITIME_SERVICE, (Characteristic(INFINITIME_MOTION, (READ, NOTIFY)),))
        return (motion, battery(self.battery_pct))

    @property
    def data_char(self) -> str:
        """Three int16."""
        return INFINITIME_MOTION

    def digitise(self, xyz_g: Samples) -> Digital:
        """Return counts."""
        return np.clip(np.rint(xyz_g * self.COUNTS_PER_G), -2048, 2047).astype("<i2")

    def in_g(self, digital: Digital) -> Samples:
        """Return what the counts say."""
        return np.asarray(digital / self.COUNTS_PER_G, np.float64)
