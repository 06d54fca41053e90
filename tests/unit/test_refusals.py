"""Promise: whatever a patient or therapist is refused, they read why in their own language, and nothing is lost."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from starlette.types import ASGIApp

from dashboards.answers import answer
from dashboards.doorkeeper import Doorkeeper
from dashboards.guard import POSTS, Guard
from dashboards.patient.desk import DiaryDay
from dashboards.therapist.app import therapist_app
from dashboards.therapist.desk import Office
from dashboards.words import LANGUAGES, Words, messages
from processing.diary import NOTE_MAX
from processing.metrics import Point
from processing.stores.sqlite import SqliteStore
from spineclip.contract.clock import DrivenClock
from spineclip.contract.config import PatientConfig, zone
from spineclip.contract.errors import DiaryError
from spineclip.desk import StoreDesk
from spineclip.here import zone_here
from spineclip.home import Home
from spineclip.patients import Patients, store_file
from spineclip.practice import FilePractice

NOW_NS = int(datetime(2026, 5, 13, 9, tzinfo=UTC).timestamp()) * 10**9
TODAY = date(2026, 5, 13)
KEY = "k" * 32
ENGLISH = re.compile(r"\b(the|is|was|please|nothing|cannot|this|there)\b", re.IGNORECASE)
"""Words that no German sentence of ours has."""
each_language = pytest.mark.parametrize("language", LANGUAGES)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    opened = SqliteStore(store_file(tmp_path))
    opened.commit("p-1", [Point("daily", NOW_NS, {"patient": "p-1"}, {"date": str(TODAY), "worn_min": 1.0})], None)
    yield opened
    opened.close()


@pytest.fixture
def clock() -> DrivenClock:
    return DrivenClock(NOW_NS)


@pytest.fixture
def desk(store: SqliteStore, clock: DrivenClock, tmp_path: Path) -> StoreDesk:
    patients = Patients(tmp_path)
    return StoreDesk(store, "p-1", Home(patients, "p-1"), clock, patients=patients)


@pytest.fixture
def office(store: SqliteStore, clock: DrivenClock, tmp_path: Path) -> Office:
    return Office(store, FilePractice(Patients(tmp_path), store, clock), clock, KEY)


def _reads(text: str, language: str) -> None:
    assert text.strip()
    if language != "en":
        assert not ENGLISH.search(text), text


# ---- the diary


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        (DiaryDay(TODAY + timedelta(days=7), pain=3), "future"),
        (DiaryDay(TODAY - timedelta(days=7), pain=3), "old"),
        (DiaryDay(TODAY, pain=11), "pain"),
        (DiaryDay(TODAY, pain=-1), "pain"),
        (DiaryDay(TODAY, relaxation_min=10_000.0), "relaxation"),
        (DiaryDay(TODAY, note="n" * 1_000_000), "note"),
        (DiaryDay(TODAY - timedelta(days=1)), "empty"),
    ],
    ids=["next week", "last week", "pain of 11", "pain of -1", "a week of rest", "1 MB", "nothing"],
)
@each_language
def test_the_diary_says_why_it_keeps_nothing(
    desk: StoreDesk, store: SqliteStore, entry: DiaryDay, reason: str, language: str
) -> None:
    desk.write(DiaryDay(TODAY, pain=2, note="as it was"), DiaryDay(TODAY))
    before = store.points("diary", "p-1", 0, 1 << 62)
    with pytest.raises(DiaryError) as refused:
        desk.write(entry, DiaryDay(entry.day))
    assert refused.value.reason == reason
    _reads(Words(language)(f"diary.error_{refused.value.reason}"), language)
    assert store.points("diary", "p-1", 0, 1 << 62) == before


def test_html_is_kept_as_the_words_that_it_is(desk: StoreDesk) -> None:
    note = "<script>alert(1)</script>" + "n" * (NOTE_MAX - 25)
    assert desk.write(DiaryDay(TODAY, note=note), DiaryDay(TODAY)).entry.note == note


def test_two_pages_that_edit_one_entry_lose_nothing(desk: StoreDesk) -> None:
    seen = DiaryDay(TODAY)
    desk.write(replace(seen, pain=3, note="in the morning"), seen)
    kept = desk.write(replace(seen, exercises=True, note="in the evening"), seen)
    assert (kept.entry.pain, kept.entry.exercises) == (3, True)
    assert kept.entry.note == "in the morning\nin the evening"
    assert kept.conflicts == ("note",)


# ---- zones


def test_who_moves_lives_by_the_new_zone_at_once(desk: StoreDesk, clock: DrivenClock, tmp_path: Path) -> None:
    evening = int(datetime(2026, 5, 13, 23, tzinfo=UTC).timestamp()) * 10**9
    clock.advance((evening - NOW_NS) / 1e9)
    assert desk.today() == TODAY
    desk.write(DiaryDay(TODAY, pain=4), DiaryDay(TODAY))
    Patients(tmp_path).change("p-1", lambda config: replace(config, time_zone="Asia/Tokyo"))
    assert desk.today() == TODAY + timedelta(days=1), "it is Thursday there already"
    assert desk.read(TODAY).pain == 4, "the entry of Wednesday is still that of Wednesday"
    assert desk.pause("tomorrow") == datetime(2026, 5, 15, tzinfo=zone("Asia/Tokyo"))


def test_a_zone_that_does_not_exist_changes_nothing(desk: StoreDesk, tmp_path: Path) -> None:
    Patients(tmp_path).change("p-1", lambda config: replace(config, time_zone="Europe/Berlin"))
    assert desk.today() == TODAY
    file = tmp_path / "patients" / "p-1.json"
    file.write_text(file.read_text().replace("Europe/Berlin", "Europe/Atlantis"))
    assert desk.today() == TODAY, "the last zone that was known goes on"


# ---- the therapist's view


def _browser(app: ASGIApp) -> httpx.AsyncClient:
    headers = {"origin": "http://127.0.0.1"}
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://127.0.0.1", headers=headers)


@pytest.fixture(params=LANGUAGES)
async def view(request: pytest.FixtureRequest, office: Office) -> AsyncIterator[tuple[httpx.AsyncClient, str]]:
    app = therapist_app(replace(office, language=request.param))
    async with _browser(Guard(app, ("127.0.0.1",), language=request.param)) as browser:
        assert (await browser.post("/enter", content=KEY)).status_code == 204
        yield browser, request.param


def _said(response: httpx.Response) -> str:
    (said,) = re.findall(r"<p[^>]*role='status'[^>]*>(.*?)</p>", response.text)
    return str(said)


def _at(patient: str) -> str:
    return f"/patient/{Doorkeeper(KEY, DrivenClock(NOW_NS)).handle(patient)}"


async def _form(browser: httpx.AsyncClient) -> dict[str, str]:
    return dict(re.findall(r"name='(\w+)'[^>]*value='([^']*)'", (await browser.get(_at("p-1"))).text))


async def test_goals_that_nobody_can_mean_are_refused_in_words(
    view: tuple[httpx.AsyncClient, str], tmp_path: Path
) -> None:
    browser, language = view
    form = await _form(browser)
    for bad in ({"walking_min": "10000"}, {"walking_min": "-1"}, {"brisk_min": "many"}, {"days_per_week": "2.5"}):
        refused = await browser.post(_at("p-1") + "/goals", data=form | bad)
        assert refused.status_code == 422
        assert Words(language)("therapist.not_kept", why="") in _said(refused)
        _reads(_said(refused), language)
    assert Patients(tmp_path).config("p-1") == PatientConfig(time_zone=zone_here())


async def test_no_goal_is_a_goal_of_zero_and_of_two_for_one_day_the_later_holds(
    view: tuple[httpx.AsyncClient, str], tmp_path: Path
) -> None:
    browser, language = view
    form = await _form(browser)
    first = await browser.post(_at("p-1") + "/goals", data=form | {"walking_min": "12"})
    assert _said(first) == Words(language)("therapist.kept")
    second = await browser.post(_at("p-1") + "/goals", data=form | {"walking_min": "0"})
    assert _said(second) == Words(language)("therapist.replaced")
    (kept,) = Patients(tmp_path).config("p-1").goals
    assert (kept.since, kept.walking_min) == (str(TODAY), 0.0)


async def test_what_is_not_there_too_old_too_big_or_too_often_is_said(view: tuple[httpx.AsyncClient, str]) -> None:
    browser, language = view
    words, goals = Words(language), _at("p-1") + "/goals"
    for status, key, response in (
        (404, "not_there", await browser.get("/patient/nobody")),
        (404, "not_there", await browser.get("/nonsense")),
        (404, "not_there", await browser.get("/patient/nobody/report.pdf")),
        (403, "stale", await browser.post(goals, data={"token": "0" * 64})),
        (413, "too_big", await browser.post(goals, data={"token": "x" * 20_000})),
        (403, "address", await browser.get("/", headers={"host": "evil.example"})),
    ):
        assert response.status_code == status
        assert _said(response) == words(f"answer.{key}")
    answers = [await browser.post(goals, data={}) for _ in range(POSTS)]
    assert _said(answers[-1]) == words("answer.too_many")


async def test_one_patients_damaged_file_hides_nobody(
    view: tuple[httpx.AsyncClient, str], store: SqliteStore, tmp_path: Path
) -> None:
    browser, language = view
    Patients(tmp_path).change("p-2", lambda config: config)
    (tmp_path / "patients" / "p-2.json").write_text('{"time_zone": "Europe/Atlantis"}')
    store.commit("p-2", [Point("daily", NOW_NS, {"patient": "p-2"}, {"worn_min": 1.0})], None)
    table = await browser.get("/")
    assert table.status_code == 200
    assert table.text.index("p-2") < table.text.index("p-1"), "who has to be looked after stands on top"
    assert Words(language)("therapist.why_settings") in table.text
    one = await browser.get(_at("p-2"))
    assert (one.status_code, _said(one)) == (503, Words(language)("answer.away"))


async def test_a_store_that_is_away_is_said(view: tuple[httpx.AsyncClient, str], store: SqliteStore) -> None:
    browser, language = view
    store.close()
    response = await browser.get("/")
    assert (response.status_code, _said(response)) == (503, Words(language)("answer.away"))


# ---- all of it


@each_language
def test_every_refusal_is_a_sentence_of_its_language(language: str) -> None:
    keys = [key for key in messages(language) if key.startswith(("answer.", "enter.", "diary.error", "diary.new_day"))]
    keys += [f"calibrate.{how}" for how in ("moved", "silent", "no_neutral", "near", "far", "failed", "forgotten")]
    keys += ["pause.error", "therapist.not_possible", "therapist.no_pdf", "therapist.not_kept"]
    for key in keys:
        _reads(messages(language)[key], language)
    page = bytes(answer(Words(language), "answer.away", 503).body).decode()
    assert f"lang='{language}'" in page
