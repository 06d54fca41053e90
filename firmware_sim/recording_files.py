"""Rows of CSV and Parquet files as they stand, in pieces of bounded size."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
from numpy.typing import NDArray

from spineclip.contract.errors import RecordingError, SettingsError

TIME_NAMES: Final = ("time", "timestamp", "t_s", "t_ms")
"""Names under which a time column is found by itself."""
NO_VALUE: Final = ["", "nan", "NaN", "NAN", "NA", "N/A", "null", "NULL", "None", "-nan", "inf", "-inf", "Inf", "-Inf"]
BROKEN_SHARE: Final = 0.01
"""More broken lines than this share, and the file is not what it seems."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which columns to read (as `Reading.columns`), and the rate if there may be no times."""

    columns: tuple[str, ...]
    rate_hz: float | None

    def pick(self, path: Path, found: list[str]) -> tuple[str | None, list[str]]:
        """Choose the time column (None: no times) and the three axes among those found.

        Raises
        ------
        RecordingError
            If one is missing.
        SettingsError
            If the wanted names are not one, three or four.
        """
        names = {name.strip().lower(): name for name in found}
        time, axes = self._names(names)
        missing = [name for name in (*axes, *([] if time is None else [time])) if name.strip().lower() not in names]
        if missing:
            raise RecordingError(
                f"{path}, line 1: there is no column {missing[0]!r} (there are: {', '.join(found)[:200]})",
                advice="Name the columns with --columns time,x,y,z; or x,y,z and --rate when there are no times",
            )
        return None if time is None else names[time.strip().lower()], [names[axis.strip().lower()] for axis in axes]

    def _names(self, found: dict[str, str]) -> tuple[str | None, list[str]]:
        match self.columns:
            case ():
                axes = ["x", "y", "z"]
            case (site,):
                axes = [f"{site}_{axis}" for axis in "xyz"]
            case (x, y, z):
                return (None, [x, y, z]) if self.rate_hz is not None else (self._time(found), [x, y, z])
            case (time, x, y, z):
                return time, [x, y, z]
            case _:
                raise SettingsError(
                    f"{len(self.columns)} columns were named", advice="Name time,x,y,z or x,y,z or one site such as T4"
                )
        return self._time(found), axes

    def _time(self, found: dict[str, str]) -> str | None:
        for name in TIME_NAMES:
            if name in found:
                return name
        return None if self.rate_hz is not None else TIME_NAMES[0]


@dataclass(frozen=True, slots=True)
class RawRows:
    """A piece of a file: time column (Arrow, or None), axes (n, 3) with NaN where empty, first line, broken so far."""

    time: Any
    time_name: str
    xyz: NDArray[np.float64]
    line: int
    broken: int = 0


def raw_rows(path: Path, wanted: Wanted, rows: int) -> Iterator[RawRows]:
    """Read a file piece by piece.

    Raises
    ------
    RecordingError
        If it is missing, empty, of another kind or damaged.
    """
    if not path.is_file():
        raise RecordingError(f"there is no file {path}", advice="Check the name")
    if path.stat().st_size == 0:
        raise RecordingError(f"{path} is empty", advice="Export it again")
    suffixes = {suffix.lower() for suffix in path.suffixes[-2:]}
    if ".parquet" in suffixes:
        return _parquet(path, wanted, rows)
    if suffixes & {".csv", ".tsv", ".txt"}:
        return _csv(path, wanted, rows)
    raise RecordingError(f"{path} is neither .csv nor .parquet", advice="Export the recording as CSV or Parquet")


def _parquet(path: Path, wanted: Wanted, rows: int) -> Iterator[RawRows]:
    try:
        with pq.ParquetFile(path) as file:
            time, axes = wanted.pick(path, list(file.schema_arrow.names))
            for name in axes:
                kind = file.schema_arrow.field(name).type
                if not (pa.types.is_integer(kind) or pa.types.is_floating(kind)):
                    raise RecordingError(
                        f"{path}: column {name!r} holds {kind}, not numbers", advice="Store the axes as numbers"
                    )
            line = 1
            for batch in file.iter_batches(batch_size=rows, columns=[*([] if time is None else [time]), *axes]):
                yield RawRows(None if time is None else batch.column(time), time or "", _floats(batch, axes), line)
                line += batch.num_rows
    except (pa.ArrowException, OSError) as error:
        raise RecordingError(
            f"{path} cannot be read as Parquet ({_first_line(error)})", advice="Export it again"
        ) from error


