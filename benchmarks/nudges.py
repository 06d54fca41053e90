"""How right and how quick nudges are on labelled recordings.

``python benchmarks/nudges.py [--data ../shared/data] [--jobs 2]``

Each recording is played second by second through the core of one clip and the nudging state machine. *Due* are the
nudges that the same state machine gives for the camera's labels. A nudge for sitting is **true** if, by the labels, the
person had been sitting for nine tenths of the limit by then, and **false** otherwise; a due nudge is **missed** if
none came within a minute. The delay is that of a true nudge after the due one. Slouching is acted (trials of 30 s,
repeated without a pause), with a neutral posture from the first upright trial; leaning forward is counted apart,
because one clip on the upper back cannot tell it from slouching.

The recordings are short: limits are shortened with them (named in the table), and rates are given for a day of 16
hours. What is not shown: natural slouching, whole days, driving.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow.csv
import pyarrow.parquet
from numpy.typing import NDArray

from processing import clip
from processing.epochs import SEDENTARY, Posture, State
from processing.nudges import SEEN_LATE_S, UP_RESETS_S, Cause, Moment, Nudge, Today, begin, step
from processing.samples import Block
from spineclip.contract.config import Calibration, Nudging
from spineclip.contract.days import local_time
from spineclip.contract.placement import Placement

SECOND_NS: Final = 10**9
WAKING_H: Final = 16.0
MATCH_S: Final = 60.0
LIMITS_MIN: Final = (3.0, 5.0, 45.0)
_UTC: Final = ZoneInfo("UTC")
_LABEL: Final = {"sitting": State.SITTING, "lying": State.LYING, "standing": State.STANDING, "walking": State.WALKING}


@dataclass(slots=True)
class Score:
    """Counts over recordings; `hours` is their length."""

    hours: float = 0.0
    due: int = 0
    true: int = 0
    false: int = 0
    missed: int = 0
    delays_s: list[float] = field(default_factory=list)

    def add(self, other: Score) -> None:
        """Add another's counts."""
        self.hours += other.hours
        self.due += other.due
        self.true += other.true
        self.false += other.false
        self.missed += other.missed
        self.delays_s += other.delays_s

    def __str__(self) -> str:
        """One line of a table."""
        delay = "-"
        if self.delays_s:
            worst = max(self.delays_s, key=abs)
            delay = f"{statistics.median(self.delays_s):+.0f} s (largest {worst:+.0f} s)"
        rate = WAKING_H * self.false / self.hours if self.hours else 0.0
        return (
            f"{self.hours:5.1f} h  due {self.due:3d}  true {self.true:3d}  missed {self.missed:3d}  "
            f"false {self.false:3d} = {rate:4.2f} a day of {WAKING_H:.0f} h  delay {delay}"
        )


