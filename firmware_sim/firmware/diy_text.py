"""The home-made wearable that prints JSON: a line for every five samples, cut into notifications of 64 bytes.

A line is ``{"n":17,"t":123456,"a":[[0.012207,0.998047,-0.043213],...]}``: its number, 16 bits; milliseconds since boot
at its first sample, 32 bits; x, y, z in g with six decimals. A line with the battery comes first. It streams while it
is subscribed to.
"""

from __future__ import annotations

import json
from typing import Final, Unpack

import numpy as np

from collector.wearables.uuids import DIY_TEXT, DIY_TEXT_SERVICE
from firmware_sim.firmware.base import NOTIFY, Characteristic, Motion, Samples, Service, Times
from firmware_sim.firmware.eager import EagerFirmware
from firmware_sim.firmware.streaming import Body, Digital

COUNTS_PER_G: Final = 4096
_PIECE: Final = 64


class DiyText(EagerFirmware):
    """A home-made wearable that sends text.

    Parameters
    ----------
    uptime_ns
        What its clock shows at boot; shortly before 2**32 ms (49.7 days) to see it wrap.
    """

    service_uuids = (DIY_TEXT_SERVICE,)
    mtu = _PIECE + 3
    wanted_hz = 50.0

    usual_name = "spineclip-text"
    usual_address = "C0:44:49:59:00:02"

    def __init__(
        self,
        motion: Motion,
        *,
        battery_pct: int = 64,
        **body: Unpack[Body],
    ) -> None:
        super().__init__(motion, **body)
        self.battery_pct = battery_pct
        self._counter = 0

    @property
    def services(self) -> tuple[Service, ...]:
        """All that is printed."""
        return (Service(DIY_TEXT_SERVICE, (Characteristic(DIY_TEXT, (NOTIFY,)),)),)

    @property
    def data_char(self) -> str:
        """Lines come here."""
        return DIY_TEXT

    @property
    def packet_samples(self) -> int:
        """Samples in a line."""
        return 5

    @property
    def sends_partial(self) -> bool:
        """It prints full lines only."""
        return False

    def on_subscribe(self, char: str, on: bool, t_ns: int) -> None:
        """Tell the battery, then stream."""
        super().on_subscribe(char, on, t_ns)
        if char == DIY_TEXT and on:
            self.reply(DIY_TEXT, _line({"battery": self.battery_pct}), t_ns)

    def start(self, rate_hz: float, t_ns: int) -> None:
        """Begin to stream; lines count from zero."""
        self._counter = 0
        super().start(rate_hz, t_ns)

    def digitise(self, xyz_g: Samples) -> Digital:
        """Return counts of 8 g, as an MPU6050 has them."""
        return np.clip(np.rint(xyz_g * COUNTS_PER_G), -32768, 32767).astype("<i2")

    def in_g(self, digital: Digital) -> Samples:
        """Return what the counts say."""
        return np.asarray(digital / COUNTS_PER_G, np.float64)

    def encode(self, first: int, t_ns: Times, digital: Digital) -> tuple[bytes, ...]:
        """Print a line, in pieces."""
        milliseconds = self.elapsed_ns(int(t_ns[0])) // 1_000_000 % 2**32
        line = _line({"n": self._counter, "t": milliseconds, "a": np.round(self.in_g(digital), 6).tolist()})
        self._counter = (self._counter + 1) % 2**16
        return tuple(line[at : at + _PIECE] for at in range(0, len(line), _PIECE))


def _line(held: dict[str, object]) -> bytes:
    return json.dumps(held, separators=(",", ":")).encode() + b"\r\n"
