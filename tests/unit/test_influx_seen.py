"""Promise: the writer knows of each point what fields stand in the database, or asks for no more than it has to."""

from __future__ import annotations

from processing.metrics import Point
from processing.stores.influx_seen import REMEMBERED, Key, Seen, key_of


def _walk(time_s: int, device: str = "a", **fields: float) -> Point:
    return Point("gap", time_s, {"patient": "p-1", "device": device}, fields or {"dur_s": 1.0})


def _rows(*points: Point) -> dict[Key, Point]:
    return {key_of(point): point for point in points}


def _begun(newest: int = 10) -> Seen:
    seen = Seen()
    assert seen.strange("p-1", _rows(_walk(1))) == {"gap"}
    seen.begin("p-1", "gap", newest)
    assert seen.strange("p-1", _rows(_walk(1))) == set()
    return seen


def test_what_is_newer_than_all_that_is_stored_need_not_be_asked_for() -> None:
    assert _begun(10).unknown("p-1", _rows(_walk(11), _walk(12))) == {}


def test_what_may_stand_there_is_asked_for_from_the_oldest_to_the_newest() -> None:
    seen = _begun(10)
    assert seen.unknown("p-1", _rows(_walk(10), _walk(3), _walk(7), _walk(11))) == {"gap": (3, 11)}
    seen.wrote("p-1", _rows(_walk(3), _walk(10)))
    assert seen.unknown("p-1", _rows(_walk(10), _walk(3), _walk(7))) == {"gap": (7, 8)}


def test_the_newest_that_was_written_bounds_what_may_stand_there_in_whatever_order_it_came() -> None:
    seen = _begun(0)
    seen.wrote("p-1", _rows(_walk(12)))
    seen.wrote("p-1", _rows(_walk(11)))
    assert seen.unknown("p-1", _rows(_walk(12, "b"), _walk(13, "b"))) == {"gap": (12, 13)}


def test_the_last_writing_of_a_point_says_which_fields_it_has() -> None:
    seen = _begun()
    assert seen.fields("p-1", key_of(_walk(11))) == frozenset()
    seen.wrote("p-1", _rows(_walk(11, dur_s=1.0, coverage=1.0)))
    seen.wrote("p-1", _rows(_walk(11, dur_s=2.0)))
    assert seen.fields("p-1", key_of(_walk(11))) == {"dur_s"}


def test_of_many_points_those_are_forgotten_that_were_not_written_for_longest() -> None:
    seen = _begun(0)
    seen.wrote("p-1", _rows(*(_walk(time_s) for time_s in range(1, REMEMBERED + 1))))
    seen.wrote("p-1", _rows(_walk(1)))
    seen.wrote("p-1", _rows(_walk(REMEMBERED + 1)))
    known = [bool(seen.fields("p-1", key_of(_walk(time_s)))) for time_s in (1, 2, 3, REMEMBERED + 1)]
    assert known == [True, False, True, True]


def test_an_erased_patient_is_forgotten_and_no_other() -> None:
    seen = _begun()
    seen.begin("p-2", "gap", 5)
    for patient in ("p-1", "p-2"):
        seen.wrote(patient, _rows(_walk(11)))
    seen.forget("p-1")
    assert seen.strange("p-1", _rows(_walk(1))) == {"gap"}
    assert seen.strange("p-2", _rows(_walk(1))) == set()
    assert seen.fields("p-1", key_of(_walk(11))) == frozenset()
    assert seen.fields("p-2", key_of(_walk(11))) == {"dur_s"}
