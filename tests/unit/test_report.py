"""Promise: the report says what the points say, says so when there is too little, and fits on one page."""

from __future__ import annotations

import io
import itertools
import re
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from pypdf import PdfReader
from typer.testing import CliRunner

from dashboards.report.numbers import DAYS, ENOUGH_DAYS, Answer, DayRow, four_questions, read_numbers
from dashboards.report.page import report_html
from dashboards.report.pdf import report_pdf
from dashboards.words import Words
from processing.metrics import Point, check
from processing.stores.sqlite import SqliteStore
from spineclip.cli.main import app
from spineclip.contract.days import day_start_ns
from spineclip.patients import Patients, store_file
from spineclip.story import WEEKS, first_day, story, story_config

BERLIN = ZoneInfo("Europe/Berlin")
SAT_75_PERCENT = {"sedentary_min": 600.0, "worn_min": 800.0}
LAST = date(2026, 4, 5)  # the fortnight holds the day of 23 hours


@pytest.fixture(scope="module")
def points() -> list[Point]:
    """The made-up story, told once."""
    return story("story", LAST, story_config(LAST))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    """An empty metric store."""
    opened = SqliteStore(store_file(tmp_path))
    yield opened
    opened.close()


def _rows(count: int, **known: Any) -> list[DayRow]:
    rows = [DayRow(LAST - timedelta(days=i), enough=True, **known) for i in range(count)]
    return rows + [DayRow(LAST - timedelta(days=i)) for i in range(count, DAYS)]


def _answers(before: list[DayRow], now: list[DayRow]) -> dict[str, Answer]:
    return {question.name: question.answer for question in four_questions(before, now)}


@pytest.mark.parametrize(
    ("name", "before", "now", "answer"),
    [
        ("walking", {"walking_min": 20.0}, {"walking_min": 22.1}, Answer.BETTER),
        ("walking", {"walking_min": 20.0}, {"walking_min": 21.9}, Answer.SAME),
        ("walking", {"walking_min": 40.0}, {"walking_min": 43.9}, Answer.SAME),
        ("walking", {"walking_min": 20.0}, {"walking_min": 17.0}, Answer.WORSE),
        ("sitting", SAT_75_PERCENT, {"sedentary_min": 500.0, "worn_min": 800.0}, Answer.BETTER),
        # Worn longer and sat longer in the same share is the same sitting.
        ("sitting", SAT_75_PERCENT, {"sedentary_min": 750.0, "worn_min": 1000.0}, Answer.SAME),
        ("upright", {"upright_pct": 50.0}, {"upright_pct": 55.0}, Answer.BETTER),
        ("upright", {"upright_pct": 50.0}, {"upright_pct": 46.0}, Answer.SAME),
        ("pain", {"pain": 5}, {"pain": 4}, Answer.BETTER),
        ("pain", {"pain": 5}, {"pain": 6}, Answer.WORSE),
        ("pain", {"pain": 5}, {"pain": 5}, Answer.SAME),
        ("pain", {}, {"pain": 5}, Answer.UNKNOWN),
    ],
)  # fmt: skip
def test_a_question_is_answered_by_a_difference_that_one_notices(
    name: str, before: dict[str, Any], now: dict[str, Any], answer: Answer
) -> None:
    assert _answers(_rows(10, **before), _rows(10, **now))[name] is answer


def test_too_few_days_are_no_answer() -> None:
    few, enough = _rows(ENOUGH_DAYS - 1, walking_min=60.0), _rows(ENOUGH_DAYS, walking_min=5.0)
    assert _answers(few, enough)["walking"] is Answer.UNKNOWN
    assert _answers(_rows(ENOUGH_DAYS, walking_min=60.0), enough)["walking"] is Answer.WORSE


def test_days_hardly_worn_do_not_count() -> None:
    thin = [DayRow(LAST, enough=False, walking_min=0.0)] * 10
    walking = four_questions(_rows(10, walking_min=20.0), [*_rows(4, walking_min=20.0), *thin])[0]
    assert (walking.now, walking.answer) == (20.0, Answer.SAME)


