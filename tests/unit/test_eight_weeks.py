"""Promise: eight weeks of a patient answer walking more, sitting less, hurting less, and never from too few days."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from dashboards.report.numbers import Answer
from dashboards.therapist.markup import overview_html, patient_html
from dashboards.therapist.overview import overview
from dashboards.therapist.weeks import WEEKS, EightWeeks, read_weeks
from dashboards.words import Words
from processing.metrics import Point
from processing.stores.sqlite import SqliteStore
from spineclip.contract.config import Goals, zone
from spineclip.contract.days import day_start_ns
from spineclip.demo_practice import PRACTICE, fill
from spineclip.patients import Patients

LAST = date(2026, 5, 10)
BERLIN = zone("Europe/Berlin")
NOW_NS = int(datetime(2026, 5, 11, 9, tzinfo=UTC).timestamp()) * 10**9


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    opened = SqliteStore(tmp_path / "metrics.sqlite")
    yield opened
    opened.close()


def _day(back: int, walking_min: float, pain: int, *, worn_min: float = 800.0) -> list[Point]:
    day = LAST - timedelta(days=back)
    at_ns = day_start_ns(day, BERLIN)
    daily = {"date": str(day), "walking_min": walking_min, "sedentary_min": 0.9 * worn_min, "worn_min": worn_min,
             "enough_data": worn_min >= 600, "goal_walking_min": 10.0}  # fmt: skip
    return [
        Point("daily", at_ns, {"patient": "p-1"}, daily),
        Point("diary", at_ns, {"patient": "p-1"}, {"date": str(day), "pain": pain}),
    ]


def _read(store: SqliteStore, points: list[Point]) -> EightWeeks:
    store.commit("p-1", points, None)
    return read_weeks(store, "p-1", LAST, BERLIN)


def _answers(past: EightWeeks) -> dict[str, Answer]:
    return {question.name: question.answer for question in past.questions}


def test_weeks_are_means_of_their_days_and_the_first_two_stand_against_the_last_two(store: SqliteStore) -> None:
    points = [point for back in range(56) for point in _day(back, 10.0 + (55 - back) // 7, 6 if back >= 14 else 3)]
    past = _read(store, points)
    assert [week.walking_min for week in past.weeks] == [10.0 + n for n in range(WEEKS)]
    assert [week.first for week in past.weeks] == [LAST - timedelta(days=55 - 7 * n) for n in range(WEEKS)]
    assert [week.pain for week in past.weeks] == [6.0] * 6 + [3.0] * 2
    assert {week.sitting_h for week in past.weeks} == {9.0}
    assert _answers(past) | {"upright": None} == {
        "walking": Answer.BETTER, "sitting": Answer.SAME, "upright": None, "pain": Answer.BETTER,
    }  # fmt: skip
    walking = past.questions[0]
    assert (walking.before, walking.now) == (10.5, 16.5)


def test_who_began_later_is_compared_with_their_own_first_days(store: SqliteStore) -> None:
    points = [point for back in range(20) for point in _day(back, 20.0 if back < 14 else 10.0, 4)]
    past = _read(store, points)
    assert _answers(past)["walking"] is Answer.BETTER
    assert (past.questions[0].days_before, past.questions[0].days_now) == (6, 14)
    assert past.weeks[0].walking_min is None


def test_a_fortnight_is_not_compared_with_itself_nor_from_too_few_days(store: SqliteStore) -> None:
    past = _read(store, [point for back in range(14) for point in _day(back, 20.0, 4)])
    assert set(_answers(past).values()) == {Answer.UNKNOWN}
    thin = _read(store, [point for back in range(14, 56) for point in _day(back, 20.0, 4, worn_min=300.0)])
    assert _answers(thin)["walking"] is Answer.UNKNOWN
    assert [week.enough for week in thin.weeks] == [False] * 6 + [True] * 2


@pytest.mark.parametrize("language", ["en", "de"])
def test_the_page_draws_them_and_says_in_words_what_it_draws(store: SqliteStore, language: str) -> None:
    words = Words(language)
    past = _read(store, [point for back in range(56) for point in _day(back, 10.0 + (55 - back) // 7, 4)])
    html = patient_html("p-1", Goals(), past, ("/patient/x", "token"), words)
    for name in ("walking", "sitting", "pain"):
        assert words(f"therapist.{name}_asks") in html
    values = ", ".join(words.number(10.0 + n, 1) for n in range(WEEKS))
    assert words("therapist.walking_says", values=values) in html
    assert html.count("<svg") == 3
    nobody = read_weeks(store, "p-nobody", LAST, BERLIN)
    assert words("therapist.weeks_none") in patient_html("p-2", Goals(), nobody, ("/patient/y", "token"), words)


def test_the_demo_has_somebody_to_ask_first_and_says_of_which_day(store: SqliteStore, tmp_path: Path) -> None:
    fill(store, Patients(tmp_path), LAST, tz="Europe/Berlin", language="en")
    rows = overview(store, lambda _: BERLIN, NOW_NS)
    assert {row.patient for row in rows} == set(PRACTICE)
    assert (rows[0].patient, rows[0].nsaid_in_row, rows[0].asks_for_advice) == ("p-demo-5", 12, True)
    answers = {row.patient: row.answer("walking") for row in rows}
    assert answers["p-demo-3"] is Answer.WORSE
    html = overview_html(rows, Words("en"), lambda patient: patient)
    assert re.search(r"<td>\d+ May: worn \d+ min only</td>", html)
    before = store.points("daily", "p-demo-2", 0, 1 << 62)
    fill(store, Patients(tmp_path), LAST, tz="Europe/Berlin", language="en")
    assert store.points("daily", "p-demo-2", 0, 1 << 62) == before, "another demo takes its place"
