"""What all simulated wearables share: a quartz, a sensor that samples a motion, packets that fill up and go out."""

from __future__ import annotations

import heapq
import itertools
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, TypedDict, Unpack

import numpy as np
from numpy.typing import NDArray

from firmware_sim.firmware.base import Characteristic, Interrupted, Motion, Notification, Samples, Service, Times
from firmware_sim.firmware.oscillator import Oscillator
from firmware_sim.firmware.truth import Truth

_AHEAD_S: Final = 0.5
"""So much motion is sampled at a time: enough to be quick, little enough to throw away when a stream stops."""


Digital = NDArray[Any]
"""What a sensor reads, row by row: counts or numbers, at its own resolution, shape (n, k)."""


@dataclass(frozen=True, slots=True)
class _Due:
    notification: Notification
    t_ns: Times
    sent_g: Samples | None


class Body(TypedDict, total=False):
    """What all wearables have in common, and may be given when one is made; see `StreamingFirmware`."""

    name: str
    address: str
    drift_ppm: float
    boot_ns: int | None
    uptime_ns: int
    odr_error: float
    keep_truth: bool
    latency_ns: int


class StreamingFirmware(ABC):
    """A wearable that samples acceleration at a fixed rate and notifies it in packets.

    Parameters
    ----------
    motion
        What it measures.
    name, address
        As advertised; by default the family's usual ones.
    drift_ppm
        How fast its quartz runs.
    boot_ns
        True time at which its clock started; by default the first time that anything happens to it. Its samples lie
        on the grid of whole sample periods since then.
    uptime_ns
        What its clock shows at `boot_ns`: so long it has been running already. After a reboot it starts at zero.
    odr_error
        Relative error of the sensor's own sampling rate (it has an oscillator of its own; some percent are usual).
    keep_truth
        Keep every sample sent in `truth`.
    latency_ns
        From a packet's last sample to its hand-over to the radio.
    """

    usual_name: str = ""
    usual_address: str = ""
    service_uuids: tuple[str, ...] = ()
    manufacturer_data: Mapping[int, bytes] = {}
    mtu: int = 247

    def __init__(self, motion: Motion, **body: Unpack[Body]) -> None:
        self.name = body.get("name", self.usual_name)
        self.address = body.get("address", self.usual_address)
        self.truth = Truth(keep=body.get("keep_truth", True))
        self.reboots = 0
        self.finished = False
        self._motion = motion
        self._drift_ppm = body.get("drift_ppm", 0.0)
        boot_ns = body.get("boot_ns")
        self._clock = None if boot_ns is None else Oscillator(boot_ns, self._drift_ppm)
        self._latency_ns = body.get("latency_ns", 0)
        self._uptime_ns = body.get("uptime_ns", 0)
        self._odr_error = body.get("odr_error", 0.0)
        self._nominal_hz = 0.0
        self._rate_hz = 0.0
        self._streaming = False
        self._next_index = 0
        self._carry_index = 0
        self._carry: tuple[Times, Samples] | None = None
        self._due: deque[_Due] = deque()
        self._replies: list[tuple[int, int, Notification]] = []
        self._order = itertools.count()
        self._subscribed: set[str] = set()

    # --- what a wearable family fills in -------------------------------------------------------------------------

    @property
    @abstractmethod
    def services(self) -> tuple[Service, ...]:
        """The GATT table."""

    @property
    @abstractmethod
    def data_char(self) -> str:
        """The characteristic that carries the samples."""

    @property
    @abstractmethod
    def packet_samples(self) -> int:
        """Samples in a full packet."""

    @abstractmethod
    def digitise(self, xyz_g: Samples) -> Digital:
        """Return what the sensor reads, for many samples at once."""

    @abstractmethod
    def in_g(self, digital: Digital) -> Samples:
        """Return the acceleration that these readings say, g (n, 3)."""

    @abstractmethod
    def encode(self, first: int, t_ns: Times, digital: Digital) -> tuple[bytes, ...]:
        """Turn one packet's readings, samples ``first ..`` of this boot, into its notifications."""

    def stamp(self, value: bytes) -> bytes:
        """Finish a data notification at the moment it goes out, such as with a counter; by default it is finished."""
        return value

    @property
    def sends_partial(self) -> bool:
        """Whether a packet that a silence interrupts goes out short; else its samples are lost."""
        return True

    def on_write(self, char: str, value: bytes, t_ns: int) -> None:
        """Take a command; by default ignore it."""
        self._at(t_ns)

    def on_read(self, char: str, t_ns: int) -> bytes:
        """Return the constant value of the GATT table."""
        self._at(t_ns)
        return self._characteristic(char).value

    # --- the Firmware interface ----------------------------------------------------------------------------------

    def on_connect(self, t_ns: int) -> None:
        """A central has connected."""
        self._at(t_ns)
        self._subscribed.clear()

    def on_disconnect(self, t_ns: int) -> None:
        """Forget subscriptions and the stream, as peripherals do at the end of a link."""
        self._at(t_ns)
        self._subscribed.clear()
        self._replies.clear()
        self.stop(t_ns)

    def on_subscribe(self, char: str, on: bool, t_ns: int) -> None:
        """Switch notifications of `char` on or off."""
        self._at(t_ns)
        if on:
            self._subscribed.add(char)
        else:
            self._subscribed.discard(char)

    def reboot(self, t_ns: int) -> None:
        """Start anew: the quartz counts from zero again, the stream is forgotten."""
        self.reboots += 1
        self.on_disconnect(t_ns)
        self._clock = Oscillator(t_ns, self._drift_ppm)
        self._uptime_ns = 0

    def next_ns(self) -> int | None:
        """Return when the next notification is due, or None while nothing is to be sent."""
        if self._streaming and not self._due:
            self._fill()
        times = [self._due[0].notification.t_ns] if self._due else []
        if self._replies:
            times.append(self._replies[0][0])
        return min(times) if times else None

    def events(self, until_ns: int) -> list[Notification]:
        """Take the notifications that are due up to and including `until_ns`, oldest first."""
        out: list[Notification] = []
        while (due := self.next_ns()) is not None and due <= until_ns:
            if self._replies and self._replies[0][0] == due:
                out.append(heapq.heappop(self._replies)[2])
                continue
            one = self._due.popleft()
            if one.notification.char not in self._subscribed:
                continue
            stamped = self.stamp(one.notification.value)
            same = stamped is one.notification.value
            out.append(one.notification if same else replace(one.notification, value=stamped))
            if one.sent_g is not None:
                self.truth.add(one.t_ns, one.sent_g)
        return out

    # --- for the families ----------------------------------------------------------------------------------------

    @property
    def rate_hz(self) -> float:
        """Nominal rate of the running (or last) stream."""
        return self._nominal_hz

    @property
    def streaming(self) -> bool:
        """Whether samples go out."""
        return self._streaming

    def is_subscribed(self, char: str) -> bool:
        """Whether the central listens to `char`."""
        return char in self._subscribed

    def start(self, rate_hz: float, t_ns: int) -> None:
        """Begin to stream with the first sample after `t_ns`; a running stream is replaced."""
        clock = self._at(t_ns)
        self._nominal_hz = rate_hz
        self._rate_hz = rate_hz * (1.0 + self._odr_error)
        self._streaming = True
        self._forget()
        self._next_index = clock.next_sample(t_ns, self._rate_hz)

    def stop(self, t_ns: int) -> None:
        """Stop the stream; what was sampled but not sent is lost."""
        self._at(t_ns)
        self._streaming = False
        self._forget()

    def reply(self, char: str, value: bytes, t_ns: int) -> None:
        """Send an answer besides the stream, if the central listens."""
        if char in self._subscribed:
            heapq.heappush(self._replies, (t_ns, next(self._order), Notification(t_ns, char, value)))

    def elapsed_ns(self, t_ns: int) -> int:
        """Return what the wearable's own clock shows, nanoseconds."""
        return self._at(t_ns).elapsed_ns(t_ns) + self._uptime_ns

    def _at(self, t_ns: int) -> Oscillator:
        if self._clock is None:
            self._clock = Oscillator(t_ns, self._drift_ppm)
        return self._clock

    def _characteristic(self, uuid: str) -> Characteristic:
        for service in self.services:
            for one in service.characteristics:
                if one.uuid == uuid:
                    return one
        raise KeyError(uuid)

    def _forget(self) -> None:
        self._due.clear()
        self._carry = None

    def _fill(self) -> None:
        """Sample ahead until at least one packet is ready; a motion that is over ends the stream."""
        clock = self._clock
        assert clock is not None  # noqa: S101 - start() has set it
        while self._streaming and not self._due:
            n = max(self.packet_samples, int(self._rate_hz * _AHEAD_S), 1)
            t = clock.sample_times_ns(self._next_index, n, self._rate_hz)
            if isinstance(self._motion, Interrupted):
                resumes = self._motion.resumes_ns(int(t[0]))
                if resumes is None:
                    self._end_run()
                    self._streaming = False
                    self.finished = True
                    return
                if resumes > t[-1]:
                    self._end_run()
                    self._next_index = clock.next_sample(resumes - 1, self._rate_hz)
                    continue
            self._take(self._next_index, t, self._motion.samples(t))
            self._next_index += n

    def _take(self, first: int, t: Times, xyz: Samples) -> None:
        there = ~np.isnan(xyz[:, 0])
        edges = np.flatnonzero(np.diff(there)) + 1
        for begin, end in itertools.pairwise([0, *edges.tolist(), len(t)]):
            if there[begin]:
                self._extend_run(first + begin, t[begin:end], xyz[begin:end])
            else:
                self._end_run()

    def _extend_run(self, first: int, t: Times, xyz: Samples) -> None:
        """Add samples without a silence before them, and send the packets that are full."""
        if self._carry is None:
            self._carry_index = first
        else:
            t, xyz = np.concatenate([self._carry[0], t]), np.concatenate([self._carry[1], xyz])
        full = len(t) // self.packet_samples * self.packet_samples
        self._emit(self._carry_index, t[:full], xyz[:full], self.packet_samples)
        self._carry_index += full
        self._carry = (t[full:], xyz[full:]) if full < len(t) else None

    def _end_run(self) -> None:
        if self._carry is not None and self.sends_partial:
            self._emit(self._carry_index, *self._carry, len(self._carry[0]))
        self._carry = None

    def _emit(self, first: int, t: Times, xyz: Samples, size: int) -> None:
        digital = self.digitise(xyz)
        sent = self.in_g(digital)
        for at in range(0, len(t), size):
            part = slice(at, at + size)
            values = self.encode(first + at, t[part], digital[part])
            due = int(t[part][-1]) + self._latency_ns
            for number, value in enumerate(values, 1):
                last = sent[part] if number == len(values) else None
                self._due.append(_Due(Notification(due, self.data_char, value), t[part], last))
