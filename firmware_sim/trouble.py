"""Troubles by name, for whoever wants to see what becomes of a recording when the radio is bad."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from firmware_sim.device import VirtualDevice
from firmware_sim.link import LinkModel

EVERY_NS: Final = 60 * 10**9
"""Troubles that come and go come once a minute, for the first time after half a minute."""
_STALL_NS: Final = 6 * 10**9


@dataclass(frozen=True, slots=True)
class Trouble:
    """A kind of trouble.

    Attributes
    ----------
    told
        What happens, for people.
    link
        The radio link that it needs, or None.
    begin
        Called when the recording begins.
    strike
        Called once a minute.
    """

    told: str
    link: LinkModel | None = None
    begin: Callable[[VirtualDevice], None] = lambda _: None
    strike: Callable[[VirtualDevice], None] = lambda _: None


def _set(name: str, value: float) -> Callable[[VirtualDevice], None]:
    def begin(device: VirtualDevice) -> None:
        setattr(device.faults, name, value)

    return begin


def _reboot(device: VirtualDevice) -> None:
    device.reboot(keep_link=True)


TROUBLES: Final[Mapping[str, Trouble]] = {
    "bursts": Trouble(
        "packets come at connection events, some again, and the host is busy now and then",
        LinkModel(packets_per_event=12, queue=200, stall=0.002),
    ),
    "lost": Trouble("one packet in a hundred is lost", begin=_set("drop", 0.01)),
    "doubled": Trouble("one packet in a hundred comes twice", begin=_set("duplicate", 0.01)),
    "swapped": Trouble("one packet in a hundred changes places with the next", begin=_set("reorder", 0.01)),
    "cut": Trouble("one packet in a hundred is cut short or too long", begin=_set("wrong_length", 0.01)),
    "link-loss": Trouble("the link is lost once a minute", strike=VirtualDevice.drop_link),
    "stall": Trouble("once a minute nothing comes through for six seconds"),
    "reboot": Trouble("the wearable restarts once a minute and keeps the link", strike=_reboot),
}


class Troublemaker:
    """Lets troubles happen to one wearable while its time is driven.

    Parameters
    ----------
    names
        Of `TROUBLES`.
    start_ns
        When the recording begins.
    """

    def __init__(self, names: tuple[str, ...], device: VirtualDevice, start_ns: int) -> None:
        self._names = names
        self._device = device
        self._strike_ns = start_ns + EVERY_NS // 2
        self.strikes = 0
        for name in names:
            TROUBLES[name].begin(device)

    def step(self, now_ns: int) -> None:
        """Let happen what is due."""
        if "stall" in self._names:
            self._device.faults.stalled = 0 <= now_ns - self._strike_ns < _STALL_NS
        if now_ns < self._strike_ns + (_STALL_NS if "stall" in self._names else 0):
            return
        self._strike_ns += EVERY_NS
        self.strikes += 1
        for name in self._names:
            TROUBLES[name].strike(self._device)


def link_for(names: tuple[str, ...]) -> LinkModel | None:
    """Give the link that these troubles need."""
    return next((one for name in names if (one := TROUBLES[name].link) is not None), None)
