"""Promises: a day is the patient's, its numbers add up, a gap is seen, and the pieces do not matter."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processing import days, slots
from processing.epochs import EPOCH_NS, STATES, Epochs, Posture, State
from processing.metrics import Point, Value, check
from spineclip.contract.config import Goals, PatientConfig
from tests.unit.people import CADENCE_SPM, START_S, seconds

Key = tuple[str, int, str]
UTC = PatientConfig()


def run(*pieces: Epochs, config: PatientConfig = UTC) -> dict[Key, dict[str, Value]]:
    """All points in the end, by measurement, time and hour."""
    state, found = days.begin(), {}

    def _keep(output: days.DaysOutput) -> None:
        for point in (*slots.points(slots.summarise(output.seconds), "p-1"), *output.points):
            check(point)
            found[point.measurement, point.time_ns, point.tags.get("hour", "")] = dict(point.fields)

    for piece in pieces:
        state, output = days.step(state, piece, "p-1", config)
        _keep(output)
    _keep(days.finish(state, "p-1", config))
    return found


def of(found: dict[Key, dict[str, Value]], measurement: str) -> list[dict[str, Value]]:
    return [fields for (name, _, _), fields in sorted(found.items()) if name == measurement]


def test_a_day_adds_up() -> None:
    found = run(
        seconds(
            ("sitting", 3600), ("walking", 600), ("standing", 1200), ("sitting", 1800), ("lying", 600),
            ("not_worn", 900), ("gap", 300), ("unknown", 60), start_s=START_S + 8 * 3600, posture=Posture.UPRIGHT,
        )
    )  # fmt: skip
    (day,) = of(found, "daily")
    expected = {
        "date": dt.datetime.fromtimestamp(START_S, dt.UTC).date().isoformat(),
        "walking_min": 10.0, "brisk_min": 10.0, "longest_walk_min": 10.0, "standing_min": 20.0,
        "sedentary_min": 100.0, "longest_sedentary_min": 60.0, "breaks": 1, "breaks_per_hour": 1 / (100 / 60),
        "upright_pct": 100.0, "slouched_min": 0.0, "unknown_min": 1.0,
        "worn_min": 10 + 20 + 100 + 1, "enough_data": False,
    }  # fmt: skip
    assert {name: day[name] for name in expected} == pytest.approx(expected)
    assert day["steps"] == pytest.approx(CADENCE_SPM * 10, rel=1e-3)
    # measured 8760 s of the 8 h + 9060 s that had passed
    assert day["coverage"] == pytest.approx(8760 / (8 * 3600 + 9060))
    assert "met_walking" not in day


def test_an_hour_has_sixty_minutes_whatever_happened_in_it() -> None:
    found = run(seconds(("sitting", 1000), ("gap", 500), ("walking", 2100), start_s=START_S + 3600))
    (hour,) = of(found, "hourly")
    assert sum(float(minutes) for minutes in hour.values()) == pytest.approx(60.0)
    assert hour["missing_min"] == pytest.approx(500 / 60)
    assert hour["walking_min"] == pytest.approx(35.0)


def test_what_passed_of_an_hour_before_the_first_sample_is_missing() -> None:
    (hour,) = of(run(seconds(("sitting", 600), start_s=START_S + 1200)), "hourly")
    assert (hour["missing_min"], hour["sitting_min"]) == (20.0, 10.0)


@pytest.mark.parametrize(
    ("date", "length_h", "hours"),
    [
        ("2026-03-29", 23, [0, 1, 3, *range(4, 24)]),
        ("2026-10-25", 25, [0, 1, 2, 2, 3, *range(4, 24)]),
        ("2026-06-01", 24, list(range(24))),
    ],
)
def test_days_of_23_and_25_hours_belong_to_the_patient(date: str, length_h: int, hours: list[int]) -> None:
    start = dt.datetime.fromisoformat(date).replace(tzinfo=ZoneInfo("Europe/Berlin"))
    start_s = round(start.timestamp())
    config = PatientConfig(time_zone="Europe/Berlin")
    whole = seconds(("standing", length_h * 3600), start_s=start_s)
    around = [seconds(("sitting", 3600), start_s=start_s - 3600), whole]
    around.append(seconds(("sitting", 3600), start_s=start_s + length_h * 3600))
    found = run(*around, config=config)
    by_date = {day["date"]: day for day in of(found, "daily")}
    assert by_date[date]["standing_min"] == length_h * 60
    assert by_date[date]["worn_min"] == length_h * 60
    assert by_date[date]["coverage"] == 1.0
    numbers = [
        int(hour)
        for (name, time_ns, hour) in sorted(found)
        if name == "hourly" and start_s <= time_ns // EPOCH_NS < start_s + length_h * 3600
    ]
    assert numbers == hours


def test_lying_at_night_is_not_sedentary_and_lying_by_day_is() -> None:
    night = run(seconds(("lying", 3600), start_s=START_S + 2 * 3600))
    noon = run(seconds(("lying", 3600), start_s=START_S + 12 * 3600))
    assert of(night, "daily")[0]["sedentary_min"] == 0.0
    assert of(night, "bout") == []
    assert of(noon, "daily")[0]["sedentary_min"] == 60.0
    assert of(noon, "bout")[0]["dur_s"] == 3600.0


def test_a_gap_in_a_sitting_is_seen_and_not_sat() -> None:
    found = run(seconds(("sitting", 600), ("gap", 200), ("sitting", 600), start_s=START_S + 36_000))
    (bout,) = of(found, "bout")
    assert (bout["dur_s"], bout["coverage"]) == (1200.0, pytest.approx(1200 / 1400, abs=1e-3))
    assert of(found, "daily")[0]["sedentary_min"] == 20.0
    states = [slot["state"] for slot in of(found, "activity")]
    assert states == ["sitting"] * 120 + ["unknown"] * 40 + ["sitting"] * 120


def test_a_jump_of_days_is_a_gap_too() -> None:
    later = seconds(("sitting", 600), start_s=START_S + 36_000 + 9 * 86_400)
    found = run(seconds(("sitting", 600), start_s=START_S + 36_000), later)
    assert [bout["dur_s"] for bout in of(found, "bout")] == [600.0, 600.0]
    assert len(of(found, "daily")) == 2


def test_a_streak_grows_while_sitting_and_begins_anew_after_a_break() -> None:
    found = run(seconds(("sitting", 600), ("standing", 120), ("sitting", 300), start_s=START_S + 36_000))
    streak = [row["sedentary_s"] for row in of(found, "streak")]
    assert streak == [60.0 * k for k in range(1, 11)] + [600.0 - 600.0, 0.0] + [60.0 * k for k in range(1, 6)]


def test_a_walk_over_midnight_belongs_to_the_day_it_began() -> None:
    around = seconds(("walking", 600), ("standing", 600), start_s=START_S + 86_400 - 300)
    first, second = of(run(around), "daily")
    assert (first["longest_walk_min"], second["longest_walk_min"]) == (10.0, 0.0)
    assert (first["walking_min"], second["walking_min"]) == (5.0, 5.0)
    _, output = days.step(days.begin(), around, "p-1", UTC)
    told = {point.time_ns: point.fields["longest_walk_min"] for point in output.points if point.measurement == "daily"}
    assert [told[at] for at in sorted(told)] == [10.0, 0.0], "as soon as the walk is over, not when the data end"


def test_short_walks_and_shuffles_are_minutes_but_no_bouts() -> None:
    found = run(seconds(("standing", 30), ("walking", 4), ("standing", 30), start_s=START_S + 36_000))
    assert of(found, "bout") == []
    assert of(found, "daily")[0]["walking_min"] == pytest.approx(4 / 60)


@pytest.mark.parametrize(
    ("spm", "median"),
    [
        ([100.0] * 10 + [110.0] * 10, 105.0),
        ([110.0] * 11 + [100.0] * 10, 110.0),
        ([90.0] * 5 + [100.5] + [130.0] * 5, 100.5),
        ([100.0, np.nan, 120.0, np.nan, np.nan, np.nan], 110.0),  # of the seconds that have one
    ],
)
def test_a_walks_cadence_is_the_median_of_its_seconds(spm: list[float], median: float) -> None:
    walk = replace(seconds(("walking", len(spm)), start_s=START_S + 36_000), cadence_spm=np.array(spm))
    (bout,) = of(run(walk), "bout")
    assert bout["cadence_spm"] == median
    assert bout["steps"] == pytest.approx(len(spm) * CADENCE_SPM / 60, abs=0.001 * len(spm))


def test_a_day_with_enough_data_is_judged() -> None:
    config = PatientConfig(goals=(Goals(walking_min=20.0, longest_sedentary_min=45.0),))
    runs = [("standing", 36_000), ("sitting", 3000), ("walking", 1260)]
    (day,) = of(run(seconds(*runs, start_s=START_S + 8 * 3600), config=config), "daily")
    assert (day["enough_data"], day["met_walking"], day["met_sedentary"]) == (True, True, False)
    assert (day["goal_walking_min"], day["goal_longest_sedentary_min"]) == (20.0, 45.0)


def test_bouts_of_two_kinds_in_one_second_are_both_kept() -> None:
    slouched = seconds(("sitting", 600), start_s=START_S + 36_000, posture=Posture.SLOUCHED)
    assert sorted(str(bout["state"]) for bout in of(run(slouched), "bout")) == ["sedentary", "slouched"]


@pytest.mark.parametrize(("gap_s", "own"), [(300, []), (305, [("sedentary", 200.0)])])
def test_what_comes_late_is_a_bout_of_its_own_unless_the_gap_was_bridged(
    gap_s: int, own: list[tuple[str, float]]
) -> None:
    """A sitting waits for what is not known for five minutes, a walk for three seconds."""
    start_s = START_S + 36_000
    known = seconds(("sitting", 600), ("gap", gap_s), ("sitting", 600), ("standing", 120), start_s=start_s)
    state, _ = days.step(days.begin(), seconds(("standing", 600), start_s=start_s - 86_400), "p-1", UTC)
    state, _ = days.step(state, known, "p-1", UTC)
    gap = (start_s + 600, start_s + 600 + gap_s)
    around = [("sitting", 210), ("walking", 60), ("standing", gap_s - 260 + 10)]  # ten seconds of it were known
    late = seconds(*around, start_s=gap[0] - 10)
    state, amended = days.amend(state, late, gap, "p-1", UTC)
    bouts = [point for point in amended.points if point.measurement == "bout"]
    assert [(p.fields["state"], p.fields["dur_s"]) for p in bouts] == [("walking", 60.0), *own][:: -1 if own else 1]
    (day,) = [point.fields for point in amended.points if point.measurement == "daily"]
    assert [row.worn_s for row in state.days] == [600.0, 1320.0 + gap_s], "the day before has nothing of it"
    assert (day["sedentary_min"], day["walking_min"]) == (1400 / 60, 1.0)
    assert day["standing_min"] == pytest.approx((gap_s - 260 + 120) / 60)
    assert (day["longest_sedentary_min"], day["longest_walk_min"]) == (10.0 if own else 20.0, 1.0)
    assert day["breaks"] == (2 if own else 1), "who had sat got up"
    again, nothing = days.amend(state, seconds(("walking", 60), start_s=gap[1]), gap, "p-1", UTC)
    assert (again, nothing.points) == (state, ()), "none of it is of the gap"


NAMES = st.sampled_from([state.value for state in STATES] + ["gap"])
STORY = st.lists(st.tuples(NAMES, st.integers(1, 900)), min_size=1, max_size=20)


@settings(max_examples=30)
@given(STORY, st.data())
def test_pieces_do_not_matter(story: list[tuple[str, int]], data: st.DataObject) -> None:
    whole = seconds(*story, start_s=START_S + 86_400 - 1803, posture=Posture.SLOUCHED)
    n = len(whole)
    cuts = sorted(data.draw(st.lists(st.integers(0, n), max_size=12)))
    pieces = [whole.slice(a, b) for a, b in zip([0, *cuts], [*cuts, n], strict=True)]
    assert run(*pieces) == run(whole)


def test_single_seconds_do_not_matter() -> None:
    rng = np.random.default_rng(7)
    names = [state.value for state in STATES] + ["gap"]
    story = [(str(rng.choice(names)), int(rng.integers(1, 200))) for _ in range(20)]
    whole = seconds(*story, start_s=START_S + 86_400 - 903)
    assert run(*(whole.slice(k, k + 1) for k in range(len(whole)))) == run(whole)


def test_a_slot_tells_all_that_is_known_of_it() -> None:
    """Three seconds of walking and two of standing; the numbers are those of `people.seconds`."""
    found = run(seconds(("walking", 3), ("standing", 2), start_s=START_S + 36_000))
    (slot,) = of(found, "activity")
    assert slot.pop("code") == State.WALKING.code
    assert slot == {
        "state": "walking", "posture": "unknown", "flexion_deg": 1.0, "lateral_deg": 0.0, "walking_s": 3.0,
        "cadence_spm": CADENCE_SPM, "steps": pytest.approx(3 * CADENCE_SPM / 60), "intensity_mg": 10.0,
        "confidence": pytest.approx(0.9), "coverage": 1.0,
    }  # fmt: skip


def test_angles_are_told_to_a_hundredth_and_shares_to_a_thousandth() -> None:
    sits = replace(seconds(("sitting", 5)), flexion_deg=np.full(5, 12.34567), confidence=np.full(5, 0.87654))
    (point,) = slots.points(slots.summarise(sits), "p-1")
    assert (point.fields["flexion_deg"], point.fields["confidence"]) == (12.35, 0.877)


def test_a_second_that_is_missing_is_filled_in_though_the_next_slot_has_begun() -> None:
    whole = seconds(("sitting", 6), start_s=START_S + 36_000)
    torn = Epochs.concat([whole.slice(0, 4), whole.slice(5, 6)])
    _, filled = slots.step(slots.begin(), torn, last=True)
    assert (filled.start_ns - whole.start_ns[0]).tolist() == [k * EPOCH_NS for k in range(10)]
    assert filled.coverage.tolist() == [1.0, 1.0, 1.0, 1.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0]


def test_points_of_another_shape_would_be_noticed() -> None:
    with pytest.raises(ValueError, match="no field"):
        check(Point("streak", 0, {"patient": "p-1"}, {"minutes": 1.0}))


@pytest.mark.parametrize(("old", "new"), [("Europe/Berlin", "Asia/Tokyo"), ("Asia/Tokyo", "America/New_York")])
def test_who_moves_zone_loses_no_minute_and_each_day_is_judged_where_it_was_lived(old: str, new: str) -> None:
    """Three whole days of standing; in the middle of the second the patient lands elsewhere."""
    start_s = round(dt.datetime(2026, 5, 4, tzinfo=ZoneInfo(old)).timestamp())
    goals = (Goals("2026-05-01", walking_min=10.0),)
    at_home = PatientConfig(time_zone=old, goals=goals)
    away = PatientConfig(time_zone=new, goals=(*goals, Goals("2026-05-06", walking_min=12.0)))
    state, found = days.begin(), {}
    for k in range(72):
        config = at_home if k < 36 else away
        state, output = days.step(state, seconds(("standing", 3600), start_s=start_s + k * 3600), "p-1", config)
        found.update({point.time_ns: point for point in output.points if point.measurement == "daily"})
    found.update({p.time_ns: p for p in days.finish(state, "p-1", away).points if p.measurement == "daily"})
    daily = [dict(found[time_ns].fields) for time_ns in sorted(found)]
    assert sum(float(day["worn_min"]) for day in daily) == pytest.approx(72 * 60), "every minute once"
    assert daily[0]["date"] == "2026-05-04"
    for time_ns, point in found.items():
        moments = [dt.datetime.fromtimestamp(time_ns / 1e9, ZoneInfo(zone)) for zone in (old, new)]
        assert any(at.hour == 0 and str(at.date()) == point.fields["date"] for at in moments), "a day of its own zone"
        assert point.fields["goal_walking_min"] == (12.0 if str(point.fields["date"]) >= "2026-05-06" else 10.0)
