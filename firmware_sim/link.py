"""The way through the air: at once, or in the bursts of Bluetooth connection events.

A wearable may only send at connection events, which come on a fixed grid (Linux asks for 30 to 50 ms). What it has
to say in between waits in a small transmit queue, goes out in a burst, and waits one more event when the air was bad;
the link layer itself neither loses nor reorders. That, and not D-Bus, is what real arrival times look like (see
microbit-dal#300: 42 ms of silence, then two or three notifications 1-2 ms apart).
"""

from __future__ import annotations

import random
from collections import deque
from dataclasses import dataclass
from typing import Protocol

from firmware_sim.firmware.base import Notification


@dataclass(frozen=True, slots=True)
class LinkModel:
    """Parameters of a link with connection events.

    Attributes
    ----------
    interval_min_ms, interval_max_ms
        The interval is drawn from these at each connection, in the steps of 1.25 ms that the specification has
        (Bluetooth Core, Vol 6 Part B, 4.5.1). Linux: 30 to 50 ms.
    retransmission
        Probability that a packet does not get through in one event and has to wait for the next.
    packets_per_event
        So many notifications fit into one event.
    packet_ms
        Time on air of one.
    queue
        Depth of the wearable's transmit queue; what finds it full is lost, silently.
    stall, stall_ms
        Probability, per event, that the host is busy for so long; nothing is lost by that.
    """

    interval_min_ms: float = 30.0
    interval_max_ms: float = 50.0
    retransmission: float = 0.05
    packets_per_event: int = 6
    packet_ms: float = 1.2
    queue: int = 32
    stall: float = 0.0
    stall_ms: float = 150.0


class Link(Protocol):
    """Carries notifications from a wearable to the central."""

    def open(self, t_ns: int) -> None:
        """Begin a connection."""
        ...

    def restart(self, t_ns: int) -> None:
        """Begin it anew, as if it were the first one."""
        ...

    def close(self) -> int:
        """End it; return how many notifications were on their way."""
        ...

    def push(self, notification: Notification) -> bool:
        """Take a notification; False when there is no room for it."""
        ...

    def next_ns(self) -> int | None:
        """Return when the next one arrives, or None."""
        ...

    def due(self, until_ns: int) -> list[Notification]:
        """Take those that have arrived by `until_ns`, in order."""
        ...


class IdealLink:
    """Everything arrives at once."""

    def __init__(self) -> None:
        self._waiting: deque[Notification] = deque()

    def open(self, t_ns: int) -> None:
        """Begin a connection."""
        del t_ns
        self._waiting.clear()

    def restart(self, t_ns: int) -> None:
        """Begin the connection anew."""
        self.open(t_ns)

    def close(self) -> int:
        """End it."""
        lost = len(self._waiting)
        self._waiting.clear()
        return lost

    def push(self, notification: Notification) -> bool:
        """Take a notification."""
        self._waiting.append(notification)
        return True

    def next_ns(self) -> int | None:
        """Return when the next one arrives, or None."""
        return self._waiting[0].t_ns if self._waiting else None

    def due(self, until_ns: int) -> list[Notification]:
        """Take those that have arrived."""
        out: list[Notification] = []
        while self._waiting and self._waiting[0].t_ns <= until_ns:
            out.append(self._waiting.popleft())
        return out


class EventLink:
    """A link with connection events, repeatable for a seed."""

    def __init__(self, model: LinkModel, seed: int) -> None:
        self._model = model
        self._seed = seed
        self._dice = random.Random(seed)  # noqa: S311 - not for secrets
        self._queue: deque[Notification] = deque()
        self._arriving: deque[tuple[int, Notification]] = deque()
        self._origin_ns = 0
        self._interval_ns = 1
        self._event_ns = 0

    def open(self, t_ns: int) -> None:
        """Begin a connection: draw interval and phase."""
        self._queue.clear()
        self._arriving.clear()
        steps = self._dice.randint(round(self._model.interval_min_ms / 1.25), round(self._model.interval_max_ms / 1.25))
        self._interval_ns = steps * 1_250_000
        self._origin_ns = t_ns + self._dice.randrange(self._interval_ns)
        self._event_ns = self._origin_ns

    def restart(self, t_ns: int) -> None:
        """Begin the connection anew with the dice as they were at first: what follows depends on `t_ns` only."""
        self._dice = random.Random(self._seed)  # noqa: S311 - not for secrets
        self.open(t_ns)

    def close(self) -> int:
        """End it; what was queued is lost."""
        lost = len(self._queue) + len(self._arriving)
        self._queue.clear()
        self._arriving.clear()
        return lost

    def push(self, notification: Notification) -> bool:
        """Queue a notification; False when the transmit queue is full."""
        self._run(notification.t_ns)
        if len(self._queue) >= self._model.queue:
            return False
        self._queue.append(notification)
        return True

    def next_ns(self) -> int | None:
        """Return when the next one can arrive: at an event, or while a burst is being handed up."""
        if self._arriving:
            return self._arriving[0][0]
        return self._event_after(self._queue[0].t_ns) if self._queue else None

    def due(self, until_ns: int) -> list[Notification]:
        """Take those that have arrived by `until_ns`."""
        self._run(until_ns)
        out: list[Notification] = []
        while self._arriving and self._arriving[0][0] <= until_ns:
            out.append(self._arriving.popleft()[1])
        return out

    def _event_after(self, t_ns: int) -> int:
        """Return the first event at or after `t_ns` that has not been held yet."""
        if t_ns <= self._event_ns:
            return self._event_ns
        periods = -(-(t_ns - self._origin_ns) // self._interval_ns)
        return self._origin_ns + periods * self._interval_ns

    def _run(self, until_ns: int) -> None:
        """Hold the events up to `until_ns` that have something to carry."""
        while self._queue:
            event = self._event_after(self._queue[0].t_ns)
            if event > until_ns:
                return
            self._hold(event)
            self._event_ns = event + self._interval_ns

    def _hold(self, event_ns: int) -> None:
        at = event_ns
        if self._dice.random() < self._model.stall:
            at += round(self._model.stall_ms * 1e6)
        if self._arriving:
            at = max(at, self._arriving[-1][0])
        for _ in range(self._model.packets_per_event):
            if not self._queue or self._queue[0].t_ns > event_ns or self._dice.random() < self._model.retransmission:
                return
            at += round(self._model.packet_ms * 1e6)
            self._arriving.append((at, self._queue.popleft()))
