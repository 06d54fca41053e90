"""WitMotion WT901BLECL 5.0, WT901BLE67/68 and WT9011DCL: 20-byte frames without time or counter.

Layout and commands: WitMotion's Bluetooth 5.0 SDK (WITMOTION/WitBluetooth_BWT901BLE5_0, Python and Android), the
register list REG.h of WitStandardProtocol_JY901, and the WT901BLECL 5.0 manual, page 16.
"""

from __future__ import annotations

import struct
from typing import Final, Unpack

import numpy as np

from collector.wearables.uuids import WITMOTION_NOTIFY, WITMOTION_SERVICE, WITMOTION_WRITE
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
from firmware_sim.firmware.streaming import Body, Digital, StreamingFirmware

_RATES_HZ: Final = {0x01: 0.2, 0x02: 0.5, 0x03: 1.0, 0x04: 2.0, 0x05: 5.0, 0x06: 10.0, 0x07: 20.0, 0x08: 50.0}
RATES_HZ: Final = {**_RATES_HZ, 0x09: 100.0, 0x0B: 200.0}
"""Register 0x03 to rate."""

COUNTS_PER_G: Final = 32768 / 16
_UNLOCK: Final = (0x69, 0xB588)
_UNLOCKED_NS: Final = 10 * 10**9
_SAVE, _RATE, _READ = 0x00, 0x03, 0x27
_BATTERY, _TEMPERATURE = 0x64, 0x40
_REPLY_NS: Final = 5_000_000


class Witmotion(StreamingFirmware):
    """A WT901BLE: streams as soon as it is subscribed to, at 10 Hz until told otherwise.

    Parameters
    ----------
    battery_v
        Cell voltage; register 0x64 holds hundredths of a volt.
    rate_code
        Saved content of the rate register.
    frames_per_notification
        Newer firmware at high rates packs several frames; 1 as sold.
    """

    service_uuids = (WITMOTION_SERVICE,)

    usual_name = "WT901BLE68"
    usual_address = "C0:57:49:54:00:01"

    def __init__(
        self,
        motion: Motion,
        *,
        battery_v: float = 3.93,
        rate_code: int = 0x06,
        frames_per_notification: int = 1,
        **body: Unpack[Body],
    ) -> None:
        super().__init__(motion, **body)
        self.battery_v = battery_v
        self._frames = frames_per_notification
        self._saved = {_RATE: rate_code}
        self._registers = dict(self._saved)
        self._unlocked_until_ns = 0

    @property
    def services(self) -> tuple[Service, ...]:
        """One service: frames out, commands in."""
        return (
            Service(
                WITMOTION_SERVICE,
                (
                    Characteristic(WITMOTION_NOTIFY, (READ, NOTIFY)),
                    Characteristic(WITMOTION_WRITE, (READ, WRITE, WRITE_COMMAND)),
                ),
            ),
        )

    @property
    def data_char(self) -> str:
        """Frames and register replies share it."""
        return WITMOTION_NOTIFY

    @property
    def packet_samples(self) -> int:
        """Frames in a notification."""
        return self._frames

    def on_subscribe(self, char: str, on: bool, t_ns: int) -> None:
        """Stream while somebody listens."""
        super().on_subscribe(char, on, t_ns)
        if char == WITMOTION_NOTIFY:
            if on:
                self.start(RATES_HZ[self._registers[_RATE]], t_ns)
            else:
                self.stop(t_ns)

    def on_write(self, char: str, value: bytes, t_ns: int) -> None:
        """Take ``FF AA reg lo hi``; anything else is ignored, as is a setting while locked."""
        super().on_write(char, value, t_ns)
        if char != WITMOTION_WRITE or len(value) != 5 or value[:2] != b"\xff\xaa":
            return
        register, content = value[2], int.from_bytes(value[3:5], "little")
        if (register, content) == _UNLOCK:
            self._unlocked_until_ns = t_ns + _UNLOCKED_NS
        elif register == _READ:
            self._reply_register(content, t_ns)
        elif t_ns >= self._unlocked_until_ns:
            return
        elif register == _SAVE and content == 0:
            self._saved = dict(self._registers)
        elif register == _RATE and content in RATES_HZ:
            self._registers[_RATE] = content
            if self.streaming:
                self.start(RATES_HZ[content], t_ns)

    def reboot(self, t_ns: int) -> None:
        """Start anew with the saved registers, locked."""
        super().reboot(t_ns)
        self._registers = dict(self._saved)
        self._unlocked_until_ns = 0

    def digitise(self, xyz_g: Samples) -> Digital:
        """Return nine int16 a sample: acceleration, angular rate (always still), roll, pitch and yaw (zero)."""
        x, y, z = xyz_g.T
        words = np.zeros((len(xyz_g), 9), "<i2")
        words[:, :3] = np.clip(np.rint(xyz_g * COUNTS_PER_G), -32768, 32767)
        words[:, 6] = np.rint(np.arctan2(y, z) * (32767 / np.pi))
        words[:, 7] = np.rint(np.arctan2(-x, np.hypot(y, z)) * (32767 / np.pi))
        return words

    def in_g(self, digital: Digital) -> Samples:
        """Return the acceleration in the first three words."""
        return np.asarray(digital[:, :3] / COUNTS_PER_G, np.float64)

    def encode(self, first: int, t_ns: Times, digital: Digital) -> tuple[bytes, ...]:
        """Turn readings into ``55 61`` frames."""
        return (b"".join(b"\x55\x61" + row.tobytes() for row in digital),)

    def _reply_register(self, register: int, t_ns: int) -> None:
        words = [0] * 8
        if register == _BATTERY:
            words[0] = round(self.battery_v * 100)
        elif register == _TEMPERATURE:
            words[0] = 3150
        elif register == _RATE:
            words[0] = self._registers[_RATE]
        self.reply(WITMOTION_NOTIFY, b"\x55\x71" + struct.pack("<H8h", register, *words), t_ns + _REPLY_NS)
