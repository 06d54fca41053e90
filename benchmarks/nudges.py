"""How right and how quick nudges are on labelled recordings.

``python -m benchmarks.nudges [--data ../shared/data] [--jobs 2] [--folds FOLDER]``

Each recording is played second by second through the core of one clip and the nudging state machine. *Due* are the
sittings that are longer than the limit. A nudge for one is **true** if the person had been sitting for nine tenths of
the limit by then, and sat at most five seconds ago, which it may take; any other is **false**. A sitting is **missed**
if no nudge came while it lasted; how many of these were *held back*, by the pause of ten minutes after the nudge
before, is said beside. What is true comes from the camera and the
thigh (`benchmarks/_sitting.py`); the same is printed with the labels as they are. The delay is that of every true
nudge, from the first second at which the limit was reached, the person sat, and the ten minutes after the nudge before
were over.

Bending is acted (trials of 30 s, repeated without a pause, after three minutes upright), with a neutral posture from
the first upright trial. It is scored in the same way, and what is true comes from the sensors above and below (C7,
T12), which the nudge does not go by (`benchmarks/_bending.py`): a label does not tell whether a back was bent forward.
Leaning sideways is no cause: nudges there are counted, but none is due. They are true where the back was bent as well.

*Of what was known live* is another delay: from when the live seconds by themselves fulfil the cause
(`benchmarks/_known.py`). It tells acting late from recognising late; a cause known without a nudge counts as ``+inf``.

The shipped numbers were fitted on these same people. With ``--folds`` (a folder that ``spineclip train --folds`` has
written) each is played by numbers that were fitted without them, states and postures alike.

The recordings are short: limits are shortened with them (named in the table), and rates are given for a day of 16
hours. What is not shown: natural slouching, whole days, driving.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from math import inf
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow.parquet

from benchmarks._bending import REFERENCES, Person, bends
from benchmarks._bending import read as read_person
from benchmarks._known import acted_s
from benchmarks._sitting import Cause, causes, seated
from processing import activity, clip, posture
from processing.activity import Model
from processing.bending import bent
from processing.epochs import Epochs
from processing.nudges import REST_S, Today, begin, step
from processing.samples import Block
from processing.streaks import Cause as Kind
from processing.streaks import Moment, Nudge, settle
from spineclip.contract.config import Calibration, Nudging
from spineclip.contract.days import local_time
from spineclip.contract.placement import Placement
from spineclip.labelled import people
from spineclip.posture_sessions import groups
from spineclip.posture_trials import described, read, write
from spineclip.training import fit

SECOND_NS: Final = 10**9
WAKING_H: Final = 16.0
LIMITS_MIN: Final = (3.0, 5.0, 45.0)
PROMISED_S: Final = 5.0
SIDEWAYS: Final = ("leaning_left", "leaning_right")
ACTED: Final = ("slouched", "leaning_forward", "leaning_left", "leaning_right", "reclined", "upright")
START_S: Final = 1_700_000_000
UPRIGHT_S: Final = 180
SHOWN_S: Final = 120
BENT_MIN: Final = 1.0
_UTC: Final = ZoneInfo("UTC")


@dataclass(slots=True)
class Score:
    """Counts over recordings; `hours` is their length."""

    hours: float = 0.0
    due: int = 0
    true: int = 0
    false: int = 0
    missed: int = 0
    held: int = 0
    delays_s: list[float] = field(default_factory=list)
    acted_s: list[float] = field(default_factory=list)

    def add(self, other: Score) -> None:
        """Add another's counts."""
        self.hours += other.hours
        self.due += other.due
        self.true += other.true
        self.false += other.false
        self.missed += other.missed
        self.held += other.held
        self.delays_s += other.delays_s
        self.acted_s += other.acted_s

    def __str__(self) -> str:
        """One line of a table."""
        delay = "-"
        if self.delays_s:
            off_s = sorted(delay_s for delay_s in self.delays_s if abs(delay_s) > PROMISED_S)
            delay = (
                f"{statistics.median(self.delays_s):+.0f} s ({min(self.delays_s):+.0f} to {max(self.delays_s):+.0f} s, "
                f"{len(self.delays_s) - len(off_s)} of {len(self.delays_s)} within {PROMISED_S:g} s"
                f"{''.join(f', {delay_s:+.0f}' for delay_s in off_s)})"
            )
        rate = WAKING_H * self.false / self.hours if self.hours else 0.0
        held = f" ({self.held} held back)" if self.held else ""
        return (
            f"{self.hours:5.1f} h  due {self.due:3d}  true {self.true:3d}  missed {self.missed:3d}{held}  "
            f"false {self.false:3d} = {rate:4.2f} a day of {WAKING_H:.0f} h  delay {delay}{self._acted()}"
        )

    def _acted(self) -> str:
        if not self.acted_s:
            return ""
        within = sum(after_s <= PROMISED_S for after_s in self.acted_s)
        late = "".join(f", {after_s:+.0f}" for after_s in sorted(self.acted_s) if after_s > PROMISED_S)
        return f"  of what was known live {within} of {len(self.acted_s)} within {PROMISED_S:g} s{late}"


