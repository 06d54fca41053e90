"""Time as a dependency, so that a day can pass in a second and no test has to sleep."""

from __future__ import annotations

import asyncio
import heapq
import itertools
import time
from typing import Protocol


class Clock(Protocol):
    """What the stages know of time."""

    def utc_ns(self) -> int:
        """Return the wall clock: UTC nanoseconds since 1970. It may be stepped."""
        ...

    def monotonic_ns(self) -> int:
        """Return a clock that never goes back; its zero is arbitrary."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait for so many seconds of this clock."""
        ...


class SystemClock:
    """The machine's own clocks."""

    def utc_ns(self) -> int:
        """Return the machine's UTC time in nanoseconds."""
        return time.time_ns()

    def monotonic_ns(self) -> int:
        """Return the machine's monotonic time in nanoseconds."""
        return time.monotonic_ns()

    async def sleep(self, seconds: float) -> None:
        """Wait in real time."""
        await asyncio.sleep(max(0.0, seconds))


class DrivenClock:
    """A clock that stands still until somebody drives it.

    A simulator advances it to the instant of each packet, so that everything behind it lives in the packet's time,
    however fast or slow the machine is. `step_utc` moves the wall clock alone, as an NTP step does.

    Parameters
    ----------
    start_utc_ns
        Wall time at the start, UTC nanoseconds.
    """

    def __init__(self, start_utc_ns: int = 0) -> None:
        self._monotonic_ns = 0
        self._offset_ns = start_utc_ns
        self._order = itertools.count()
        self._sleepers: list[tuple[int, int, asyncio.Future[None]]] = []

    def utc_ns(self) -> int:
        """Return the driven wall time, UTC nanoseconds."""
        return self._monotonic_ns + self._offset_ns

    def monotonic_ns(self) -> int:
        """Return the nanoseconds driven so far."""
        return self._monotonic_ns

    async def sleep(self, seconds: float) -> None:
        """Wait until the clock has been driven so many seconds further; at least one turn of the event loop."""
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        wake_ns = self._monotonic_ns + round(seconds * 1e9)
        heapq.heappush(self._sleepers, (wake_ns, next(self._order), future))
        await future

    def advance_to_utc(self, utc_ns: int) -> None:
        """Drive the clock forward to a wall time; a time already passed changes nothing."""
        self.advance_ns(max(0, utc_ns - self.utc_ns()))

    def advance(self, seconds: float) -> None:
        """Drive the clock forward by so many seconds and wake whoever waited for it, in order."""
        self.advance_ns(round(seconds * 1e9))

    def advance_ns(self, delta_ns: int) -> None:
        """Drive the clock forward by so many nanoseconds and wake whoever waited for it, in order.

        Raises
        ------
        ValueError
            If asked to go back.
        """
        if delta_ns < 0:
            raise ValueError(f"a clock cannot be driven back (asked for {delta_ns} ns)")
        self._monotonic_ns += delta_ns
        while self._sleepers and self._sleepers[0][0] <= self._monotonic_ns:
            _, _, future = heapq.heappop(self._sleepers)
            if not future.done():
                future.set_result(None)

    def step_utc(self, seconds: float) -> None:
        """Step the wall clock, as NTP or a person does; monotonic time and sleepers do not notice."""
        self._offset_ns += round(seconds * 1e9)

    @property
    def next_wake_utc_ns(self) -> int | None:
        """Wall time at which the next sleeper wakes, or None when nobody sleeps."""
        live = [wake for wake, _, future in self._sleepers if not future.done()]
        return min(live) + self._offset_ns if live else None
