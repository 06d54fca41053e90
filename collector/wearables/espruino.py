r"""Espruino boards (Bangle.js 2, Puck.js): a JavaScript prompt on the Nordic UART, to which we send a small script.

The script prints one line for every few samples, which arrives in pieces, cut anywhere::

    spineclip,<counter>,<milliseconds>,<x>,<y>,<z>,<x>,<y>,<z>,...

with the counter modulo 65536, the time of the first sample as ``Math.round(getTime()*1000)``, and the acceleration in
1/8192 g, the unit of both boards' sensors at 4 g. ``\x03`` clears the prompt, a line that begins with ``\x10`` runs
without an echo (espruino.com, "Nordic UART"). Not yet used with a real device.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from collector.wearables.base import (
    NO_SAMPLES,
    Advertisement,
    Decoded,
    Gatt,
    Rejecting,
    Stream,
    TickClock,
    Usual,
    at_least,
)
from collector.wearables.lines import LineCutter
from collector.wearables.uuids import NUS_NOTIFY, NUS_WRITE

HEAD: Final = b"spineclip,"
SCALE_G: Final = 1.0 / 8192.0
_LINE_SAMPLES: Final = 4
_PIECE: Final = 20
_MOST_NUMBERS: Final = 3 * 100

_SCRIPT: Final = (
    "\x03\x10var q=[],s=0,t=0,N=%(n)d;\n"
    "\x10function SC(x,y,z){if(!q.length)t=Math.round(getTime()*1000);"
    "q.push(Math.round(x),Math.round(y),Math.round(z));"
    'if(q.length>=3*N){Bluetooth.println("spineclip,"+s+","+t+","+q.join(","));q=[];s=(s+1)&65535;}}\n'
    "\x10if(global.Bangle){Bangle.setPollInterval(%(ms)d);"
    "Bangle.on('accel',function(a){SC(a.x*8192,a.y*8192,a.z*8192);});}"
    "else{Puck.accelOn([12.5,26,52,104][%(step)d]);Puck.on('accel',function(a){SC(a.acc.x,a.acc.y,a.acc.z);});}\n"
)
_STOP: Final = (
    "\x03\x10if(global.Bangle)Bangle.removeAllListeners('accel');"
    "else{Puck.removeAllListeners('accel');Puck.accelOff();}\n"
)
_BUZZ: Final = "\x10if(global.Bangle)Bangle.buzz(300);else digitalPulse(LED1,1,300);\n"
_BATTERY: Final = '\x10Bluetooth.println("spinebat,"+E.getBattery());\n'


class EspruinoDecoder(Rejecting):
    """Puts lines together and reads ours; what else a prompt prints is left alone."""

    def __init__(self) -> None:
        super().__init__()
        self._cutter = LineCutter(self.rejects)

    def feed(self, characteristic: str, data: bytes) -> list[Decoded]:
        """Take one notification: any piece of text."""
        if characteristic != NUS_NOTIFY:
            return self._reject("foreign-characteristic")
        return [frame for line in self._cutter.feed(data) for frame in self._line(line)]

    def _line(self, line: bytes) -> list[Decoded]:
        start = line.rfind(HEAD)
        if start < 0:
            return self._battery(line)
        try:
            numbers = [int(part) for part in line[start + len(HEAD) :].split(b",")]
        except ValueError:
            return self._reject("not-a-number")
        counter, milliseconds, *values = numbers if len(numbers) >= 2 else (-1, -1)
        if not values or len(values) % 3 or len(values) > _MOST_NUMBERS:
            return self._reject("wrong-length")
        if not 0 <= counter < 1 << 16 or not 0 <= milliseconds < 1 << 63 or any(abs(v) > 32_767 for v in values):
            return self._reject("absurd-value")
        counts = np.array(values, np.int16).reshape(-1, 3)
        return [Decoded(counts, SCALE_G, tick=milliseconds, counter=counter)]

    def _battery(self, line: bytes) -> list[Decoded]:
        _, comma, percent = line.rpartition(b"spinebat,")
        text = percent.strip()
        if comma and text.isdigit() and len(text) <= 3 and int(text) <= 100:
            return [Decoded(NO_SAMPLES, battery_pct=int(text))]
        return []


class Espruino(Usual):
    """Bangle.js 2 and Puck.js v2."""

    kind = "espruino"
    label = "Bangle.js 2, Puck.js (Espruino)"
    hardware_seen = False
    notify = (NUS_NOTIFY,)
    clock: TickClock | None = TickClock(1e6, 64, "first")
    counter_bits: int | None = 16
    rates_hz = (12.5, 25.0, 50.0, 100.0)
    ranges_g = (4.0,)

    def recognise(self, seen: Advertisement) -> bool:
        """Tell by the name."""
        return seen.name.startswith(("Bangle.js", "Puck.js"))

    def decoder(self, stream: Stream) -> EspruinoDecoder:
        """Make the decoder for one connection."""
        return EspruinoDecoder()

    def plan(self, rate_hz: float, range_g: float) -> Stream:
        """Choose the poll rate; the range is 4 g."""
        return Stream(at_least(self.rates_hz, rate_hz), 4.0, _LINE_SAMPLES)

    async def start(self, gatt: Gatt, stream: Stream) -> None:
        """Type the script at the prompt."""
        await self.stop(gatt)
        await _type(
            gatt,
            _SCRIPT
            % {
                "n": _LINE_SAMPLES,
                "ms": round(1000 / stream.rate_hz),
                "step": self.rates_hz.index(stream.rate_hz),
            },
        )

    async def stop(self, gatt: Gatt) -> None:
        """Stop listening to the sensor."""
        await _type(gatt, _STOP)

    async def ask_battery(self, gatt: Gatt) -> int | None:
        """Ask the prompt; the answer comes as a line."""
        await _type(gatt, _BATTERY)
        return None

    async def buzz(self, gatt: Gatt) -> bool:
        """Buzz (Bangle.js) or blink (Puck.js) for 0.3 s."""
        await _type(gatt, _BUZZ)
        return True


async def _type(gatt: Gatt, text: str) -> None:
    data = text.encode("latin-1")
    for at in range(0, len(data), _PIECE):
        await gatt.write(NUS_WRITE, data[at : at + _PIECE], response=True)
