"""Promise: a wearable that sends at another rate than it was asked for is told again, and else left to run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Unpack

import numpy as np
import pytest

from collector.delivery import PERSISTS, REST_NS, WINDOW_NS
from collector.link import WRONG_RATE
from collector.service import Collector
from firmware_sim.conductor import Conductor
from firmware_sim.firmware.base import Motion
from firmware_sim.firmware.diy import Diy
from firmware_sim.firmware.streaming import Body, StreamingFirmware
from firmware_sim.firmware.witmotion import Witmotion
from firmware_sim.link import LinkModel
from firmware_sim.radio import VirtualRadio
from spineclip.broker import embedded_broker
from spineclip.contract.clock import DrivenClock
from spineclip.contract.connection import BrokerAccess
from spineclip.contract.wire import Gap, Record, SampleBatch
from tests.system.test_collector import PATIENT, START_NS, StandIn, Turning, running, settings_for

S = 10**9
RESTORED_S = (PERSISTS + 1) * WINDOW_NS / 1e9 + 5
"""The window in which it falls may still be good; then the windows that must be bad; then the watch's turn."""


class _HardOfHearing(Witmotion):
    """Takes no notice of the first commands: they come while it is locked."""

    def __init__(self, motion: Motion, ignores: int, **body: Unpack[Body]) -> None:
        super().__init__(motion, **body)
        self.ignores = ignores

    def on_write(self, char: str, value: bytes, t_ns: int) -> None:
        if value[2:3] == b"\x03" and self.ignores > 0:
            self.ignores -= 1
            return
        super().on_write(char, value, t_ns)


@dataclass
class _Life:
    records: list[Record]
    said: list[str]
    connects: int

    @property
    def batches(self) -> list[SampleBatch]:
        return [one for one in self.records if isinstance(one, SampleBatch)]

    def gaps(self, reason: str) -> list[Gap]:
        return [one for one in self.records if isinstance(one, Gap) and one.reason == reason]


async def _live(
    folder: Path, firmware: StreamingFirmware, kind: str, seconds: int, reboot_s: int | None = None
) -> _Life:
    """Let a wearable be collected from for so long, over connection events, and perhaps restart on the way."""
    said: list[str] = []
    clock = DrivenClock(START_NS - 600 * S)
    link = LinkModel(packets_per_event=12, queue=200)
    async with VirtualRadio(clock=clock) as radio, embedded_broker() as broker:
        device = radio.add(firmware, link=link)
        access = BrokerAccess(broker.host, broker.port, broker.username, broker.password)
        core = StandIn(access)
        collector = Collector(settings_for(folder, access, kind), clock, said.append)
        async with running(collector):
            conductor = Conductor(radio, clock, settled=collector.settled)
            await conductor.begin_at(START_NS)
            if reboot_s is not None:
                await conductor.run(START_NS + reboot_s * S)
                device.reboot(keep_link=True)
            await conductor.run(START_NS + seconds * S)
            connects = device.counters.connects
        assert collector.backlog == 0
        core.close()
    assert {one.device.rpartition("-")[0] for one in core.in_order} == {kind}, PATIENT
    return _Life(core.in_order, said, connects)


def _check_times(life: _Life, firmware: StreamingFirmware, since_ns: int) -> None:
    """Check the time of each sample by its value: within what is said of it, and 15 ms, from `since_ns` on."""
    sent, t_ns = np.round(firmware.truth.xyz_g, 9), firmware.truth.t_ns
    at = {tuple(row): k for k, row in enumerate(sent.tolist())}
    checked = 0
    for batch in life.batches:
        where = [at[tuple(row)] for row in np.round(batch.xyz_g(), 9).tolist()]
        assert where == sorted(set(where)), "a sample came twice or out of order"
        if batch.t0_ns >= since_ns:
            off_ns = np.abs(batch.times_ns() - t_ns[where])
            assert off_ns.max() < 15e6
            assert off_ns.max() <= (batch.clock_error_ns or 0)
            checked += batch.n
    assert checked > 1000


@pytest.mark.parametrize(("make", "kind"), [(Witmotion, "witmotion"), (Diy, "diy")])
async def test_f15_who_restarts_and_keeps_the_link_is_told_again(
    make: type[Witmotion] | type[Diy], kind: str, tmp_path: Path
) -> None:
    """It falls back to the rate that it has by itself, and nothing but the rate shows it."""
    firmware = make(Turning(START_NS), boot_ns=START_NS - 700 * S)
    life = await _live(tmp_path, firmware, kind, 180, reboot_s=60)
    fell_ns = START_NS + 60 * S
    assert life.connects == 1
    (restart,) = life.gaps(WRONG_RATE)
    assert fell_ns < restart.start_ns < fell_ns + RESTORED_S * S
    assert restart.end_ns - restart.start_ns < S, "telling it costs less than a second"
    assert any("instead of 100; asking it again" in one for one in life.said)
    # The twin sends 100 a second again from the command on, and all that it sends arrives.
    times_ns = firmware.truth.t_ns
    assert np.count_nonzero(times_ns > restart.end_ns) >= 0.99 * 100 * (times_ns[-1] - restart.end_ns) / S
    _check_times(life, firmware, restart.end_ns + 20 * S)


@pytest.mark.parametrize(("ignores", "connects", "restarts"), [(1, 1, 1), (2, 2, 2)])
async def test_who_did_not_hear_is_asked_again_and_then_connected_anew(
    ignores: int, connects: int, restarts: int, tmp_path: Path
) -> None:
    firmware = _HardOfHearing(Turning(START_NS), ignores, boot_ns=START_NS - 700 * S)
    life = await _live(tmp_path, firmware, "witmotion", 120)
    assert (life.connects, len(life.gaps(WRONG_RATE))) == (connects, restarts)
    assert firmware.rate_hz == 100.0
    _check_times(life, firmware, life.gaps(WRONG_RATE)[-1].end_ns + 20 * S)


async def test_who_will_not_do_as_asked_stays_up(tmp_path: Path) -> None:
    """What it sends is better than nothing: after one question and one new connection it is left alone for a while."""
    firmware = _HardOfHearing(Turning(START_NS), 10**6, boot_ns=START_NS - 700 * S)
    seconds = 280
    assert seconds * S < REST_NS
    life = await _live(tmp_path, firmware, "witmotion", seconds)
    assert (life.connects, len(life.gaps(WRONG_RATE))) == (2, 2)
    assert any("link too slow" in one for one in life.said)
    assert sum(batch.n for batch in life.batches) > 0.95 * 10 * seconds
    _check_times(life, firmware, life.gaps(WRONG_RATE)[-1].end_ns + 20 * S)
