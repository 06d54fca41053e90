"""How right the sitting postures are on labelled trials, and the fit of the models that name them.

The trials are those of the IMU Sitting Postures Dataset (Ali et al.): a folder with one ``subjectNN.parquet`` a person.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

from processing import stretch_model
from processing.epochs import Posture
from processing.fine_motion import fine_motion
from processing.pose_model import PoseModel, fit, lived
from processing.posture import SITTING, WEIGHTS, angles, shipped
from processing.stretch_model import PARTS, StretchModel, numbers
from spineclip.training import stretches

Array = NDArray[Any]

SITES = ("L5", "T12", "T4", "L5+T4")
RATE_HZ = 50.0
BACKWARD = np.array([0.0, 0.0, -1.0])  # the sensor's z points backward, so that forward is -z
UPRIGHT, SLOUCHED, FORWARD = 0, 1, 2
_LEAST = 1e-6


@dataclass(frozen=True)
class Trials:
    """Trials of all people: posture row (n,), person (n,), and mean specific force (n, 3) and fine motion by site."""

    posture: Array
    person: Array
    gravity_g: dict[str, Array]
    fine: dict[str, Array]
    first: Array  # whether a trial is the person's first upright one


def read(folder: Path) -> Trials:
    """Read all trials of a folder; the first second of each, still settling, is left out."""
    posture, person, first = [], [], []
    gravity: dict[str, list[Array]] = {site: [] for site in ("L5", "T12", "T4")}
    fine: dict[str, list[Array]] = {site: [] for site in gravity}
    for path in sorted(folder.glob("*.parquet")):
        table = pq.read_table(path)
        column = {name: table[name].to_numpy(zero_copy_only=False) for name in table.column_names}
        begun = False
        for trial in dict.fromkeys(column["trial"].tolist()):
            rows = (column["trial"] == trial) & (column["t_s"] >= 1.0)
            name = Posture(column["posture"][rows][0])
            posture.append(SITTING.index(name))
            person.append(int("".join(filter(str.isdigit, path.stem))))
            first.append(name is Posture.UPRIGHT and not begun)
            begun |= name is Posture.UPRIGHT
            for site, means in gravity.items():
                xyz_g = np.stack([column[f"{site}_{axis}"][rows] for axis in "xyz"], axis=1)
                means.append(np.nanmean(xyz_g, axis=0))
                fine[site].append(fine_motion(xyz_g, BACKWARD, RATE_HZ))
    return Trials(
        np.array(posture),
        np.array(person),
        {site: np.array(rows) for site, rows in gravity.items()},
        {site: np.array(rows) for site, rows in fine.items()},
        np.array(first),
    )


def usual_neutral(trials: Trials, site: str) -> Array:
    """Mean direction of up in (up, right, forward) over the people's upright trials."""
    up, left, backward = trials.gravity_g[site][trials.posture == UPRIGHT].T
    mean = np.median(np.stack([up, -left, -backward], axis=1), axis=0)
    return np.asarray(mean / np.linalg.norm(mean))


def against(trials: Trials, site: str, usual: Array | None) -> Array:
    """Angles of each trial (n, d): against the person's first upright trial, or against the usual neutral."""
    if "+" in site:
        return np.concatenate([against(trials, one, usual) for one in site.split("+")], axis=1)
    out = np.empty((len(trials.posture), 2))
    for one in np.unique(trials.person):
        rows = trials.person == one
        neutral = trials.gravity_g[site][rows & trials.first][0]
        if usual is not None:
            neutral = usual * [1.0, -1.0, -1.0]
        out[rows] = np.stack(angles(trials.gravity_g[site][rows], neutral, BACKWARD), axis=1)
    return out


def macro_f1(truth: Array, said: Array) -> float:
    """Mean over the postures of 2 TP / (2 TP + FP + FN)."""
    scores = [
        2.0 * np.sum((truth == k) & (said == k)) / (np.sum(truth == k) + np.sum(said == k)) for k in np.unique(truth)
    ]
    return float(np.mean(scores))


