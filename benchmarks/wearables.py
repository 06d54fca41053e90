"""How well each wearable is understood: decoder against twin, sample by sample and nanosecond by nanosecond.

Every twin runs 35 ppm fast over a link with connection events of 30 to 50 ms, 5 % retransmission and a host that now
and then is busy for 150 ms. The collector decodes and times it as it would in life. Compared with the twin's record
of truth, from 60 s on::

    python -m benchmarks.wearables [--seconds 660] [--kinds witmotion polar-h10 ...]

The bias is what the fastest packets need; it cannot be seen from one side. `said` is the share of samples whose time
is within the published uncertainty.
"""

from __future__ import annotations

import argparse
import asyncio
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from collector.stream import ClipStream
from collector.wearables import Advertisement, Wearable, recognise
from firmware_sim.faults import Faults
from firmware_sim.firmware.base import Samples, Times
from firmware_sim.firmware.catalog import CATALOG
from firmware_sim.firmware.streaming import StreamingFirmware
from firmware_sim.link import LinkModel
from firmware_sim.shortcut import Shortcut
from spineclip.contract.placement import Placement
from spineclip.contract.wire import Gap, Record, SampleBatch

START_NS = 1_700_000_000 * 10**9
LINK = LinkModel(retransmission=0.05, packets_per_event=20, queue=256, stall=0.002, stall_ms=150.0)
FAULTS = Faults(drop=0.005, duplicate=0.005)


class Turning:
    """A body that turns slowly: no two samples are alike for ten minutes."""

    def samples(self, t_ns: Times) -> Samples:
        """Return the specific force, g (n, 3)."""
        angle = (t_ns - START_NS) / 1e9 * 2 * np.pi / 613.0
        wiggle = np.sin(angle * 211.0)
        return np.stack([np.sin(angle), 0.3 * wiggle, np.cos(angle)], axis=1)


@dataclass(frozen=True)
class Run:
    """What came of one run."""

    wearable: Wearable
    firmware: StreamingFirmware
    records: list[Record]
    rejects: int

    @property
    def batches(self) -> list[SampleBatch]:
        """The batches."""
        return [one for one in self.records if isinstance(one, SampleBatch)]

    @property
    def xyz_g(self) -> NDArray[np.float64]:
        """All samples."""
        return np.concatenate([one.xyz_g() for one in self.batches])

    @property
    def t_ns(self) -> Times:
        """Their times."""
        return np.concatenate([one.times_ns() for one in self.batches])

    @property
    def gaps(self) -> list[Gap]:
        """The gaps but the first, which is the time before the start."""
        return [one for one in self.records if isinstance(one, Gap)]


async def run(kind: str, seconds: float, *, faults: Faults | None = None, link: LinkModel = LINK, seed: int = 1) -> Run:
    """Let a collector's clip hear a twin."""
    boots = iter(range(1, 1000))
    firmware = CATALOG[kind](Turning(), boot_ns=START_NS - 5 * 10**9, drift_ppm=35.0)
    seen = Advertisement(
        firmware.name, firmware.address, frozenset(firmware.service_uuids), dict(firmware.manufacturer_data)
    )
    wearable = recognise(seen)
    assert wearable is not None, f"no decoder recognises {kind}"
    clip = ClipStream(wearable.kind, Placement.STERNUM, wearable, lambda: next(boots))
    records: list[Record] = []

    def heard(char: str, value: bytes, t_ns: int) -> None:
        records.extend(clip.feed(char, value, t_ns - START_NS, t_ns))

    air = Shortcut(firmware, START_NS, heard, link=link, seed=seed)
    plan = wearable.plan(50.0, 8.0)
    await wearable.prepare(air, plan)
    clip.connected(plan)
    air.subscribe(*wearable.notify)
    await wearable.start(air, plan)
    if faults is not None:
        air.device.faults.drop, air.device.faults.duplicate = faults.drop, faults.duplicate
    air.run(START_NS + round(seconds * 1e9))
    records.extend(clip.disconnected("link-lost"))
    return Run(wearable, firmware, records, sum(clip.rejects.values()))


def row(kind: str, seconds: float) -> str:
    """Measure one wearable."""
    clean = asyncio.run(run(kind, seconds))
    truth = clean.firmware.truth
    got, sent = clean.xyz_g, truth.xyz_g
    n = min(len(got), len(sent))
    error_g = float(np.abs(got[:n] - sent[:n]).max())
    t, true = clean.t_ns[:n], truth.t_ns[:n]
    late = true >= START_NS + 60 * 10**9
    error_ms = (t[late] - true[late]) / 1e6
    bias = float(np.median(error_ms))
    fit = np.polyfit((true[late] - true[late][0]) / 1e9, error_ms, 1)[0] * 1e3
    monotone = bool((np.diff(t) > 0).all())
    said_ms = np.concatenate([np.full(len(one.xyz), one.clock_error_ns / 1e6) for one in clean.batches])[:n][late]
    within = float((np.abs(error_ms) <= said_ms).mean())
    hurt = asyncio.run(run(kind, 120.0, faults=FAULTS))
    lost = len(hurt.firmware.truth.t_ns) - len(hurt.xyz_g)
    return (
        f"{kind:20s} {len(sent):6d} {len(sent) - len(got):5d} {error_g:9.2e} {bias:7.1f} "
        f"{np.percentile(np.abs(error_ms - bias), 95):7.2f} {np.abs(error_ms).max():7.1f} {within:6.1%} {fit:8.3f} "
        f"{'yes' if monotone else 'NO':>6s} {len(clean.gaps):5d} | {lost:5d} {len(hurt.gaps):5d} {hurt.rejects:5d}"
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=660.0)
    parser.add_argument("--kinds", nargs="*", default=sorted(CATALOG))
    options = parser.parse_args()
    print(f"{'':20s} {'':6s} {'':5s} {'value':>9s} {'time error ms, from 60 s on':^30s} {'rate':>8s}")
    print(
        f"{'wearable':20s} {'sent':>6s} {'lost':>5s} {'error g':>9s} {'bias':>7s} {'p95':>7s} {'max':>7s} "
        f"{'said':>6s} {'ppm':>8s} {'rises':>6s} {'gaps':>5s} | with 0.5 % lost and 0.5 % doubled: lost, gaps, rejected"
    )
    for kind in options.kinds:
        print(row(kind, options.seconds), flush=True)


if __name__ == "__main__":
    main()
