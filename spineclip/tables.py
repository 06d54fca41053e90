"""Tables to files, row group by row group: CSV, Parquet or JSON. A file appears under its name only when complete."""

from __future__ import annotations

import contextlib
import csv
import io
import json
from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from spineclip.contract.errors import SettingsError


class TableFormat(StrEnum):
    """How a table is written."""

    CSV = "csv"
    PARQUET = "parquet"
    JSON = "json"


class TableWriter:
    """Writes one table; used as a context, which leaves nothing behind when it is left by an error.

    Parameters
    ----------
    stem
        Path of the file without its ending.
    kind
        The format, which is also the ending.
    columns
        Name and type of each column; a value that is not known is None (empty in CSV, null elsewhere).
    """

    def __init__(self, stem: Path, kind: TableFormat, columns: Mapping[str, type]) -> None:
        self.path = stem.with_name(f"{stem.name}.{kind}")
        self._part = self.path.with_name(f".{self.path.name}.part")
        self._kind = kind
        arrow = {str: pa.string(), int: pa.int64(), float: pa.float64(), bool: pa.bool_()}
        self._schema = pa.schema([(name, arrow[column]) for name, column in columns.items()])
        self._rows = 0
        self._file: Any = None
        self._arrow: Any = None
        self._text: io.TextIOWrapper | None = None

    def __enter__(self) -> TableWriter:
        """Open the file.

        Raises
        ------
        SettingsError
            If it cannot be written there.
        """
        try:
            self._part.parent.mkdir(parents=True, exist_ok=True)
            self._file = self._part.open("wb")
        except OSError as error:
            raise SettingsError(
                f"{self.path} cannot be written ({error.strerror})", advice="Choose a folder with --out"
            ) from error
        match self._kind:
            case TableFormat.CSV:
                self._text = io.TextIOWrapper(self._file, encoding="utf-8", newline="", write_through=True)
                csv.writer(self._text, lineterminator="\n").writerow(self._schema.names)
            case TableFormat.PARQUET:
                self._arrow = pq.ParquetWriter(self._file, self._schema)
            case TableFormat.JSON:
                self._file.write(b"[")
        return self

    def write(self, columns: Mapping[str, Sequence[Any]]) -> None:
        """Append rows, given column by column."""
        ordered = [columns[name] for name in self._schema.names]
        if not len(ordered[0]):
            return
        if self._text is not None:
            kinds = self._schema.types
            ordered = [_words(c) if kind == pa.bool_() else c for c, kind in zip(ordered, kinds, strict=True)]
            csv.writer(self._text, lineterminator="\n").writerows(zip(*ordered, strict=True))
            return
        arrays = [pa.array(column, kind) for column, kind in zip(ordered, self._schema.types, strict=True)]
        table = pa.table(arrays, schema=self._schema)
        if self._arrow is not None:
            self._arrow.write_table(table)
        else:
            lines = [json.dumps(row, allow_nan=False) for row in table.to_pylist()]
            self._file.write(((",\n" if self._rows else "\n") + ",\n".join(lines)).encode())
        self._rows += table.num_rows

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Complete the file, or remove what was begun."""
        try:
            self._complete()
            if kind is None:
                self._part.replace(self.path)
        finally:
            self._part.unlink(missing_ok=True)

    def _complete(self) -> None:
        with contextlib.closing(self._text or self._file):
            if self._arrow is not None:
                self._arrow.close()
            if self._kind is TableFormat.JSON:
                self._file.write(b"\n]\n")


def _words(values: Sequence[bool | None]) -> list[str | None]:
    """Write truth as JSON does."""
    return [None if value is None else str(value).lower() for value in values]
