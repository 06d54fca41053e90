"""Wearables that a profile describes (`collector/wearables/profile.py`): recognised, started, decoded."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final, Literal

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
    at_least,
    from_floats,
    read_battery_level,
)
from collector.wearables.lines import LineCutter, read_csv, read_json
from collector.wearables.profile import BYTES, UNITS_G, FieldSpec, Profile, Write, read_profile

_DTYPE: Final = {
    "u8": "u1", "i8": "i1", "u16": "u2", "i16": "i2", "u32": "u4", "i32": "i4", "u64": "u8", "f32": "f4",
}  # fmt: skip
PRESETS: Final = Path(__file__).parent / "profiles"


class GenericDecoder(Rejecting):
    """Reads frames as the profile says."""

    def __init__(self, profile: Profile) -> None:
        super().__init__()
        self._profile = profile
        self._rest = b""
        self._cutter = LineCutter(self.rejects)
        self._read_line = read_json if profile.text == "json" else read_csv
        self._head_bytes = len(profile.head) + sum(BYTES[field.type] for field in profile.fields)
        self._order: Literal["little", "big"] = profile.byte_order
        number = ("<" if self._order == "little" else ">") + _DTYPE[profile.samples.type]
        self._sample = np.dtype([("xyz", number, 3), ("other", "V1", profile.samples.skip)])
        self._axes = [("xyz".index(name[-1]), -1 if name[0] == "-" else 1) for name in profile.samples.axes.split(",")]

    def feed(self, characteristic: str, data: bytes) -> list[Decoded]:
        """Take one notification."""
        if characteristic != self._profile.data:
            return self._reject("foreign-characteristic")
        if self._profile.framing == "packet":
            return self._frame(data)
        return self._stream(data) if self._profile.framing == "stream" else self._lines(data)

    # ---- framing

    def _stream(self, data: bytes) -> list[Decoded]:
        head = self._profile.head
        size = self._head_bytes + self._profile.packet_samples * self._sample.itemsize
        buffer = self._rest + data
        found: list[Decoded] = []
        at = 0
        while True:
            start = buffer.find(head, at)
            if start < 0:
                start = max(at, len(buffer) - len(head) + 1)  # its beginning may be here already
            if start > at:
                self.rejects["resync"] += 1
            at = start
            if len(buffer) - at < size:
                break
            found += self._frame(buffer[at : at + size])
            at += size
        self._rest = buffer[at:]
        return found

    def _lines(self, data: bytes) -> list[Decoded]:
        found: list[Decoded] = []
        for line in self._cutter.feed(data):
            read = self._read_line(self._profile, line)
            found += self._reject(read) if isinstance(read, str) else self._made(*read)
        return found

    # ---- one frame

    def _frame(self, frame: bytes) -> list[Decoded]:
        profile = self._profile
        if len(frame) < self._head_bytes:
            return self._reject("truncated")
        if not frame.startswith(profile.head):
            return self._reject("head")
        at = len(profile.head)
        numbers: list[tuple[FieldSpec, int]] = []
        for field in profile.fields:
            size = BYTES[field.type]
            number = int.from_bytes(frame[at : at + size], self._order, signed=field.type.startswith("i"))
            numbers.append((field, number))
            at += size
        body = frame[at:]
        if len(body) % self._sample.itemsize:
            return self._reject("wrong-length")
        return self._made(numbers, np.frombuffer(body, self._sample)["xyz"])

    def _made(self, numbers: list[tuple[FieldSpec, int]], values: NDArray[np.generic]) -> list[Decoded]:
        if any(field.must_be is not None and number != field.must_be for field, number in numbers):
            return self._reject("other-version")
        told: dict[str, int] = {field.name: number for field, number in numbers}
        if told.get("samples", len(values)) != len(values):
            return self._reject("wrong-length")
        battery = told.get("battery")
        battery = battery if battery is not None and 0 <= battery <= 100 else None
        if not len(values):
            return [Decoded(NO_SAMPLES, battery_pct=battery)]
        made = self._scaled(values, told)
        if isinstance(made, str):
            return self._reject(made)
        return [Decoded(*made, tick=told.get("time"), counter=told.get("counter"), battery_pct=battery)]

    def _scaled(self, values: NDArray[np.generic], told: dict[str, int]) -> tuple[NDArray[np.int16], float] | str:
        samples = self._profile.samples
        scale = samples.scale
        if samples.scales and samples.mask is not None:
            chosen = told["flags"] & samples.mask
            if chosen >= len(samples.scales):
                return "flags"
            scale = samples.scales[chosen]
        unit_g = scale * UNITS_G[samples.unit]
        turned = np.stack([values[:, column] for column, _ in self._axes], axis=1)
        signs = np.array([sign for _, sign in self._axes])
        if values.dtype.itemsize <= 2 and values.dtype.kind in "iu":
            counts = turned.astype(np.int64) * signs
            if int(np.abs(counts).max()) <= 32_767 and 32_768 * unit_g < 64.0:
                return counts.astype(np.int16), unit_g
        return from_floats(turned.astype(np.float64) * signs, unit_g, self._profile.range_g)


@dataclass(frozen=True)
class Generic:
    """The family of wearables that a profile describes."""

    profile: Profile

    @property
    def kind(self) -> str:
        """Short name."""
        return self.profile.kind

    @property
    def label(self) -> str:
        """Name for people."""
        return self.profile.label

    @property
    def hardware_seen(self) -> bool:
        """Whether its author has tried it."""
        return self.profile.hardware_seen

    @property
    def notify(self) -> tuple[str, ...]:
        """The data characteristic."""
        return (self.profile.data,)

    @cached_property
    def clock(self) -> TickClock | None:
        """The time field."""
        time = self.profile.time
        if time is None:
            return None
        bits = self._bits("time")
        return None if bits is None else TickClock(time.tick_ns, bits, time.of)

    @cached_property
    def counter_bits(self) -> int | None:
        """Width of the counter field."""
        return self._bits("counter")

    @cached_property
    def rates_hz(self) -> tuple[float, ...]:
        """Rates, rising."""
        return tuple(rate.hz for rate in self.profile.rates)

    @property
    def ranges_g(self) -> tuple[float, ...]:
        """The one range."""
        return (self.profile.range_g,)

    def _bits(self, name: str) -> int | None:
        return next((8 * BYTES[field.type] for field in self.profile.fields if field.name == name), None)

    def recognise(self, seen: Advertisement) -> bool:
        """Tell by service or name."""
        return self.profile.service in seen.services or (
            bool(self.profile.names) and seen.name.startswith(self.profile.names)
        )

    def decoder(self, stream: Stream) -> GenericDecoder:
        """Make the decoder for one connection."""
        return GenericDecoder(self.profile)

    def plan(self, rate_hz: float, range_g: float) -> Stream:
        """Choose the rate."""
        return Stream(at_least(self.rates_hz, rate_hz), self.profile.range_g, self.profile.packet_samples)

    async def prepare(self, gatt: Gatt, stream: Stream) -> None:
        """Write what the profile says for the start, and for the rate."""
        chosen = next(rate for rate in self.profile.rates if rate.hz == stream.rate_hz)
        await _write(gatt, (*self.profile.prepare, *chosen.writes))

    async def start(self, gatt: Gatt, stream: Stream) -> None:
        """Write what the profile says."""
        await _write(gatt, self.profile.start)

    async def stop(self, gatt: Gatt) -> None:
        """Write what the profile says."""
        await _write(gatt, self.profile.stop)

    async def ask_battery(self, gatt: Gatt) -> int | None:
        """Read the battery service, when the profile says that there is one."""
        return await read_battery_level(gatt) if self.profile.battery == "service" else None

    async def buzz(self, gatt: Gatt) -> bool:
        """Write what the profile names for it; False where it names nothing, or nothing that the wearable has."""
        there = tuple(one for one in self.profile.buzz if gatt.has(one.to))
        await _write(gatt, there)
        return bool(there)


async def _write(gatt: Gatt, writes: tuple[Write, ...]) -> None:
    for one in writes:
        if gatt.has(one.to):
            await gatt.write(one.to, one.bytes_, response=one.response)


def presets() -> list[Generic]:
    """Read the profiles that come with spineclip, by file name."""
    return [Generic(read_profile(path)) for path in sorted(PRESETS.glob("*.yaml"))]
