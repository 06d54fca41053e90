"""Drives a radio and a clock in lock step, so that a replay is the same at any speed.

The clock is advanced from one thing that happens to the next (a packet arrives, somebody's sleep ends), and goes on
only when the client has read what came and has settled. A day then passes as fast as the machine can take it, and
every packet still arrives at its own time.

What BlueZ and bleak do between themselves (scan, connect, disconnect) takes real time whatever the speed. While a
wearable in range is not subscribed to, or not told to stream yet, driven time passes no faster than real time.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Awaitable, Callable
from typing import Final

from firmware_sim.radio import VirtualRadio
from spineclip.contract.clock import DrivenClock

_TURNS: Final = 2
"""Turns of the event loop after which a client in the same loop has usually read what was sent."""
_LONGEST_NAP_S: Final = 0.02
_BEFORE_START_NS: Final = 1_000_000
_IDLE_SPEED: Final = 1.0
"""No faster passes time while a wearable in range does not stream yet."""
_PATIENCE_S: Final = 30.0
"""So long, in real seconds, a client may leave something unread."""


class Conductor:
    """Moves time.

    Parameters
    ----------
    radio
        A radio that was opened with the same clock.
    clock
        The clock that everything under test lives by.
    speed
        Driven seconds per real second at most; infinite for as fast as it goes.
    settled
        Awaited after every step: returns when what was delivered has been worked off.
    skip_silence_s
        When no wearable has anything to say for longer than this (a gap in a recording), the wall clock is stepped
        over it as if the host had been suspended, and monotonic time stands still. None lets the time pass.
    grain_s
        Go at least so far in one step: packets then arrive in small bursts, up to so much late, as from a host that
        looks at its radio only so often. Worth it where speed matters more than when exactly a packet arrived.
    """

    def __init__(
        self,
        radio: VirtualRadio,
        clock: DrivenClock,
        *,
        speed: float = math.inf,
        settled: Callable[[], Awaitable[None]] | None = None,
        skip_silence_s: float | None = None,
        grain_s: float = 0.0,
    ) -> None:
        if not speed > 0:
            raise ValueError(f"time cannot pass at a speed of {speed}")
        self._radio = radio
        self._clock = clock
        self._speed = speed
        self._settled = settled
        self._skip_ns = None if skip_silence_s is None else round(skip_silence_s * 1e9)
        self._grain_ns = round(grain_s * 1e9)
        self._anchor: tuple[float, float, int] | None = None
        self.steps = 0

    @property
    def attended(self) -> bool:
        """Whether every wearable in range is subscribed to and has been started."""
        return all(one.attended for one in self._radio.devices if one.in_range)

    async def begin_at(self, utc_ns: int, *, timeout_s: float = 60.0) -> None:
        """Wait until all wearables are subscribed to, then set the wall clock to just before `utc_ns`.

        Time passes meanwhile, so the clock should have been made for some minutes earlier; a motion that begins at
        `utc_ns` is then heard from its first sample on, however long connecting took.

        Raises
        ------
        TimeoutError
            If nobody subscribes within `timeout_s` real seconds.
        """
        deadline = time.monotonic() + timeout_s
        while not (self.attended and self._radio.subscribed):
            if time.monotonic() > deadline:
                raise TimeoutError(f"nobody subscribed to the wearables within {timeout_s:g} s")
            await self._advance(utc_ns - 2 * _BEFORE_START_NS)
        self._step_to(utc_ns - _BEFORE_START_NS)
        for device in self._radio.devices:
            device.restart_link()

    async def run(self, until_ns: int) -> None:
        """Drive time up to `until_ns`, UTC nanoseconds.

        Raises
        ------
        TimeoutError
            If a client leaves something unread for too long.
        """
        while self._clock.utc_ns() < until_ns:
            await self._advance(until_ns)

    async def _advance(self, until_ns: int) -> None:
        """Drive time to whatever comes first, or as far as the speed allows."""
        now = self._clock.utc_ns()
        attended = self.attended and self._radio.subscribed
        due = self._radio.next_ns()
        if attended and self._skip_ns is not None and due is not None and due - now > self._skip_ns:
            self._step_to(due - _BEFORE_START_NS if due <= until_ns else until_ns)
            return
        wake = self._clock.next_wake_utc_ns
        target = max(now, min(one for one in (due, wake, until_ns) if one is not None))
        target = max(target, min(now + self._grain_ns, until_ns))
        allowed = self._allowed_ns(self._speed if attended else min(self._speed, _IDLE_SPEED), now)
        if target > allowed:
            if allowed > now and not self._grain_ns:
                self._clock.advance_to_utc(allowed)
            await asyncio.sleep(min(_LONGEST_NAP_S, max(0.001, self._real_s(target - allowed))))
            return
        self._clock.advance_to_utc(target)
        self.steps += 1
        if wake is not None and wake <= target:
            await self._settle()
        if due is not None and due <= target:
            self._radio.step(target)
            await self._settle()

    def _step_to(self, utc_ns: int) -> None:
        """Set the wall clock, to the nanosecond."""
        while missing := utc_ns - self._clock.utc_ns():
            self._clock.step_utc(missing / 1e9)
        self._anchor = None

    def _allowed_ns(self, speed: float, now_ns: int) -> int:
        """Return how far time may have gone by now at this speed, counted from the last change of speed."""
        if math.isinf(speed):
            self._anchor = None
            return 2**62
        if self._anchor is None or self._anchor[0] != speed:
            self._anchor = (speed, time.monotonic(), now_ns)
        _, real_s, driven_ns = self._anchor
        return driven_ns + round((time.monotonic() - real_s) * speed * 1e9)

    def _real_s(self, driven_ns: int) -> float:
        return driven_ns / 1e9 / self._anchor[0] if self._anchor is not None else 0.0

    async def _settle(self) -> None:
        """Wait until the clients have read everything, and then for `settled`, or for one turn of the event loop."""
        for _ in range(_TURNS):
            await asyncio.sleep(0)
        if self._radio.unread():
            await self._read()
        if self._settled is not None:
            await self._settled()
        else:
            await asyncio.sleep(0)

    async def _read(self) -> None:
        deadline = time.monotonic() + _PATIENCE_S
        turns = 0
        while self._radio.unread():
            turns += 1
            await asyncio.sleep(0 if turns < 100 else 0.0005)
            if time.monotonic() > deadline:
                raise TimeoutError(f"a client has left its messages unread for {_PATIENCE_S:g} s")
