"""How much the virtual radio carries: notifications received of those sent, and the delay that D-Bus adds.

The wearables and the client live in two processes, as a simulator and a collector do. Sixteen wearables at 200 Hz
for ten seconds by default::

    python -m benchmarks.radio [--wearables 16] [--rate 200] [--seconds 10]

The delay of a notification is from its hand-over in the simulator to bleak's callback, both on the machine's
monotonic clock.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import struct
import subprocess
import sys
import time
from typing import Any

import numpy as np
from bleak import BleakClient, BleakScanner

from firmware_sim.firmware.base import NOTIFY, Characteristic, Notification, Service
from firmware_sim.radio import VirtualRadio, bus_address

SERVICE = "9ab00000-5d3c-4b6a-8a0e-1f2e3d4c5b6a"
DATA = "9ab00001-5d3c-4b6a-8a0e-1f2e3d4c5b6a"
_FRAME = struct.Struct("<qI8x")


class Ticker:
    """A wearable whose 20 bytes say when they were handed over, and their number."""

    service_uuids = (SERVICE,)
    mtu = 247
    name = "ticker"
    finished = False

    def __init__(self, number: int, rate_hz: float) -> None:
        self.address = f"C0:00:00:00:{number >> 8:02X}:{number & 255:02X}"
        self.manufacturer_data: dict[int, bytes] = {}
        self.services = (Service(SERVICE, (Characteristic(DATA, (NOTIFY,)),)),)
        self.sent = 0
        self._period_ns = round(1e9 / rate_hz)
        self._due: int | None = None

    def on_connect(self, t_ns: int) -> None:
        """Nothing to do."""

    def on_write(self, char: str, value: bytes, t_ns: int) -> None:
        """Nothing to take."""

    def on_disconnect(self, t_ns: int) -> None:
        """Stop."""
        self._due = None

    reboot = on_disconnect

    def on_read(self, char: str, t_ns: int) -> bytes:
        """Read nothing."""
        return b""

    def on_subscribe(self, char: str, on: bool, t_ns: int) -> None:
        """Begin or stop."""
        self._due = t_ns + self._period_ns if on else None

    def next_ns(self) -> int | None:
        """Return when the next is due."""
        return self._due

    def events(self, until_ns: int) -> list[Notification]:
        """Stamp and hand over what is due."""
        out = []
        while self._due is not None and self._due <= until_ns:
            out.append(Notification(self._due, DATA, _FRAME.pack(time.monotonic_ns(), self.sent)))
            self._due += self._period_ns
            self.sent += 1
        return out


async def simulate(wearables: int, rate_hz: float) -> None:
    """Run the radio until standard input ends, then say what was sent."""
    async with VirtualRadio() as radio:
        tickers = [Ticker(number, rate_hz) for number in range(wearables)]
        for one in tickers:
            radio.add(one)
        print(radio.address, flush=True)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
        print(json.dumps({"sent": sum(one.sent for one in tickers), "cpu_s": time.process_time()}), flush=True)


async def listen(wearables: int, seconds: float) -> tuple[int, np.ndarray[Any, Any], float, int]:
    """Connect all, listen, stop all; return what was received, delays in ms, CPU in s, and order faults."""
    delays: list[int] = []
    numbers: list[list[int]] = [[] for _ in range(wearables)]

    def ear(index: int) -> Any:
        mine = numbers[index]

        def heard(_: Any, value: bytearray) -> None:
            now = time.monotonic_ns()
            handed_ns, number = _FRAME.unpack(value)
            delays.append(now - handed_ns)
            mine.append(number)

        return heard

    found = await BleakScanner.discover(timeout=1.0)
    clients = [BleakClient(one) for one in found]
    for index, client in enumerate(clients):
        await client.connect()
        await client.start_notify(DATA, ear(index))
    first, before = len(delays), time.process_time()
    await asyncio.sleep(seconds)
    cpu = time.process_time() - before
    last = len(delays)
    for client in clients:
        await client.stop_notify(DATA)
    await asyncio.sleep(0.2)
    for client in clients:
        await client.disconnect()
    faults = sum(mine != list(range(len(mine))) for mine in numbers)
    return len(delays), np.array(delays[first:last]) / 1e6, cpu, faults


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--wearables", type=int, default=16)
    parser.add_argument("--rate", type=float, default=200.0)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--simulate", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.simulate:
        asyncio.run(simulate(options.wearables, options.rate))
        return
    command = [sys.executable, "-m", "benchmarks.radio", "--simulate"]
    command += ["--wearables", str(options.wearables), "--rate", str(options.rate)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as simulator:  # noqa: S603
        assert simulator.stdout is not None
        assert simulator.stdin is not None
        with bus_address(simulator.stdout.readline().strip()):
            received, delay_ms, cpu_s, faults = asyncio.run(listen(options.wearables, options.seconds))
        simulator.stdin.close()
        told = json.loads(simulator.stdout.readline())
    p50, p95, p99 = np.percentile(delay_ms, [50, 95, 99])
    print(f"{options.wearables} wearables at {options.rate:g} Hz for {options.seconds:g} s")
    print(f"sent {told['sent']}  received {received}  wearables with a fault of order {faults}")
    print(f"delay ms: p50 {p50:.2f}  p95 {p95:.2f}  p99 {p99:.2f}  max {delay_ms.max():.2f}")
    print(f"client: {len(delay_ms) / options.seconds:.0f} notifications/s, CPU {cpu_s / options.seconds:.0%} of a core")
    print(f"simulator: CPU {told['cpu_s']:.1f} s in all")


if __name__ == "__main__":
    main()
