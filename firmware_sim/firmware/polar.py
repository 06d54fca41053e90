"""Polar H10, Verity Sense and OH1: Polar Measurement Data (PMD), raw and delta-compressed acceleration frames.

Layout and commands: Polar BLE SDK, technical_documentation/online_measurement.pdf (v1.0, August 2024); clocks:
documentation/TimeSystemExplained.md and KnownIssues.md of the same SDK.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Unpack

import numpy as np

from collector.wearables.uuids import POLAR_COMPANY, POLAR_PMD_CONTROL, POLAR_PMD_DATA, POLAR_PMD_SERVICE, sig
from firmware_sim.firmware.base import (
    INDICATE,
    NOTIFY,
    READ,
    WRITE,
    AttError,
    Characteristic,
    Motion,
    Samples,
    Service,
    Times,
)
from firmware_sim.firmware.delta import compress
from firmware_sim.firmware.peripheral import battery, device_information
from firmware_sim.firmware.streaming import Body, Digital, StreamingFirmware

EPOCH_2000_NS: Final = 946_684_800 * 10**9
"""2000-01-01T00:00:00Z, where Polar's time begins, as UTC nanoseconds since 1970."""
DEFAULT_CLOCK_NS: Final = 599_616_000 * 10**9
"""2019-01-01 in Polar's time: what an H10 shows after it was without power."""

_HEART_RATE_SERVICE, _HEART_RATE = sig(0x180D), sig(0x2A37)
_ACC, _SDK_MODE = 2, 9
_GET_SETTINGS, _START, _STOP = 1, 2, 3
_OK, _BAD_OPCODE, _BAD_TYPE, _BAD_LENGTH, _BAD_PARAMETER, _IN_STATE, _BAD_RATE = 0, 1, 2, 4, 5, 6, 8
_RATE, _RESOLUTION, _RANGE, _CHANNELS, _FACTOR = 0, 1, 2, 4, 5
_WIDTHS: Final = {0: 2, 1: 2, 2: 2, 3: 4, 4: 1, 5: 4, 6: 16}
_REPLY_NS: Final = 20_000_000
_COMPRESSED: Final = 0x80


@dataclass(frozen=True, slots=True)
class Model:
    """What distinguishes one Polar product."""

    name: str
    features: int
    rates_hz: tuple[int, ...]
    ranges_g: tuple[int, ...]
    sdk_rates_hz: tuple[int, ...]
    sdk_ranges_g: tuple[int, ...]
    channels: bool
    compressed: bool
    packet_samples: int
    set_clock: bool


H10: Final = Model("Polar H10", 0x05, (25, 50, 100, 200), (2, 4, 8), (), (), False, False, 36, False)
"""16-bit mG, 36 samples a frame; no settings for channels; ECG (bit 0) and ACC (bit 2)."""

VERITY_SENSE: Final = Model(
    "Polar Sense", 0x026E, (52,), (8,), (26, 52, 104, 208, 416), (2, 4, 8, 16), True, True, 32, True
)
"""Compressed 16-bit counts and a factor to g; PPG, ACC, PPI, gyroscope, magnetometer, SDK mode."""

OH1: Final = Model("Polar OH1", 0x0E, (50,), (8,), (), (), False, False, 36, False)
"""16-bit mG as an H10 (polar-ble-sdk issues 213 and 317); PPG, ACC, PPI. How its clock begins is not documented."""


