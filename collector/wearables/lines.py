"""Text from a wearable to lines, and lines to numbers: comma-separated numbers or one JSON object a line."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from collector.wearables.profile import FieldSpec, Profile

LONGEST_LINE: Final = 4096
MOST_SAMPLES: Final = 1000
"""Of a line, in bytes and in samples: nothing honest comes near (our choice)."""

Line = tuple[list[tuple[FieldSpec, int]], NDArray[np.float64]]
"""The fields that a line tells, and its samples as written, shape (n, 3)."""


class LineCutter:
    """Puts lines together from text that is cut anywhere.

    A line that grows too long is dropped up to its end: what stands behind its middle would pass for a line.
    """

    def __init__(self, rejects: Counter[str]) -> None:
        self._rejects = rejects
        self._rest = b""
        self._skipping = False

    def feed(self, data: bytes) -> list[bytes]:
        """Take text; return the lines that it ends, without what ends them and without empty ones."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        found: list[bytes] = []
        for line in lines:
            if self._skipping:
                self._skipping = False
            elif len(line) > LONGEST_LINE:
                self._rejects["line-too-long"] += 1
            elif line.strip():
                found.append(line.strip())
        if self._skipping:
            self._rest = b""
        elif len(self._rest) > LONGEST_LINE:
            self._rejects["line-too-long"] += 1
            self._rest, self._skipping = b"", True
        return found


def read_csv(profile: Profile, line: bytes) -> Line | str:
    """Read a word, the fields, then x, y, z of each sample; or say why not, as a reason to count by."""
    word = profile.line.encode()
    if not line.startswith(word):
        return "other-line"
    parts = line[len(word) :].strip(b",; ").split(b",")
    fields = profile.fields
    told, values = parts[: len(fields)], parts[len(fields) :]
    if len(told) < len(fields) or not values or len(values) % 3 or len(values) > 3 * MOST_SAMPLES:
        return "wrong-length"
    try:
        whole = [_whole(part) for part in told]
        return list(zip(fields, whole, strict=True)), np.array([float(part) for part in values]).reshape(-1, 3)
    except (ValueError, OverflowError):
        return "not-a-number"


def read_json(profile: Profile, line: bytes) -> Line | str:
    """Read a JSON object by the profile's keys; or say why not, as a reason to count by."""
    try:
        held = json.loads(line)
    except (ValueError, RecursionError):
        return "not-json"
    if not isinstance(held, dict):
        return "not-json"
    has_samples = any(key in held for key in profile.samples.keys)
    told: list[tuple[FieldSpec, int]] = []
    for field in profile.fields:
        value = held.get(field.key)
        if value is None:
            if has_samples and field.name != "battery":
                return "missing-key"
        elif isinstance(value, float) and value.is_integer():
            told.append((field, int(value)))
        elif isinstance(value, int) and not isinstance(value, bool):
            told.append((field, value))
        else:
            return "not-a-number"
    if not has_samples:
        return (told, np.empty((0, 3))) if any(field.name == "battery" for field, _ in told) else "other-line"
    values = _json_samples(held, profile.samples.keys)
    return values if isinstance(values, str) else (told, values)


def _json_samples(held: dict[str, Any], keys: tuple[str, ...]) -> NDArray[np.float64] | str:
    """Read one key with [x, y, z], all in a row or a list of such, or three keys with a number or a list each."""
    if any(key not in held for key in keys):
        return "missing-key"
    rows = _rows([held[key] for key in keys])
    if not rows or len(rows) > MOST_SAMPLES or any(len(row) != 3 for row in rows):
        return "wrong-length"
    if not all(isinstance(value, int | float) and not isinstance(value, bool) for row in rows for value in row):
        return "not-a-number"
    try:
        return np.array([[float(value) for value in row] for row in rows])
    except OverflowError:
        return "not-a-number"


def _rows(found: list[Any]) -> list[list[Any]]:
    """Put what stands at the keys into rows of x, y, z; of what cannot be, nothing."""
    columns = [one if isinstance(one, list) else [one] for one in found]
    if len(columns) == 1:
        (only,) = columns
        if any(isinstance(row, list) for row in only):
            return [row if isinstance(row, list) else [] for row in only]
        return [only[at : at + 3] for at in range(0, len(only), 3)]
    if len({len(column) for column in columns}) != 1:
        return []
    return [list(row) for row in zip(*columns, strict=True)]


def _whole(part: bytes) -> int:
    """Read a whole number exactly, or one that is written like 12.0."""
    try:
        return int(part)
    except ValueError:
        value = float(part)
        if not value.is_integer():  # which also refuses what is not finite
            raise ValueError("not a whole number") from None
        return int(value)