def scores(site: str, truth: Array, chances: Array) -> tuple[float, float]:
    """Macro F1 over the six postures, and with those joined that a site cannot tell.

    Joined are slouched with upright at L5, slouched with leaning forward elsewhere. The joined answer is the likeliest
    once the chances of the two are added, as for a clip that names only what it can tell.
    """
    kept, gone = (UPRIGHT, SLOUCHED) if site == "L5" else (SLOUCHED, FORWARD)
    fewer = chances.copy()
    fewer[:, kept] += fewer[:, gone]
    fewer[:, gone] = 0.0
    six = macro_f1(truth, np.argmax(chances, axis=1))
    return six, macro_f1(np.where(truth == gone, kept, truth), np.argmax(fewer, axis=1))


def judged(trials: Trials, site: str, how: str, *, left_out: bool = True, whole: bool = True) -> tuple[Array, Array]:
    """Truth (n,) and chances of the postures (n, 6) of every trial that is judged, people left out.

    `how` is ``own`` (one upright trial), ``usual`` (no calibration), ``slouched`` or ``all`` (one trial of that pose,
    or of every pose, taught and not judged), ``lived`` (the range learned from the person's other trials, their
    labels unseen) or ``usual lived`` (that, without a calibration). Not `whole`, the mean angles alone judge, as
    they do live; else the fine motion too. What poses tell then shifts the chances as it shifts those of the angles.
    """
    truth, chances = [], []
    for one in np.unique(trials.person):
        mine = trials.person == one
        model, x = _learned(trials, site, mine, usual=how.startswith("usual"), left_out=left_out)
        plain = model
        judge = mine & ~trials.first
        seen = np.zeros((len(x), len(SITTING)))
        if whole:
            stretch, rows = _stretched(trials, site, mine, x, usual=how.startswith("usual"), left_out=left_out)
            seen[judge] = np.log(stretch.chances(rows[judge]) + _LEAST) - np.log(plain.chances(x[judge]) + _LEAST)
        if how in {"slouched", "all"}:
            poses = [SLOUCHED] if how == "slouched" else list(range(1, len(SITTING)))
            shown = [int(np.flatnonzero(judge & (trials.posture == row))[0]) for row in poses]
            model = model.taught([(row, x[i]) for row, i in zip(poses, shown, strict=True)])
            judge[shown] = False
        for i in np.flatnonzero(judge):
            others = judge.copy()
            others[i] = False
            now: PoseModel = lived(model, x[others]) if how.endswith("lived") else model
            truth.append(trials.posture[i])
            logs = np.log(now.chances(x[i : i + 1])[0] + _LEAST) + seen[i]
            size = np.exp(logs - logs.max())
            chances.append(size / size.sum())
    return np.array(truth), np.array(chances)


def _learned(trials: Trials, site: str, mine: Array, *, usual: bool, left_out: bool) -> tuple[PoseModel, Array]:
    """Return the model that judges a person, and the angles of all trials that go with it."""
    if not left_out:
        model, neutral = shipped(site, own_neutral=not usual)
        return model, against(trials, site, neutral if usual else None)
    others = Trials(
        trials.posture[~mine],
        trials.person[~mine],
        {name: gravity[~mine] for name, gravity in trials.gravity_g.items()},
        {name: fine[~mine] for name, fine in trials.fine.items()},
        trials.first[~mine],
    )
    x = against(trials, site, usual_neutral(others, site) if usual else None)
    use = ~mine & ~trials.first
    return fit(x[use], trials.posture[use], trials.person[use]), x


def _stretched(
    trials: Trials, site: str, mine: Array, x: Array, *, usual: bool, left_out: bool
) -> tuple[StretchModel, Array]:
    """Return the model of whole stretches that judges a person, and the numbers of all trials that go with it."""
    rows = numbers(x, np.concatenate([trials.fine[one] for one in site.split("+")], axis=1))
    if not left_out:
        return stretch_model.shipped(site, own_neutral=not usual), rows
    use = ~mine & ~trials.first
    return stretches.fit(rows[use], trials.posture[use]), rows


def fitted(trials: Trials) -> bool:
    """Tell whether the shipped models were fitted on all of these people."""
    people = json.loads(WEIGHTS.read_text(encoding="utf-8"))["people"]
    return set(trials.person.tolist()) <= set(people)


def slouch_alarm(trials: Trials, site: str, *, left_out: bool = True) -> tuple[float, float]:
    """Share of slouched trials found, and of upright ones falsely so, where only these two are told apart."""
    bent, truth = [], []
    for one in np.unique(trials.person):
        mine = trials.person == one
        model, x = _learned(trials, site, mine, usual=False, left_out=left_out)
        judge = mine & ~trials.first & (trials.posture <= SLOUCHED)
        chances = model.chances(x[judge])
        bent.append(chances[:, SLOUCHED] > chances[:, UPRIGHT])
        truth.append(trials.posture[judge] == SLOUCHED)
    said, slouched = np.concatenate(bent), np.concatenate(truth)
    return float(said[slouched].mean()), float(said[~slouched].mean())


