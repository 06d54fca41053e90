"""Promise: two clips on the trunk name sitting postures of people they have never seen, through the whole pipeline."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from numpy.typing import NDArray
from typer.testing import CliRunner

from processing import pipeline, posture
from processing.checkpoint import Registry
from processing.epochs import Epochs
from processing.pipeline import PatientState
from processing.samples import Block
from spineclip import posture_trials
from spineclip.cli.main import app
from spineclip.contract.config import Calibration, Clip, PatientConfig
from spineclip.contract.placement import Placement

pytestmark = pytest.mark.data

PEOPLE = ("02", "09", "20")
AXES = {"x": "up", "y": "left", "z": "backward"}
BEGIN_S = 1_704_103_200  # 2024-01-01T10:00Z
PLACES = {"L5": Placement.LOWER_BACK, "T4": Placement.UPPER_BACK}


@dataclass(frozen=True)
class Sat:
    """One person's trials in a row: samples of both sites, and ``(from_s, to_s, posture)`` of each trial."""

    blocks: dict[str, Block]
    trials: tuple[tuple[int, int, str], ...]

    @property
    def tall_s(self) -> tuple[int, int]:
        """The first upright trial without its first second."""
        start, end, _ = next(trial for trial in self.trials if trial[2] == "upright")
        return start + 1, end


@pytest.fixture(scope="module", params=PEOPLE)
def sat(request: pytest.FixtureRequest, shared_data: Path) -> Sat:
    table = pq.read_table(shared_data / "sitting_posture" / f"subject{request.param}.parquet")
    column: dict[str, NDArray[Any]] = {name: table[name].to_numpy(zero_copy_only=False) for name in table.column_names}
    t_s, trials, at = np.zeros(len(table)), [], 0
    for name in dict.fromkeys(column["trial"].tolist()):
        rows = column["trial"] == name
        since_s = column["t_s"][rows] - column["t_s"][rows].min()
        t_s[rows] = at + since_s
        trials.append((at, at + int(since_s.max()), str(column["posture"][rows][0])))
        at += int(since_s.max()) + 2
    blocks = {}
    for site in PLACES:
        xyz = np.stack([column[f"{site}_{axis}"] for axis in "xyz"], axis=1)
        seen = np.isfinite(xyz).all(axis=1)
        t_ns = BEGIN_S * 10**9 + np.rint(t_s[seen] * 1e9).astype(np.int64)
        blocks[site] = Block(t_ns, xyz[seen])
    return Sat(blocks, tuple(trials))


@pytest.fixture(autouse=True)
def never_seen(shared_data: Path, tmp_path: Path) -> Any:
    """Judge with models that were fitted to the other people."""
    known = posture_trials.described(posture_trials.read(shared_data / "sitting_posture"))
    files = tmp_path / "postures.json", tmp_path / "fine_motion.npz"
    posture_trials.write(known.without(int(one) for one in PEOPLE), *files)
    with posture.judged_by(*files):
        yield


def _config(sat: Sat) -> PatientConfig:
    clips = {}
    for site, block in sat.blocks.items():
        since_s = (block.t_ns - BEGIN_S * 10**9) / 1e9
        tall = (since_s >= sat.tall_s[0]) & (since_s < sat.tall_s[1])
        x, y, z = block.xyz_g[tall].mean(axis=0).tolist()
        clips[site.lower()] = Clip(PLACES[site], AXES, Calibration(0, (x, y, z)))
    return PatientConfig(clips=clips)


def _analysed(folder: Path, sat: Sat) -> list[tuple[str, str]]:
    """Truth and answer of every trial but the one that taught, by ``spineclip analyze --with``."""
    for site, block in sat.blocks.items():
        with (folder / f"{site}.csv").open("w", newline="") as file:
            rows = csv.writer(file)
            rows.writerow(["time", "x", "y", "z"])
            rows.writerows(
                [f"{t // 10**9}.{t % 10**9:09d}", *xyz]
                for t, xyz in zip(block.t_ns.tolist(), block.xyz_g.tolist(), strict=True)
            )
    axes = ",".join(f"{axis}={way}" for axis, way in AXES.items())
    first_s = int(sat.blocks["L5"].t_ns[0]) / 1e9 - BEGIN_S
    told = ["--axes", axes, "--neutral", f"{sat.tall_s[0] - first_s:g}:{sat.tall_s[1] - first_s:g}"]
    also = ["--with", f"{folder / 'T4.csv'}:upper-back:{axes}"]
    run = CliRunner().invoke(app, ["analyze", str(folder / "L5.csv"), *told, *also, "--out", str(folder)])
    assert run.exit_code == 0, run.output
    said: dict[int, str] = {}
    with (folder / "L5.epochs.csv").open() as file:
        for row in csv.DictReader(file):
            said[int(np.datetime64(row["start"][:-1], "s").astype(int)) - BEGIN_S] = row["posture"]
    pairs = []
    for start, end, truth in sat.trials:
        seconds = [said.get(second, "unknown") for second in range(start + 1, end - 1)]
        named = [name for name in seconds if name != "unknown"]
        if start + 1 != sat.tall_s[0] and named:
            pairs.append((truth, max(set(named), key=named.count)))
    return pairs


def test_both_clips_name_the_posture_of_most_trials(tmp_path: Path, sat: Sat) -> None:
    pairs = _analysed(tmp_path, sat)
    assert len(pairs) >= 15, "of 17 trials, at most two where no second was called sitting or standing"
    right = sum(truth == name for truth, name in pairs)
    assert right >= 0.75 * len(pairs)


def _streamed(sat: Sat, cut_s: int, *, restart_at: int | None = None) -> Epochs:
    registry = Registry(PatientState)
    state = pipeline.begin("p", _config(sat))
    given = []
    for k, begin in enumerate(range(BEGIN_S, BEGIN_S + sat.trials[-1][1] + 2, cut_s)):
        for site, block in sat.blocks.items():
            edges = np.searchsorted(block.t_ns, np.array([begin, begin + cut_s]) * 10**9)
            state, result = pipeline.step(state, site.lower(), PLACES[site], block.slice(*edges.tolist()))
            given.append(result.seconds)
        if k == restart_at:
            state = registry.loads(registry.dumps(state))
    given.append(pipeline.finish(state).seconds)
    return Epochs.concat(given)


def test_second_by_second_and_restarted_is_the_same_as_in_pieces(sat: Sat) -> None:
    whole, live = _streamed(sat, 29), _streamed(sat, 1, restart_at=123)
    for name in Epochs.__slots__:
        assert np.array_equal(
            getattr(whole, name), getattr(live, name), equal_nan=name.endswith(("deg", "spm", "mg"))
        ), name
