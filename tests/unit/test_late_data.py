"""Promise: data that come after their time amend the hour and the day that they belong to, once."""

from __future__ import annotations

from collections.abc import Iterable

from processing.intake import GIVE_UP_S, Verdict
from processing.metrics import Point
from processing.patient import LATE_QUIET_S, Patient
from spineclip.contract.wire import SampleBatch
from tests.system.collecting import T0_NS, day_of_somebody

BATCHES = day_of_somebody(300)


class Stored:
    """A patient whose points are gathered as a store does."""

    def __init__(self) -> None:
        self.patient = Patient("p-1")
        self.points: dict[tuple[str, int], Point] = {}

    def take(self, batches: Iterable[SampleBatch], now_s: float) -> list[Verdict | None]:
        return [next(iter(self.patient.take(batch, now_s=now_s).verdicts)) for batch in batches]

    def store(self) -> None:
        for point in self.patient.commit().points:
            self.points[point.measurement, point.time_ns] = point
        self.patient.stored()

    def day(self) -> dict[str, float]:
        self.patient.finish()
        self.store()
        (day,) = [point for (name, _), point in self.points.items() if name == "daily"]
        return {name: float(value) for name, value in day.fields.items() if isinstance(value, float)}


def late(first: int, last: int) -> tuple[Stored, Stored]:
    """One who got everything in time, and one to whom batches [first, last) came after they were given up."""
    whole, stored = Stored(), Stored()
    whole.take(BATCHES, 0.0)
    stored.take([*BATCHES[:first], *BATCHES[last:]], 0.0)
    stored.patient.due(GIVE_UP_S)
    return whole, stored


def test_a_gap_that_is_filled_late_is_filled_in_hour_day_and_slots() -> None:
    whole, stored = late(90, 210)
    gap = stored.day()
    assert gap["worn_min"] < whole.day()["worn_min"] - 1.8
    assert set(stored.take(BATCHES[90:210], 40.0)) == {Verdict.LATE}
    stored.patient.due(40.0 + LATE_QUIET_S)
    filled, complete = stored.day(), whole.day()
    for name in ("worn_min", "walking_min", "sedentary_min", "standing_min", "steps"):
        # a stretch by itself hears nothing of its neighbours: each of its two edges may differ by the 15 s that a
        # second may wait
        assert abs(filled[name] - complete[name]) <= (2 * 15 / 60 if name != "steps" else 2 * 15 * 2), name
    slots = [
        point for (name, t), point in stored.points.items() if name == "activity" and 95 <= (t - T0_NS) / 1e9 < 205
    ]
    assert len(slots) == 22
    assert all(point.fields["coverage"] == 1.0 for point in slots)
    hour = [point for (name, _), point in stored.points.items() if name == "hourly"]
    minutes = sum(float(value) for point in hour for value in point.fields.values())
    reference = sum(float(v) for (name, _), p in whole.points.items() if name == "hourly" for v in p.fields.values())
    assert abs(minutes - reference) < 1e-6


def test_late_data_count_once() -> None:
    _, stored = late(90, 210)
    stored.take(BATCHES[90:210], 40.0)
    stored.patient.due(40.0 + LATE_QUIET_S)
    before = stored.day()
    assert set(stored.take(BATCHES[90:210], 60.0)) == {Verdict.DUPLICATE}
    stored.patient.due(60.0 + LATE_QUIET_S)
    assert stored.day() == before


def test_late_data_outlive_a_restart_of_the_core() -> None:
    _, stored = late(90, 210)
    stored.patient = Patient.resume("p-1", stored.patient.commit().checkpoint)
    assert set(stored.take(BATCHES[90:210], 40.0)) == {Verdict.LATE}