def test_points_are_read_by_their_local_date(store: SqliteStore) -> None:
    first = LAST - timedelta(days=27)
    points = []
    for i in range(28):
        day = first + timedelta(days=i)
        fields = {"date": day.isoformat(), "walking_min": float(i), "enough_data": True, "worn_min": 700.0}
        points.append(Point("daily", day_start_ns(day, BERLIN), {"patient": "p"}, fields))
    store.commit("p", points, None)
    numbers = read_numbers(store, "p", LAST, BERLIN)
    assert [row.walking_min for row in numbers.days] == [float(i) for i in range(28)]
    assert [row.day for row in numbers.days] == [first + timedelta(days=i) for i in range(28)]
    assert numbers.questions[0].now == 20.5, "the mean of 14 to 27"
    assert numbers.questions[0].before == 6.5, "the mean of 0 to 13"


def test_sitting_by_hour_is_a_share_of_what_was_seen(store: SqliteStore) -> None:
    now_ns = day_start_ns(LAST, BERLIN) + 10 * 3600 * 10**9

    def hour(time_ns: int, sitting: float, standing: float, not_worn: float) -> Point:
        fields = {"sitting_min": sitting, "standing_min": standing, "not_worn_min": not_worn}
        return Point("hourly", time_ns, {"patient": "p", "hour": "10"}, fields)

    week_ns = 7 * 86_400 * 10**9
    store.commit("p", [hour(now_ns, 20.0, 10.0, 30.0), hour(now_ns - week_ns, 40.0, 20.0, 0.0)], None)
    hours = read_numbers(store, "p", LAST, BERLIN).hours
    assert hours[10].now == pytest.approx(60.0 * 60.0 / 90.0)
    assert hours[10].before is None
    assert hours[11].now is None


@pytest.mark.parametrize("language", ["en", "de"])
def test_a_report_without_numbers_says_so(store: SqliteStore, language: str) -> None:
    html = report_html(read_numbers(store, "p", LAST, BERLIN), Words(language), LAST)
    assert Words(language)("report.nothing") in html
    assert "<svg" not in html


def _of(point: Point, patient: str) -> Point:
    return Point(point.measurement, point.time_ns, {**point.tags, "patient": patient}, point.fields)