_MEANINGS = {
    "own": "one upright trial of their own",
    "usual": "no calibration",
    "slouched": "one slouched trial taught",
    "all": "one trial of every pose taught",
    "lived": "own upright, and the range of their other trials, labels unseen",
    "usual lived": "no calibration, and the range of their other trials, labels unseen",
}


def table(trials: Trials, *, left_out: bool) -> str:
    """Write the table: macro F1 over six postures and with those joined that a site cannot tell.

    With `left_out` the models are fitted anew without the person judged; else the shipped ones judge everybody.
    """
    lines = ["| site | what is known of the wearer | six postures | joined | angles alone: six | joined |"]
    lines.append("|---|---|---|---|---|---|")
    for site in SITES:
        for how, meaning in _MEANINGS.items():
            if "+" in site and how.startswith("usual"):
                continue
            figures: list[float] = []
            for whole in (True, False):
                figures += scores(site, *judged(trials, site, how, left_out=left_out, whole=whole))
            lines.append(f"| {site} | {meaning} | " + " | ".join(f"{figure:.3f}" for figure in figures) + " |")
    found, false = slouch_alarm(trials, "T4", left_out=left_out)
    lines.append(f"\nSlouched against upright at T4, own upright known: {found:.1%} found, {false:.1%} false.")
    return "\n".join(lines)


def write(trials: Trials, path: Path, stretch_path: Path) -> None:
    """Fit every model to all people and write them: those of angles, and those of whole stretches."""
    whole: dict[str, Array] = {}
    fields: dict[str, Any] = {"people": sorted(set(trials.person.tolist()))}
    for site in SITES:
        kinds = {"own": against(trials, site, None)}
        if "+" not in site:
            usual = usual_neutral(trials, site)
            kinds["usual"] = against(trials, site, usual)
            fields[site] = {"neutral": np.round(usual, 4).tolist()}
        use = ~trials.first
        for kind, x in kinds.items():
            model = fit(x[use], trials.posture[use], trials.person[use])
            parts = {"mean": model.mean, "spread": model.spread, "noise": model.noise}
            rounded = {name: np.round(part, 3).tolist() for name, part in parts.items()}
            fields.setdefault(site, {})[kind] = rounded
            rows = numbers(x, np.concatenate([trials.fine[one] for one in site.split("+")], axis=1))
            stretch = stretches.fit(rows[use], trials.posture[use])
            for part in PARTS:
                whole[f"{site}/{kind}/{part}"] = getattr(stretch, part).astype(np.float32)
    path.write_text(json.dumps(fields, separators=(",", ":")) + "\n", encoding="utf-8")
    np.savez_compressed(stretch_path, allow_pickle=False, **whole)


def is_folder(folder: Path) -> bool:
    """Tell whether a folder holds trials of sitting postures."""
    return any(folder.glob("subject*.parquet"))


def pages(folder: Path, *, shipped_only: bool) -> Iterator[str]:
    """Write the page of a folder: people left out where the shipped models were fitted on them."""
    trials = read(folder)
    left_out = fitted(trials) and not shipped_only
    how = "each person left out of the fit" if left_out else "the shipped models"
    yield f"""\
# How right the sitting postures are

IMU Sitting Postures Dataset (Ali et al., CC BY 4.0), {len(set(trials.person.tolist()))} people, {how}. Each trial of
30 s is judged whole, by its mean angles and its fine motion (heart beats, breath, tremor); live, seconds are named by
the angles alone. Figures are macro F1. A site joins what it cannot tell: slouched with upright at L5, slouched with
leaning forward elsewhere. Where poses are taught, the trials that taught them are not judged.
"""
    yield table(trials, left_out=left_out)
    yield """
The postures are acted, by people of 19 to 24, half a minute each; natural slouching over hours may differ. Rows with
"their other trials" use that the person took every posture about equally often, which nobody does at a desk.
The fine motion was recorded at 50 Hz on a chair by one kind of sensor; the choice of its bands and of the model's few
settings was looked at on these people: expect a point or two less on others. "Joined" adds the chances of the two.
"""
