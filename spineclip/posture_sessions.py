"""How right sitting postures are, as a wearer gets them: each person's trials played through the whole pipeline.

The trials of a person follow each other as in a recording, with two seconds between them; the seconds go the way of
``spineclip analyze``. A trial is judged whole, by what most of its named seconds were called.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from processing import analysis, posture
from processing.epochs import Epochs, Posture
from processing.grid import SECOND_NS
from processing.posture import SITTING
from processing.samples import Block
from spineclip.contract.config import Calibration, Clip, PatientConfig
from spineclip.contract.placement import Placement
from spineclip.posture_trials import AXES, BOTH, SITES, UPRIGHT, Trial, Trials, described, fitted, mean_g, write

Array = NDArray[Any]

PLACES: Final = {"L5": Placement.LOWER_BACK, "T12": Placement.MID_BACK, "T4": Placement.UPPER_BACK}
FOLDS: Final = 10
BEGIN_S: Final = 1_704_103_200  # 2024-01-01T10:00Z
BETWEEN_S: Final = 2
SLOUCHED: Final = SITTING.index(Posture.SLOUCHED)
FORWARD: Final = SITTING.index(Posture.LEANING_FORWARD)
NOBODY: Final = -1

_CODES: Final = np.array([one.code for one in SITTING])


@dataclass(frozen=True)
class Said:
    """What was said: rows of `SITTING` by trial, truth and answer (`NOBODY` where no second was named); and seconds.

    Attributes
    ----------
    votes
        Shape (trials, 6): seconds that were called each of `SITTING`.
    seconds, named, right
        Of the trials judged: how many there are, how many were named, and how many of those rightly.
    """

    truth: Array
    answer: Array
    person: Array
    votes: Array
    seconds: int
    named: int
    right: int


def sat(trials: list[Trial], site: str, how: str) -> tuple[Epochs, list[Trial], list[int]]:
    """Play one person's trials; give their seconds, the trials that are judged, and the second at which each begins.

    `how` is ``own`` (one upright trial taught as neutral), ``usual`` (nothing taught), ``slouched`` or ``all`` (with
    it one trial of that pose, or of every pose). What taught is not judged.
    """
    shown = [trial for trial in trials if trial.first]
    wanted = {"slouched": [SLOUCHED], "all": list(range(1, len(SITTING)))}.get(how, [])
    poses = [next(trial for trial in trials if trial.posture == row) for row in wanted]
    clips, tracks = {}, []
    for one in site.split("+"):
        calibration = None
        if how != "usual":
            taught = {str(SITTING[trial.posture]): _vector(trial, one) for trial in poses}
            calibration = Calibration(0, _vector(shown[0], one), taught)
        clips[one.lower()] = Clip(PLACES[one], AXES, calibration)
        tracks.append(analysis.Track(one.lower(), PLACES[one], [_laid(trials, one)]))
    seconds = Epochs.concat([result.seconds for result in analysis.analyze(tracks, PatientConfig(clips=clips))])
    begins = [BEGIN_S + k * _slot_s(trials) for k in range(len(trials))]
    judged = [k for k, trial in enumerate(trials) if not trial.first and not any(trial is pose for pose in poses)]
    return seconds, [trials[k] for k in judged], [begins[k] for k in judged]


def _vector(trial: Trial, site: str) -> tuple[float, float, float]:
    x, y, z = mean_g(trial.blocks[site]).tolist()
    return x, y, z


def _slot_s(trials: list[Trial]) -> int:
    return max(int(block.t_ns[-1]) // SECOND_NS for trial in trials for block in trial.blocks.values()) + 1 + BETWEEN_S


def _laid(trials: list[Trial], site: str) -> Block:
    slot_ns = _slot_s(trials) * SECOND_NS
    blocks = [trial.blocks[site] for trial in trials]
    t_ns = [block.t_ns + BEGIN_S * SECOND_NS + k * slot_ns for k, block in enumerate(blocks)]
    return Block(np.concatenate(t_ns), np.concatenate([block.xyz_g for block in blocks]))


def _judged(people: Iterable[list[Trial]], site: str, how: str) -> Said:
    truth, answer, person, cast, counts = [], [], [], [], np.zeros(3, dtype=np.int64)
    for trials in people:
        seconds, judged, begins = sat(trials, site, how)
        at_s = seconds.start_ns // SECOND_NS
        for trial, begin in zip(judged, begins, strict=True):
            length = int(next(iter(trial.blocks.values())).t_ns[-1]) // SECOND_NS
            said = seconds.posture[(at_s >= begin + 1) & (at_s < begin + length)]
            votes = np.array([np.sum(said == code) for code in _CODES])
            truth.append(trial.posture)
            answer.append(int(votes.argmax()) if votes.any() else NOBODY)
            person.append(trial.person)
            cast.append(votes)
            counts += len(said), int(votes.sum()), int(votes[trial.posture])
    return Said(np.array(truth), np.array(answer), np.array(person), np.array(cast), *counts.tolist())


def judge(trials: list[Trial], site: str, how: str) -> Said:
    """Judge people by the numbers in use."""
    people = sorted({trial.person for trial in trials})
    return _judged([[trial for trial in trials if trial.person == one] for one in people], site, how)


def judge_left_out(trials: list[Trial], known: Trials, cases: list[tuple[str, str]]) -> dict[tuple[str, str], Said]:
    """Judge people, by groups, with numbers that were fitted to all the others; for each site and how."""
    parts: dict[tuple[str, str], list[Said]] = {case: [] for case in cases}
    for group in groups(trials):
        unseen = [trial for trial in trials if trial.person in group]
        with TemporaryDirectory() as folder:
            files = Path(folder) / "postures.json", Path(folder) / "fine_motion.npz"
            write(known.without(group), *files)
            with posture.judged_by(*files):
                for case in cases:
                    parts[case].append(judge(unseen, *case))
    return {case: _together(said) for case, said in parts.items()}


def groups(trials: list[Trial]) -> list[list[int]]:
    """Deal the people out, every tenth into one group."""
    people = sorted({trial.person for trial in trials})
    return [people[fold::FOLDS] for fold in range(min(FOLDS, len(people)))]


def _together(parts: list[Said]) -> Said:
    return Said(
        np.concatenate([part.truth for part in parts]),
        np.concatenate([part.answer for part in parts]),
        np.concatenate([part.person for part in parts]),
        np.concatenate([part.votes for part in parts]),
        sum(part.seconds for part in parts),
        sum(part.named for part in parts),
        sum(part.right for part in parts),
    )


def macro_f1(truth: Array, answer: Array) -> float:
    """Mean over the postures of 2 TP / (2 TP + FP + FN); a trial without an answer is missed."""
    scores = [
        2.0 * np.sum((truth == k) & (answer == k)) / (np.sum(truth == k) + np.sum(answer == k))
        for k in np.unique(truth)
    ]
    return float(np.mean(scores))


def scores(site: str, said: Said) -> tuple[float, float]:
    """Macro F1 over the six postures, and with those joined that a site cannot tell.

    Joined are slouched with upright at L5, slouched with leaning forward elsewhere.
    """
    kept, gone = (UPRIGHT, SLOUCHED) if site == "L5" else (SLOUCHED, FORWARD)
    truth, answer = (np.where(rows == gone, kept, rows) for rows in (said.truth, said.answer))
    return macro_f1(said.truth, said.answer), macro_f1(truth, answer)


CASES: Final = tuple(
    (site, how)
    for site in (*SITES, BOTH)
    for how in ("own", "usual", "slouched", "all")
)  # fmt: skip
_MEANINGS: Final = {
    "own": "one upright trial of their own",
    "usual": "no calibration",
    "slouched": "upright and one slouched trial taught",
    "all": "upright and one trial of every pose taught",
}


def table(results: dict[tuple[str, str], Said]) -> str:
    """Write the table: macro F1 by trial over six postures and joined, and how many seconds are named, and rightly."""
    lines = ["| site | what is known of the wearer | six postures | joined | seconds named | of them right |"]
    lines.append("|---|---|---:|---:|---:|---:|")
    for (site, how), said in results.items():
        six, joined = scores(site, said)
        shown = "-" if site == "L5" and how in {"own", "usual"} else f"{six:.3f}"
        named, right = said.named / max(said.seconds, 1), said.right / max(said.named, 1)
        lines.append(f"| {site} | {_MEANINGS[how]} | {shown} | {joined:.3f} | {named:.1%} | {right:.1%} |")
    return "\n".join(lines)


def slouch_alarm(said: Said) -> tuple[float, float]:
    """Share of slouched trials called bent (slouched or leaning forward), and of upright ones falsely so."""
    bent = (said.answer == SLOUCHED) | (said.answer == FORWARD)
    return float(bent[said.truth == SLOUCHED].mean()), float(bent[said.truth == UPRIGHT].mean())


def slouch_told(said: Said) -> tuple[float, float]:
    """Share of slouched trials told from upright, and of upright ones taken for slouched: asked between the two alone.

    The more of a trial's seconds called upright or bent decides; a trial without such a second is not told.
    """
    bent = said.votes[:, SLOUCHED] + said.votes[:, FORWARD] > said.votes[:, UPRIGHT]
    return float(bent[said.truth == SLOUCHED].mean()), float(bent[said.truth == UPRIGHT].mean())


def worst(said: Said) -> str:
    """Name the person of whom most trials are wrong, and how many."""
    people = np.unique(said.person)
    wrong = [int(np.sum((said.truth != said.answer) & (said.person == one))) for one in people]
    k = int(np.argmax(wrong))
    return f"person {people[k]}, {wrong[k]} of {int(np.sum(said.person == people[k]))} trials"


def pages(trials: list[Trial], *, shipped_only: bool) -> Iterator[str]:
    """Write the page of a folder: people left out where the shipped models were fitted on them."""
    people = {trial.person for trial in trials}
    left_out = fitted(people) and not shipped_only
    how = f"people left out in {FOLDS} groups" if left_out else "the shipped models"
    yield f"""\