Played = tuple[Epochs, Moment | None]


def moments(block: Block, setup: clip.ClipSetup, fitted: Model | None = None) -> Iterator[Played]:
    """Play a recording a second at a time; give what becomes final, and the live second, dated when it is known.

    `fitted` stands in for the shipped numbers.
    """
    state = clip.begin(setup)
    vibration_mg = float("nan")
    seconds = block.t_ns // SECOND_NS
    edges = np.concatenate([[0], np.flatnonzero(np.diff(seconds)) + 1, [len(block)]])
    for a, b in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        state, output = clip.step(state, block.slice(a, b), fitted)
        if len(output.final):
            vibration_mg = float(output.final.intensity_mg[-1])
        moment = None
        if (live := output.live) is not None:
            known_ns = (int(block.t_ns[b - 1]) // SECOND_NS + 1) * SECOND_NS
            back = bent(live, setup.placement)
            moment = Moment(known_ns, live.state, back, live.confidence, live.oriented, vibration_mg, live.mount)
        yield output.final, moment


def nudged(played: Iterable[Played], nudging: Nudging) -> list[Nudge]:
    """Return the nudges in order, each with its end if it came."""
    state, given = begin(), {}
    for final, moment in played:
        state = settle(state, final)
        if moment is not None:
            state, changed = step(state, moment, Today(), nudging, local_time(moment.time_ns, _UTC))
            given.update({nudge.time_ns: nudge for nudge in changed})
    return list(given.values())


def scored(due: Sequence[Cause], given: Iterable[Nudge], seconds: int) -> Score:
    """Score the nudges of a recording of so many seconds, of which it is known when there was cause for one."""
    score = Score(hours=seconds / 3600, due=len(due))
    free_s, answered = 0.0, set()
    pauses: list[tuple[float, float]] = []
    for nudge in given:
        known_s = nudge.time_ns / SECOND_NS
        cause = next((cause for cause in due if cause.early <= known_s <= cause.seconds[-1] + PROMISED_S), None)
        first = next((second for second in cause.seconds if second >= free_s), None) if cause is not None else None
        if cause is None or first is None:
            score.false += 1
        else:
            score.true += 1
            score.delays_s.append(known_s - first)
            answered.add(cause.early)
        free_s = inf if nudge.ended_s is None else known_s + nudge.ended_s + REST_S
        pauses.append((known_s, free_s))
    missed = [cause.seconds for cause in due if cause.early not in answered]
    score.missed = len(missed)
    score.held = sum(any(since < seconds[0] and seconds[-1] < until for since, until in pauses) for seconds in missed)
    return score


def sitting(sits: Mapping[int, bool], limit_min: float, played: Sequence[Played]) -> Score:
    """Score the nudges for sitting of one recording of which it is known when its wearer sat."""
    wishes = Nudging(
        slouched_min=0.0, sedentary_min=limit_min, walk_missing_from_hour=24, daily_cap=100,
        quiet_from_hour=0, quiet_until_hour=0,
    )  # fmt: skip
    given = nudged(played, wishes)
    score = scored(causes(sits, limit_min), given, len(sits))
    score.acted_s = acted_s((moment for _, moment in played if moment), given, Kind.SEDENTARY, limit_min)
    return score


def bending(file: Path) -> list[Score]:
    """Score acted postures of one person on the upper back, one score for each of `ACTED`."""
    person = read_person(pyarrow.parquet.read_table(file).to_pydict(), ("T4", *REFERENCES))
    x, y, z = person.neutral("T4").tolist()
    setup = clip.ClipSetup(Placement.UPPER_BACK, {"x": "up", "y": "left", "z": "backward"}, Calibration(0, (x, y, z)))
    return [_acted(name, person, setup) for name in ACTED]


def _acted(name: str, person: Person, setup: clip.ClipSetup) -> Score:
    """Play three minutes upright and then a posture; a nudge is true where the other sensors say that it is bent."""
    samples = person.played("T4", name, UPRIGHT_S, SHOWN_S)
    t_ns = START_S * SECOND_NS + np.arange(len(samples), dtype=np.int64) * 20_000_000
    wishes = Nudging(
        slouched_min=BENT_MIN, sedentary_min=0.0, walk_missing_from_hour=24, daily_cap=100,
        quiet_from_hour=0, quiet_until_hour=0,
    )  # fmt: skip
    due = bends(person.turned_deg(name, UPRIGHT_S, SHOWN_S), START_S, BENT_MIN)
    played = list(moments(Block(t_ns, samples), setup))
    given = nudged(played, wishes)
    score = scored(due, given, UPRIGHT_S + SHOWN_S)
    score.acted_s = acted_s((moment for _, moment in played if moment), given, Kind.SLOUCHED, BENT_MIN)
    if name in SIDEWAYS:  # no cause, so that none is missed; what is nudged must still have been bent
        score.due, score.missed, score.held = score.true, 0, 0
    return score


def _left_out(files: tuple[Path, Path], people: Sequence[Path]) -> list[list[Score]]:
    """Score acted postures of people whom the numbers in these files have not seen."""
    with posture.judged_by(*files):
        return [bending(file) for file in people]


def _one_recording(job: tuple[Path, str, Path | None]) -> tuple[int, list[Score], list[Score]]:
    """Return the seconds of labels that were corrected, and the scores by limit: with them, and as labelled."""
    folder, subject, numbers = job
    table = pyarrow.parquet.read_table(folder / "lower_back" / f"{subject}.parquet")
    t_ns = table["time"].cast("int64").to_numpy()
    block = Block(t_ns, np.column_stack([table[axis].to_numpy().astype(np.float64) for axis in "xyz"]))
    fitted = None
    if numbers is not None:
        sure = activity.load(Placement.LOWER_BACK).confidence  # fitted on people left out
        fitted = replace(activity.model(fit.load(numbers)), confidence=sure)
    played = list(moments(block, clip.ClipSetup(Placement.LOWER_BACK), fitted))
    sits, said = seated(folder, subject)
    with_thigh, labelled = ([sitting(truth, limit, played) for limit in LIMITS_MIN] for truth in (sits, said))
    return sum(said[second] != now for second, now in sits.items()), with_thigh, labelled


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--only", choices=("sitting", "bending"), default="")
    parser.add_argument("--folds", type=Path, help="fits of people left out, by spineclip train --folds")
    options = parser.parse_args()
    pooled = Score()
    with ProcessPoolExecutor(options.jobs) as pool:
        if options.only != "bending":
            pooled.add(_print_sitting(pool, options.data, options.folds))
        if options.only != "sitting":
            pooled.add(_print_bending(pool, options.data, left_out=options.folds is not None))
    print(f"all, each recording once (sitting over {LIMITS_MIN[0]:.0f} min)   {pooled}")


def _print_sitting(pool: Executor, data: Path, folds: Path | None) -> Score:
    """Print a line for each set and limit, and return the pooled score of the shortest."""
    pooled = Score()
    sets = [(name, place) for name, place in fit.SETS["trunk"] if (data / name / place).is_dir()]
    fold = fit.folds(people(data, sets))
    for name in ("harth", "har70plus"):
        folder = data / name
        subjects = sorted(file.stem for file in (folder / "lower_back").glob("*.parquet"))
        totals, labelled, slips = [Score() for _ in LIMITS_MIN], [Score() for _ in LIMITS_MIN], 0
        numbers = [folds / f"trunk-{fold[name, subject]}.npz" if folds is not None else None for subject in subjects]
        jobs = [(folder, subject, file) for subject, file in zip(subjects, numbers, strict=True)]
        for found, *scores in pool.map(_one_recording, jobs):
            slips += found
            for total, score in zip(totals + labelled, scores[0] + scores[1], strict=True):
                total.add(score)
        for limit, total in zip(LIMITS_MIN, totals, strict=True):
            print(f"{name:10s} lower back  sitting over {limit:4.0f} min           {total}")
        print(f"{name:10s} {slips} s of labels that the thigh contradicts; with the labels as they are:")
        for limit, total in zip(LIMITS_MIN, labelled, strict=True):
            print(f"{name:10s} lower back  sitting over {limit:4.0f} min           {total}")
        pooled.add(totals[0])
    return pooled


def _people_left_out(pool: Executor, folder: Path) -> Iterator[list[Score]]:
    """Score each person by postures that were fitted to the others, by groups."""
    trials = read(folder)
    known = described(trials)
    with TemporaryDirectory() as made:
        jobs = []
        for k, group in enumerate(groups(trials)):
            files = Path(made) / f"postures-{k}.json", Path(made) / f"fine_motion-{k}.npz"
            write(known.without(group), *files)
            jobs.append((files, [folder / f"subject{person:02d}.parquet" for person in group]))
        for scores in pool.map(_left_out, *zip(*jobs, strict=True)):
            yield from scores


def _print_bending(pool: Executor, data: Path, *, left_out: bool) -> Score:
    acted, pooled = [Score() for _ in ACTED], Score()
    folder = data / "sitting_posture"
    for scores in _people_left_out(pool, folder) if left_out else pool.map(bending, sorted(folder.glob("*.parquet"))):
        for total, score in zip(acted, scores, strict=True):
            total.add(score)
    for name, total in zip(ACTED, acted, strict=True):
        print(f"acted      upper back  bent over 1 min {name:15s} {total}")
        pooled.add(total)
    return pooled


if __name__ == "__main__":
    main()
