"""Listening to a wearable for some seconds, for commands that look at it rather than collect from it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from collector.link import Link, Radio
from collector.scan import Sighting, Target
from collector.wearables import Decoder, Stream
from spineclip.contract.clock import Clock
from spineclip.contract.errors import SpineclipError


@dataclass(slots=True)
class Heard:
    """What a wearable said: its samples in g, its battery, and what went wrong, if anything did."""

    sighting: Sighting
    parts: list[NDArray[np.float64]] = field(default_factory=list)
    battery_pct: int | None = None
    error: SpineclipError | None = None
    news: asyncio.Event = field(default_factory=asyncio.Event)
    _decoder: Decoder | None = None

    def xyz_g_from(self, part: int) -> NDArray[np.float64]:
        """Return the samples from the given part on, shape (n, 3)."""
        return np.concatenate(self.parts[part:]) if len(self.parts) > part else np.empty((0, 3))

    # A Sink, without more words.
    def found(self, sighting: Sighting) -> None:  # noqa: D102
        self.sighting = sighting

    def connected(self, plan: Stream) -> None:  # noqa: D102
        self._decoder = self.sighting.wearable.decoder(plan)

    def restarted(self, plan: Stream, reason: str) -> None:  # noqa: D102
        self.connected(plan)

    def packet(self, characteristic: str, data: bytes, arrival_ns: int, utc_ns: int) -> None:  # noqa: D102
        if self._decoder is None:
            return
        for frame in self._decoder.feed(characteristic, data):
            if len(frame.counts):
                self.parts.append(frame.counts.astype(np.float64) * frame.scale_g)
            if frame.battery_pct is not None:
                self.battery_pct = frame.battery_pct
        self.news.set()

    def battery(self, percent: int) -> None:  # noqa: D102
        self.battery_pct = percent
        self.news.set()

    async def until(self, true: Callable[[], bool], seconds: float) -> bool:
        """Wait for something that a packet brings; False when it has not come in time."""
        try:
            async with asyncio.timeout(seconds):
                while not true():
                    await self.news.wait()
                    self.news.clear()
        except TimeoutError:
            return False
        return True

    def lost(self, reason: str) -> None: ...  # noqa: D102

    def trouble(self, error: SpineclipError) -> None:  # noqa: D102
        self.error = error


class Ear:
    """Keeps one wearable streaming as long as the context lasts; what it says gathers in `heard`."""

    def __init__(self, sighting: Sighting, radio: Radio, clock: Clock, *, rate_hz: float = 50.0) -> None:
        self.heard = Heard(sighting)
        self._link = Link(Target(sighting.seen.address), radio, clock, self.heard, rate_hz=rate_hz)
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Ear:
        """Begin to connect."""
        self._task = asyncio.create_task(self._link.run())
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop and disconnect."""
        self._link.stop()
        if self._task is not None:
            await self._task

    async def buzz(self) -> bool:
        """Make it felt or seen, if it can."""
        return await self._link.buzz()


async def read_battery(sighting: Sighting, radio: Radio, clock: Clock, seconds: float = 8.0) -> int | None:
    """Connect and read the battery; None when that does not work in time."""
    async with Ear(sighting, radio, clock) as ear:
        await ear.heard.until(lambda: ear.heard.battery_pct is not None, seconds)
        return ear.heard.battery_pct