# How right the sitting postures are

IMU Sitting Postures Dataset (Ali et al., CC BY 4.0), {len(people)} people,
{how}. Each person's trials of 30 s are played as one recording through the whole pipeline, as
`spineclip analyze` does, and each trial is judged whole, by what most of its named seconds were called. Figures are
macro F1. A site joins what it cannot tell: slouched with upright at L5, slouched with leaning forward elsewhere. Trials
that taught a neutral or a pose are not judged.
"""
    if left_out:
        results = judge_left_out(trials, described(trials), list(CASES))
    else:
        results = {case: judge(trials, *case) for case in CASES}
    yield table(results)
    alone = results["T4", "own"]
    found, false = slouch_alarm(alone)
    told, taken = slouch_told(alone)
    missed = float((alone.answer[alone.truth == SLOUCHED] == UPRIGHT).mean())
    yield f"""
Slouched against upright at T4, own upright known: {found:.1%} of slouched trials called bent, {missed:.1%} upright; of
upright trials {false:.1%} called bent. Asked between the two alone, {told:.1%} are found and {taken:.1%} falsely so.
Worst at T4: {worst(alone)}; with two clips: {worst(results[BOTH, "own"])}.

Without a calibration only the axes were told, and nobody walks: up is what is usual at the site. Whether somebody sits
or stands is then often not known (the state says so), the posture is. The postures are acted, by people of 19 to 24,
half a minute each; natural slouching over hours may differ. The fine motion was recorded on a chair by one kind of
sensor; its bands and the few settings were looked at on these people (neighbouring choices differ by less than a
point): expect a point or two less on others. At the sternum and the collar only the angles of T4 are used, and no
recording here checks them.
"""