class TestStory:
    """The report of the made-up eight weeks."""

    def test_the_story_fits_the_table_of_metrics(self, points: list[Point]) -> None:
        for point in points:
            check(point)
        keys = [(p.measurement, p.time_ns, tuple(p.tags.values())) for p in points]
        assert len(set(keys)) == len(keys), "no point replaces another"
        daily = [p for p in points if p.measurement == "daily"]
        assert len(daily) == 7 * WEEKS
        assert daily[0].fields["date"] == first_day(LAST).isoformat()

    def test_hours_add_up_to_the_days(self, points: list[Point]) -> None:
        hourly = [p for p in points if p.measurement == "hourly"]
        assert sum(float(p.fields["walking_min"]) for p in hourly) == pytest.approx(
            sum(float(p.fields["walking_min"]) for p in points if p.measurement == "daily")
        )
        changed = day_start_ns(date(2026, 3, 29), BERLIN)
        tags = [p.tags["hour"] for p in hourly if changed <= p.time_ns < changed + 23 * 3600 * 10**9]
        assert tags == [f"{hour:02d}" for hour in range(24) if hour != 2]

    def test_the_plan_grew_with_the_good_weeks_and_held_in_the_hard_ones(self, points: list[Point]) -> None:
        asked = [float(p.fields["goal_walking_min"]) for p in points if p.measurement == "daily"]
        assert asked[0] == 5.0
        assert asked[-1] > asked[0]
        weekly = asked[::7]
        assert any(later <= earlier for earlier, later in itertools.pairwise(weekly)), "the flare-up"

    @pytest.mark.server("pango")
    @pytest.mark.parametrize("language", ["en", "de"])
    def test_it_is_one_page_that_says_everything_in_words(
        self, points: list[Point], store: SqliteStore, language: str
    ) -> None:
        words = Words(language)
        evil = Point("diary", day_start_ns(LAST, BERLIN), {"patient": "story"}, {"date": str(LAST), "note": "<script>"})
        store.commit("story", [*points, evil], None)
        numbers = read_numbers(store, "story", LAST, BERLIN)
        html = report_html(numbers, words, LAST)
        assert "<script" not in html
        assert not re.search(r"(src|href)=|url\(|@import|https?://(?!www\.w3\.org/2000/svg)", html), (
            "nothing from outside"
        )
        assert html.count('role="img" aria-label=') == 5
        reader = PdfReader(io.BytesIO(report_pdf(html)))
        assert len(reader.pages) == 1
        text = " ".join(reader.pages[0].extract_text().split())
        for name in ("walking", "sitting", "upright", "pain"):
            assert words(f"report.{name}_question") in text
        assert words("report.not_a_device") in text
        assert words.number(numbers.questions[0].now or 0.0) in text

    @pytest.mark.server("pango")
    @pytest.mark.parametrize("language", ["en", "de"])
    def test_with_hardly_any_data_or_a_lot_to_say_it_stays_one_page(
        self, points: list[Point], store: SqliteStore, language: str
    ) -> None:
        words, last_day = Words(language), day_start_ns(LAST, BERLIN)
        goals = [point for point in points if point.measurement == "goal"]
        store.commit("scarce", [_of(point, "scarce") for point in points if point.time_ns >= last_day], None)
        store.commit("scarce", [_of(point, "scarce") for point in goals], None)
        for i in range(12):
            day = LAST - timedelta(days=i)
            fields = {"date": str(day), "nsaid": True}
            points = [*points, Point("diary", day_start_ns(day, BERLIN), {"patient": "story"}, dict(fields))]
        store.commit("story", points, None)
        for patient, told in (("scarce", "report.not_known"), ("story", "report.walking_heading")):
            html = report_html(read_numbers(store, patient, LAST, BERLIN), words, LAST)
            reader = PdfReader(io.BytesIO(report_pdf(html)))
            assert len(reader.pages) == 1, patient
            assert words(told) in " ".join(reader.pages[0].extract_text().split())
            assert (words("report.nsaid_advice", n=12) in html) is (patient == "story")

    def test_days_in_a_row_with_an_anti_inflammatory_are_answered_with_advice(self, store: SqliteStore) -> None:
        points = []
        for i in range(11):
            day = LAST - timedelta(days=i)
            points.append(
                Point("diary", day_start_ns(day, BERLIN), {"patient": "p"}, {"date": str(day), "nsaid": True})
            )
        store.commit("p", points[:10], None)
        advice = Words("en")("report.nsaid_advice", n=11)
        assert "doctor or pharmacist" in advice
        assert advice not in report_html(read_numbers(store, "p", LAST, BERLIN), Words("en"), LAST)
        store.commit("p", points[10:], None)
        assert advice in report_html(read_numbers(store, "p", LAST, BERLIN), Words("en"), LAST)

    @pytest.mark.server("pango")
    def test_the_command_writes_both_files(self, points: list[Point], store: SqliteStore, tmp_path: Path) -> None:
        store.commit("story", points, None)
        Patients(tmp_path).change("story", lambda _: story_config(LAST, language="de"))
        where = ["--data", str(tmp_path), "--out", str(tmp_path / "out")]
        result = CliRunner().invoke(app, ["report", "story", "--until", str(LAST), *where])
        assert result.exit_code == 0, result.output
        page = tmp_path / "out" / f"story-{LAST}.html"
        assert "Meine zwei Wochen" in page.read_text("utf-8")
        assert page.with_suffix(".pdf").read_bytes().startswith(b"%PDF")
        assert all(file.stat().st_mode & 0o077 == 0 for file in (page, page.with_suffix(".pdf"))), "health data"
        nobody = CliRunner().invoke(app, ["report", "nobody", *where])
        assert nobody.exit_code == 1
        assert "story" in nobody.output, "the patients that there are"

    @pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31", "1999-12-31"])
    def test_a_day_that_nobody_measured_is_told(self, store: SqliteStore, tmp_path: Path, day: str) -> None:
        answer = CliRunner().invoke(app, ["report", "story", "--until", day, "--data", str(tmp_path)])
        assert answer.exit_code == 1
        assert f"ends on {day}" in answer.output
