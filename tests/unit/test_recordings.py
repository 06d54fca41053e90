"""Promise: a bad recording is told with file, line and remedy, or mended visibly; never guessed at."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from firmware_sim.recordings import Reading, Repairs, chunks, read
from spineclip.contract.errors import RecordingError, SettingsError

T0_NS = 1_700_000_000 * 10**9
Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def _write(*lines: str, name: str = "walk.csv") -> Path:
        path = tmp_path / name
        path.write_text("\n".join(lines) + "\n")
        return path

    return _write


def rows(n: int = 50, *, first: int = 0, step_ms: int = 20) -> list[str]:
    """n samples lying still, at T0 + k * 20 ms, in epoch milliseconds."""
    return [f"{T0_NS // 10**6 + step_ms * k},0.0,0.6,0.8" for k in range(first, first + n)]


HEAD = "time,x,y,z"


def test_csv_comes_in_as_it_is(write: Write) -> None:
    recording = read(write(HEAD, *rows()))
    assert recording.t_ns.tolist() == [T0_NS + 20_000_000 * k for k in range(50)]
    assert recording.xyz_g.tolist() == [[0.0, 0.6, 0.8]] * 50
    assert recording.repairs == Repairs()
    assert (recording.name, recording.rate_hz) == ("walk", 50.0)
    assert recording.duration_s == pytest.approx(0.98)


@pytest.mark.parametrize(
    ("times", "tz"),
    [
        ([f"2023-11-14T22:13:20.{20 * k:03d}Z" for k in range(5)], "UTC"),
        ([f"2023-11-14 22:13:20.{20 * k:03d}" for k in range(5)], "UTC"),
        ([f"2023-11-14T23:13:20.{20 * k:03d}+01:00" for k in range(5)], "Asia/Tokyo"),
        ([f"2023-11-14T23:13:20.{20 * k:03d}" for k in range(5)], "Europe/Berlin"),
        ([f"{1_700_000_000 + 0.02 * k:.3f}" for k in range(5)], "UTC"),
        ([str(1_700_000_000_000 + 20 * k) for k in range(5)], "UTC"),
        ([str(1_700_000_000_000_000 + 20_000 * k) for k in range(5)], "UTC"),
        ([str(T0_NS + 20_000_000 * k) for k in range(5)], "UTC"),
    ],
    ids=["iso-z", "iso-naive", "iso-offset", "iso-local", "s", "ms", "us", "ns"],
)
def test_times_of_all_kinds_are_the_same_times(write: Write, times: list[str], tz: str) -> None:
    recording = read(write(HEAD, *(f"{time},0,0,1" for time in times)), Reading(tz=tz))
    # a float of seconds since 1970 resolves a quarter of a microsecond
    assert np.abs(recording.t_ns - (T0_NS + 20_000_000 * np.arange(5))).max() <= 250
    assert recording.repairs == Repairs()


@pytest.mark.parametrize(("name", "unit"), [("t_s", 1.0), ("t_ms", 1000.0)])
def test_seconds_from_a_start_are_laid_on_a_made_up_date_visibly(write: Write, name: str, unit: float) -> None:
    recording = read(write(f"{name},x,y,z", *(f"{0.02 * k * unit},0,0,1" for k in range(50))))
    start = dt.datetime(2000, 1, 1, tzinfo=dt.UTC).timestamp() * 1e9
    assert (recording.t_ns - start).tolist() == [20_000_000 * k for k in range(50)]
    assert recording.repairs == Repairs(made_up_date=1)
    assert "2000-01-01" in recording.repairs.sentences()[0]


def test_numbers_of_unknown_unit_are_not_guessed_but_a_rate_tells(write: Write) -> None:
    path = write(HEAD, *(f"{20 * k},0,0,1" for k in range(50)))
    with pytest.raises(RecordingError, match=r"walk\.csv.*unit is not known.*t_ms.*--rate"):
        read(path)
    assert read(path, Reading(rate_hz=50)).duration_s == pytest.approx(0.98)


def test_without_times_the_rate_makes_them(write: Write) -> None:
    path = write("x,y,z", *(["0,0,1"] * 100))
    with pytest.raises(RecordingError, match="no column 'time'"):
        read(path)
    recording = read(path, Reading(rate_hz=25))
    assert np.diff(recording.t_ns).tolist() == [40_000_000] * 99
    assert recording.repairs.made_up_date == 1


def test_a_clock_that_was_never_set_is_shown(write: Write) -> None:
    recording = read(write(HEAD, *(f"1970-01-01T00:00:{k:02d},0,0,1" for k in range(10))))
    assert recording.repairs.made_up_date == 1
    assert np.diff(recording.t_ns).tolist() == [10**9] * 9


def test_given_names_and_sites(write: Write) -> None:
    path = write("t_s,T4_x,T4_y,T4_z,L5_x", *(f"{0.02 * k},0,0,1,7" for k in range(9)))
    for columns in (("T4",), ("t_s", "T4_x", "T4_y", "T4_z"), ("T_S", "t4_x", "T4_y", "T4_z")):
        assert read(path, Reading(columns=columns)).xyz_g.tolist() == [[0, 0, 1]] * 9
    headless = write(*rows(9), name="bare.csv")
    assert len(read(headless, Reading(columns=("time", "x", "y", "z"))).t_ns) == 9
    with pytest.raises(SettingsError, match="2 columns"):
        read(path, Reading(columns=("a", "b")))


def test_separators_and_decimal_commas(write: Write) -> None:
    lines = ["t_s;x;y;z", *(f"{k}0;0,0;0,6;0,8" for k in range(9))]
    assert read(write(*lines)).xyz_g.tolist() == [[0.0, 0.6, 0.8]] * 9
    assert len(read(write("time\tx\ty\tz", *(row.replace(",", "\t") for row in rows()))).t_ns) == 50


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ([], r"walk\.csv, line 1 is empty.*time,x,y,z"),
        ([HEAD], r"walk\.csv has no usable samples"),
        (["time,x,y", "1,2,3"], r"line 1: there is no column 'z' \(there are: time, x, y\).*--columns"),
        (rows(), r"line 1 holds values.*--columns"),
        (
            [HEAD, *rows(15), "1,abc,0,1", *rows(5, first=20)],
            r"walk\.csv, line 17: 'abc' in column 'x' is not a number",
        ),
        ([HEAD, "yesterday,0,0,1"], r"line 2: the time 'yesterday' is neither an ISO time"),
        ([HEAD, *rows(3), "soon,0,0,1"], r"line 5: the time 'soon' is neither"),
        ([HEAD, "2023-01-01T00:00:00Z,0,0,1", "2023-01-01T00:00:01,0,0,1"], "line 3.*some carry an offset"),
        ([HEAD, *(f"{1_700_000_000 + k // 50},0,0,1" for k in range(200))], r"200 samples share 4 times.*--rate"),
        ([HEAD, *rows(50), *(["1,2"] * 20)], r"20 lines do not have 4 fields"),
    ],
    ids=["blank", "header-only", "column", "headless", "text", "time", "late-text", "mixed", "coarse", "broken"],
)
def test_what_cannot_be_read_is_told_with_its_line_and_remedy(write: Write, lines: list[str], told: str) -> None:
    with pytest.raises(RecordingError, match=told):
        read(write(*lines))


def test_files_that_are_none(tmp_path: Path, write: Write) -> None:
    with pytest.raises(RecordingError, match="no file"):
        read(tmp_path / "nowhere.csv")
    with pytest.raises(RecordingError, match="no file"):
        read(tmp_path)
    with pytest.raises(RecordingError, match=r"neither \.csv nor \.parquet"):
        read(write("x", name="walk.xlsx"))
    for name, content, told in (
        ("empty.csv", b"", "empty"),
        ("fake.parquet", b"PAR1 but not really", "Parquet"),
        ("binary.csv", b"\0\1\2" * 99, "not a text file"),
        ("half.csv.gz", b"\x1f\x8b\x08\x00 torn", "cannot be read"),
    ):
        path = tmp_path / name
        path.write_bytes(content)
        with pytest.raises(RecordingError, match=told):
            read(path)


@pytest.mark.parametrize(
    ("factor", "units", "told"),
    [
        (9.80665, "g", "looks like m/s2, not like g.*--units m/s2"),
        (1000.0, "g", "looks like mg.*--units mg"),
        (16384.0, "g", "Raw counts"),
        (1.0, "mg", "looks like g.*--units g"),
        (1.0, "m/s2", "looks like g"),
        (0.01, "g", "gravity is not in them"),
    ],
)
def test_a_wrong_unit_is_told_not_guessed(write: Write, factor: float, units: str, told: str) -> None:
    path = write(HEAD, *(f"{T0_NS + 10**7 * k},0,{0.6 * factor},{0.8 * factor}" for k in range(50)))
    with pytest.raises(RecordingError, match=told):
        read(path, Reading(units=units))


@pytest.mark.parametrize(("factor", "units"), [(9.80665, "m/s2"), (1000.0, "mg"), (0.75, "g"), (0.0, "g")])
def test_a_right_unit_is_converted(write: Write, factor: float, units: str) -> None:
    path = write(HEAD, *(f"{T0_NS + 10**7 * k},0,{0.6 * factor},{0.8 * factor}" for k in range(50)))
    scale = {"m/s2": 1.0, "mg": 1.0}.get(units, factor)
    assert read(path, Reading(units=units)).xyz_g[0] == pytest.approx([0.0, 0.6 * scale, 0.8 * scale])


def test_an_unknown_unit_is_told(write: Write) -> None:
    with pytest.raises(SettingsError, match="Use g, mg or m/s2"):
        read(write(HEAD, *rows()), Reading(units="furlongs"))


def test_repairs_are_counted_and_said(write: Write) -> None:
    lines = rows(100)
    lines[3], lines[4] = lines[4], lines[3]  # one row out of place
    lines[10] = lines[9]  # one time twice (and one sample away)
    lines[20] = lines[20].replace("0.6", "NaN")
    lines[21] = lines[21].replace("0.6", "")
    lines[22] = "," + lines[22].split(",", 1)[1]
    lines[23] = lines[23].replace("0.6", "99")
    lines[24] = "torn,line"
    path = write(HEAD, *lines, *rows(10, first=200))
    recording = read(path)
    assert recording.repairs == Repairs(
        unsorted=1, repeated=1, no_value=2, no_time=1, absurd=1, broken=1, gaps=1, gap_s=pytest.approx(101 * 0.02)
    )
    assert len(recording.t_ns) == 110 - 6
    assert (np.diff(recording.t_ns) > 0).all()
    assert len(recording.repairs.sentences()) == 7


def test_a_gap_of_a_day_stays_a_gap(write: Write) -> None:
    recording = read(write(HEAD, *rows(50), *rows(50, first=50 * 86_400)))
    assert recording.repairs.gaps == 1
    assert recording.repairs.gap_s == pytest.approx(86_400, abs=1)
    assert len(recording.t_ns) == 100


def test_trials_below_each_other_are_laid_apart_visibly(write: Write) -> None:
    trial = [f"{0.02 * k:.2f},0,0,1" for k in range(100)]
    recording = read(write("t_s,x,y,z", *trial * 3))
    assert recording.repairs == Repairs(restarts=2, made_up_date=1, gaps=2, gap_s=4.0)
    assert len(recording.t_ns) == 300


@pytest.mark.parametrize("piece", [7, 64, 100_000])
def test_any_size_of_pieces_reads_the_same(write: Write, piece: int) -> None:
    order = np.random.default_rng(1).permutation(60)
    lines = [row for k in range(5) for row in np.array(rows(60, first=60 * k))[order]]
    path = write(HEAD, *lines)
    if piece == 7:
        with pytest.raises(RecordingError, match=r"go back by more than 7 rows.*Sort"):
            _parquet_pieces(path, piece)
        return
    assert _parquet_pieces(path, piece) == [T0_NS + 20_000_000 * k for k in range(300)]


def _parquet_pieces(path: Path, piece: int) -> list[int]:
    whole = pa.table({"time": [int(line.split(",")[0]) for line in path.read_text().split()[1:]]})
    table = whole.append_column("x", pa.array([0.0] * 300)).append_column("y", pa.array([0.6] * 300))
    target = path.with_suffix(".parquet")
    pq.write_table(table.append_column("z", pa.array([0.8] * 300)), target)
    return [int(t) for chunk in chunks(target, rows=piece) for t in chunk.t_ns]


@pytest.mark.parametrize("zone", ["UTC", None, "Europe/Berlin"])
def test_parquet_times_with_and_without_zone(tmp_path: Path, zone: str | None) -> None:
    stamps = pa.array([T0_NS + 20_000_000 * k for k in range(9)], pa.timestamp("ns", zone))
    path = _parquet(tmp_path, time=stamps, x=[0.0] * 9, y=[0.6] * 9, z=pa.array([0.8] * 8 + [None], pa.float32()))
    recording = read(path)
    assert recording.t_ns.tolist() == [T0_NS + 20_000_000 * k for k in range(8)]
    assert recording.repairs == Repairs(no_value=1)


def test_parquet_of_text_is_told(tmp_path: Path) -> None:
    path = _parquet(tmp_path, time=[1, 2], x=["a", "b"], y=[0.0, 0.0], z=[1.0, 1.0])
    with pytest.raises(RecordingError, match=r"column 'x' holds .*string, not numbers"):
        read(path)


def _parquet(folder: Path, **columns: Any) -> Path:
    path = folder / "walk.parquet"
    pq.write_table(pa.table(columns), path)
    return path
