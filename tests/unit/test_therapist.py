"""Promise: the therapist sees who to ask first, behind a key, and can agree on goals and nothing else."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from starlette.types import ASGIApp

from dashboards.doorkeeper import TRIES, WINDOW_S, Doorkeeper
from dashboards.guard import Guard
from dashboards.therapist.app import therapist_app
from dashboards.therapist.desk import Office
from dashboards.therapist.overview import overview
from dashboards.words import Words
from processing.attention import attention
from processing.metrics import Point
from processing.stores.sqlite import SqliteStore
from spineclip.contract.clock import DrivenClock
from spineclip.contract.config import Goals, zone
from spineclip.contract.days import day_start_ns
from spineclip.here import zone_here
from spineclip.patients import Patients, store_file
from spineclip.practice import FilePractice
from spineclip.story import story, story_config

KEY = "k" * 32
TODAY = date(2026, 5, 13)
NOW_NS = int(datetime(2026, 5, 13, 9, tzinfo=UTC).timestamp()) * 10**9
BERLIN = zone("Europe/Berlin")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three patients: one of the story, one who hardly moved, one with many days of anti-inflammatories."""
    folder = tmp_path_factory.mktemp("practice")
    store = SqliteStore(store_file(folder))
    yesterday = TODAY - timedelta(days=1)
    store.commit("p-story", story("p-story", yesterday, story_config(yesterday)), None)
    Patients(folder).change("p-story", lambda _: story_config(yesterday))
    for back in range(1, 15):
        day = TODAY - timedelta(days=back)
        at_ns = day_start_ns(day, BERLIN)
        still = {"date": str(day), "walking_min": 1.0, "worn_min": 700.0, "enough_data": True}
        asked = {"attention": 1, "attention_why": "walked 1 of <20> min"}
        store.commit("p-still", [Point("daily", at_ns, {"patient": "p-still"}, {**still, **asked})], None)
        store.commit(
            "p-pills", [Point("diary", at_ns, {"patient": "p-pills"}, {"date": str(day), "nsaid": True})], None
        )
    for patient in ("p-still", "p-pills"):
        Patients(folder).change(patient, lambda config: replace(config, time_zone="Europe/Berlin"))
    store.close()
    return folder


@pytest.fixture
def office(data: Path) -> Iterator[Office]:
    """The practice on a clock of its own."""
    store = SqliteStore(store_file(data))
    clock = DrivenClock(NOW_NS)
    yield Office(store, FilePractice(Patients(data), store, clock), clock, KEY)
    store.close()


def _browser(app: ASGIApp) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app=app)
    headers = {"origin": "http://127.0.0.1"}
    return httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1", headers=headers)


def _at(patient: str) -> str:
    """The address of a patient, which does not name them."""
    return f"/patient/{Doorkeeper(KEY, DrivenClock(NOW_NS)).handle(patient)}"


@pytest.fixture
async def client(office: Office) -> AsyncIterator[httpx.AsyncClient]:
    """A browser that was given the link."""
    async with _browser(Guard(therapist_app(office), ("127.0.0.1",))) as browser:
        assert (await browser.post("/enter", content=KEY)).status_code == 204
        yield browser


def test_those_to_ask_first_stand_on_top(office: Office) -> None:
    rows = overview(office.reader, office.practice.zone, NOW_NS)
    assert [row.patient for row in rows] == ["p-pills", "p-still", "p-story"]
    pills, still, told = rows
    assert (pills.nsaid_in_row, pills.asks_for_advice, pills.last_seen) == (14, True, None)
    assert (still.points, still.why, still.last_seen) == (14, "walked 1 of <20> min", TODAY - timedelta(days=1))
    assert told.judged > 10


async def test_the_table_is_plain_html_with_everything_escaped(client: httpx.AsyncClient) -> None:
    answer = await client.get("/")
    assert "&lt;20&gt;" in answer.text
    assert "Anti-inflammatory 14 days in a row" in answer.text
    assert "<script" not in answer.text
    assert answer.headers["cache-control"] == "no-store"
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]


async def test_without_the_key_nothing_is_told(office: Office) -> None:
    async with _browser(therapist_app(office)) as stranger:
        for path in ("/", _at("p-story"), _at("p-story") + "/report", _at("p-story") + "/report.pdf"):
            answer = await stranger.get(path)
            assert answer.status_code == 403
            assert "p-story" not in answer.text
        assert (await stranger.post(_at("p-story") + "/goals", data={"walking_min": "1"})).status_code == 403


async def test_the_key_leaves_the_address_and_stays_in_a_strict_cookie(office: Office) -> None:
    async with _browser(therapist_app(office)) as browser:
        entrance = await browser.get("/enter")
        answer = await browser.post("/enter", content=KEY)
    assert "replaceState" in entrance.text, "out of the address line as soon as it was read"
    assert answer.status_code == 204
    assert "HttpOnly" in answer.headers["set-cookie"]
    assert "SameSite=strict" in answer.headers["set-cookie"]


def test_guessing_is_stopped_and_let_in_again_after_a_while() -> None:
    clock = DrivenClock(NOW_NS)
    doorkeeper = Doorkeeper(KEY, clock)
    assert not any(doorkeeper.lets_in(f"guess-{i}") for i in range(TRIES))
    assert doorkeeper.is_shut()
    assert not doorkeeper.lets_in(KEY)
    clock.advance(WINDOW_S + 1)
    assert doorkeeper.lets_in(KEY)


