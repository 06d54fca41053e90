"""Promise: the therapist's view works in a real browser, on a phone too, in both languages, and asks for its key."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from dashboards.words import Words
from processing.stores.sqlite import SqliteStore
from spineclip.patients import Patients, store_file
from spineclip.story import story, story_config
from tests.browser.conftest import Watched
from tests.running import spineclip

pytestmark = pytest.mark.server("chromium")
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]


@pytest.mark.parametrize("language", ["en", "de"])
def test_from_the_table_to_a_report_and_a_new_goal(
    tmp_path: Path, watched: Watched, pictures: Path, language: str
) -> None:
    last = dt.datetime.now(dt.UTC).date() - dt.timedelta(days=1)
    config = story_config(last, language=language)
    store = SqliteStore(store_file(tmp_path))
    store.commit("p-story", story("p-story", last, config), None)
    store.close()
    Patients(tmp_path).change("p-story", lambda _: config)
    words, page = Words(language), watched.page
    with spineclip("therapist", "--no-browser", "--port", "0", "--language", language, data=tmp_path) as command:
        link = command.wait_for(r"http://127\.0\.0\.1:\d+/enter#\S+").group()
        address = link.split("enter#")[0]
        assert page.goto(address).status == 403  # type: ignore[union-attr]
        watched.complaints.clear()  # the browser itself reports the refusal
        page.goto(link)
        page.wait_for_url(address)
        assert page.url == address, "the key has left the address line"
        for name, wanted in (("table", words("therapist.title")), ("patient", words("therapist.agree"))):
            if name == "patient":
                page.get_by_role("link", name="p-story").click()
            expect(page.locator("main")).to_contain_text(wanted)
            for width in (1280, 320):
                page.set_viewport_size({"width": width, "height": 800})
                assert page.evaluate("document.documentElement.scrollWidth") <= width
                page.screenshot(path=pictures / f"therapist-{name}-{language}-{width}.png", full_page=True)
                assert Axe().run(page, options={"runOnly": RULES}).violations_count == 0
        page.get_by_label(words("therapist.goal_walking_min")).fill("21")
        page.get_by_role("button", name=words("therapist.save")).click()
        expect(page.get_by_role("status")).to_have_text(words("therapist.kept"))
        page.get_by_role("link", name=words("therapist.report")).click()
        expect(page.locator("h1")).to_have_text(words("report.title"))
        for width in (1280, 320):
            page.set_viewport_size({"width": width, "height": 800})
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            page.screenshot(path=pictures / f"report-{language}-{width}.png", full_page=True)
        assert Axe().run(page, options={"runOnly": RULES}).violations_count == 0
        assert command.end() == 0, command.text
    assert Patients(tmp_path).config("p-story").goals[-1].walking_min == 21.0
    assert watched.complaints == []
    assert [url for url in watched.requests if not url.startswith(address)] == []


def test_reminders_are_paused_with_one_tap(tmp_path: Path, watched: Watched) -> None:
    last = dt.datetime.now(dt.UTC).date() - dt.timedelta(days=1)
    store = SqliteStore(store_file(tmp_path))
    store.commit("p-story", story("p-story", last, story_config(last)), None)
    store.close()
    Patients(tmp_path).change("p-story", lambda _: story_config(last))
    page, words = watched.page, Words("en")
    with spineclip("page", "--no-browser", "--port", "0", data=tmp_path) as command:
        page.goto(command.wait_for(r"http://127\.0\.0\.1:\d+/").group())
        status = page.locator("section.pause [role=status]")
        expect(status).to_have_text(words("pause.is_on"))
        page.get_by_role("button", name=words("pause.tomorrow")).click()
        expect(status).to_have_text(words("pause.until_tomorrow"))
        assert Patients(tmp_path).config("p-story").nudging.paused_until_ns > 0
        page.get_by_role("button", name=words("pause.on")).click()
        expect(status).to_have_text(words("pause.is_on"))
        page.get_by_role("link", name=words("report.link")).click()
        expect(page.locator("h1")).to_have_text(words("report.title"))
        assert command.end() == 0
    assert Patients(tmp_path).config("p-story").nudging.paused_until_ns == 0
    assert watched.complaints == []
