"""How fast the core is against one filter, and against those that do the same.

A day of 50 Hz (4.32 million samples) of a generated person through the core of a clip and through everything to day
metrics, next to one causal fourth-order ``sosfilt`` over the same array: the floor that any filtering pays. Times are
of the processor, all in one run and in turn, each the smallest of seven (of two for peers, whose first run may load a
model), since a machine has other things to do, too. Peers that are installed run on the same day::

    python -m benchmarks.speed [--days 1] [--memory 14]
"""

from __future__ import annotations

import argparse
import importlib.util
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.signal import butter, sosfilt

from firmware_sim.motion import Motion
from firmware_sim.scenario import Day, typical_day
from processing import analysis, clip, pipeline
from processing.clip import ClipSetup
from processing.samples import Block
from spineclip.contract.config import Clip, PatientConfig
from spineclip.contract.placement import Placement

START_NS = 1_714_521_600 * 10**9  # 2024-05-01T00:00:00Z
RATE_HZ = 50
PLACE = Placement.LOWER_BACK
DAY = RATE_HZ * 86_400
CONFIG = PatientConfig(clips={"clip": Clip(PLACE)})


def _seconds(*what: Callable[[], object], times: int) -> list[float]:
    """Least time of each; in turn, so that a busy moment of the machine meets all of them."""
    spent: list[list[float]] = [[] for _ in what]
    for _ in range(times):
        for one, its in zip(what, spent, strict=True):
            start = time.process_time()
            one()
            its.append(time.process_time() - start)
    return [min(its) for its in spent]


def _status_mb(name: str) -> float:
    """Read a line of this process's memory, as Linux keeps it."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(float(line.split()[1]) / 1024.0 for line in lines if line.startswith(name))


def _memory(days: int) -> None:
    """Print how far memory rises above the input (a day, gone through as often as asked) while seconds are kept."""
    t_ns, xyz = _day(1)
    warm = slice(0, 120 * RATE_HZ)
    _kept(iter([Block(t_ns[warm], xyz[warm])]))  # what is loaded at first use is not the input's
    before = _status_mb("VmRSS:")
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # the peak begins anew: see proc(5)
    kept = _kept(
        Block(t_ns[a : a + 2**17] + day * 86_400 * 10**9, xyz[a : a + 2**17])
        for day in range(days)
        for a in range(0, len(t_ns), 2**17)
    )
    print(f"memory above the input, {days} day(s): {_status_mb('VmHWM:') - before:.0f} MB at most, {kept:,} s kept")


def _kept(pieces: Iterator[Block]) -> int:
    results = list(analysis.analyze([analysis.Track("clip", PLACE, pieces)], CONFIG))
    return sum(len(result.seconds) for result in results)


def _day(days: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    motion = Motion(typical_day(Day(date(2024, 5, 1)), tz="UTC"), start_ns=START_NS, placement=PLACE, repeat=True)
    t_ns = START_NS + np.arange(DAY, dtype=np.int64) * (10**9 // RATE_HZ)
    xyz = np.concatenate([motion.samples(t_ns[a : a + 10**5]) for a in range(0, DAY, 10**5)])
    every = START_NS + np.arange(days * DAY, dtype=np.int64) * (10**9 // RATE_HZ)
    return every, np.tile(xyz, (days, 1))


def _everything(t_ns: NDArray[np.int64], xyz: NDArray[np.float64]) -> int:
    pieces = (Block(t_ns[a : a + 2**17], xyz[a : a + 2**17]) for a in range(0, len(t_ns), 2**17))
    return sum(1 for _ in analysis.analyze([analysis.Track("clip", PLACE, pieces)], CONFIG))


def _stream(t_ns: NDArray[np.int64], xyz: NDArray[np.float64], *, whole: bool) -> NDArray[np.float64]:
    """Milliseconds of each batch of a second, over ten minutes in the middle of the day."""
    start = 11 * 3600 * RATE_HZ
    one = clip.begin(ClipSetup(PLACE))
    person = pipeline.begin("p-1", CONFIG)
    spent = []
    for a in range(start, start + 600 * RATE_HZ, RATE_HZ):
        block = Block(t_ns[a : a + RATE_HZ], xyz[a : a + RATE_HZ])
        begin = time.process_time()
        if whole:
            person, _ = pipeline.step(person, "clip", PLACE, block)
        else:
            one, _ = clip.step(one, block)
        spent.append(1e3 * (time.process_time() - begin))
    return np.array(spent[60:])


def _peers(t_ns: NDArray[np.int64], xyz: NDArray[np.float64], floor_s: float) -> None:
    if importlib.util.find_spec("skdh") is None:
        print("scikit-digital-health is not installed: left out (pip install scikit-digital-health==0.17.18)")
    else:
        from skdh.context import PredictGaitLumbarLgbm  # noqa: PLC0415

        predict = PredictGaitLumbarLgbm().predict
        (spent,) = _seconds(lambda: predict(time=t_ns / 1e9, accel=xyz, fs=float(RATE_HZ)), times=2)
        print(f"scikit-digital-health, lumbar walking alone: {spent:.2f} s, {spent / floor_s:.1f} x the floor")
    if importlib.util.find_spec("mobgap") is None:
        print("mobgap is not installed: left out (pip install mobgap==1.2.0)")
    else:
        import pandas as pd  # noqa: PLC0415
        from mobgap.gait_sequences import GsdIonescu  # noqa: PLC0415

        table = pd.DataFrame(xyz * 9.81, columns=["acc_is", "acc_ml", "acc_pa"])
        table[["gyr_is", "gyr_ml", "gyr_pa"]] = 0.0
        (spent,) = _seconds(lambda: GsdIonescu().detect(table, sampling_rate_hz=float(RATE_HZ)), times=2)
        print(f"mobgap GsdIonescu, walking alone: {spent:.2f} s, {spent / floor_s:.1f} x the floor")


def main() -> None:
    """Measure and print."""
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--days", type=int, default=1)
    words.add_argument("--memory", type=int, metavar="DAYS", help="measure memory alone, in this process (Linux)")
    chosen = words.parse_args()
    if chosen.memory:
        _memory(chosen.memory)
        return
    t_ns, xyz = _day(chosen.days)
    sos = butter(4, 0.1, output="sos")
    floor_s, core_s, all_s = _seconds(
        lambda: sosfilt(sos, xyz, axis=0),
        lambda: clip.step(clip.begin(ClipSetup(PLACE)), Block(t_ns, xyz)),
        lambda: _everything(t_ns, xyz),
        times=7,
    )
    print(f"{chosen.days} day(s) at {RATE_HZ} Hz, {len(t_ns):,} samples; floor (sosfilt, order 4): {floor_s:.3f} s")
    print(f"core of a clip (states, steps, posture): {core_s:.3f} s, {core_s / floor_s:.1f} x the floor")
    print(f"everything, to bouts and day metrics: {all_s:.3f} s, {all_s / floor_s:.1f} x the floor")
    sys.stdout.flush()
    subprocess.run([sys.executable, "-m", "benchmarks.speed", "--memory", str(chosen.days)], check=False)  # noqa: S603 - itself
    for name, whole in (("core of a clip", False), ("everything", True)):
        spent = _stream(t_ns, xyz, whole=whole)
        print(f"streaming, a second a batch, {name}: {np.median(spent):.3f} ms median, {np.mean(spent):.3f} ms mean")
    _peers(t_ns, xyz, floor_s)


if __name__ == "__main__":
    main()
