"""Promise: a label holds for its seconds and no others, and what has no state is not scored."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from firmware_sim.motion import Motion
from firmware_sim.script import sits, walks
from processing.epochs import State
from spineclip.cli.main import app
from spineclip.contract.errors import RecordingError
from spineclip.contract.placement import Placement
from spineclip.labelled import NOT_SCORED, Labelled, people, places, recordings

T0_S = 1_700_000_000
SECOND_NS = 10**9
RATE_HZ = 50


def _labelled(*labels: tuple[float, float, str]) -> Labelled:
    """A recording with labels from so many seconds to so many."""
    rows = tuple(
        (round((T0_S + start) * SECOND_NS), round((T0_S + end) * SECOND_NS), label) for start, end, label in labels
    )
    return Labelled("made", "p-1", "p-1", Placement.LOWER_BACK, np.zeros(0, np.int64), np.zeros((0, 3)), rows)


def test_a_label_holds_from_its_start_to_its_end() -> None:
    state, steady, shuffling = _labelled((0, 3, "walking"), (3, 5, "shuffling"), (5, 9, "sitting")).truth(T0_S, 10)
    walking, sitting, none = State.WALKING.code, State.SITTING.code, NOT_SCORED
    assert state.tolist() == [walking] * 3 + [none] * 2 + [sitting] * 4 + [none]
    assert shuffling.tolist() == [False] * 3 + [True] * 2 + [False] * 5
    assert np.flatnonzero(steady).tolist() == [1, 6, 7], "next to a change, or to nothing, no second is steady"


def test_a_second_of_two_labels_belongs_to_neither_that_begins_in_it() -> None:
    state, _, _ = _labelled((0, 2.5, "walking"), (2.5, 5, "sitting")).truth(T0_S, 5)
    assert state.tolist() == [State.WALKING.code] * 2 + [NOT_SCORED] + [State.SITTING.code] * 2


def test_one_activity_a_recording_is_steady_to_its_ends() -> None:
    _, steady, _ = _labelled((0, 5, "lying_on_back")).truth(T0_S, 5)
    assert steady.all()


def _data_set(folder: Path, place: str = "lower_back") -> Path:
    """Somebody made up, who walks for two minutes and sits for two; labels tell the same."""
    start_ns = T0_S * SECOND_NS
    motion = Motion((walks(120.0), sits(120.0)), start_ns=start_ns, seed=3, placement=Placement.LOWER_BACK)
    t_ns = start_ns + np.arange(240 * RATE_HZ, dtype=np.int64) * (SECOND_NS // RATE_HZ)
    xyz_g = motion.samples(t_ns)
    (folder / place).mkdir(parents=True)
    (folder / "labels").mkdir()
    columns = {"time": pa.array(t_ns, pa.timestamp("ns", "UTC"))}
    columns |= {axis: pa.array(xyz_g[:, k]) for k, axis in enumerate("xyz")}
    pq.write_table(pa.table(columns), folder / place / "S01.parquet")
    begin, middle, end = (np.datetime64(T0_S + s, "s") for s in (0, 120, 240))
    (folder / "labels" / "S01.csv").write_text(
        f"start,end,label\n{begin}+00:00,{middle}+00:00,walking\n{middle}+00:00,{end}+00:00,sitting\n"
    )
    return folder


def test_a_folder_is_read_as_it_was_written(tmp_path: Path) -> None:
    folder = _data_set(tmp_path / "made")
    assert places(folder) == ("lower_back",)
    assert people(tmp_path, [("made", "lower_back")]) == [("made", "S01")]
    (one,) = recordings(folder, "lower_back")
    assert (one.subject, one.placement, len(one.t_ns)) == ("S01", Placement.LOWER_BACK, 240 * RATE_HZ)
    assert one.labels == (
        (T0_S * SECOND_NS, (T0_S + 120) * SECOND_NS, "walking"),
        ((T0_S + 120) * SECOND_NS, (T0_S + 240) * SECOND_NS, "sitting"),
    )


def test_what_is_no_labelled_recording_is_told(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match="no labelled recordings"):
        places(tmp_path)
    folder = _data_set(tmp_path / "made")
    (folder / "labels" / "S01.csv").unlink()
    with pytest.raises(RecordingError, match="S01"):
        list(recordings(folder, "lower_back"))


@pytest.mark.parametrize("damage", ["no parquet", "naive labels", "no rows"])
def test_a_damaged_recording_is_named(damage: str, tmp_path: Path) -> None:
    folder = _data_set(tmp_path / "made")
    recording, labels = folder / "lower_back" / "S01.parquet", folder / "labels" / "S01.csv"
    if damage == "no parquet":
        recording.write_bytes(b"PAR1 and no more")
    elif damage == "naive labels":
        labels.write_text(labels.read_text().replace("+00:00", ""))
    else:
        columns = {"t_s": pa.array([], pa.float64()), **{axis: pa.array([], pa.float64()) for axis in "xyz"}}
        pq.write_table(pa.table(columns), recording)
    with pytest.raises(RecordingError, match="S01"):
        list(recordings(folder, "lower_back"))


def test_validate_prints_the_scores_of_a_folder(tmp_path: Path) -> None:
    folder = _data_set(tmp_path / "made")
    result = CliRunner().invoke(app, ["validate", str(folder), "--docs", str(tmp_path / "figures.md")])
    assert result.exit_code == 0, result.output
    rows = [[cell.strip() for cell in line.strip("| ").split("|")] for line in result.output.splitlines()]
    walking, steady = next((float(row[1]), float(row[2])) for row in rows if row[0] == "walking F1")
    assert walking > 0.95
    assert steady >= walking, "without the seconds around the change it can only be easier"
    called = next(row for row in rows if row[0] == "walking" and len(row) > 2)
    assert 115 <= sum(int(cell) for cell in called[1:]) <= 120, "each labelled second is in the table once"
    assert (tmp_path / "figures.md").read_text().strip() in result.output


def test_validate_says_what_it_wants_where_there_is_nothing(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["validate", str(tmp_path)])
    assert result.exit_code == 1
    assert "lower_back" in result.output
