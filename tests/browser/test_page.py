"""Promise: the page shows what is stored, in a real browser, on a phone too, and talks to nobody but its own server."""

from __future__ import annotations

import datetime as dt
import time
import zoneinfo
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from dashboards.words import Words
from processing.diary import NOTE_MAX
from processing.metrics import Point
from processing.stores.sqlite import SqliteReader, SqliteStore
from spineclip.contract.config import PatientConfig
from spineclip.contract.days import day_start_ns
from spineclip.links import Links
from spineclip.patients import Patients, store_file
from tests.browser.conftest import Watched
from tests.running import spineclip

pytestmark = pytest.mark.server("chromium")

BERLIN = zoneinfo.ZoneInfo("Europe/Berlin")
PATIENT = "p-0123456789"
VIEWS = ("now", "today", "fortnight", "diary", "goals", "clip-card")


def _fill(data: Path, language: str) -> None:
    today = dt.datetime.now(BERLIN).date()
    tags = {"patient": PATIENT}
    points = []
    for back in range(14):
        date = today - dt.timedelta(days=back)
        walked, enough = 25.0 - back, back != 4
        fields = {"date": date.isoformat(), "walking_min": walked, "goal_walking_min": 20.0, "enough_data": enough}
        if enough:
            fields["met_walking"] = walked >= 20.0
        points.append(Point("daily", day_start_ns(date, BERLIN), tags, fields))
    start_ns = day_start_ns(today, BERLIN)
    for k in range(1440):
        state = "sitting" if k < 720 else "walking"
        points.append(Point("activity", start_ns + 7 * 3600 * 10**9 + k * 5 * 10**9, tags, {"state": state}))
    worn = {"placement": "sternum", "battery_pct": 12.0, "rssi_dbm": -60.0}
    points.append(Point("device", start_ns + 9 * 3600 * 10**9, {**tags, "device": "clip-1"}, worn))
    store = SqliteStore(store_file(data))
    store.commit(PATIENT, points, None)
    store.close()
    Patients(data).change(PATIENT, lambda _: PatientConfig(time_zone="Europe/Berlin", language=language))


@pytest.fixture(scope="module", params=["en", "de"])
def shown(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    data = tmp_path_factory.mktemp("data")
    _fill(data, request.param)
    with spineclip("page", "--no-browser", "--port", "0", data=data) as command:
        address = command.wait_for(r"http://127\.0\.0\.1:\d+/").group()
        yield request.param, address
        assert command.end() == 0, command.text
        assert "Traceback" not in command.text
        assert "Warning" not in command.text


def test_stored_days_are_shown_and_nothing_leaves_the_machine(
    shown: tuple[str, str], watched: Watched, pictures: Path
) -> None:
    language, address = shown
    page = watched.page
    page.goto(address)
    say = {"en": ("Waiting for your clip", "Goal reached on 5 of 13"), "de": ("Warten auf Ihren", "an 5 von 13 Tagen")}
    expect(page.locator("section.now")).to_contain_text(say[language][0])
    expect(page.locator("section.fortnight")).to_contain_text(say[language][1])
    expect(page.locator("section.walk strong")).to_have_text("25")
    expect(page.locator("section.today .strip i")).to_have_count(2)
    expect(page.locator("section.fortnight .day")).to_have_count(14)
    assert page.evaluate("document.documentElement.lang").startswith(language)
    for width in (1280, 320):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") <= width, "nothing is wider than the screen"
        page.screenshot(path=pictures / f"page-{language}-{width}.png", full_page=True)
        for view in VIEWS:
            page.locator(f"section.{view}").screenshot(path=pictures / f"view-{view}-{language}-{width}.png")
    assert watched.complaints == []
    assert [url for url in watched.requests if not url.startswith(address)] == []


def test_no_rule_of_wcag_is_broken(shown: tuple[str, str], watched: Watched) -> None:
    page = watched.page
    page.goto(shown[1])
    expect(page.locator("section.fortnight .day")).to_have_count(14)
    for scheme, width in (("light", 320), ("dark", 320), ("light", 1280), ("dark", 1280)):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        page.set_viewport_size({"width": width, "height": 800})
        results = Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]})
        assert len(results.response["passes"]) > 10, "the rules have been looked at"
        assert results.violations_count == 0, f"{scheme} {width}: {results.generate_report()}"


