"""What the therapist's view may know and change, through whoever runs it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias
from zoneinfo import ZoneInfo

from processing.metrics import Value
from processing.stores.base import MetricReader
from spineclip.contract.clock import Clock
from spineclip.contract.config import Goals

Reasons: TypeAlias = Sequence[tuple[str, Mapping[str, str]]]
"""What one would ask about: the names of reasons, and the numbers of each."""


class Practice(Protocol):
    """The agreements of all patients."""

    def zone(self, patient: str) -> ZoneInfo:
        """Return a patient's time zone."""
        ...

    def language(self, patient: str) -> str:
        """Return a patient's language."""
        ...

    def goals(self, patient: str) -> Goals:
        """Return what is asked at present, with what the graded plan has added."""
        ...

    def reasons(self, day: Mapping[str, Value]) -> Reasons:
        """Return what one would ask about on a day, by the fields of its ``daily`` point."""
        ...

    def agree(self, patient: str, goals: Goals) -> None:
        """Keep a new agreement.

        Raises
        ------
        SpineclipError
            If it cannot be kept; the sentence says why.
        """
        ...


@dataclass(frozen=True, slots=True)
class Office:
    """Where the therapist's view gets its numbers from."""

    reader: MetricReader
    practice: Practice
    clock: Clock
    key: str
    """Whoever has it may look at all patients."""
    language: str = "en"
