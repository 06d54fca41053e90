"""Promise: from a wearable whose packets tell neither number nor time, every loss that outlasts the radio's own delays
is named where it was, to the sample, whenever it comes: also in a connection's first moments, and just before its end.

The twins' whole way but the bus, in simulated time: a hundred faults in seconds.
"""

from __future__ import annotations

import random

import pytest

from collector.stream import ClipStream
from collector.wearables import Advertisement, recognise
from firmware_sim.firmware.catalog import CATALOG
from firmware_sim.firmware.streaming import StreamingFirmware
from firmware_sim.link import LinkModel
from firmware_sim.shortcut import Shortcut
from spineclip.contract.placement import Placement
from spineclip.contract.wire import Record
from tests.fault.accounting import account
from tests.system.test_collector import Turning

S = 10**9
START_NS = 1_700_000_100 * S


class Storm:
    """A wearable that is heard, lost, stalled and found again, for as long as `Turning` is no turn like another."""

    def __init__(self, kind: str, seed: int) -> None:
        self.dice = random.Random(seed)
        drift_ppm = self.dice.uniform(-40.0, 40.0)
        self.twin: StreamingFirmware = CATALOG[kind](Turning(), boot_ns=START_NS - 5 * S, drift_ppm=drift_ppm)
        services = frozenset(self.twin.service_uuids)
        told = dict(self.twin.manufacturer_data)
        wearable = recognise(Advertisement(self.twin.name, self.twin.address, services, told))
        assert wearable is not None
        self._wearable = wearable
        boots = iter(range(1, 1000))
        self._clip = ClipStream(wearable.kind, Placement.STERNUM, wearable, lambda: next(boots))
        self._air = Shortcut(self.twin, START_NS, self._hear, link=LinkModel(packets_per_event=12), seed=seed)
        self._listening = False
        self.records: list[Record] = []

    async def run(self, faults: int) -> None:
        """Have so many faults, anything from 0.1 s to half a minute apart."""
        await self._connect()
        for _ in range(faults):
            self._pass(0.1 + self.dice.expovariate(1 / 5.0))
            await self.dice.choice((self._drop, self._stall, self._away))()
        self._pass(3.0)
        self.twin.stop(self._air.now_ns)
        self._pass(0.5)
        self.records += self._clip.disconnected("stopped")

    async def _drop(self) -> None:
        self._air.device.drop_link()
        await self._connect_again("link-lost")

    async def _stall(self) -> None:
        seconds = self.dice.uniform(0.2, 4.0)
        self._air.device.faults.stalled = True
        self._pass(min(seconds, 2.0))
        self._air.device.faults.stalled = False
        if seconds > 2.0:  # so long the watchdog waits
            await self._connect_again("stalled")

    async def _away(self) -> None:
        self._air.device.go_away()
        self._pass(self.dice.uniform(0.5, 2.0))
        self._air.device.come_back()
        await self._connect_again("link-lost")

    async def _connect_again(self, reason: str) -> None:
        self._listening = False
        self.records += self._clip.disconnected(reason)
        self._air.device.close()
        self._pass(self.dice.uniform(0.3, 4.0))
        self._air.device.open()
        await self._connect()

    async def _connect(self) -> None:
        plan = self._wearable.plan(50.0, 8.0)
        await self._wearable.prepare(self._air, plan)
        self._clip.connected(plan)
        self._listening, self._lost = True, False
        self._air.subscribe(*self._wearable.notify)
        await self._wearable.start(self._air, plan)

    def _pass(self, seconds: float) -> None:
        self._air.run(self._air.now_ns + round(seconds * S))

    def _hear(self, characteristic: str, data: bytes, t_ns: int) -> None:
        if self._listening:
            self.records += self._clip.feed(characteristic, data, t_ns - START_NS, t_ns)


@pytest.mark.parametrize(
    ("kind", "seed"),
    [("witmotion", 0), ("witmotion", 1), ("metamotion", 2), ("metamotion", 3), ("microbit", 4), ("diy", 5)],
)
async def test_f13_f14_every_loss_is_named_where_it_was(kind: str, seed: int) -> None:
    storm = Storm(kind, seed)
    await storm.run(40)
    found = account(storm.records, storm.twin, 0.0003)
    assert found.unexplained == 0
    assert found.received + found.named == storm.twin.truth.samples
    assert found.named > 80, "a storm that costs nothing shows nothing"
    off_ns = [abs(said_ns - true_ns) - error_ns for _, said_ns, true_ns, error_ns in found.lengths]
    assert sum(one <= 0 for one in off_ns) >= 0.95 * len(off_ns) - 1
