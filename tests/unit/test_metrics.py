"""The table of metrics keeps the promise that a field's name and type never change in a store."""

from __future__ import annotations

import math

import pytest

from processing.metrics import MEASUREMENTS, Point, Value, check

SAMPLE: dict[type, Value] = {str: "x", int: 1, float: 1.5, bool: True}


@pytest.mark.parametrize("name", list(MEASUREMENTS))
def test_every_field_takes_its_own_type_and_no_other(name: str) -> None:
    table = MEASUREMENTS[name]
    tags = dict.fromkeys(table.tags, "t")
    for column, known in table.fields.items():
        for kind, value in SAMPLE.items():
            point = Point(name, 0, tags, {column: value})
            if kind is known.kind:
                check(point)
            else:
                with pytest.raises(ValueError, match=column):
                    check(point)


@pytest.mark.parametrize("name", list(MEASUREMENTS))
def test_tags_are_few_and_no_field_has_a_tags_name(name: str) -> None:
    table = MEASUREMENTS[name]
    assert table.tags[0] == "patient"
    assert len(table.tags) <= 2
    assert not set(table.tags) & set(table.fields)
    assert "time" not in table.fields
    assert all(known.kind in SAMPLE and known.meaning for known in table.fields.values())


@pytest.mark.parametrize(
    "point",
    [
        Point("sleep", 0, {"patient": "p"}, {"x": 1.0}),
        Point("activity", 0, {}, {"steps": 1.0}),
        Point("activity", 0, {"patient": "p", "device": "w"}, {"steps": 1.0}),
        Point("activity", 0, {"patient": "p"}, {}),
        Point("activity", 0, {"patient": "p"}, {"mood": 1.0}),
        Point("activity", 0, {"patient": "p"}, {"steps": math.nan}),
        Point("activity", 0, {"patient": "p"}, {"steps": -math.inf}),
    ],
)
def test_what_no_store_should_see_is_refused(point: Point) -> None:
    with pytest.raises(ValueError, match=r"."):
        check(point)
