"""Promise: what a simulated wearable sends, its decoder reads: each sample once, with its value, at its time.

No radio here: the twin's bytes are handed straight to the collector's stream, at the instants that the twin gives.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from collector.stream import ClipStream
from collector.wearables import Stream, Wearable, by_kind
from firmware_sim.firmware.diy import Diy
from firmware_sim.firmware.diy_text import DiyText
from firmware_sim.firmware.eager import Infinitime, Microbit, Nicla
from firmware_sim.firmware.espruino import Espruino
from firmware_sim.firmware.metamotion import Metamotion
from firmware_sim.firmware.movella import MovellaDot
from firmware_sim.firmware.movesense import Movesense
from firmware_sim.firmware.polar import H10, VERITY_SENSE, Polar
from firmware_sim.firmware.streaming import StreamingFirmware
from firmware_sim.firmware.witmotion import Witmotion
from firmware_sim.shortcut import Shortcut
from spineclip.contract.placement import Placement
from spineclip.contract.wire import Gap, Record, SampleBatch
from tests.system.test_collector import Turning

S = 10**9
UTC0 = 1_700_000_000 * S


async def _play(
    wearable: Wearable, twin: StreamingFirmware, plan: Stream, seconds: float
) -> tuple[list[Record], ClipStream]:
    sent: list[tuple[str, bytes, int]] = []
    gatt = Shortcut(twin, UTC0, lambda characteristic, value, t_ns: sent.append((characteristic, value, t_ns)))
    stream = ClipStream("twin-1", Placement.STERNUM, wearable, lambda: 1)
    await wearable.prepare(gatt, plan)
    stream.connected(plan)
    gatt.subscribe(*wearable.notify)
    await wearable.start(gatt, plan)
    percent = await wearable.ask_battery(gatt)
    await gatt.sleep(seconds)
    if percent is not None:
        stream.battery_pct = percent
    records: list[Record] = []
    for char, value, t_ns in sent:
        records += stream.feed(char, value, t_ns - UTC0, t_ns)
    records += stream.disconnected("stopped")
    await wearable.stop(gatt)
    gatt.device.close()
    return records, stream


Make = Callable[..., StreamingFirmware]


@dataclass(frozen=True)
class Case:
    """A kind and its twin, what is asked for, and the error of a value: what our own counts add to the twin's."""

    kind: str
    make: Callable[..., StreamingFirmware]
    rate_hz: float
    range_g: float
    options: dict[str, Any] = field(default_factory=dict)
    value_g: float = 1e-9


FLOAT_G = 1e-6  # float32 of m/s2 near 80
CASES = [
    Case("polar-h10", Polar, 200.0, 8.0, {"model": H10}),
    Case("polar-h10", Polar, 25.0, 2.0, {"model": H10}),
    Case("polar-sense", Polar, 52.0, 8.0, {"model": VERITY_SENSE}),
    Case("polar-sense", Polar, 104.0, 4.0, {"model": VERITY_SENSE}),
    Case("movesense", Movesense, 104.0, 8.0, {}, FLOAT_G),
    Case("movesense", Movesense, 52.0, 8.0, {"uptime_ns": (2**32 - 5_000) * 10**6}, FLOAT_G),
    Case("witmotion", Witmotion, 100.0, 16.0),
    Case("espruino", Espruino, 25.0, 4.0),
    Case("espruino", Espruino, 12.5, 4.0, {"name": "Puck.js 1a2b"}),
    Case("metamotion", Metamotion, 100.0, 4.0, {"sensor": "bmi160"}),
    Case("metamotion", Metamotion, 50.0, 16.0, {"sensor": "bmi270"}),
    Case("dot", MovellaDot, 60.0, 16.0, {"uptime_ns": (2**32 - 5_000_000) * 10**3}, FLOAT_G),
    Case("microbit", Microbit, 50.0, 2.0),
    Case("nicla", Nicla, 50.0, 8.0),
    Case("infinitime", Infinitime, 10.0, 2.0),
    Case("diy", Diy, 50.0, 8.0, {"uptime_ns": (2**32 - 5_000_000) * 10**3}),
    Case("diy-text", DiyText, 50.0, 8.0, {"uptime_ns": (2**32 - 5_000) * 10**6}),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.kind}-{case.rate_hz:g}")
async def test_twin_through_decoder(case: Case) -> None:
    wearable = by_kind(case.kind)
    twin = case.make(Turning(), drift_ppm=20.0, boot_ns=UTC0 - 3 * S, **case.options)
    plan = wearable.plan(case.rate_hz, case.range_g)
    assert (plan.rate_hz, plan.range_g) == (case.rate_hz, case.range_g)
    records, stream = await _play(wearable, twin, plan, 40.0)
    assert not stream.rejects
    assert not stream.notices
    assert not [record for record in records if isinstance(record, Gap)]
    batches = [record for record in records if isinstance(record, SampleBatch)]
    got = np.concatenate([batch.xyz_g() for batch in batches])
    times = np.concatenate([batch.times_ns() for batch in batches])
    assert len(got) == twin.truth.samples > 35 * case.rate_hz
    assert np.abs(got - twin.truth.xyz_g).max() <= case.value_g
    # The first batch of packets that hold many samples still has to learn the rate; then all is exact.
    late = len(times) // 4
    assert np.abs(times - twin.truth.t_ns)[late:].max() <= 2_000
    assert np.abs(times - twin.truth.t_ns).max() <= 0.001 * S
    for before, after in pairwise(batches):
        assert after.t0_ns >= before.end_ns


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.kind}-{case.rate_hz:g}")
async def test_a_twin_sends_at_the_rate_that_its_decoder_has_planned(case: Case) -> None:
    wearable, twin = by_kind(case.kind), case.make(Turning(), boot_ns=UTC0 - 3 * S, **case.options)
    plan = wearable.plan(50.0, 8.0)  # what the collector wishes for, unless told otherwise
    await _play(wearable, twin, plan, 20.0)
    assert twin.truth.samples == pytest.approx(20.0 * plan.rate_hz, rel=0.1)


async def test_batteries_are_read() -> None:
    for case in CASES:
        wearable = by_kind(case.kind)
        twin = case.make(Turning(), **case.options)
        _, stream = await _play(wearable, twin, wearable.plan(25.0, 2.0), 2.0)
        known = case.kind not in ("microbit", "nicla")
        assert (stream.battery_pct is not None) == known, case.kind
