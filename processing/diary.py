"""The patient's diary: one entry for each local day, in two taps or in their own words.

An entry is a ``diary`` point at the first second of its local day; it names its date, so that it is found again
after the patient has moved to another time zone. Writing is a change to single fields, never of the whole entry, and
knows what the writer had seen: two pages that edit one entry lose nothing.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, fields, replace
from datetime import date, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from processing.metrics import Point, Value
from processing.stores.base import MetricReader, MetricStore
from spineclip.contract.days import day_of, day_start_ns
from spineclip.contract.errors import DiaryError

EDITABLE_DAYS: Final = 2
"""An entry can be written and changed on its day and for so many days after (later, memory paints)."""

NOTE_MAX: Final = 2000
"""Characters that a note may have: a page of a notebook."""

PAIN_MAX: Final = 10
"""The numeric rating scale, 0 none to 10 worst."""

RELAXATION_MAX_MIN: Final = 240.0


@dataclass(frozen=True, slots=True)
class Entry:
    """A day in the diary; what was not answered is None, never a guess.

    Attributes
    ----------
    day
        The local date that it is about.
    pain
        0 none to 10 worst.
    exercises
        Whether the home exercises were done.
    relaxation_min
        Minutes of breathing, mindfulness and the like.
    nsaid
        Whether an anti-inflammatory was taken.
    note
        The patient's own words, as plain text: whoever shows it has to escape it.

    Raises
    ------
    DiaryError
        If a value cannot be kept; `reason` is ``pain``, ``relaxation`` or ``note``.
    """

    day: date
    pain: int | None = None
    exercises: bool | None = None
    relaxation_min: float | None = None
    nsaid: bool | None = None
    note: str | None = None

    def __post_init__(self) -> None:
        pain, relaxation = self.pain, self.relaxation_min
        if pain is not None and (type(pain) is not int or not 0 <= pain <= PAIN_MAX):
            raise DiaryError("pain", f"a pain of {pain!r} is not on the scale", advice="Use 0 (none) to 10 (worst)")
        if relaxation is not None and not 0 <= relaxation <= RELAXATION_MAX_MIN:
            raise DiaryError(
                "relaxation",
                f"{relaxation!r} minutes of relaxation cannot be kept",
                advice=f"Use 0 to {RELAXATION_MAX_MIN:g}",
            )
        if self.note is not None and len(self.note) > NOTE_MAX:
            raise DiaryError(
                "note",
                f"the note has {len(self.note)} characters, and the diary keeps {NOTE_MAX}",
                advice="Shorten it; the entry is as it was",
            )

    @property
    def is_empty(self) -> bool:
        """Whether nothing was answered."""
        return all(getattr(self, name) is None for name in ANSWERS)


ANSWERS: Final = tuple(column.name for column in fields(Entry) if column.name != "day")
"""Names of all that can be answered."""


@dataclass(frozen=True, slots=True)
class Saved:
    """An entry as it is kept now, and the answers in which somebody else had been faster (`conflicts`)."""

    entry: Entry
    conflicts: tuple[str, ...] = ()


def clean_note(text: str) -> str:
    """Return a note without control characters (other than line breaks) and outer blanks; words are left alone."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    return "".join(c for c in lines if c == "\n" or unicodedata.category(c) not in ("Cc", "Cs")).strip()


def is_editable(day: date, today: date) -> bool:
    """Tell whether the entry of a day can still be written on `today` (both local dates)."""
    return today - timedelta(days=EDITABLE_DAYS) <= day <= today


def merge(seen: Entry, stored: Entry, mine: Entry) -> Saved:
    """Bring two edits of one entry together.

    Parameters
    ----------
    seen
        What the writer had before them when they began.
    stored
        What is kept now, perhaps by another page since.
    mine
        What the writer wants to keep.

    Notes
    -----
    Only what the writer changed is changed. Where both changed the same answer, two notes are kept one below the
    other and of other answers the writer's holds; both are named in `conflicts`.
    """
    changed = {name: getattr(mine, name) for name in ANSWERS if getattr(mine, name) != getattr(seen, name)}
    conflicts = tuple(name for name in changed if getattr(stored, name) not in (getattr(seen, name), changed[name]))
    if "note" in conflicts and stored.note and changed["note"]:
        changed["note"] = f"{stored.note}\n{changed['note']}"
    return Saved(replace(stored, **changed), conflicts)