def _csv(path: Path, wanted: Wanted, rows: int) -> Iterator[RawRows]:
    head, separator = _head(path)
    names, first_line = _header(path, head, separator, wanted)
    time, axes = wanted.pick(path, names)
    broken = 0

    def _skip(_row: Any) -> str:
        nonlocal broken
        broken += 1
        return "skip"

    decimal = "," if separator == ";" and any("," in cell for cell in head[-1]) else "."
    line = first_line
    try:
        with (
            pa.input_stream(str(path), compression="detect") as stream,
            pa_csv.open_csv(
                stream,
                read_options=pa_csv.ReadOptions(
                    use_threads=False, block_size=max(1 << 16, rows * 48), column_names=names, skip_rows=first_line - 1
                ),
                parse_options=pa_csv.ParseOptions(delimiter=separator, invalid_row_handler=_skip),
                convert_options=pa_csv.ConvertOptions(
                    column_types={axis: pa.float64() for axis in axes} | ({} if time is None else {time: pa.string()}),
                    include_columns=[*([] if time is None else [time]), *axes],
                    null_values=NO_VALUE,
                    strings_can_be_null=True,
                    decimal_point=decimal,
                ),
            ) as reader,
        ):
            for batch in reader:
                if batch.num_rows == 0:
                    continue
                yield RawRows(
                    None if time is None else batch.column(time), time or "", _floats(batch, axes), line, broken
                )
                line += batch.num_rows
    except (pa.ArrowException, OSError, EOFError) as error:
        _find_text(path, names, axes, first_line, separator=separator, decimal=decimal)
        raise RecordingError(
            f"{path} cannot be read as CSV ({_first_line(error)})", advice="Export it again"
        ) from error
    if broken > max(10, BROKEN_SHARE * (line - first_line)):
        raise RecordingError(
            f"{path}: {broken:,} lines do not have {len(names)} fields like the first one",
            advice="Check that all lines have the same columns and separator",
        )


def _head(path: Path) -> tuple[list[list[str]], str]:
    """Return the first two lines as cells, and the separator."""
    try:
        with pa.input_stream(str(path), compression="detect") as stream:
            start = stream.read(1 << 16)
    except (pa.ArrowException, OSError) as error:
        raise RecordingError(
            f"{path} cannot be read ({_first_line(error)})", advice="Copy or export it again"
        ) from error
    if b"\0" in start:
        raise RecordingError(f"{path} is not a text file", advice="Export it as CSV in UTF-8")
    text = start.decode("utf-8-sig", errors="replace")
    lines = text.splitlines()[:2]
    if not lines or not lines[0].strip():
        raise RecordingError(f"{path}, line 1 is empty", advice="The first line should be time,x,y,z")
    separator = max(",;\t", key=lines[0].count)
    return [[cell.strip() for cell in row] for row in csv.reader(lines, delimiter=separator)], separator


def _header(path: Path, head: list[list[str]], separator: str, wanted: Wanted) -> tuple[list[str], int]:
    """Return the names of the columns and the number of the first line of values."""
    first = head[0]
    if not any(_is_value(cell) for cell in first):
        return first, 2
    if len(wanted.columns) in (3, 4) and len(wanted.columns) == len(first):
        return list(wanted.columns), 1
    raise RecordingError(
        f"{path}, line 1 holds values ({separator.join(first)[:60]}), not the names of the columns",
        advice="Put a line time,x,y,z on top, or name all columns of the file with --columns",
    )


def _is_value(cell: str) -> bool:
    try:
        float(cell.replace(",", "."))
    except ValueError:
        return cell[:4].isdigit() and "-" in cell
    return cell.lower() not in ("nan", "inf", "infinity")


def _floats(batch: Any, axes: list[str]) -> NDArray[np.float64]:
    columns = [batch.column(axis).cast(pa.float64()).fill_null(np.nan).to_numpy() for axis in axes]
    return np.column_stack(columns)


def _find_text(path: Path, names: list[str], axes: list[str], first_line: int, *, separator: str, decimal: str) -> None:
    """Find the first cell that is not a number, and say where it stands."""
    at = [(names.index(axis), axis) for axis in axes]
    with (
        pa.input_stream(str(path), compression="detect") as raw,
        io.TextIOWrapper(raw, encoding="utf-8-sig", errors="replace", newline="") as text,
    ):
        try:
            for number, row in enumerate(csv.reader(text, delimiter=separator), start=1):
                if number < first_line or len(row) != len(names):
                    continue
                for k, axis in at:
                    cell = row[k].strip()
                    if cell not in NO_VALUE and not is_number(cell.replace(decimal, ".")):
                        raise RecordingError(
                            f"{path}, line {number}: {cell[:40]!r} in column {axis!r} is not a number",
                            advice="Mend the line; an empty field counts as a missing sample",
                        )
        except (csv.Error, OSError, EOFError):
            return


def is_number(cell: str) -> bool:
    """Tell whether a text is a number, as Python reads it."""
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:160]
