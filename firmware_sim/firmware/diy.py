"""The home-made wearable: an ESP32 or nRF52 with an MPU6050 or the like, in the layout that spineclip suggests.

A notification is, little-endian: version u8 (1), flags u8, counter u16, time u32, samples u8, rate u8, then per sample
three int16. Bits 0-1 of the flags are the range (0: 2 g, 1: 4 g, 2: 8 g, 3: 16 g), full scale is 32768. The counter
counts notifications since boot. The time is that of the first sample in microseconds since boot; both wrap. The rate
is nominal, in Hz, 0 when it is not known. It streams while it is subscribed to. The control characteristic takes
``01 rate range`` to set the rate in Hz and the range code.
"""

from __future__ import annotations

import struct
from typing import Final, Unpack

import numpy as np

from collector.wearables.uuids import DIY_CONTROL, DIY_SAMPLES, DIY_SERVICE
from firmware_sim.firmware.base import NOTIFY, WRITE, AttError, Characteristic, Motion, Samples, Service, Times
from firmware_sim.firmware.eager import EagerFirmware
from firmware_sim.firmware.peripheral import battery
from firmware_sim.firmware.streaming import Body, Digital

VERSION: Final = 1
HEADER: Final = struct.Struct("<BBHIBB")
RANGES_G: Final = (2, 4, 8, 16)
_SET: Final = 0x01
_BUZZ: Final = 0x02
_BAD_VALUE: Final = 0x80


class Diy(EagerFirmware):
    """A home-made wearable.

    Parameters
    ----------
    samples
        Samples in a notification; ten fit into the usual MTU with room to spare.
    uptime_ns
        What its clock shows at boot; shortly before 2**32 us (71.6 minutes) to see it wrap.
    """

    service_uuids = (DIY_SERVICE,)

    usual_name = "spineclip-diy"
    usual_address = "C0:44:49:59:00:01"

    def __init__(
        self,
        motion: Motion,
        *,
        rate_hz: int = 50,
        range_g: int = 8,
        samples: int = 10,
        battery_pct: int = 80,
        **body: Unpack[Body],
    ) -> None:
        super().__init__(motion, **body)
        self.battery_pct = battery_pct
        self.buzzes_ms: list[int] = []
        """How long the motor ran, each time."""
        self._own = float(rate_hz), RANGES_G.index(range_g)
        self.wanted_hz, self._range = self._own
        self._samples = samples
        self._counter = 0

    @property
    def services(self) -> tuple[Service, ...]:
        """Samples, control, battery."""
        own = Service(DIY_SERVICE, (Characteristic(DIY_SAMPLES, (NOTIFY,)), Characteristic(DIY_CONTROL, (WRITE,))))
        return (own, battery(self.battery_pct))

    @property
    def data_char(self) -> str:
        """Batches come here."""
        return DIY_SAMPLES

    @property
    def packet_samples(self) -> int:
        """Samples in a full batch."""
        return self._samples

    def on_write(self, char: str, value: bytes, t_ns: int) -> None:
        """Set rate and range, or run the motor.

        Raises
        ------
        AttError
            If the command is not one that it knows.
        """
        super().on_write(char, value, t_ns)
        if char != DIY_CONTROL:
            return
        if len(value) == 2 and value[0] == _BUZZ:
            self.buzzes_ms.append(10 * value[1])
            return
        if len(value) != 3 or value[0] != _SET or value[1] == 0 or value[2] >= len(RANGES_G):
            raise AttError(_BAD_VALUE)
        self.wanted_hz, self._range = float(value[1]), value[2]
        if self.streaming:
            self.start(self.wanted_hz, t_ns)

    def reboot(self, t_ns: int) -> None:
        """Start anew: counter and clock from zero, rate and range as they were built in."""
        super().reboot(t_ns)
        self._counter = 0
        self.wanted_hz, self._range = self._own

    def digitise(self, xyz_g: Samples) -> Digital:
        """Return int16 counts of the range."""
        counts = np.rint(xyz_g * (32768 / RANGES_G[self._range]))
        return np.clip(counts, -32768, 32767).astype("<i2")

    def in_g(self, digital: Digital) -> Samples:
        """Return what the counts say."""
        return np.asarray(digital * (RANGES_G[self._range] / 32768), np.float64)

    def encode(self, first: int, t_ns: Times, digital: Digital) -> tuple[bytes, ...]:
        """Turn a batch into a notification; the counter is stamped when it goes out."""
        ticks = self.elapsed_ns(int(t_ns[0])) // 1000 % 2**32
        rate = round(self.wanted_hz)
        head = HEADER.pack(VERSION, self._range, 0, ticks, len(digital), rate if rate < 256 else 0)
        return (head + digital.tobytes(),)

    def stamp(self, value: bytes) -> bytes:
        """Put the counter in."""
        out = value[:2] + self._counter.to_bytes(2, "little") + value[4:]
        self._counter = (self._counter + 1) % 2**16
        return out
