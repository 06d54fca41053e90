"""Promise: data that come after their time amend the hour and the day that they belong to, once."""

from __future__ import annotations

from collections.abc import Iterable

from processing import late as late_data
from processing.intake import GIVE_UP_S, GivenUp, Verdict
from processing.late import QUIET_S
from processing.metrics import Point
from processing.patient import Patient
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
    stored.patient.due(40.0 + QUIET_S)
    filled, complete = stored.day(), whole.day()
    for name in ("worn_min", "walking_min", "sedentary_min", "standing_min", "steps"):
        # of what was before it, a stretch knows only how the clip sat: its edges may differ by the 15 s that a second
        # waits for its neighbours (two steps a second at most)
        assert abs(filled[name] - complete[name]) <= (15 / 60 if name != "steps" else 15 * 2), name
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
    stored.patient.due(40.0 + QUIET_S)
    before = stored.day()
    assert set(stored.take(BATCHES[90:210], 60.0)) == {Verdict.DUPLICATE}
    stored.patient.due(60.0 + QUIET_S)
    assert stored.day() == before


def test_late_data_outlive_a_restart_of_the_core() -> None:
    _, stored = late(90, 210)
    stored.patient = Patient.resume("p-1", stored.patient.commit().checkpoint)
    assert set(stored.take(BATCHES[90:210], 40.0)) == {Verdict.LATE}
    stored.patient.due(40.0 + QUIET_S)
    reference, _ = late(90, 210)
    assert abs(stored.day()["sedentary_min"] - reference.day()["sedentary_min"]) <= 15 / 60, "how the clip sat is kept"


def gaps(stored: Stored) -> list[tuple[float, float, str]]:
    stored.store()
    found = [point for (name, _), point in stored.points.items() if name == "gap"]
    return sorted(
        ((point.time_ns - T0_NS) / 1e9, float(point.fields["dur_s"]), str(point.fields["reason"])) for point in found
    )


def test_a_gap_says_what_of_it_is_still_missing() -> None:
    _, stored = late(90, 210)
    assert gaps(stored) == [(90.0, 120.0, "lost")]
    stored.take([*BATCHES[90:100], *BATCHES[150:210]], 40.0)
    stored.patient.due(40.0 + QUIET_S)
    assert gaps(stored) == [(90.0, 0.0, "late"), (100.0, 50.0, "lost")]
    assert set(stored.take(BATCHES[100:150], 60.0)) == {Verdict.LATE}, "the rest may still come"
    assert set(stored.take(BATCHES[150:210], 60.0)) == {Verdict.DUPLICATE}
    stored.patient.due(60.0 + QUIET_S)
    assert gaps(stored) == [(90.0, 0.0, "late"), (100.0, 0.0, "late")]
    whole = Stored()
    whole.take(BATCHES, 0.0)
    assert stored.day()["worn_min"] == whole.day()["worn_min"]


def given_up(*numbers: int) -> tuple[GivenUp, list[late_data.Stretch]]:
    """A gap of the records 3 to 5, somewhat longer than they are; what came of it, in any order."""
    lost = GivenUp(BATCHES[0].boot, 3, 5, BATCHES[3].t0_ns - 10**8, BATCHES[5].end_ns + 2 * 10**8)
    return lost, late_data.stretches(lost, [BATCHES[k] for k in numbers])


def test_the_first_and_the_last_record_of_a_gap_fill_it_to_its_ends() -> None:
    lost, (whole,) = given_up(4, 2, 5, 3, 6)
    assert [batch.seq for batch in whole.batches] == [3, 4, 5]
    assert (whole.start_ns, whole.end_ns) == (lost.start_ns, lost.end_ns)
    assert late_data.left(lost, [whole]) == ()


def test_what_is_left_of_a_gap_lies_between_what_came() -> None:
    lost, (middle,) = given_up(4)
    assert (middle.start_ns, middle.end_ns) == (BATCHES[4].t0_ns, BATCHES[4].end_ns)
    assert late_data.left(lost, [middle]) == (
        GivenUp(lost.boot, 3, 3, lost.start_ns, BATCHES[4].t0_ns),
        GivenUp(lost.boot, 5, 5, BATCHES[4].end_ns, lost.end_ns),
    )
    lost, ends = given_up(5, 3)
    assert late_data.left(lost, ends) == (GivenUp(lost.boot, 4, 4, BATCHES[3].end_ns, BATCHES[5].t0_ns),)


def test_minutes_that_came_late_have_their_streaks() -> None:
    _, stored = late(90, 210)
    stored.store()

    def minutes() -> set[int]:
        return {t for (name, t), _ in stored.points.items() if name == "streak"}

    missing = {t for t in range(T0_NS // 10**9 + 90, T0_NS // 10**9 + 150) if t % 60 == 0}
    assert not minutes() & {t * 10**9 for t in missing}
    stored.take(BATCHES[90:210], 40.0)
    stored.patient.due(40.0 + QUIET_S)
    stored.store()
    assert minutes() >= {t * 10**9 for t in missing}
