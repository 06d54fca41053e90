"""All patients at a glance: who to call first. Ten minutes have to do for forty of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from dashboards.days import asks_for_advice, by_date
from dashboards.report.numbers import DAYS, Answer, Question, read_numbers
from dashboards.therapist.desk import Reasons
from processing.metrics import Value
from processing.stores.base import MetricReader
from spineclip.contract.days import day_of, day_start_ns
from spineclip.contract.errors import SettingsError

_UNREADABLE: Final = 1000


@dataclass(frozen=True, slots=True)
class Row:
    """One patient.

    Attributes
    ----------
    points
        Attention points of the fortnight, for sorting alone.
    why, asked_on
        What of the newest day with any points one would ask about, and which day that was.
    reasons
        The same, for whoever has words of their own for it; empty where the day's numbers no longer tell.
    last_seen
        The last local day with data, None if there is none in eight weeks.
    questions
        The report's four.
    met, judged
        Days of the fortnight with the walking goal met, and with enough data.
    nsaid_in_row
        Days in a row with an anti-inflammatory.
    """

    patient: str
    points: int
    why: str
    last_seen: date | None
    questions: tuple[Question, ...]
    met: int
    judged: int
    nsaid_in_row: int
    reasons: Reasons = ()
    asked_on: date | None = None

    @property
    def asks_for_advice(self) -> bool:
        """Whether anti-inflammatories were taken for too many days in a row."""
        return asks_for_advice(self.nsaid_in_row)

    def answer(self, name: str) -> Answer:
        """Return the answer of one of the four questions."""
        return next(question.answer for question in self.questions if question.name == name)


def overview(
    reader: MetricReader,
    zone_of: Callable[[str], ZoneInfo],
    now_ns: int,
    reasons_of: Callable[[Mapping[str, Value]], Reasons] = lambda _: (),
) -> list[Row]:
    """Read all patients, those first whom one would ask most.

    Parameters
    ----------
    zone_of
        A patient's time zone.
    now_ns
        UTC nanoseconds; the fortnight is that of the last fourteen finished local days.
    reasons_of
        What one would ask about on a day, by the fields of its ``daily`` point.

    Raises
    ------
    StoreError
        If the store cannot be read.
    """
    rows = [_row_or_reason(reader, patient, zone_of, now_ns, reasons_of) for patient in reader.patients()]
    return sorted(rows, key=lambda row: (not row.asks_for_advice, -row.points, row.patient))


def _row_or_reason(
    reader: MetricReader,
    patient: str,
    zone_of: Callable[[str], ZoneInfo],
    now_ns: int,
    reasons_of: Callable[[Mapping[str, Value]], Reasons],
) -> Row:
    """Read one patient; one whose settings cannot be read hides nobody else, and stands on top."""
    try:
        zone = zone_of(patient)
    except SettingsError:
        return Row(patient, _UNREADABLE, "", None, (), 0, 0, 0, (("settings", {}),))
    return row_of(reader, patient, zone, now_ns, reasons_of)


def row_of(
    reader: MetricReader,
    patient: str,
    zone: ZoneInfo,
    now_ns: int,
    reasons_of: Callable[[Mapping[str, Value]], Reasons] = lambda _: (),
) -> Row:
    """Read one patient."""
    until = day_of(now_ns, zone) - timedelta(days=1)
    numbers = read_numbers(reader, patient, until, zone)
    since_ns = day_start_ns(until - timedelta(days=4 * DAYS), zone)
    daily = by_date(reader.points("daily", patient, since_ns, now_ns))
    fortnight = [(day, point) for day, point in sorted(daily.items()) if until - timedelta(days=DAYS) < day <= until]
    judged = [day.met_walking for day in numbers.now if day.met_walking is not None]
    asked = [(day, point.fields) for day, point in fortnight if point.fields.get("attention_why")]
    return Row(
        patient,
        points=sum(int(point.fields.get("attention", 0)) for _, point in fortnight),
        why=str(asked[-1][1]["attention_why"]) if asked else "",
        last_seen=max((day for day, point in daily.items() if point.fields.get("worn_min")), default=None),
        questions=numbers.questions,
        met=sum(judged),
        judged=len(judged),
        nsaid_in_row=numbers.nsaid_in_row,
        reasons=reasons_of(asked[-1][1]) if asked else (),
        asked_on=asked[-1][0] if asked else None,
    )
