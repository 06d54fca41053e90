r"""Bangle.js 2 and Puck.js: an Espruino prompt on the Nordic UART, that runs a small script and prints lines.

The device is a JavaScript prompt (espruino.com, "Nordic UART"): ``\x03`` clears the input, a line that begins with
``\x10`` is run without an echo. This twin does not run JavaScript. It reads in the lines what a streaming script has
to say in some way: how often to sample (``setPollInterval(ms)``, or ``accelOn(hz)`` on a Puck.js), how many samples
make a line (``N=4``), that it begins (``on('accel'``) and that it ends (``removeAllListeners('accel')`` or
``reset()``). Asked for ``E.getBattery()`` by ``println("name,"+E.getBattery())`` it says so. The
script is expected to print, for every N samples::

    spineclip,<counter>,<milliseconds>,<x>,<y>,<z>,<x>,<y>,<z>,...

with the counter modulo 65536, the time of the first sample as ``Math.round(getTime()*1000)``, and the acceleration in
1/8192 g (``Math.round(a.x*8192)``): both boards measure in that unit, up to 4 g. What is printed comes in pieces of
20 bytes, cut anywhere. For example::

    \x10var q=[],s=0,t=0,N=4;
    \x10Bangle.setPollInterval(80);
    \x10Bangle.on('accel',function(a){if(!q.length)t=Math.round(getTime()*1000);
    q.push(Math.round(a.x*8192),Math.round(a.y*8192),Math.round(a.z*8192));
    if(q.length>=3*N){Bluetooth.println("spineclip,"+s+","+t+","+q.join(","));q=[];s=(s+1)&65535;}});
"""

from __future__ import annotations

import re
from typing import Final, Unpack

import numpy as np

from collector.wearables.uuids import NUS_NOTIFY, NUS_SERVICE, NUS_WRITE
from firmware_sim.firmware.base import NOTIFY, WRITE, WRITE_COMMAND, Characteristic, Motion, Samples, Service, Times
from firmware_sim.firmware.streaming import Body, Digital, StreamingFirmware

COUNTS_PER_G: Final = 8192
_PIECE: Final = 20
_POLL = re.compile(r"setPollInterval\(\s*(\d+)\s*\)")
_ACCEL_ON = re.compile(r"accelOn\(\s*(?:([\d.]+)|\[([\d.,\s]+)\]\[(\d+)\])\s*\)")
_BATTERY = re.compile(r"println\(\s*[\"'](\w+),[\"']\s*\+\s*E\.getBattery\(\)\s*\)")
_BATCH = re.compile(r"\bN\s*=\s*(\d+)")
_BEGIN = re.compile(r"\.on\(\s*['\"]accel['\"]")
_END = re.compile(r"removeAllListeners\(\s*['\"]accel['\"]\s*\)|\breset\(\s*\)|accelOff\(")
_FEEL = re.compile(r"\bbuzz\(|LED\d?\.|digitalPulse\(")
_LONGEST_LINE: Final = 4096
_REPLY_NS: Final = 10_000_000


