"""Promise: what each simulated wearable sends, the collector's decoders and clocks give back, sample by sample.

Decoders and twins were written apart, each from the vendor's documents; here they meet.
"""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.wearables import START_NS, run
from firmware_sim.faults import Faults
from firmware_sim.firmware.catalog import CATALOG
from firmware_sim.link import LinkModel

S = 10**9


@pytest.mark.parametrize("kind", sorted(CATALOG))
async def test_every_sample_comes_back_at_its_time(kind: str) -> None:
    """Over connection events, retransmissions and a busy host, from a wearable whose quartz is 35 ppm fast."""
    met = await run(kind, 90.0)
    truth = met.firmware.truth
    got, sent = met.xyz_g, truth.xyz_g
    # What was handed to the radio in the last moments is still on its way.
    assert len(sent) - 2 * met.firmware.packet_samples - 6 <= len(got) <= len(sent)
    # Floats of m/s2 become counts of at most 1/2048 g / 16; everything else is exact.
    np.testing.assert_allclose(got, sent[: len(got)], atol=1e-7)
    t, true = met.t_ns, truth.t_ns[: len(got)]
    assert (np.diff(t) > 0).all()
    late = true >= START_NS + 60 * S
    assert np.abs(t[late] - true[late]).max() < 15_000_000
    assert met.gaps == []
    assert met.rejects == 0


@pytest.mark.parametrize(
    ("kind", "interval_ms"),
    [("witmotion", 40.0), ("witmotion", 35.0), ("metamotion", 30.0), ("polar-h10", 45.0)],
)
async def test_a_wearable_that_keeps_step_with_the_events_is_not_thought_to_be_known_well(
    kind: str, interval_ms: float
) -> None:
    """Where all packets wait as long for their events, no arrival shows it: each batch has to allow for it."""
    link = LinkModel(interval_ms, interval_ms, packets_per_event=20, queue=256, stall=0.001)
    for seed in (1, 2):
        met = await run(kind, 120.0, link=link, seed=seed)
        true, at, fine = met.firmware.truth.t_ns, 0, []
        for batch in met.batches:
            fine.append(abs(batch.t0_ns - int(true[at])) <= (batch.clock_error_ns or 0))
            at += batch.n
        assert met.gaps == []
        assert np.mean(fine) >= 0.9


async def test_a_home_made_wearables_losses_are_named_to_the_sample() -> None:
    """With a counter in its packets nothing is guessed: every lost batch of ten lies in a gap of 0.2 s."""
    met = await run("diy", 120.0, faults=Faults(drop=0.02, duplicate=0.02))
    lost = len(met.firmware.truth.t_ns) - len(met.xyz_g)
    named_s = sum((gap.end_ns - gap.start_ns) / 1e9 for gap in met.gaps)
    assert lost >= 60
    assert named_s == pytest.approx(lost / 50.0, abs=0.45)  # the very last batches may still be on their way
