"""How many patients one core follows: encoded batches of a second through decoding, intake, pipeline and store.

``python -m benchmarks.patients [--patients 1000] [--seconds 15] [--profile]``

One process, one thread, SQLite on disk, no MQTT. Every patient has a generated person, each at another moment of a
tour through sitting, standing, walking and lying, at 50 Hz. Each patient is committed as often as the core does it with
so many. The factor is seconds of data of all patients by seconds of work: above 1, one core keeps up.
"""

from __future__ import annotations

import argparse
import cProfile
import gc
import pstats
import tempfile
import time
from pathlib import Path
from typing import Final

import numpy as np

from firmware_sim.motion import Motion
from firmware_sim.scenario import demo_tour
from processing.committer import SPACING_MAX_S
from processing.patient import Patient
from processing.stores.sqlite import SqliteStore
from spineclip.contract.placement import Placement
from spineclip.contract.wire import SampleBatch, decode, encode

NS: Final = 10**9
BEGIN_NS: Final = 1_750_000_000 * NS
RATE_HZ: Final = 50
SCALE_G: Final = 1 / 2048
TOUR_S: Final = 900
WARM_S: Final = 20
"""Seconds before the measured ones: filters run, seconds become final, nothing is set up any more."""


def _tour() -> np.ndarray[tuple[int, ...], np.dtype[np.int16]]:
    """Counts of a tour, shape (seconds, rate, 3)."""
    t_ns = BEGIN_NS + np.arange(TOUR_S * RATE_HZ, dtype=np.int64) * (NS // RATE_HZ)
    xyz = Motion(demo_tour(), start_ns=BEGIN_NS, placement=Placement.LOWER_BACK, repeat=True).samples(t_ns)
    return np.round(xyz / SCALE_G).astype(np.int16).reshape(TOUR_S, RATE_HZ, 3)


class Ward:
    """Many patients, each with the core's own desk and a common store."""

    def __init__(self, patients: int, store: SqliteStore) -> None:
        self._tour = _tour()
        self._store = store
        self.patients = [Patient(f"p-{number}") for number in range(patients)]
        self.decode_s = self.take_s = self.commit_s = 0.0
        self.commits = self.points = self.bytes = 0

    def second(self, second: int) -> None:
        """Let each patient's batch of one second through, and commit those that are due."""
        spacing_s = round(SPACING_MAX_S)
        for number, patient in enumerate(self.patients):
            counts = self._tour[(second + 37 * number) % TOUR_S]
            t0_ns = BEGIN_NS + second * NS
            payload = encode(
                SampleBatch("clip-1", Placement.LOWER_BACK, 1, second, t0_ns, NS // RATE_HZ, SCALE_G, counts)
            )
            begun = time.perf_counter()
            record = decode(payload, now_ns=t0_ns + NS)
            decoded = time.perf_counter()
            patient.take(record, now_s=float(second))
            taken = time.perf_counter()
            self.decode_s += decoded - begun
            self.take_s += taken - decoded
            if (second + number) % spacing_s == 0:
                self._commit(patient)
                self.commit_s += time.perf_counter() - taken

    def _commit(self, patient: Patient) -> None:
        commit = patient.commit()
        self._store.commit(patient.patient, commit.points, commit.checkpoint)
        patient.stored()
        commit.ack.to_json()
        self.commits += 1
        self.points += len(commit.points)
        self.bytes = max(self.bytes, len(commit.checkpoint))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--patients", type=int, default=1000)
    parser.add_argument("--seconds", type=int, default=15)
    parser.add_argument("--profile", action="store_true", help="also print where the time goes")
    told = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        store = SqliteStore(Path(folder) / "metrics.sqlite")
        ward = Ward(told.patients, store)
        for second in range(WARM_S):
            ward.second(second)
        ward.decode_s = ward.take_s = ward.commit_s = 0.0
        ward.commits = ward.points = 0
        gc.collect()
        profile = cProfile.Profile()
        cpu_s = time.process_time()
        if told.profile:
            profile.enable()
        for second in range(WARM_S, WARM_S + told.seconds):
            ward.second(second)
        profile.disable()
        cpu_s = time.process_time() - cpu_s
        store.close()
    batches = told.patients * told.seconds
    total_s = ward.decode_s + ward.take_s + ward.commit_s
    print(
        f"{told.patients} patients, {told.seconds} s each: {1000 * total_s / batches:.3f} ms a batch "
        f"(decode {1000 * ward.decode_s / batches:.3f}, intake and pipeline {1000 * ward.take_s / batches:.3f}, "
        f"commit {1000 * ward.commit_s / batches:.3f}: {ward.commits} of {1000 * ward.commit_s / ward.commits:.1f} ms, "
        f"{ward.points / ward.commits:.0f} points each); checkpoints up to {ward.bytes / 1000:.0f} kB"
    )
    print(f"factor of real time on one core: {told.seconds / total_s:.2f} (by CPU time: {told.seconds / cpu_s:.2f})")
    if told.profile:
        pstats.Stats(profile).sort_stats("tottime").print_stats(35)


if __name__ == "__main__":
    main()
