"""What labelled recordings say of sitting, second by second: the truth that nudges are held against.

Seconds are those of the camera's labels, with one correction: where the thigh of the same recording (which the nudge
does not see) lies level for ten seconds or more, a label of standing is a slip of the annotator, and the other way
round. A thigh is level from 45 degrees against the vertical on: labelled standing has it at 4 to 18 degrees, labelled
sitting at 62 to 101 (medians of the recordings).

A sitting is counted as the product defines it: a minute out of the chair (on the feet, or lying) ends it, less does
not, and less than ten seconds in the chair do not end a time out of it. Where a recording was cut, nothing is known:
what was cut out between two seconds of one state was that state if it is no longer than a minute, and between two
states half of it belongs to each. A sitting that goes on when its recording begins is counted from there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from math import ceil, floor
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow.csv
import pyarrow.parquet

from processing.seating import BRIDGED_S, RESUMED_S, UP_RESETS_S

SECOND_NS: Final = 10**9
LEVEL_DEG: Final = 45.0
SLIP_S: Final = 10
NEARLY: Final = 0.9
"""Share of the limit from which on a nudge before it is early, and not false."""


@dataclass(frozen=True, slots=True)
class Cause:
    """A sitting that was longer than the limit: when it had lasted for `NEARLY` of it, and when it was too long.

    `seconds` are the moments (whole seconds since 1970) at which the limit was reached and it went on.
    """

    early: int
    seconds: list[int]


@dataclass(frozen=True, slots=True)
class _Spell:
    sits: bool
    start_s: float
    end_s: float


def seated(folder: Path, subject: str) -> tuple[dict[int, bool], dict[int, bool]]:
    """Return for each second (its start, since 1970) whether the person sits, and whether its label says so."""
    labels = dict(_labels(folder / "labels" / f"{subject}.csv"))
    said = {second: label == "sitting" for second, label in labels.items()}
    found = dict(said)
    level_deg = _thigh_deg(folder / "thigh" / f"{subject}.parquet")
    for label in ("standing", "sitting"):
        doubted = [
            second
            for second, of_camera in labels.items()
            if of_camera == label and second in level_deg and (level_deg[second] > LEVEL_DEG) != found[second]
        ]
        for run in _runs(doubted):
            if len(run) >= SLIP_S:
                found.update((second, not found[second]) for second in run)
    return found, said


def causes(sits: Mapping[int, bool], limit_min: float) -> list[Cause]:
    """Return the sittings that are longer than the limit."""
    found = []
    for spells in _sittings(sits):
        start_s, limit_s = spells[0].start_s, 60 * limit_min
        seconds = [
            second
            for spell in spells
            for second in range(ceil(max(spell.start_s, start_s + limit_s)), floor(spell.end_s) + 1)
        ]
        if seconds:
            found.append(Cause(ceil(start_s + NEARLY * limit_s), seconds))
    return found


def _sittings(sits: Mapping[int, bool]) -> list[list[_Spell]]:
    """Return sittings, each as its spells in the chair, with less than `UP_RESETS_S` out of it between them."""
    found: list[list[_Spell]] = []
    for spell in _spells(sits):
        if not spell.sits or spell.end_s - spell.start_s < RESUMED_S:
            continue
        if found and spell.start_s - found[-1][-1].end_s < UP_RESETS_S:
            found[-1].append(spell)
        else:
            found.append([spell])
    return found


def _spells(sits: Mapping[int, bool]) -> list[_Spell]:
    """Join seconds to spells, with what was cut out between them."""
    spells: list[_Spell] = []
    for second, now in sits.items():
        last = spells[-1] if spells else None
        if last is None:
            spells.append(_Spell(now, second, second + 1))
        elif last.sits == now and second - last.end_s <= BRIDGED_S:
            spells[-1] = replace(last, end_s=second + 1)
        else:
            half_s = (second - last.end_s) / 2
            spells[-1] = replace(last, end_s=last.end_s + half_s)
            spells.append(_Spell(now, second - half_s, second + 1))
    return spells


def _labels(file: Path) -> Iterator[tuple[int, str]]:
    table = pyarrow.csv.read_csv(file).to_pydict()
    for start, end, label in zip(table["start"], table["end"], table["label"], strict=True):
        for second in range(_second(start), _second(end)):
            yield second, label


def _second(when: datetime | str) -> int:
    moment = when if isinstance(when, datetime) else datetime.fromisoformat(when)
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())


def _thigh_deg(file: Path) -> dict[int, float]:
    """Return by second how far the thigh is from the vertical (its axis x points up along it)."""
    table = pyarrow.parquet.read_table(file)
    xyz_g = np.column_stack([table[axis].to_numpy().astype(np.float64) for axis in "xyz"])
    seconds, first = np.unique(table["time"].cast("int64").to_numpy() // SECOND_NS, return_index=True)
    sums = np.add.reduceat(xyz_g, first, axis=0)
    up_deg = np.degrees(np.arccos(np.clip(sums[:, 0] / np.linalg.norm(sums, axis=1), -1.0, 1.0)))
    return dict(zip(seconds.tolist(), up_deg.tolist(), strict=True))


def _runs(seconds: Sequence[int]) -> list[list[int]]:
    runs: list[list[int]] = []
    for second in seconds:
        if runs and second == runs[-1][-1] + 1:
            runs[-1].append(second)
        else:
            runs.append([second])
    return runs
