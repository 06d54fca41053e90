"""Labelled trials of sitting postures, and the fit of the models that name them.

The trials are those of the IMU Sitting Postures Dataset (Ali et al.): a folder with one ``subjectNN.parquet`` a person.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

from processing import grid, posture, statistics
from processing.epochs import Posture
from processing.fine_motion import COUNT, WINDOW_S, fine_motion
from processing.grid import RATE_HZ, SECOND_NS, Seconds
from processing.pose_model import fit
from processing.posture import SITTING, angles
from processing.samples import Block
from processing.stretch_model import PARTS
from processing.stretches import MOVING_G
from spineclip.training import stretches

Array = NDArray[Any]

SITES: Final = ("L5", "T12", "T4")
BOTH: Final = "L5+T4"
AXES: Final = {"x": "up", "y": "left", "z": "backward"}
UPRIGHT: Final = SITTING.index(Posture.UPRIGHT)
_FORWARD: Final = np.array([0.0, 0.0, -1.0])
_SETTLING_S: Final = 1


@dataclass(frozen=True)
class Trial:
    """One trial: whose, which posture (row of `SITTING`), whether it is the person's first upright one, and samples.

    `blocks` holds the samples by site, times from zero.
    """

    person: int
    posture: int
    first: bool
    blocks: dict[str, Block]


@dataclass(frozen=True)
class Trials:
    """What is learned from: posture row (n,), person (n,), first (n,), mean specific force and fine motion by site."""

    posture: Array
    person: Array
    first: Array
    gravity_g: dict[str, Array]
    fine: dict[str, Array]

    def without(self, people: Iterable[int]) -> Trials:
        """Leave people out."""
        keep = ~np.isin(self.person, list(people))
        return Trials(
            self.posture[keep],
            self.person[keep],
            self.first[keep],
            {site: rows[keep] for site, rows in self.gravity_g.items()},
            {site: rows[keep] for site, rows in self.fine.items()},
        )


def read(folder: Path) -> list[Trial]:
    """Read all trials of a folder, in the order in which each person took them."""
    trials = []
    for path in sorted(folder.glob("subject*.parquet")):
        table = pq.read_table(path)
        column = {name: table[name].to_numpy(zero_copy_only=False) for name in table.column_names}
        begun = False
        for trial in dict.fromkeys(column["trial"].tolist()):
            rows = column["trial"] == trial
            name = Posture(column["posture"][rows][0])
            t_ns = np.rint(column["t_s"][rows].astype(np.float64) * SECOND_NS / 1e6).astype(np.int64) * 10**6
            blocks = {}
            for site in SITES:
                xyz_g = np.stack([column[f"{site}_{axis}"][rows] for axis in "xyz"], axis=1).astype(np.float64)
                seen = np.isfinite(xyz_g).all(axis=1)
                blocks[site] = Block(t_ns[seen], xyz_g[seen])
            person = int("".join(filter(str.isdigit, path.stem)))
            trials.append(Trial(person, SITTING.index(name), name is Posture.UPRIGHT and not begun, blocks))
            begun |= name is Posture.UPRIGHT
    return trials


def described(trials: list[Trial]) -> Trials:
    """Take what is learned from; the first second of each trial, still settling, is left out."""
    seconds = {site: [_seconds(trial.blocks[site]) for trial in trials] for site in SITES}
    return Trials(
        np.array([trial.posture for trial in trials]),
        np.array([trial.person for trial in trials]),
        np.array([trial.first for trial in trials]),
        {site: np.array([mean_g(trial.blocks[site]) for trial in trials]) for site in SITES},
        {site: np.array([_fine(each) for each in seconds[site]]) for site in SITES},
    )


def mean_g(block: Block) -> Array:
    """Mean specific force of a trial once it has settled."""
    return np.asarray(block.xyz_g[block.t_ns >= _SETTLING_S * SECOND_NS].mean(axis=0))


def _seconds(block: Block) -> Seconds:
    _, seconds = grid.step(grid.begin(), block, last=True)
    return seconds


def _fine(seconds: Seconds) -> Array:
    """Mean numbers of fine motion over the windows of a trial; NaN where there is none."""
    table, _ = statistics.statistics(seconds)
    calm = seconds.covered & (table[:, statistics.MAD] <= MOVING_G)
    starts = np.arange(_SETTLING_S, len(calm) - WINDOW_S + 1, 2)
    starts = starts[[bool(calm[s : s + WINDOW_S].all()) for s in starts]]
    if not len(starts):
        return np.full(COUNT, np.nan)
    windows = seconds.xyz_g[starts[:, None] + np.arange(WINDOW_S)].reshape(len(starts), WINDOW_S * RATE_HZ, 3)
    up = table[starts, statistics.GRAVITY]
    return np.asarray(fine_motion(windows, up, np.tile(_FORWARD, (len(starts), 1))).mean(axis=0))


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
        out[rows] = np.stack(angles(trials.gravity_g[site][rows], neutral, _FORWARD), axis=1)
    return out


def write(trials: Trials, path: Path, fine_path: Path) -> None:
    """Fit every model to all these people and write them: those of angles, and those of the fine motion."""
    fields: dict[str, Any] = {"people": sorted(set(trials.person.tolist()))}
    use = ~trials.first
    for site in (*SITES, BOTH):
        kinds = {"own": against(trials, site, None)}
        if "+" not in site:
            usual = usual_neutral(trials, site)
            kinds["usual"] = against(trials, site, usual)
            fields[site] = {"neutral": np.round(usual, 4).tolist()}
        for kind, x in kinds.items():
            model = fit(x[use], trials.posture[use], trials.person[use])
            parts = {"mean": model.mean, "spread": model.spread, "noise": model.noise}
            fields.setdefault(site, {})[kind] = {name: np.round(part, 3).tolist() for name, part in parts.items()}
    path.write_text(json.dumps(fields, separators=(",", ":")) + "\n", encoding="utf-8")
    fine: dict[str, Array] = {}
    for site in SITES:
        said = stretches.fit(trials.fine[site][use], trials.posture[use])
        fine |= {f"{site}/{part}": getattr(said, part).astype(np.float32) for part in PARTS}
    np.savez_compressed(fine_path, allow_pickle=False, **fine)


def fitted(people: Iterable[int]) -> bool:
    """Tell whether the shipped models were fitted on all of these people."""
    known = json.loads(posture.WEIGHTS.read_text(encoding="utf-8"))["people"]
    return set(people) <= set(known)


def is_folder(folder: Path) -> bool:
    """Tell whether a folder holds trials of sitting postures."""
    return any(folder.glob("subject*.parquet"))