def test_a_short_key_is_no_key() -> None:
    with pytest.raises(ValueError, match="guessed"):
        Doorkeeper("1234", DrivenClock(NOW_NS))


@pytest.mark.server("pango")
async def test_the_report_is_there_as_page_and_as_pdf(client: httpx.AsyncClient) -> None:
    assert Words("en")("report.title") in (await client.get(_at("p-story") + "/report")).text
    pdf = await client.get(_at("p-story") + "/report.pdf")
    assert pdf.headers["content-type"] == "application/pdf"
    assert pdf.content.startswith(b"%PDF")


@pytest.mark.parametrize("patient", ["p-nobody", "..%2f..%2fetc", "p%2Bx", "%3Cb%3E"])
async def test_an_unknown_patient_is_not_found(client: httpx.AsyncClient, patient: str) -> None:
    assert (await client.get(f"/patient/{patient}")).status_code == 404


async def _form(client: httpx.AsyncClient, patient: str) -> dict[str, str]:
    page = (await client.get(_at(patient))).text
    return dict(re.findall(r"name='(\w+)'[^>]*value='([^']*)'", page))


async def test_goals_are_agreed_on_from_today(client: httpx.AsyncClient, data: Path, office: Office) -> None:
    form = (await _form(client, "p-still")) | {"walking_min": "7,5", "days_per_week": "4"}
    answer = await client.post(_at("p-still") + "/goals", data=form)
    assert answer.status_code == 200
    assert Words("en")("therapist.kept") in answer.text
    kept = Patients(data).config("p-still").goals[-1]
    assert (kept.since, kept.walking_min, kept.days_per_week) == (str(TODAY), 7.5, 4)
    newest = office.reader.latest("goal", "p-still")
    assert newest is not None
    assert newest.fields["walking_min"] == 7.5


async def test_a_new_agreement_begins_where_the_plan_has_led(client: httpx.AsyncClient, office: Office) -> None:
    asked = float((await _form(client, "p-story"))["walking_min"])
    newest = office.reader.latest("daily", "p-story")
    assert newest is not None
    assert asked >= float(newest.fields["goal_walking_min"]) > 5.0, "not at the five minutes of the first day"


@pytest.mark.parametrize(
    "bad",
    [
        {"walking_min": "10000"},
        {"walking_min": "many"},
        {"days_per_week": "2.5"},
        {"walking_min": "nan"},
        {"days_per_week": "1e999"},
    ],
)
async def test_goals_that_nobody_can_mean_change_nothing(
    client: httpx.AsyncClient, data: Path, bad: dict[str, str]
) -> None:
    before = Patients(data).config("p-pills")
    answer = await client.post(_at("p-pills") + "/goals", data=(await _form(client, "p-pills")) | bad)
    assert answer.status_code == 422
    assert "Nothing was changed" in answer.text
    assert Patients(data).config("p-pills") == before


async def test_in_german_reasons_and_refusals_are_german(office: Office, data: Path) -> None:
    german = replace(office, language="de")
    day, at_ns = str(TODAY - timedelta(days=1)), day_start_ns(TODAY - timedelta(days=1), BERLIN) + 1
    told = {"date": day, "walking_min": 4.0, "goal_walking_min": 20.0, "worn_min": 700.0, "enough_data": True}
    point = Point("daily", at_ns, {"patient": "p-german"}, told | attention(told))
    german.reader.commit("p-german", [point], None)  # type: ignore[attr-defined]
    async with _browser(Guard(therapist_app(german), ("127.0.0.1",))) as browser:
        await browser.post("/enter", content=KEY)
        assert "4 von 20 min gegangen" in (await browser.get("/")).text
        form = await _form(browser, "p-german")
        for bad, said in (
            ({"walking_min": "viel"}, "Gehen, Minuten am Tag: eine Zahl von 0 bis 300."),
            ({"days_per_week": "2,5"}, "Tage in der Woche: eine ganze Zahl."),
        ):
            answer = await browser.post(_at("p-german") + "/goals", data=form | bad)
            assert answer.status_code == 422
            assert said in answer.text
    german.reader.erase("p-german")  # type: ignore[attr-defined]


async def test_a_form_from_elsewhere_is_refused(client: httpx.AsyncClient, data: Path) -> None:
    form = (await _form(client, "p-pills")) | {"token": "0" * 64}
    assert (await client.post(_at("p-pills") + "/goals", data=form)).status_code == 403
    other = await _form(client, "p-still")
    assert (await client.post(_at("p-pills") + "/goals", data=other)).status_code == 403, (
        "a token counts for one patient"
    )
    assert (await client.post(_at("p-pills") + "/goals", data={"token": "x" * 20_000})).status_code == 413
    assert Patients(data).config("p-pills").goals == (Goals(),)
    foreign = await client.post(_at("p-pills") + "/goals", data=form, headers={"origin": "http://evil.example"})
    assert foreign.status_code == 403


def test_the_time_zone_is_the_patients_own(office: Office, data: Path) -> None:
    assert office.practice.zone("p-story") == BERLIN
    assert office.practice.zone("p-new") == zone(zone_here())