def moments(block: Block, setup: clip.ClipSetup) -> Iterator[Moment]:
    """Play a recording a second at a time and give its live seconds, dated when they became known."""
    state = clip.begin(setup)
    vibration_mg = float("nan")
    seconds = block.t_ns // SECOND_NS
    edges = np.concatenate([[0], np.flatnonzero(np.diff(seconds)) + 1, [len(block)]])
    for a, b in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        state, output = clip.step(state, block.slice(a, b))
        if len(output.final):
            vibration_mg = float(output.final.intensity_mg[-1])
        if (live := output.live) is not None:
            known_ns = (int(block.t_ns[b - 1]) // SECOND_NS + 1) * SECOND_NS
            yield Moment(known_ns, live.state, live.posture, live.confidence, live.oriented, vibration_mg)


def nudged(seconds: Iterable[Moment], nudging: Nudging) -> list[Nudge]:
    """Return the nudges that start."""
    state, started = begin(), []
    for moment in seconds:
        state, changed = step(state, moment, Today(), nudging, local_time(moment.time_ns, _UTC))
        started += [nudge for nudge in changed if nudge.ended_s is None]
    return started


def sitting(folder: Path, subject: str, limit_min: float, seen: Sequence[Moment]) -> Score:
    """Score the nudges for sitting of one recording with camera labels."""
    wishes = Nudging(
        slouched_min=0.0, sedentary_min=limit_min, walk_missing_from_hour=24, daily_cap=100,
        quiet_from_hour=0, quiet_until_hour=0,
    )  # fmt: skip
    labels = list(_labels(folder / "labels" / f"{subject}.csv"))
    # Live seconds are seen late, which the state machine makes up for; labels are not.
    late_ns = round(SEEN_LATE_S * SECOND_NS)
    due = nudged((replace(label, time_ns=label.time_ns + late_ns) for label in labels), wishes)
    given = nudged(seen, wishes)
    score = Score(hours=len(labels) / 3600, due=len(due))
    streaks = _streaks(labels)
    for nudge in given:
        if streaks.get(nudge.time_ns // SECOND_NS, 0.0) >= 0.9 * 60 * limit_min:
            score.true += 1
        else:
            score.false += 1
    for nudge in due:
        delays = [(g.time_ns - nudge.time_ns) / SECOND_NS for g in given]
        near = [delay for delay in delays if abs(delay) <= MATCH_S]
        if near:
            score.delays_s.append(min(near, key=abs))
        else:
            score.missed += 1
    return score


def _labels(file: Path) -> Iterator[Moment]:
    table = pyarrow.csv.read_csv(file).to_pydict()
    for start, end, label in zip(table["start"], table["end"], table["label"], strict=True):
        state = _LABEL.get(label, State.ACTIVE)
        for second in range(_second(start), _second(end)):
            yield Moment((second + 1) * SECOND_NS, state, Posture.UNKNOWN, 1.0, True)


def _second(when: datetime | str) -> int:
    moment = when if isinstance(when, datetime) else datetime.fromisoformat(when)
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())


def _streaks(labels: Iterable[Moment]) -> dict[int, float]:
    """Return, by second, for how long the person has been sitting or lying by the labels (short breaks bridged)."""
    found, seated, up = {}, 0.0, 0.0
    for moment in labels:
        if moment.state in SEDENTARY:
            seated, up = seated + 1 + up, 0.0
        else:
            up += 1
            seated = seated if up < UP_RESETS_S else 0.0
        found[moment.time_ns // SECOND_NS] = seated
    return found


def slouching(file: Path) -> tuple[Score, Score, Score]:
    """Score acted slouching of one person on the upper back: slouched, upright and the rest, leaning forward."""
    table = pyarrow.parquet.read_table(file).to_pydict()
    posture = np.array(table["posture"])
    xyz = np.column_stack([np.array(table[f"T4_{axis}"], dtype=np.float64) for axis in "xyz"])
    trial = np.array(table["trial"])
    first_upright = trial[posture == "upright"][0]
    neutral = np.nanmean(xyz[trial == first_upright][50:], axis=0)
    setup = clip.ClipSetup(
        Placement.UPPER_BACK,
        {"x": "up", "y": "left", "z": "backward"},
        Calibration(0, (float(neutral[0]), float(neutral[1]), float(neutral[2]))),
    )
    wishes = Nudging(
        slouched_min=1.0, sedentary_min=0.0, walk_missing_from_hour=24, daily_cap=100,
        quiet_from_hour=0, quiet_until_hour=0,
    )  # fmt: skip

    def play(*parts: tuple[str, int]) -> tuple[list[Nudge], float, int]:
        """Play postures for so many seconds each; return nudges, hours and the second at which the last part begins."""
        pieces = [_repeated(xyz[posture == name], seconds) for name, seconds in parts]
        samples = np.concatenate(pieces)
        t_ns = 1_700_000_000 * SECOND_NS + np.arange(len(samples), dtype=np.int64) * 20_000_000
        given = nudged(moments(Block(t_ns, samples), setup), wishes)
        return (
            [n for n in given if n.cause is Cause.SLOUCHED],
            len(samples) / 50 / 3600,
            1_700_000_000 + sum(seconds for _, seconds in parts[:-1]),
        )

    given, hours, began = play(("upright", 180), ("slouched", 90))
    slouched = Score(hours=hours, due=1)
    after = [n.time_ns / SECOND_NS - (began + 60) for n in given]
    slouched.true = sum(delay >= 0 for delay in after)
    slouched.false = len(after) - slouched.true
    slouched.missed = int(not slouched.true)
    slouched.delays_s = [delay for delay in after if delay >= 0][:1]
    given, hours, _ = play(("upright", 400), ("reclined", 200), ("leaning_left", 100), ("leaning_right", 100))
    rest = Score(hours=hours, false=len(given))
    given, hours, _ = play(("upright", 180), ("leaning_forward", 90))
    return slouched, rest, Score(hours=hours, false=len(given))


def _repeated(samples: NDArray[np.float64], seconds: int) -> NDArray[np.float64]:
    """Repeat a posture's trials until so many seconds are full (50 Hz)."""
    n = 50 * seconds
    return np.tile(samples, (-(-n // len(samples)), 1))[:n]


def _one_recording(job: tuple[Path, str]) -> list[Score]:
    folder, subject = job
    table = pyarrow.parquet.read_table(folder / "lower_back" / f"{subject}.parquet")
    t_ns = table["time"].cast("int64").to_numpy()
    block = Block(t_ns, np.column_stack([table[axis].to_numpy().astype(np.float64) for axis in "xyz"]))
    seen = list(moments(block, clip.ClipSetup(Placement.LOWER_BACK)))
    return [sitting(folder, subject, limit, seen) for limit in LIMITS_MIN]


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    with ProcessPoolExecutor(options.jobs) as pool:
        for name in ("harth", "har70plus"):
            folder = options.data / name
            subjects = sorted(file.stem for file in (folder / "lower_back").glob("*.parquet"))
            totals = [Score() for _ in LIMITS_MIN]
            for scores in pool.map(_one_recording, [(folder, subject) for subject in subjects]):
                for total, score in zip(totals, scores, strict=True):
                    total.add(score)
            for limit, total in zip(LIMITS_MIN, totals, strict=True):
                print(f"{name:10s} lower back  sitting over {limit:4.0f} min  {total}")
        files = sorted((options.data / "sitting_posture").glob("*.parquet"))
        acted = [Score(), Score(), Score()]
        for scores in pool.map(slouching, files):
            for total, score in zip(acted, scores, strict=True):
                total.add(score)
        for words, total in zip(
            ("slouched over 1 min", "upright, reclined, sideways", "leaning forward"), acted, strict=True
        ):
            print(f"sitting    upper back  {words:27s} {total}")


if __name__ == "__main__":
    main()
