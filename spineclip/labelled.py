"""Labelled recordings in folders: what truth is measured against.

Two layouts are read::

    DATASET/<place>/SUBJECT.parquet + DATASET/labels/SUBJECT.csv   time,x,y,z in g; start,end,label
    DATASET/<place>/SUBJECT_ACTIVITY.parquet                       t_s,x,y,z in g; the label is in the name
"""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from processing.epochs import State
from spineclip.contract.errors import RecordingError
from spineclip.contract.placement import Placement

SECOND_NS: Final = 10**9

PLACES: Final[Mapping[str, Placement]] = MappingProxyType(
    {
        "lower_back": Placement.LOWER_BACK,
        "thigh": Placement.THIGH,
        "torso": Placement.STERNUM,
        "waist": Placement.BELT,
        "hip": Placement.BELT,
        "belt": Placement.BELT,
    }
)
"""Folder names of places on the body and the placement that each is analysed as."""

NOT_SCORED: Final = -1
"""Truth of a second that is scored as nothing (no label, or one without a state)."""

_STATES: Final[Mapping[str, State]] = MappingProxyType(
    {
        "walking": State.WALKING,
        "stairs (ascending)": State.WALKING,
        "stairs (descending)": State.WALKING,
        "standing": State.STANDING,
        "sitting": State.SITTING,
        "lying": State.LYING,
        "running": State.RUNNING,
        "cycling (sit)": State.CYCLING,
        "cycling (stand)": State.CYCLING,
        "cycling (sit, inactive)": State.CYCLING,
        "cycling (stand, inactive)": State.CYCLING,
        "ascending_stairs": State.WALKING,
        "descending_stairs": State.WALKING,
        "treadmill_4_km_h_15_deg": State.WALKING,
        "treadmill_4_km_h_flat": State.WALKING,
        "walking_in_a_parking_lot": State.WALKING,
        "running_treadmill_8_km_h": State.RUNNING,
        "standing_in_an_elevator_still": State.STANDING,
        "lying_on_back": State.LYING,
        "lying_on_right_side": State.LYING,
        "exercise_bike_horizontal": State.CYCLING,
        "exercise_bike_vertical": State.CYCLING,
        "basketball": State.ACTIVE,
        "cross_trainer": State.ACTIVE,
        "jumping": State.ACTIVE,
        "rowing": State.ACTIVE,
        "stepper": State.ACTIVE,
    }
)


@dataclass(frozen=True, slots=True)
class Labelled:
    """A recording with its truth: labels hold over ``[start, end)`` in UTC nanoseconds."""

    dataset: str
    subject: str
    name: str
    placement: Placement
    t_ns: NDArray[np.int64]
    xyz_g: NDArray[np.float64]
    labels: tuple[tuple[int, int, str], ...]

    def truth(self, first: int, n: int) -> tuple[NDArray[np.int64], NDArray[np.bool_], NDArray[np.bool_]]:
        """Truth of `n` seconds from `first` (seconds since 1970).

        Returns
        -------
        state
            Code of the state, or `NOT_SCORED`.
        steady
            Whether the label also holds over the second before and the second after (labels at 1 s are medians of
            frames, so a second around a change can carry a class that never happened).
        shuffling
            Whether the label is shuffling, which is neither standing nor walking.
        """
        code = np.full(n + 2, NOT_SCORED, dtype=np.int64)
        kind = np.full(n + 2, -1, dtype=np.int64)
        names = sorted({label for _, _, label in self.labels})
        for start, end, label in self.labels:
            a = max(-(-start // SECOND_NS) - first + 1, 0)
            b = min(end // SECOND_NS - first + 1, n + 2)
            if a < b:
                state = _STATES.get(label)
                code[a:b] = NOT_SCORED if state is None else state.code
                kind[a:b] = names.index(label)
        if len(self.labels) == 1:  # one activity a recording: there is no change at its ends
            kind[:] = 0
        steady = (kind[:-2] == kind[1:-1]) & (kind[2:] == kind[1:-1]) & (kind[1:-1] >= 0)
        shuffling = kind[1:-1] == (names.index("shuffling") if "shuffling" in names else -2)
        return code[1:-1], steady, shuffling


def places(folder: Path) -> tuple[str, ...]:
    """Folders of places on the body that a data set has.

    Raises
    ------
    RecordingError
        If there is none.
    """
    found = tuple(place for place in PLACES if (folder / place).is_dir())
    if not found:
        raise RecordingError(
            f"{folder} has no labelled recordings",
            advice=f"It should hold one of the folders {', '.join(PLACES)} and, where one file has many labels, labels",
        )
    return found


def recordings(folder: Path, place: str) -> Iterator[Labelled]:
    """Read the recordings of one place of a data set, in order of name.

    Raises
    ------
    RecordingError
        If a file has other columns than its layout says.
    """
    for path in sorted((folder / place).glob("*.parquet")):
        try:
            table = pq.read_table(path)
            xyz = np.stack([table[axis].to_numpy().astype(np.float64) for axis in "xyz"], axis=1)
            if "time" in table.column_names:
                t_ns = table["time"].cast(pa.timestamp("ns", "UTC")).cast("int64").to_numpy()
                subject, labels = path.stem, _read_labels(folder / "labels" / f"{path.stem}.csv")
            else:
                t_ns = np.rint(table["t_s"].to_numpy().astype(np.float64) * 1e6).astype(np.int64) * 1000
                subject, _, activity = path.stem.partition("_")
                labels = ((int(t_ns[0]), int(t_ns[-1]) + SECOND_NS, activity),)
        except (LookupError, OSError, TypeError, ValueError, pa.ArrowException) as error:
            raise RecordingError(
                f"{path} cannot be read as a labelled recording ({error})",
                advice="It needs time, or t_s, and x, y, z in g; its labels need start, end, label",
            ) from error
        yield Labelled(folder.name, subject, path.stem, PLACES[place], t_ns, xyz, labels)


def people(root: Path, sets: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Name the people (data set, subject) of some data sets, without reading the recordings."""
    found = {
        (name, path.stem if (root / name / "labels").is_dir() else path.stem.partition("_")[0])
        for name, place in sets
        for path in (root / name / place).glob("*.parquet")
    }
    return sorted(found)


def _read_labels(path: Path) -> tuple[tuple[int, int, str], ...]:
    with path.open(newline="", encoding="utf-8") as lines:
        return tuple((_ns(row["start"]), _ns(row["end"]), row["label"]) for row in csv.DictReader(lines))


def _ns(text: str) -> int:
    moment = dt.datetime.fromisoformat(text)
    since = moment - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
    return (since.days * 86400 + since.seconds) * SECOND_NS + since.microseconds * 1000