class Polar(StreamingFirmware):
    """An H10, Verity Sense or OH1 that streams acceleration.

    Parameters
    ----------
    model
        `H10`, `VERITY_SENSE` or `OH1`.
    clock_ns
        What its clock shows at boot, nanoseconds since 2000; by default 2019-01-01 for an H10 (power lost), and the
        true time for a Verity Sense.
    battery_pct
        For the battery service.
    block_samples
        Samples in a compression block; devices choose this themselves.
    """

    service_uuids = (_HEART_RATE_SERVICE,)

    usual_address = "C0:50:4F:4C:00:01"

    def __init__(
        self,
        motion: Motion,
        *,
        model: Model = H10,
        serial: str = "7C2A1B0F",
        clock_ns: int | None = None,
        battery_pct: int = 87,
        block_samples: int = 12,
        **body: Unpack[Body],
    ) -> None:
        body.setdefault("name", f"{model.name} {serial}")
        super().__init__(motion, **body)
        self.model = model
        self.battery_pct = battery_pct
        self._shown_ns = clock_ns
        self._block = block_samples
        self._sdk_mode = False
        self._range_g = model.ranges_g[-1]

    @property
    def manufacturer_data(self) -> Mapping[int, bytes]:  # type: ignore[override]
        """Status bits (battery, skin contact) and padding, under Polar's company number."""
        return {POLAR_COMPANY: bytes([0x33, 0x00, 0x00, 0x00])}

    @property
    def services(self) -> tuple[Service, ...]:
        """Heart rate (silent here), PMD, battery, device information."""
        pmd = Service(
            POLAR_PMD_SERVICE,
            (Characteristic(POLAR_PMD_CONTROL, (READ, WRITE, INDICATE)), Characteristic(POLAR_PMD_DATA, (NOTIFY,))),
        )
        heart = Service(_HEART_RATE_SERVICE, (Characteristic(_HEART_RATE, (NOTIFY,)),))
        about = device_information("Polar Electro Oy", self.model.name.removeprefix("Polar "))
        return (heart, pmd, battery(self.battery_pct), about)

    @property
    def data_char(self) -> str:
        """Frames come here."""
        return POLAR_PMD_DATA

    @property
    def packet_samples(self) -> int:
        """Samples in a frame."""
        return self.model.packet_samples

    @property
    def factor(self) -> float:
        """Conversion factor from counts to g, as float32 like on the wire: 0.244 mg at 8 g."""
        return float(np.float32(self._range_g * 30.5e-6))

    def on_read(self, char: str, t_ns: int) -> bytes:
        """Return the supported measurements from the control point."""
        if char == POLAR_PMD_CONTROL:
            return b"\x0f" + self.model.features.to_bytes(2, "little") + bytes(14)
        return super().on_read(char, t_ns)

    def on_write(self, char: str, value: bytes, t_ns: int) -> None:
        """Take a command of the control point and indicate the answer."""
        super().on_write(char, value, t_ns)
        if char != POLAR_PMD_CONTROL:
            return
        if not self.is_subscribed(POLAR_PMD_CONTROL):
            raise AttError(0xFD)  # client characteristic configuration descriptor improperly configured
        operation = value[0] if value else 0
        kind = value[1] & 0x3F if len(value) > 1 else 0
        status, parameters = self._obey(operation, kind, value, t_ns)
        self.reply(POLAR_PMD_CONTROL, bytes([0xF0, operation, kind, status, 0]) + parameters, t_ns + _REPLY_NS)

    def reboot(self, t_ns: int) -> None:
        """Start anew: an H10's clock falls back to 2019; a Verity Sense keeps the time and leaves its SDK mode."""
        self._shown_ns = self._time_ns(t_ns) if self.model.set_clock else DEFAULT_CLOCK_NS
        super().reboot(t_ns)
        self._sdk_mode = False

    def on_disconnect(self, t_ns: int) -> None:
        """Stop; the SDK mode ends with the link."""
        super().on_disconnect(t_ns)
        self._sdk_mode = False

    def digitise(self, xyz_g: Samples) -> Digital:
        """Return int16: mG within the range (H10) or counts of the range (Verity Sense)."""
        if not self.model.compressed:
            limit = self._range_g * 1000
            return np.clip(np.rint(xyz_g * 1000.0), -limit, limit).astype("<i2")
        return np.clip(np.rint(xyz_g / self.factor), -32768, 32767).astype("<i2")

    def in_g(self, digital: Digital) -> Samples:
        """Return what the frame says."""
        return np.asarray(digital * (self.factor if self.model.compressed else 1e-3), np.float64)

    def encode(self, first: int, t_ns: Times, digital: Digital) -> tuple[bytes, ...]:
        """Turn samples into one frame; its time is that of the last sample."""
        head = struct.pack("<BQ", _ACC, self._time_ns(int(t_ns[-1])) % 2**64)
        if not self.model.compressed:
            return (head + b"\x01" + digital.tobytes(),)
        rest = len(digital) - 1
        blocks = [min(self._block, rest - at) for at in range(0, rest, self._block)]
        return (head + bytes([_COMPRESSED]) + compress(digital, 16, blocks),)

    def _time_ns(self, t_ns: int) -> int:
        """Return what its clock shows at a true time, nanoseconds since 2000."""
        if self._shown_ns is None:
            boot_ns = self._at(t_ns).boot_ns
            self._shown_ns = boot_ns - EPOCH_2000_NS if self.model.set_clock else DEFAULT_CLOCK_NS
        return self._shown_ns + self.elapsed_ns(t_ns)

    def _obey(self, operation: int, kind: int, value: bytes, t_ns: int) -> tuple[int, bytes]:
        if operation not in {_GET_SETTINGS, _START, _STOP}:
            return _BAD_OPCODE, b""
        if kind == _SDK_MODE and self.model.sdk_rates_hz and operation != _GET_SETTINGS:
            return self._obey_sdk_mode(operation), b""
        if kind != _ACC:
            return _BAD_TYPE, b""
        if operation == _GET_SETTINGS:
            return _OK, self._settings()
        if operation == _STOP:
            running = self.streaming
            self.stop(t_ns)
            return (_OK if running else _IN_STATE), b""
        return self._begin(value[2:], t_ns)

    def _obey_sdk_mode(self, operation: int) -> int:
        wanted = operation == _START
        if self._sdk_mode == wanted or self.streaming:
            return _IN_STATE
        self._sdk_mode = wanted
        self._range_g = self.model.ranges_g[-1]
        return _OK

    def _offer(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        if self._sdk_mode:
            return self.model.sdk_rates_hz, self.model.sdk_ranges_g
        return self.model.rates_hz, self.model.ranges_g

    def _settings(self) -> bytes:
        rates, ranges = self._offer()
        out = bytearray()
        for setting, choices in ((_RATE, rates), (_RESOLUTION, (16,)), (_RANGE, ranges)):
            out += bytes([setting, len(choices)]) + b"".join(choice.to_bytes(2, "little") for choice in choices)
        return bytes(out + b"\x04\x01\x03") if self.model.channels else bytes(out)

    def _begin(self, settings: bytes, t_ns: int) -> tuple[int, bytes]:
        if self.streaming:
            return _IN_STATE, b""
        wanted = _parse(settings)
        if wanted is None:
            return _BAD_LENGTH, b""
        rates, ranges = self._offer()
        known = {_RATE, _RESOLUTION, _RANGE} | ({_CHANNELS} if self.model.channels else set())
        if wanted.get(_RATE) not in rates:
            return _BAD_RATE, b""
        sound = wanted.get(_RESOLUTION) == 16 and wanted.get(_RANGE) in ranges and set(wanted) <= known
        if not sound or wanted.get(_CHANNELS, 3) != 3:
            return _BAD_PARAMETER, b""
        self._range_g = wanted[_RANGE]
        self.start(float(wanted[_RATE]), t_ns)
        if not self.model.compressed:
            return _OK, b""
        return _OK, bytes([_FACTOR, 1]) + struct.pack("<f", self.factor)


def _parse(settings: bytes) -> dict[int, int] | None:
    """Read ``{setting, count, value}`` of a start command; None when it does not add up."""
    out: dict[int, int] = {}
    at = 0
    while at < len(settings):
        width = _WIDTHS.get(settings[at])
        if width is None or at + 2 + width > len(settings) or settings[at + 1] != 1:
            return None
        out[settings[at]] = int.from_bytes(settings[at + 2 : at + 2 + width], "little")
        at += 2 + width
    return out