def to_point(entry: Entry, patient: str, time_ns: int) -> Point:
    """Return the ``diary`` point of an entry at `time_ns`, the first second of its day."""
    answers: dict[str, Value] = {name: getattr(entry, name) for name in ANSWERS if getattr(entry, name) is not None}
    if "relaxation_min" in answers:
        answers["relaxation_min"] = float(answers["relaxation_min"])
    return Point("diary", time_ns, {"patient": patient}, {"date": entry.day.isoformat(), **answers})


def from_point(point: Point, zone: ZoneInfo) -> Entry:
    """Read an entry back; a point without a date belongs to the local day of its time."""
    known = dict(point.fields)
    day = known.pop("date", None)
    return Entry(
        date.fromisoformat(day) if isinstance(day, str) else day_of(point.time_ns, zone),
        **{name: known[name] for name in ANSWERS if name in known},  # type: ignore[arg-type]
    )


def read(reader: MetricReader, patient: str, first: date, last: date, zone: ZoneInfo) -> dict[date, Entry]:
    """Return a patient's entries from `first` to `last` (local dates, both included), by date.

    Raises
    ------
    StoreError
        If the store cannot be read.
    """
    entries = (from_point(point, zone) for point in _points(reader, patient, first, last, zone))
    return {entry.day: entry for entry in entries if first <= entry.day <= last}


def save(
    store: MetricStore, patient: str, mine: Entry, zone: ZoneInfo, now_ns: int, *, seen: Entry | None = None
) -> Saved:
    """Keep an entry, or the changes to one.

    Parameters
    ----------
    mine
        What the writer wants to keep.
    zone, now_ns
        The patient's time zone and the present, for what can still be written.
    seen
        What the writer had before them; without it, every answer that is not None is a change.

    Raises
    ------
    DiaryError
        With reason ``future``, ``old`` or ``empty``, or ``note`` if two notes together are too long.
    StoreError
        If the store cannot be read or written; nothing has changed then.
    """
    today = day_of(now_ns, zone)
    if mine.day > today:
        raise DiaryError("future", f"{mine.day} has not come yet", advice="Write about today or the last two days")
    if not is_editable(mine.day, today):
        raise DiaryError(
            "old", f"{mine.day} is closed", advice=f"Entries can be changed for {EDITABLE_DAYS} days after their day"
        )
    if mine.note is not None:
        mine = replace(mine, note=clean_note(mine.note))
    kept_ns, stored = _kept(store, patient, mine.day, zone)
    if seen is None:
        unanswered = {name: getattr(stored, name) for name in ANSWERS if getattr(mine, name) is None}
        seen, mine = stored, replace(mine, **unanswered)
    saved = merge(seen, stored, mine)
    if saved.entry.is_empty:
        raise DiaryError("empty", f"nothing was answered for {mine.day}", advice="Answer at least one question")
    if saved.entry != stored:
        store.commit(patient, [to_point(saved.entry, patient, kept_ns)], None)
    return saved


def _kept(reader: MetricReader, patient: str, day: date, zone: ZoneInfo) -> tuple[int, Entry]:
    """Return the time and content of what is kept of a day, or where it belongs and nothing."""
    found = [point for point in _points(reader, patient, day, day, zone) if from_point(point, zone).day == day]
    if not found:
        return day_start_ns(day, zone), Entry(day)
    return found[-1].time_ns, from_point(found[-1], zone)


def _points(reader: MetricReader, patient: str, first: date, last: date, zone: ZoneInfo) -> list[Point]:
    """Return the points of these days, and of two on either side: the patient may have moved zone since."""
    start = day_start_ns(first - timedelta(days=2), zone)
    return reader.points("diary", patient, start, day_start_ns(last + timedelta(days=3), zone))
