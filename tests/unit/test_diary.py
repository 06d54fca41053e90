"""Promise: the diary keeps what a person wrote, only what they wrote, and says clearly what it cannot keep."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from typer.testing import CliRunner

from processing.diary import EDITABLE_DAYS, NOTE_MAX, Entry, clean_note, merge, read, save
from processing.metrics import check
from processing.stores.sqlite import SqliteStore
from spineclip.cli.main import app
from spineclip.contract.config import PatientConfig
from spineclip.contract.errors import DiaryError, SettingsError
from spineclip.here import zone_here
from spineclip.patients import Patients

BERLIN, AUCKLAND = ZoneInfo("Europe/Berlin"), ZoneInfo("Pacific/Auckland")
TODAY = date(2026, 3, 29)  # 23 hours long in Berlin
NOW_NS = int(datetime(2026, 3, 29, 22, tzinfo=BERLIN).timestamp()) * 10**9


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    """An empty metric store."""
    opened = SqliteStore(tmp_path / "metrics.sqlite")
    yield opened
    opened.close()


def test_an_entry_comes_back_as_it_was_written(store: SqliteStore) -> None:
    entry = Entry(TODAY, pain=4, exercises=True, relaxation_min=10.0, nsaid=False, note="<b>&amp; 'ä\n\"</b>")
    assert save(store, "p-1", entry, BERLIN, NOW_NS).entry == entry
    assert read(store, "p-1", TODAY, TODAY, BERLIN) == {TODAY: entry}
    [point] = store.points("diary", "p-1", 0, 1 << 62)
    check(point)
    assert point.time_ns == int(datetime(2026, 3, 29, tzinfo=BERLIN).timestamp()) * 10**9


def test_later_answers_leave_the_earlier_ones_alone(store: SqliteStore) -> None:
    save(store, "p-1", Entry(TODAY, pain=4, note="morning"), BERLIN, NOW_NS)
    saved = save(store, "p-1", Entry(TODAY, exercises=True), BERLIN, NOW_NS)
    assert saved.entry == Entry(TODAY, pain=4, exercises=True, note="morning")
    assert len(store.points("diary", "p-1", 0, 1 << 62)) == 1


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        ({"pain": 11}, "pain"),
        ({"pain": -1}, "pain"),
        ({"pain": 3.5}, "pain"),
        ({"pain": True}, "pain"),
        ({"relaxation_min": -1.0}, "relaxation"),
        ({"relaxation_min": float("nan")}, "relaxation"),
        ({"relaxation_min": 1e9}, "relaxation"),
        ({"note": "x" * (NOTE_MAX + 1)}, "note"),
        ({"note": "x" * (1 << 20)}, "note"),
    ],
)
def test_answers_off_the_scale_are_refused_with_a_reason(bad: dict[str, Any], reason: str) -> None:
    with pytest.raises(DiaryError) as caught:
        Entry(TODAY, **bad)
    assert caught.value.reason == reason
    assert len(str(caught.value)) < 200, "a megabyte is not read back"


@pytest.mark.parametrize("days", [1, 7])
def test_the_future_cannot_be_written(store: SqliteStore, days: int) -> None:
    with pytest.raises(DiaryError) as caught:
        save(store, "p-1", Entry(TODAY + timedelta(days=days), pain=1), BERLIN, NOW_NS)
    assert caught.value.reason == "future"


def test_what_is_today_is_decided_where_the_patient_lives(store: SqliteStore) -> None:
    tomorrow = Entry(TODAY + timedelta(days=1), pain=1)
    assert save(store, "p-1", tomorrow, AUCKLAND, NOW_NS).entry == tomorrow


def test_an_entry_can_be_changed_for_two_days(store: SqliteStore) -> None:
    open_still = TODAY - timedelta(days=EDITABLE_DAYS)
    save(store, "p-1", Entry(open_still, pain=1), BERLIN, NOW_NS)
    with pytest.raises(DiaryError) as caught:
        save(store, "p-1", Entry(open_still - timedelta(days=1), pain=1), BERLIN, NOW_NS)
    assert caught.value.reason == "old"


def test_an_empty_entry_is_no_entry(store: SqliteStore) -> None:
    with pytest.raises(DiaryError) as caught:
        save(store, "p-1", Entry(TODAY), BERLIN, NOW_NS)
    assert caught.value.reason == "empty"
    assert store.points("diary", "p-1", 0, 1 << 62) == []


def test_after_a_move_the_same_date_is_the_same_entry(store: SqliteStore) -> None:
    save(store, "p-1", Entry(TODAY, pain=2), BERLIN, NOW_NS)
    saved = save(store, "p-1", Entry(TODAY, note="on the plane"), AUCKLAND, NOW_NS)
    assert saved.entry == Entry(TODAY, pain=2, note="on the plane")
    assert len(store.points("diary", "p-1", 0, 1 << 62)) == 1


def test_two_pages_that_edit_one_entry_lose_nothing(store: SqliteStore) -> None:
    seen = save(store, "p-1", Entry(TODAY, pain=2), BERLIN, NOW_NS).entry
    save(store, "p-1", replace(seen, note="from the phone"), BERLIN, NOW_NS, seen=seen)
    saved = save(store, "p-1", replace(seen, note="from the laptop", exercises=True), BERLIN, NOW_NS, seen=seen)
    assert saved.entry == Entry(TODAY, pain=2, exercises=True, note="from the phone\nfrom the laptop")
    assert saved.conflicts == ("note",)


def test_an_old_page_that_changed_nothing_changes_nothing() -> None:
    seen, stored = Entry(TODAY, pain=2), Entry(TODAY, pain=5, note="new")
    assert merge(seen, stored, seen).entry == stored


def test_of_two_different_pains_the_later_holds_and_the_writer_is_told() -> None:
    saved = merge(Entry(TODAY), Entry(TODAY, pain=3), Entry(TODAY, pain=5))
    assert (saved.entry.pain, saved.conflicts) == (5, ("pain",))


def test_a_note_loses_control_characters_and_nothing_else() -> None:
    assert clean_note("  a\x00b\x1b[31m\r\nc\t<i>ü</i> 🙂 ") == "ab[31m\nc<i>ü</i> 🙂"


def test_settings_survive_and_broken_ones_are_named(tmp_path: Path) -> None:
    patients = Patients(tmp_path)
    assert patients.config("p-1") == PatientConfig(time_zone=zone_here())
    changed = patients.change("p-1", lambda config: replace(config, time_zone="Europe/Berlin"))
    assert patients.config("p-1") == changed
    assert patients.known() == ["p-1"]
    assert {file.name for file in patients.folder.iterdir()} == {"p-1.json", ".turn"}, "no draft is left"
    (patients.folder / "p-1.json").write_text("{")
    with pytest.raises(SettingsError, match=r"p-1\.json"):
        patients.config("p-1")
    with pytest.raises(SettingsError):
        patients.config("../p-1")


class TestCommands:
    """``spineclip goals`` and ``spineclip diary`` on a data folder of their own."""

    @pytest.fixture
    def run(self, tmp_path: Path) -> Any:
        """Run a command on a fresh data folder."""

        def call(*words: str, code: int = 0) -> str:
            result = CliRunner().invoke(app, [*words, "--data", str(tmp_path)])
            assert result.exit_code == code, result.output
            return result.output

        return call

    def test_goals_are_agreed_on_and_shown(self, run: Any, tmp_path: Path) -> None:
        run("goals", "p-1", "--time-zone", "Europe/Berlin")
        shown = run("goals", "p-1", "--walking", "5", "--step", "2", "--from", "2026-03-02")
        assert "5 min a day" in shown
        kept = json.loads((tmp_path / "patients" / "p-1.json").read_text())
        assert [(goal["since"], goal["walking_min"]) for goal in kept["goals"]] == [("2026-03-02", 5)]
        run("goals", "p-1", "--walking", "8", "--from", "2026-04-01")
        assert [goal.walking_step_min for goal in Patients(tmp_path).config("p-1").goals] == [2, 2]

    def test_of_two_goals_for_one_day_the_second_holds_and_that_is_said(self, run: Any, tmp_path: Path) -> None:
        first = run("goals", "p-1", "--walking", "5", "--from", "2026-03-02")
        other = run("goals", "p-1", "--walking", "7", "--from", "2026-04-02")
        second = run("goals", "p-1", "--walking", "6", "--from", "2026-03-02")
        assert "takes the place" not in first + other
        assert "takes the place of what was agreed on for 2026-03-02" in second
        kept = Patients(tmp_path).config("p-1").goals
        assert [(goal.since, goal.walking_min) for goal in kept] == [("2026-03-02", 6), ("2026-04-02", 7)]

    @pytest.mark.parametrize(
        ("words", "said"),
        [
            (("--walking", "10000"), "--walking cannot be 10000. Use a number from 0 to 300."),
            (("--upright", "nan"), "--upright cannot be nan"),
            (("--days", "9"), "--days cannot be 9. Use a number from 0 to 7."),
            (("--time-zone", "Mars/Olympus"), "Mars/Olympus"),
            (("--language", "tlh"), "de or en"),
            (("--from", "2026-01-01"), "--walking"),
        ],
    )
    def test_goals_that_cannot_be_are_answered_in_a_sentence(self, run: Any, words: Any, said: str) -> None:
        answer = run("goals", "p-1", *words, code=1)
        assert said in answer
        assert "Traceback" not in answer

    def test_a_diary_is_written_and_read(self, run: Any) -> None:
        run("diary", "add", "p-1", "--pain", "3", "--exercises", "--no-nsaid", "--note", "[red]<b>ok")
        shown = run("diary", "list", "p-1")
        assert "[red]<b>ok" in shown
        assert "yes" in shown
        assert run("diary", "add", "p-1", "--pain", "11", code=1).count("\n") == 1
        refused = run("diary", "add", "p-1", "--pain", "9", "--note", "x" * 100_000, code=1)
        assert "Shorten it; the entry is as it was." in refused
        assert run("diary", "list", "p-1") == shown