class Espruino(StreamingFirmware):
    """A Bangle.js 2 (or, by its name, a Puck.js) at its prompt.

    Parameters
    ----------
    name
        ``Bangle.js 1a2b`` or ``Puck.js 1a2b``.
    clock_ms
        What ``getTime()`` says at boot, in milliseconds; boards that nobody set begin at zero.
    """

    usual_name = "Bangle.js 1a2b"
    usual_address = "C0:42:41:4E:1A:2B"

    def __init__(
        self,
        motion: Motion,
        *,
        clock_ms: int = 0,
        battery_pct: int = 77,
        **body: Unpack[Body],
    ) -> None:
        body.setdefault("uptime_ns", clock_ms * 1_000_000)
        super().__init__(motion, **body)
        self.mtu = _PIECE + 3
        self.battery_pct = battery_pct
        self._is_puck = self.name.startswith("Puck")
        self.buzzes = 0
        self._line = ""
        self._counter = 0
        self._poll_hz = 12.5
        self._batch = 1

    @property
    def services(self) -> tuple[Service, ...]:
        """The Nordic UART."""
        own = (Characteristic(NUS_WRITE, (WRITE, WRITE_COMMAND)), Characteristic(NUS_NOTIFY, (NOTIFY,)))
        return (Service(NUS_SERVICE, own),)

    @property
    def data_char(self) -> str:
        """All that is printed."""
        return NUS_NOTIFY

    @property
    def packet_samples(self) -> int:
        """Samples in a line."""
        return self._batch

    @property
    def sends_partial(self) -> bool:
        """A script prints full lines only."""
        return False

    def on_write(self, char: str, value: bytes, t_ns: int) -> None:
        """Type at the prompt."""
        super().on_write(char, value, t_ns)
        if char != NUS_WRITE:
            return
        for symbol in value.decode("latin-1"):
            if symbol == "\x03":
                self._line = ""
            elif symbol in "\r\n":
                self._enter(t_ns)
            elif len(self._line) < _LONGEST_LINE:
                self._line += symbol

    def on_disconnect(self, t_ns: int) -> None:
        """Lose the half-typed line; a script would go on, but what it prints goes nowhere."""
        super().on_disconnect(t_ns)
        self._line = ""

    def reboot(self, t_ns: int) -> None:
        """Forget script and counter."""
        super().reboot(t_ns)
        self._counter, self._poll_hz, self._batch = 0, 12.5, 1

    def digitise(self, xyz_g: Samples) -> Digital:
        """Return counts."""
        return np.clip(np.rint(xyz_g * COUNTS_PER_G), -32768, 32767).astype(np.int32)

    def in_g(self, digital: Digital) -> Samples:
        """Return what the counts say."""
        return np.asarray(digital / COUNTS_PER_G, np.float64)

    def encode(self, first: int, t_ns: Times, digital: Digital) -> tuple[bytes, ...]:
        """Print a line, in pieces."""
        milliseconds = round(self.elapsed_ns(int(t_ns[0])) / 1e6)
        numbers = ",".join(str(value) for value in digital.ravel().tolist())
        line = f"spineclip,{self._counter},{milliseconds},{numbers}\r\n".encode()
        self._counter = (self._counter + 1) % 2**16
        return tuple(line[at : at + _PIECE] for at in range(0, len(line), _PIECE))

    def start(self, rate_hz: float, t_ns: int) -> None:
        """Begin to stream; lines count from zero."""
        self._counter = 0
        super().start(rate_hz, t_ns)

    def _enter(self, t_ns: int) -> None:
        line, self._line = self._line, ""
        if not line:
            return
        if not line.startswith("\x10"):
            self._print(f"{line}\r\n=undefined\r\n>", t_ns + _REPLY_NS)
        if (asked := _BATTERY.search(line)) is not None:
            self._print(f"{asked[1]},{self.battery_pct}\r\n", t_ns + _REPLY_NS)
        self._set_rate(line)
        if (batch := _BATCH.search(line)) is not None:
            self._batch = max(1, min(int(batch[1]), 100))
        self.buzzes += _FEEL.search(line) is not None
        if _END.search(line) is not None:
            self.stop(t_ns)
        if _BEGIN.search(line) is not None:
            self.start(self._poll_hz, t_ns)

    def _set_rate(self, line: str) -> None:
        """Take the rate from what this board has: the other board's call stands in a branch that is not taken."""
        if self._is_puck:
            found = _ACCEL_ON.search(line)
            choices = [] if found is None else [found[1]] if found[1] else found[2].split(",")
            chosen = int(found[3]) if found is not None and found[3] else 0
            if chosen < len(choices) and _is_rate(choices[chosen]):
                self._poll_hz = float(choices[chosen])
        elif (poll := _POLL.search(line)) is not None and 0 < int(poll[1]) < 10_000:
            self._poll_hz = 1000 / int(poll[1])

    def _print(self, text: str, t_ns: int) -> None:
        raw = text.encode("latin-1")
        for at in range(0, len(raw), _PIECE):
            self.reply(NUS_NOTIFY, raw[at : at + _PIECE], t_ns)


def _is_rate(text: str) -> bool:
    try:
        return 0.1 <= float(text) <= 1000
    except ValueError:
        return False
