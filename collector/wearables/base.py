"""What the collector asks of a wearable: to be recognised, started, stopped, and its bytes decoded.

A wearable is a value without state (`Wearable`); what one connection needs to remember lives in its `Decoder`.
Decoders never raise on bytes from the air: what they cannot use is counted by reason in `rejects`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from collector.wearables.uuids import BATTERY_LEVEL

STANDARD_GRAVITY_MPS2 = 9.80665
"""Metres per second squared in one g (CGPM 1901)."""


@dataclass(frozen=True, slots=True)
class Advertisement:
    """What a wearable says of itself before anybody connects; `services` are lower-case 128-bit UUIDs."""

    name: str
    address: str
    services: frozenset[str] = frozenset()
    manufacturer: Mapping[int, bytes] = field(default_factory=dict)
    rssi_dbm: int | None = None


@dataclass(frozen=True, slots=True)
class TickClock:
    """The clock field in a wearable's packets.

    Attributes
    ----------
    tick_ns
        Nanoseconds in one tick.
    bits
        Width of the field: it wraps at ``2**bits``.
    marks
        Whether the field tells the time of the first or the last sample of the packet.
    """

    tick_ns: float
    bits: int
    marks: Literal["first", "last"]


@dataclass(frozen=True, slots=True)
class Stream:
    """What a wearable was told to send: its nominal rate (the true one is measured), range, samples a packet."""

    rate_hz: float
    range_g: float
    packet_samples: int = 1


@dataclass(frozen=True, slots=True)
class Decoded:
    """What one frame held.

    Attributes
    ----------
    counts
        int16, shape (n, 3), specific force in sensor axes; n is 0 for a frame that only tells the battery.
    scale_g
        g for one count.
    tick
        The packet's raw clock field, or None; see `Wearable.clock` for its unit, width and sample.
    counter
        The packet's raw counter, or None; it wraps at ``2**Wearable.counter_bits``.
    battery_pct
        Percent, when the frame tells it.
    notice
        A sentence for the wearer or the developer, such as a refused setting; usually empty.
    """

    counts: NDArray[np.int16]
    scale_g: float = 1.0
    tick: int | None = None
    counter: int | None = None
    battery_pct: int | None = None
    notice: str = ""


class Decoder(Protocol):
    """The bytes of one connection to samples."""

    rejects: Counter[str]
    """Frames, or stretches of bytes, that could not be used, by reason."""

    def feed(self, characteristic: str, data: bytes) -> list[Decoded]:
        """Take one notification of any length; return what it completed. Never raises on any bytes."""
        ...


class Rejecting:
    """What most decoders share: they count what they could not use."""

    def __init__(self) -> None:
        self.rejects: Counter[str] = Counter()

    def _reject(self, reason: str) -> list[Decoded]:
        self.rejects[reason] += 1
        return []

    def _from_floats(self, values: NDArray[np.floating], unit_g: float, range_g: float, tick: int) -> list[Decoded]:
        made = from_floats(values, unit_g, range_g)
        return self._reject(made) if isinstance(made, str) else [Decoded(*made, tick=tick)]


class Gatt(Protocol):
    """What a wearable may do with a connection."""

    def has(self, characteristic: str) -> bool:
        """Tell whether the connected device offers it."""
        ...

    async def read(self, characteristic: str) -> bytes:
        """Read a value."""
        ...

    async def write(self, characteristic: str, data: bytes, *, response: bool) -> None:
        """Write a value, asking for a response or not."""
        ...

    async def ask(
        self,
        characteristic: str,
        data: bytes,
        *,
        answer_on: str,
        answer_head: bytes,
        response: bool,
        within_s: float = 3.0,
    ) -> bytes | None:
        """Write, and wait for the notification that begins with `answer_head`; None when it does not come in time."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Give the device time."""
        ...


class Usual:
    """What most families do: nothing that has to be said, the standard battery service, nothing to be felt."""

    async def prepare(self, gatt: Gatt, stream: Stream) -> None:
        """Nothing."""

    async def start(self, gatt: Gatt, stream: Stream) -> None:
        """Nothing: it streams as soon as somebody listens."""

    async def stop(self, gatt: Gatt) -> None:
        """Nothing: it stops when nobody listens."""

    async def ask_battery(self, gatt: Gatt) -> int | None:
        """Read the battery service."""
        return await read_battery_level(gatt)

    async def buzz(self, gatt: Gatt) -> bool:
        """It has nothing to be felt or seen by."""
        return False


