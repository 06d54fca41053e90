"""One wearable on the air: its firmware, its link, its faults, and the handles that a test turns."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from firmware_sim.faults import Counters, Faults, Mischief
from firmware_sim.firmware.base import Firmware
from firmware_sim.link import EventLink, IdealLink, Link, LinkModel

SUPERVISION_S: Final = 0.42
"""Linux's default supervision timeout: so long after the last packet a link counts as lost."""


class VirtualDevice:
    """A wearable within (or out of) reach.

    Parameters
    ----------
    firmware
        What it is.
    now_ns
        True time, UTC nanoseconds.
    link
        Connection events, or None for a link that carries everything at once.
    faults
        What goes wrong from the start; may be changed at any time.
    seed
        Makes links and faults repeatable.
    rssi_dbm
        Signal strength that a scan sees.
    """

    def __init__(
        self,
        firmware: Firmware,
        now_ns: Callable[[], int],
        *,
        link: LinkModel | None = None,
        faults: Faults | None = None,
        seed: int = 0,
        rssi_dbm: int = -60,
    ) -> None:
        self.firmware = firmware
        self.faults = faults or Faults()
        self.counters = Counters()
        self.rssi_dbm = rssi_dbm
        self.connected = False
        self.in_range = True
        self.on_value: Callable[[str, bytes], None] = _ignore_value
        self.on_lost: Callable[[], None] = _ignore
        self.on_changed: Callable[[], None] = _ignore
        self._now_ns = now_ns
        self._link: Link = IdealLink() if link is None else EventLink(link, seed)
        self._mischief = Mischief(self.faults, self.counters, seed)
        self._subscribed: set[str] = set()
        self._lost_ns: int | None = None

    # --- handles -------------------------------------------------------------------------------------------------

    def drop_link(self) -> None:
        """Lose the link now, as an interrupted radio does; it can be connected again at once."""
        if self.connected:
            self._end()
            self.counters.losses += 1
            self.on_lost()

    def go_away(self, *, supervision_s: float = SUPERVISION_S) -> None:
        """Leave the range: nothing comes any more, and after the supervision timeout the link is lost."""
        self.in_range = False
        if self.connected:
            self._lost_ns = self._now_ns() + round(supervision_s * 1e9)
        self.on_changed()

    def come_back(self) -> None:
        """Be in range again; a link that has not timed out yet goes on."""
        self.in_range = True
        self._lost_ns = None
        self.on_changed()

    def reboot(self, *, keep_link: bool = False) -> None:
        """Restart the wearable: its counters and clock begin again; the link is lost unless `keep_link`.

        With `keep_link` a central sees only the counter reset: subscriptions live on.
        """
        now = self._now_ns()
        subscribed = sorted(self._subscribed)
        self.firmware.reboot(now)
        if not keep_link:
            self.drop_link()
            return
        if self.connected:
            self.firmware.on_connect(now)
            for char in subscribed:
                self.firmware.on_subscribe(char, True, now)
        self.on_changed()

    # --- for BlueZ -----------------------------------------------------------------------------------------------

    @property
    def subscribed(self) -> bool:
        """Whether a central listens to any characteristic."""
        return bool(self._subscribed)

    @property
    def attended(self) -> bool:
        """Whether a central listens and has started the stream (or there is nothing left to stream)."""
        return self.subscribed and (self.firmware.finished or self.firmware.next_ns() is not None)

    def open(self) -> None:
        """Connect."""
        now = self._now_ns()
        self.connected = True
        self.counters.connects += 1
        self._link.open(now)
        self.firmware.on_connect(now)
        self.on_changed()

    def close(self) -> None:
        """Disconnect by the central's wish."""
        if self.connected:
            self._end()

    def subscribe(self, char: str, on: bool) -> None:
        """Write the CCCD."""
        if not self.connected:
            return
        if on:
            self._subscribed.add(char)
        else:
            self._subscribed.discard(char)
        self.firmware.on_subscribe(char, on, self._now_ns())
        self.on_changed()

    def write(self, char: str, value: bytes) -> None:
        """Write a characteristic; raises `AttError` when the wearable refuses."""
        self.firmware.on_write(char, value, self._now_ns())
        self.on_changed()

    def read(self, char: str) -> bytes:
        """Read a characteristic; raises `AttError` when the wearable refuses."""
        return self.firmware.on_read(char, self._now_ns())

    # --- for whoever drives time ---------------------------------------------------------------------------------

    def restart_link(self) -> None:
        """Let what the link does from now on depend on nothing that came before, such as how long connecting took."""
        if self.connected:
            self._link.restart(self._now_ns())

    def next_ns(self) -> int | None:
        """Return when something happens next: a packet is sent, arrives, or the link times out."""
        if not self.connected:
            return None
        times = (self.firmware.next_ns(), self._link.next_ns(), self._lost_ns)
        return min((one for one in times if one is not None), default=None)

    def step(self, until_ns: int) -> None:
        """Let everything happen that is due up to `until_ns`."""
        while (due := self.next_ns()) is not None and due <= until_ns:
            if due == self._lost_ns:
                self.drop_link()
                return
            for notification in self.firmware.events(due):
                self.counters.handed += 1
                if not self.in_range:
                    self.counters.unheard += 1
                elif not self._link.push(notification):
                    self.counters.overflowed += 1
            for notification in self._link.due(due):
                value = notification.value
                if len(value) > self.firmware.mtu - 3:
                    value = value[: self.firmware.mtu - 3]
                    self.counters.truncated += 1
                for char, arrived in self._mischief.apply((notification.char, value)):
                    self.counters.delivered += 1
                    self.on_value(char, arrived)

    def _end(self) -> None:
        self.connected = False
        self._lost_ns = None
        self._subscribed.clear()
        self.counters.unheard += self._link.close()
        self._mischief.forget()
        self.firmware.on_disconnect(self._now_ns())
        self.on_changed()


def _ignore() -> None:
    """Nobody is told."""


def _ignore_value(char: str, value: bytes) -> None:
    """Nobody is told."""
