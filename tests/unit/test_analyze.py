"""Promises of ``spineclip analyze``: three tables as documented, errors in a sentence, nothing half written."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner, Result

from firmware_sim.motion import Motion
from firmware_sim.script import stands, walks
from spineclip.cli.main import app
from spineclip.contract.placement import Placement
from spineclip.tables import TableFormat, TableWriter

EPOCHS = "start,end,state,posture,flexion_deg,lateral_deg,walking_s,cadence_spm,steps,intensity_mg,confidence,coverage"
T0_MS = 1_700_000_000_000


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    """Four minutes at 50 Hz: 90 s of walking, 150 s of standing, with a gap of 20 s in between."""
    path = tmp_path / "someone.csv"
    t = np.arange(0, 240, 0.02)
    t_ms = T0_MS + 20 * np.arange(len(t))
    someone = Motion((walks(90.0), stands(150.0)), start_ns=T0_MS * 10**6, placement=Placement.LOWER_BACK)
    xyz = someone.samples(t_ms * 10**6)
    keep = (t < 120) | (t >= 140)
    lines = [f"{t_ms[k]},{xyz[k, 0]:.4f},{xyz[k, 1]:.4f},{xyz[k, 2]:.4f}" for k in np.flatnonzero(keep)]
    path.write_text("\n".join(["time,x,y,z", *lines]))
    return path


def run(*words: object) -> Result:
    return CliRunner().invoke(app, ["analyze", *map(str, words)])


def table(path: Path) -> list[dict[str, str]]:
    with path.open() as file:
        return list(csv.DictReader(file))


def test_three_tables_as_documented(recording: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    result = run(recording, "--out", out, "--tz", "Europe/Berlin")
    assert result.exit_code == 0, result.output
    assert sorted(path.name for path in out.iterdir()) == [
        "someone.bouts.csv", "someone.days.csv", "someone.epochs.csv",
    ]  # fmt: skip
    epochs = table(out / "someone.epochs.csv")
    assert ",".join(epochs[0]) == EPOCHS
    assert len(epochs) == 240
    assert (epochs[0]["start"], epochs[0]["end"]) == ("2023-11-14T22:13:20Z", "2023-11-14T22:13:21Z")
    assert [row["start"] for row in epochs[1:]] == [row["end"] for row in epochs[:-1]]
    assert sum(row["state"] == "walking" for row in epochs[:90]) >= 80
    assert {row["state"] for row in epochs[122:138]} == {"unknown"}
    assert all(float(row["coverage"]) == 0 for row in epochs[121:139])
    (walk,) = [row for row in table(out / "someone.bouts.csv") if row["state"] == "walking"]
    assert float(walk["dur_s"]) == pytest.approx(90, abs=8)
    (day,) = table(out / "someone.days.csv")
    assert day["date"] == "2023-11-14"  # 23:13 in Berlin
    assert "gaps of more than 0.5 s, which stay gaps: 1, together 20.0 s" in result.output


def test_other_formats_say_the_same(recording: Path, tmp_path: Path) -> None:
    for kind in ("csv", "parquet", "json"):
        assert run(recording, "--out", tmp_path, "--format", kind).exit_code == 0
    from_csv = table(tmp_path / "someone.epochs.csv")
    from_json = json.loads((tmp_path / "someone.epochs.json").read_text())
    from_parquet = pq.read_table(tmp_path / "someone.epochs.parquet").to_pylist()
    assert from_json == from_parquet
    assert [{k: "" if v is None else str(v) for k, v in row.items()} for row in from_json] == from_csv
    for name in ("bouts", "days"):
        rows = json.loads((tmp_path / f"someone.{name}.json").read_text())
        assert rows == pq.read_table(tmp_path / f"someone.{name}.parquet").to_pylist()


def test_rows_of_five_seconds(recording: Path, tmp_path: Path) -> None:
    assert run(recording, "--epoch", 5, "--out", tmp_path).exit_code == 0
    rows = table(tmp_path / "someone.epochs.csv")
    assert len(rows) == 48
    assert (rows[0]["start"], rows[0]["end"]) == ("2023-11-14T22:13:20Z", "2023-11-14T22:13:25Z")


def test_two_clips_of_one_person(recording: Path, tmp_path: Path) -> None:
    thigh = tmp_path / "thigh.csv"
    thigh.write_text(recording.read_text())
    out = tmp_path / "out"
    assert run(recording, "--with", f"{thigh}:thigh", "--out", out).exit_code == 0
    assert len(table(out / "someone.epochs.csv")) == 240


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--axes", "x=up,y=up"], "one line of the body twice"),
        (["--axes", "x=skyward"], "--axes 'x=skyward' does not say where"),
        (["--neutral", "30:0"], "--neutral cannot be"),
        (["--neutral", "9000:9030"], "no samples from 9000 to 9030 s"),
        (["--units", "mg"], "--units g"),
        (["--columns", "time,a,b,c"], "no column 'a'"),
        (["--tz", "Mars/Olympus"], "no time zone"),
        (["--epoch", "7"], "--epoch cannot be 7"),
        (["--with", "thigh.parquet"], "FILE:PLACEMENT"),
        (["--with", "nowhere.csv:thigh"], "no file nowhere.csv"),
    ],
)
def test_errors_are_a_sentence_and_leave_nothing_behind(
    recording: Path, tmp_path: Path, words: list[str], told: str
) -> None:
    out = tmp_path / "out"
    result = run(recording, "--out", out, *words)
    assert result.exit_code == 1
    assert told in result.output
    assert "Traceback" not in result.output
    assert not out.exists() or list(out.iterdir()) == []


def test_one_bad_recording_does_not_stop_the_others(recording: Path, tmp_path: Path) -> None:
    bad = tmp_path / "bad.csv"
    bad.write_text("")
    result = run(bad, recording, "--out", tmp_path)
    assert result.exit_code == 1
    assert "bad.csv is empty" in result.output
    assert (tmp_path / "someone.days.csv").exists()


def test_results_of_one_name_are_not_overwritten_by_each_other(recording: Path, tmp_path: Path) -> None:
    twin = tmp_path / "deep" / "someone.csv"
    twin.parent.mkdir()
    twin.write_text(recording.read_text())
    result = run(recording, twin, "--out", tmp_path)
    assert result.exit_code == 1
    assert "2 recordings are called someone" in result.output


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a disk that is always full")
@pytest.mark.parametrize("kind", list(TableFormat))
def test_a_table_that_a_full_disk_does_not_hold_leaves_nothing_behind(kind: TableFormat, tmp_path: Path) -> None:
    (tmp_path / f".table.{kind}.part").symlink_to("/dev/full")

    def write() -> None:
        with TableWriter(tmp_path / "table", kind, {"n": int}) as writer:
            writer.write({"n": [1, 2, 3]})

    with pytest.raises(OSError, match="No space left"):
        write()
    assert list(tmp_path.iterdir()) == []