class Wearable(Protocol):
    """One family of wearables.

    Attributes
    ----------
    kind
        Its short name: prefix of ids, value of ``--kind``.
    label
        Its name for people.
    hardware_seen
        Whether this decoder has been used with a real one. Said openly in ``spineclip wearables``.
    notify
        Characteristics to subscribe, in this order, before `start`; those that the device lacks are skipped.
    clock
        Its packets' clock field, or None.
    counter_bits
        Width of its packets' counter, or None.
    rates_hz, ranges_g
        What it can be asked for, rising.
    """

    @property
    def kind(self) -> str: ...  # noqa: D102
    @property
    def label(self) -> str: ...  # noqa: D102
    @property
    def hardware_seen(self) -> bool: ...  # noqa: D102
    @property
    def notify(self) -> tuple[str, ...]: ...  # noqa: D102
    @property
    def clock(self) -> TickClock | None: ...  # noqa: D102
    @property
    def counter_bits(self) -> int | None: ...  # noqa: D102
    @property
    def rates_hz(self) -> tuple[float, ...]: ...  # noqa: D102
    @property
    def ranges_g(self) -> tuple[float, ...]: ...  # noqa: D102

    def recognise(self, seen: Advertisement) -> bool:
        """Tell whether an advertisement comes from this family."""
        ...

    def decoder(self, stream: Stream) -> Decoder:
        """Make the decoder for one connection."""
        ...

    def plan(self, rate_hz: float, range_g: float) -> Stream:
        """Choose what to ask for: the lowest rate and range that it offers and that are no less than wanted."""
        ...

    async def prepare(self, gatt: Gatt, stream: Stream) -> None:
        """Set what must be set before the notifications are switched on; called at every connection."""
        ...

    async def start(self, gatt: Gatt, stream: Stream) -> None:
        """Ask for the stream; called after the notifications are on, at every connection."""
        ...

    async def stop(self, gatt: Gatt) -> None:
        """Ask it to be quiet, so that its battery lasts."""
        ...

    async def ask_battery(self, gatt: Gatt) -> int | None:
        """Read the battery in percent; None when it is unknown or will come as a notification."""
        ...

    async def buzz(self, gatt: Gatt) -> bool:
        """Make it blink, buzz or beep; False when it cannot."""
        ...


MAX_ABS_G = 64.0
"""No supported sensor measures beyond 16 g."""


def from_floats(values: NDArray[np.floating], unit_g: float, range_g: float) -> tuple[NDArray[np.int16], float] | str:
    """Turn floats from the air, shape (n, 3), into counts and scale; or say why not, as a reason to count by."""
    with np.errstate(all="ignore"):
        xyz_g = values.astype(np.float64) * unit_g
        if not np.isfinite(xyz_g).all():
            return "not-finite"
        if float(np.abs(xyz_g).max(initial=0.0)) > MAX_ABS_G:
            return "absurd-value"
    return quantise(xyz_g, range_g)


async def read_battery_level(gatt: Gatt) -> int | None:
    """Read the Bluetooth SIG's battery level characteristic, percent."""
    if not gatt.has(BATTERY_LEVEL):
        return None
    value = await gatt.read(BATTERY_LEVEL)
    return value[0] if len(value) == 1 and value[0] <= 100 else None


def at_least(choices: tuple[float, ...], wanted: float) -> float:
    """Choose the smallest of the rising `choices` that is no less than `wanted`, or the largest there is."""
    return next((choice for choice in choices if choice >= wanted), choices[-1])


def quantise(xyz_g: NDArray[np.float64], range_g: float) -> tuple[NDArray[np.int16], float]:
    """Turn g as floats into counts, for wearables that send floats; finer than any such sensor's own steps.

    Parameters
    ----------
    xyz_g
        Shape (n, 3), finite.
    range_g
        Full scale, divided into 32768 steps as sensors do; doubled until all values fit.

    Returns
    -------
    counts, scale_g
        int16 of the same shape, and g for one count.
    """
    peak_g = float(np.abs(xyz_g).max(initial=0.0))
    full_g = range_g
    while full_g < peak_g:
        full_g *= 2.0
    scale_g = full_g / 32_768.0
    return np.clip(np.rint(xyz_g / scale_g), -32_768, 32_767).astype(np.int16), scale_g


NO_SAMPLES: NDArray[np.int16] = np.empty((0, 3), dtype=np.int16)
NO_SAMPLES.flags.writeable = False
