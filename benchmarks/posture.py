"""Sitting postures on people left out, and the fit of the models that name them.

``python -m benchmarks.posture [DATASET]`` prints the table; ``--fit`` writes `processing/weights/postures.json`.
DATASET is a folder of the IMU Sitting Postures Dataset (Ali et al.), one ``subjectNN.parquet`` a person.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from processing.epochs import Posture
from processing.pose_model import PoseModel, fit, lived
from processing.posture import SITTING, WEIGHTS, angles

SITES = ("L5", "T12", "T4", "L5+T4")
HOWS = ("own", "usual", "slouched", "all", "lived", "usual lived")
BACKWARD = np.array([0.0, 0.0, -1.0])  # the sensor's z points backward, so that forward is -z
UPRIGHT, SLOUCHED, FORWARD = 0, 1, 2


@dataclass(frozen=True)
class Trials:
    """Trials of all people: posture row (n,), person (n,), and mean specific force by site (n, 3)."""

    posture: np.ndarray
    person: np.ndarray
    gravity_g: dict[str, np.ndarray]
    first: np.ndarray  # whether a trial is the person's first upright one


def read(folder: Path) -> Trials:
    """Read all trials of a folder; the first second of each, still settling, is left out."""
    posture, person, first = [], [], []
    gravity: dict[str, list[np.ndarray]] = {site: [] for site in ("L5", "T12", "T4")}
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
                means.append(np.nanmean(np.stack([column[f"{site}_{axis}"][rows] for axis in "xyz"], axis=1), axis=0))
    return Trials(np.array(posture), np.array(person), {s: np.array(m) for s, m in gravity.items()}, np.array(first))


def usual_neutral(trials: Trials, site: str) -> np.ndarray:
    """Mean direction of up in (up, right, forward) over the people's upright trials."""
    up, left, backward = trials.gravity_g[site][trials.posture == UPRIGHT].T
    mean = np.median(np.stack([up, -left, -backward], axis=1), axis=0)
    return mean / np.linalg.norm(mean)


def against(trials: Trials, site: str, usual: np.ndarray | None) -> np.ndarray:
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


def macro_f1(truth: np.ndarray, said: np.ndarray) -> float:
    """Mean over the postures of 2 TP / (2 TP + FP + FN)."""
    scores = [
        2.0 * np.sum((truth == k) & (said == k)) / (np.sum(truth == k) + np.sum(said == k)) for k in np.unique(truth)
    ]
    return float(np.mean(scores))


def joined(site: str, rows: np.ndarray) -> np.ndarray:
    """Join what a site cannot tell: slouched with upright at L5, with leaning forward elsewhere."""
    return np.where(rows == (SLOUCHED if site == "L5" else FORWARD), UPRIGHT if site == "L5" else SLOUCHED, rows)


def judged(trials: Trials, site: str, how: str) -> tuple[np.ndarray, np.ndarray]:
    """Truth and answer of every trial that is judged, people left out.

    `how` is ``own`` (one upright trial), ``usual`` (no calibration), ``slouched`` or ``all`` (one trial of that pose,
    or of every pose, taught and not judged), ``lived`` (the range learned from the person's other trials, their
    labels unseen) or ``usual lived`` (that, without a calibration).
    """
    truth, said = [], []
    for one in np.unique(trials.person):
        mine = trials.person == one
        rest = Trials(trials.posture[~mine], trials.person[~mine], {s: g[~mine] for s, g in trials.gravity_g.items()},
                      trials.first[~mine])  # fmt: skip
        usual = usual_neutral(rest, site) if how.startswith("usual") else None
        x = against(trials, site, usual)
        use = ~mine & ~trials.first
        model = fit(x[use], trials.posture[use], trials.person[use])
        judge = mine & ~trials.first
        if how in {"slouched", "all"}:
            rows = [SLOUCHED] if how == "slouched" else list(range(1, len(SITTING)))
            shown = [int(np.flatnonzero(judge & (trials.posture == row))[0]) for row in rows]
            model = model.taught([(row, x[i]) for row, i in zip(rows, shown, strict=True)])
            judge[shown] = False
        for i in np.flatnonzero(judge):
            others = judge.copy()
            others[i] = False
            now: PoseModel = lived(model, x[others]) if how.endswith("lived") else model
            truth.append(trials.posture[i])
            said.append(int(np.argmax(now.chances(x[i : i + 1])[0])))
    return np.array(truth), np.array(said)


def slouch_alarm(trials: Trials, site: str) -> tuple[float, float]:
    """Share of slouched trials found, and of upright ones falsely so, where only these two are told apart."""
    bent, truth = [], []
    for one in np.unique(trials.person):
        mine = trials.person == one
        x = against(trials, site, None)
        use = ~mine & ~trials.first
        model = fit(x[use], trials.posture[use], trials.person[use])
        judge = mine & ~trials.first & (trials.posture <= SLOUCHED)
        chances = model.chances(x[judge])
        bent.append(chances[:, SLOUCHED] > chances[:, UPRIGHT])
        truth.append(trials.posture[judge] == SLOUCHED)
    said, slouched = np.concatenate(bent), np.concatenate(truth)
    return float(said[slouched].mean()), float(said[~slouched].mean())


def table(trials: Trials, hows: tuple[str, ...] = HOWS) -> dict[str, float]:
    """Print the table and hand back its figures by ``site how`` and ``site how joined``."""
    figures: dict[str, float] = {}
    for site in SITES:
        for how in hows:
            if "+" in site and how.startswith("usual"):
                continue
            truth, said = judged(trials, site, how)
            figures[f"{site} {how}"] = macro_f1(truth, said)
            figures[f"{site} {how} joined"] = macro_f1(joined(site, truth), joined(site, said))
            print(f"{site:6} {how:12} {figures[f'{site} {how}']:.3f}  joined {figures[f'{site} {how} joined']:.3f}")
    figures["T4 found"], figures["T4 false"] = slouch_alarm(trials, "T4")
    print(f"T4 slouched found {figures['T4 found']:.3f}, upright falsely said to be slouched {figures['T4 false']:.3f}")
    return figures


def write(trials: Trials, path: Path) -> None:
    """Fit every model to all people and write them."""
    fields = {}
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
    path.write_text(json.dumps(fields, separators=(",", ":")) + "\n", encoding="utf-8")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("dataset", type=Path, nargs="?", default=Path("../shared/data/sitting_posture"))
    parser.add_argument("--fit", action="store_true", help="write the models, fitted to everybody in the dataset")
    options = parser.parse_args()
    everybody = read(options.dataset)
    if options.fit:
        write(everybody, WEIGHTS)
    else:
        table(everybody)
