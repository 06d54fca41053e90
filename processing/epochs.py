"""One second of a person, and many of them: what every later step counts and adds up.

An epoch is the whole UTC second ``[start, start + 1 s)``. Within a patient, epochs are in order and no second
comes twice; seconds without enough samples are there too (`coverage` says how much of them was seen).
"""

from __future__ import annotations

from dataclasses import field, fields
from enum import IntEnum, StrEnum
from operator import attrgetter
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from processing.frozen import frozen

EPOCH_NS: Final = 10**9

MEASURED: Final = 0.5
"""A second, or a slot of them, of which a smaller share was measured counts as missing (our choice: the larger half).
"""


class State(StrEnum):
    """What the body does. The order is the numeric `code` that is stored; it never changes."""

    UNKNOWN = "unknown"
    NOT_WORN = "not_worn"
    LYING = "lying"
    SITTING = "sitting"
    STANDING = "standing"
    ACTIVE = "active"
    WALKING = "walking"
    RUNNING = "running"
    CYCLING = "cycling"

    @property
    def code(self) -> int:
        """The number of the state in arrays and in the store."""
        return _STATE_CODE[self]


class Posture(StrEnum):
    """How the trunk is held while sitting or standing, even if it is not known which.

    The order is the numeric code; it never changes.
    """

    UNKNOWN = "unknown"
    UPRIGHT = "upright"
    SLOUCHED = "slouched"
    LEANING_FORWARD = "leaning_forward"
    LEANING_LEFT = "leaning_left"
    LEANING_RIGHT = "leaning_right"
    RECLINED = "reclined"

    @property
    def code(self) -> int:
        """The number of the posture in arrays."""
        return _POSTURE_CODE[self]


class Neutral(IntEnum):
    """What the angles of a second are against."""

    USUAL = 0  # what is usual at the placement; also where nothing is known
    WALKING = 1  # the wearer's own walking
    TAUGHT = 2  # the wearer sitting tall, once
    POSES = 3  # the same, with other postures shown too


STATES: Final = tuple(State)
POSTURES: Final = tuple(Posture)
_STATE_CODE: Final = {state: code for code, state in enumerate(STATES)}
_POSTURE_CODE: Final = {posture: code for code, posture in enumerate(POSTURES)}

SEDENTARY: Final = frozenset({State.SITTING, State.LYING})
"""Sitting, reclining or lying while awake (SBRN consensus 2017)."""


@frozen
class Epochs:
    """A table of seconds, column by column; columns have shape (n,) where nothing else is said.

    Attributes
    ----------
    start_ns
        int64, UTC, whole seconds, strictly rising.
    state, posture
        int8, codes of `State` and `Posture`.
    flexion_deg, lateral_deg
        float64; trunk against the wearer's neutral, forward and to the right positive; NaN where not known.
    walking_s
        float64, seconds walked (or run) within the epoch, 0 to 1.
    cadence_spm
        float64, steps a minute; NaN outside walking.
    steps
        float64, steps that ended in the epoch.
    intensity_mg
        float64, mean amplitude deviation of the norm, milli-g; NaN without samples.
    confidence
        float64, 0 to 1: the chance that `state` is right.
    coverage
        float64, 0 to 1: share of the epoch that was measured.
    neutral
        int8, what the angles are against, codes of `Neutral`; 0 where not given.
    beyond
        int8, shape (n, 6): what is known of each posture beyond the angles (`processing.naming.Named`), for joining
        clips; 0 where nothing is.
    """

    start_ns: NDArray[np.int64]
    state: NDArray[np.int8]
    posture: NDArray[np.int8]
    flexion_deg: NDArray[np.float64]
    lateral_deg: NDArray[np.float64]
    walking_s: NDArray[np.float64]
    cadence_spm: NDArray[np.float64]
    steps: NDArray[np.float64]
    intensity_mg: NDArray[np.float64]
    confidence: NDArray[np.float64]
    coverage: NDArray[np.float64]
    neutral: NDArray[np.int8] = field(default_factory=lambda: np.zeros(0, dtype=np.int8))
    beyond: NDArray[np.int8] = field(default_factory=lambda: np.zeros((0, 6), dtype=np.int8))

    def __post_init__(self) -> None:
        if len(self.neutral) != len(self.start_ns):
            object.__setattr__(self, "neutral", np.zeros(len(self.start_ns), dtype=np.int8))
        if len(self.beyond) != len(self.start_ns):
            object.__setattr__(self, "beyond", np.zeros((len(self.start_ns), 6), dtype=np.int8))

    def __len__(self) -> int:
        """Number of epochs."""
        return len(self.start_ns)

    def slice(self, start: int, stop: int) -> Epochs:
        """Rows ``[start, stop)`` as views."""
        return Epochs(*[column[start:stop] for column in self.columns()])

    def copy(self) -> Epochs:
        """Return the same rows in arrays of their own: a view keeps the whole of what it shows a part of."""
        return Epochs(*[column.copy() for column in self.columns()])

    def columns(self) -> tuple[NDArray[Any], ...]:
        """All columns, in their order."""
        return _columns(self)

    @staticmethod
    def empty() -> Epochs:
        """Return a table without rows."""
        return _EMPTY

    @staticmethod
    def unknown(start_ns: NDArray[np.int64]) -> Epochs:
        """Return a table that says of each of these seconds that nothing was measured in it."""
        n = len(start_ns)
        nan = np.full(n, np.nan)
        zero = np.zeros(n)
        code = np.zeros(n, dtype=np.int8)
        return Epochs(
            start_ns,
            code,
            code.copy(),
            nan,
            nan.copy(),
            zero,
            nan.copy(),
            zero.copy(),
            nan.copy(),
            zero.copy(),
            zero.copy(),
        )

    @staticmethod
    def concat(tables: list[Epochs]) -> Epochs:
        """Put tables one below the other; a table that is alone stays as it is."""
        if len(tables) > 1:
            tables = [table for table in tables if len(table)]
        if len(tables) <= 1:
            return tables[0] if tables else _EMPTY
        return Epochs(*[np.concatenate(pieces) for pieces in zip(*[_columns(t) for t in tables], strict=True)])


_columns: Final = attrgetter(*(column.name for column in fields(Epochs)))
_EMPTY: Final = Epochs.unknown(np.empty(0, dtype=np.int64))