def test_a_reminder_sounds_only_where_it_was_switched_on(tmp_path: Path, watched: Watched) -> None:
    _fill(tmp_path, "en")
    page, store = watched.page, SqliteStore(store_file(tmp_path))
    tones = "Number(document.documentElement.dataset.tones ?? 0)"

    def nudge(**more: float) -> None:
        now_ns = time.time_ns()
        fields = {
            "cause": "sedentary",
            "text": "Time to get up?",
            "reason": "You have been sitting for 46 minutes.",
            **more,
        }
        store.commit(PATIENT, [Point("nudge", now_ns, {"patient": PATIENT}, fields)], None)

    with spineclip("page", "--no-browser", "--port", "0", data=tmp_path) as command:
        page.goto(command.wait_for(r"http://127\.0\.0\.1:\d+/").group())
        switch = page.get_by_role("button", name="A short tone with each reminder")
        expect(switch).to_have_attribute("aria-pressed", "false")
        nudge()
        expect(page.locator(".nudge")).to_contain_text("46 minutes")
        assert page.evaluate(tones) == 0, "off until somebody switches it on"
        nudge(ended_s=5.0)
        expect(page.locator(".nudge p")).to_have_count(0)
        switch.click()
        page.wait_for_function(f"{tones} === 1")  # a sample of it
        nudge()
        page.wait_for_function(f"{tones} === 2")
        page.reload()
        expect(switch).to_have_attribute("aria-pressed", "true")
        assert command.end() == 0
    store.close()
    assert watched.complaints == []


def test_the_diary_takes_two_taps_and_a_note_as_plain_text(tmp_path: Path, watched: Watched, pictures: Path) -> None:
    _fill(tmp_path, "en")
    page = watched.page
    with spineclip("page", "--no-browser", "--port", "0", data=tmp_path) as command:
        page.goto(command.wait_for(r"http://127\.0\.0\.1:\d+/").group())
        status = page.locator("section.diary [role=status]")
        page.get_by_role("button", name="7", exact=True).click()
        expect(status).to_have_text("Kept.")
        page.locator("fieldset", has_text="exercises").get_by_role("button", name="Yes").click()
        expect(page.locator("section.diary [aria-pressed=true]")).to_have_text(["Today", "7", "Yes"])
        page.locator("summary").click()
        page.get_by_label("A note").fill("<script>alert(1)</script> better")
        page.get_by_role("button", name="Keep the note").click()
        expect(status).to_have_text("Your note is kept.")
        page.screenshot(path=pictures / "page-diary.png", full_page=True)
        for characters, said in ((NOTE_MAX + 1, "diary.error_note"), (1_000_000, "diary.error_note_cut")):
            page.get_by_label("A note").fill("x" * characters)
            page.get_by_role("button", name="Keep the note").click()
            expect(status).to_have_text(Words("en")(said))
            assert str(NOTE_MAX) in Words("en")(said)
            assert str(NOTE_MAX) in Words("de")(said)
        page.reload()
        expect(page.locator("section.diary [aria-pressed=true]")).to_have_text(["Today", "7", "Yes"])
        expect(page.get_by_label("A note")).to_have_value("<script>alert(1)</script> better")
        page.get_by_role("button", name="Yesterday").click()
        expect(page.locator("section.diary [aria-pressed=true]")).to_have_text(["Yesterday"])
        assert command.end() == 0
    reader = SqliteReader(store_file(tmp_path))
    (point,) = reader.points("diary", PATIENT, 0, 1 << 62)
    reader.close()
    today = dt.datetime.now(BERLIN).date().isoformat()
    note = "<script>alert(1)</script> better"
    assert point.fields == {"date": today, "pain": 7, "exercises": True, "note": note}
    assert watched.complaints == []


def test_a_published_page_opens_by_its_link_and_by_nothing_else(tmp_path: Path, watched: Watched) -> None:
    _fill(tmp_path, "en")
    page, token = watched.page, Links(tmp_path).make(PATIENT)
    arguments = ["page", PATIENT, "--no-browser", "--port", "0", "--publish", "http://localhost"]
    with spineclip(*arguments, data=tmp_path) as command:
        address = command.wait_for(r"http://127\.0\.0\.1:\d+/").group()
        assert page.goto(address).status == 403  # type: ignore[union-attr]
        watched.complaints.clear()  # the browser itself reports the refusal
        page.goto(f"{address}enter")
        expect(page.get_by_role("status")).to_contain_text("needs its link")
        assert Axe().run(page).violations_count == 0
        page.goto("about:blank")
        page.goto(f"{address}enter#{token}")
        page.wait_for_url(address)
        page.get_by_role("button", name="7", exact=True).click()
        expect(page.locator("section.diary [role=status]")).to_have_text("Kept.")
        assert [url for url in watched.requests if token in url.split("#")[0]] == [], "the key is in no request"
        assert command.end() == 0
    assert watched.complaints == []
