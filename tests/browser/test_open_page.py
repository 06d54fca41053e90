"""Promise: a page that stays open, overnight or for a week, asks about the day that it is, and loses no word."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
import zoneinfo
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import expect

from dashboards.words import Words
from processing.diary import read
from processing.stores.sqlite import SqliteReader, SqliteStore
from spineclip.contract.config import PatientConfig
from spineclip.patients import Patients, store_file
from tests.browser.conftest import Watched
from tests.browser.patient_page import PATIENT
from tests.running import HOUSE

pytestmark = pytest.mark.server("chromium")

BERLIN = zoneinfo.ZoneInfo("Europe/Berlin")
EVENING = dt.datetime(2026, 3, 28, 20, 0, tzinfo=BERLIN)  # the night in which clocks are put forward
SATURDAY = EVENING.date()
DAY_S = 86_400


@contextmanager
def _page(data: Path) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    SqliteStore(store_file(data)).close()
    Patients(data).change(PATIENT, lambda _: PatientConfig(time_zone="Europe/Berlin"))
    arguments = [sys.executable, "-m", "tests.browser.patient_page", str(data), str(int(EVENING.timestamp()) * 10**9)]
    with subprocess.Popen(arguments, cwd=HOUSE, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield process.stdout.readline().strip(), process
        assert process.stdin is not None
        process.stdin.close()


def _later(process: subprocess.Popen[str], seconds: float) -> None:
    assert process.stdin is not None
    process.stdin.write(f"{seconds}\n")
    process.stdin.flush()


def _diary(data: Path) -> dict[dt.date, int | None]:
    reader = SqliteReader(store_file(data))
    entries = read(reader, PATIENT, SATURDAY - dt.timedelta(days=30), SATURDAY + dt.timedelta(days=30), BERLIN)
    reader.close()
    return {day: entry.pain for day, entry in entries.items()}


@pytest.mark.parametrize("nights", [1, 7])
def test_what_is_answered_after_midnight_is_about_the_new_day(tmp_path: Path, watched: Watched, nights: int) -> None:
    page, words = watched.page, Words("en")
    with _page(tmp_path) as (address, process):
        page.goto(address)
        status = page.locator("section.diary [role=status]")
        page.get_by_role("button", name="7", exact=True).click()
        expect(status).to_have_text(words("diary.kept"))
        page.locator("section.diary summary").click()
        page.get_by_label("A note").fill("not kept yet")
        _later(process, nights * DAY_S)
        expect(status).to_have_text(words("diary.new_day"))
        expect(page.locator("section.diary [aria-pressed=true]")).to_have_text(["Today"])
        expect(page.get_by_label("A note")).to_have_value("not kept yet")
        page.get_by_role("button", name="2", exact=True).click()
        expect(status).to_have_text(words("diary.kept"))
        page.get_by_role("button", name=words("diary.keep_note")).click()
        expect(status).to_have_text(words("diary.kept_note"))
        today = SATURDAY + dt.timedelta(days=nights)
        expect(page.locator("header .when")).to_contain_text(words.short_date(today))
    assert _diary(tmp_path) == {SATURDAY: 7, today: 2}
    assert watched.complaints == []
