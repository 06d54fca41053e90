"""What the page may change, and only through whoever runs it: the page itself reads."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Protocol

from processing.epochs import Posture


@dataclass(frozen=True, slots=True)
class DiaryDay:
    """A day in the diary as the page shows it; what was not answered is None."""

    day: dt.date
    pain: int | None = None
    exercises: bool | None = None
    relaxation_min: float | None = None
    nsaid: bool | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Kept:
    """A day as it is kept now, and the answers in which another page had been faster."""

    entry: DiaryDay
    conflicts: tuple[str, ...] = ()


class Desk(Protocol):
    """Where the patient's own words are kept."""

    def today(self) -> dt.date:
        """Return the patient's local date."""
        ...

    def editable_days(self) -> int:
        """Return for how many days after its own a day can still be changed."""
        ...

    def read(self, day: dt.date) -> DiaryDay:
        """Return a day as it is kept.

        Raises
        ------
        StoreError
            If the store cannot be read.
        """
        ...

    def write(self, mine: DiaryDay, seen: DiaryDay) -> Kept:
        """Keep the changes from `seen`, what the writer had before them, to `mine`.

        Raises
        ------
        DiaryError
            If it cannot be kept; `reason` says why.
        StoreError
            If the store cannot be written.
        """
        ...

    def nsaid_days(self) -> int:
        """Return for how many days in a row an anti-inflammatory was taken."""
        ...

    def asks_for_advice(self) -> bool:
        """Return whether that is so long that the patient should ask a doctor or pharmacist."""
        ...

    def can_pause(self) -> bool:
        """Return whether reminders can be paused from here."""
        ...

    def paused_until(self) -> dt.datetime | None:
        """Return until when reminders are paused, on the patient's clock; None when they are not.

        Raises
        ------
        SettingsError
            If the settings cannot be read.
        """
        ...

    def pause(self, choice: str) -> dt.datetime | None:
        """Pause reminders for an ``hour`` or until ``tomorrow``, or switch them ``on`` again; return until when.

        Raises
        ------
        SettingsError
            If the settings cannot be written.
        """
        ...


class Calibrator(Protocol):
    """Measures how the wearer sits, and keeps it."""

    async def calibrate(self, seconds: float, pose: Posture) -> str:
        """Listen for so long, and keep what was measured if the wearer sat still.

        Parameters
        ----------
        pose
            What the wearer shows: upright is the neutral, any other joins it.

        Returns
        -------
        How it went: ``done``, ``forgotten`` (done, and the poses shown before no longer hold), ``moved``, ``silent``,
        or what is wrong with a pose: ``no_neutral``, ``near`` (to the neutral) or ``far``.
        """
        ...

    def taught(self) -> frozenset[Posture]:
        """Return what the wearer has shown so far.

        Raises
        ------
        SettingsError
            If the settings cannot be read.
        """
        ...
