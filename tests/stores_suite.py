"""What every metric store promises, written against the protocol alone.

A test module of a store subclasses `StoreSuite` and gives two fixtures: ``store`` (empty) and ``reopen`` (a function
that closes the store and opens the same content again).
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from processing.metrics import Point
from processing.stores.base import MetricStore
from spineclip.contract.errors import StoreRefusedError

T0 = 1_700_000_000 * 10**9
SECOND = 10**9
Reopen = Callable[[], MetricStore]


def activity(k: int, state: str = "sitting", patient: str = "p-1") -> Point:
    """The k-th five seconds."""
    fields = {
        "state": state,
        "code": 3,
        "posture": "upright",
        "walking_s": 0.0,
        "confidence": 0.1 + 0.2,
        "coverage": 1.0,
    }
    return Point("activity", T0 + 5 * k * SECOND, {"patient": patient}, fields)


def everything(store: MetricStore, patient: str, measurement: str = "activity") -> list[Point]:
    return store.points(measurement, patient, 0, T0 * 2)


class StoreSuite:
    def test_points_come_back_as_they_were_written(self, store: MetricStore, reopen: Reopen) -> None:
        points = [activity(k) for k in range(3)]
        store.commit("p-1", points, b"state")
        assert everything(store, "p-1") == points
        assert everything(reopen(), "p-1") == points

    def test_types_come_back(self, store: MetricStore) -> None:
        fields = {"date": "2023-11-14", "breaks": 2, "walking_min": 12.5, "enough_data": True, "met_walking": False}
        store.commit("p-1", [Point("daily", T0, {"patient": "p-1"}, fields)], None)
        (point,) = everything(store, "p-1", "daily")
        assert point.fields == fields
        assert {name: type(value) for name, value in point.fields.items()} == {
            name: type(value) for name, value in fields.items()
        }

    def test_writing_twice_changes_nothing(self, store: MetricStore) -> None:
        points = [activity(k) for k in range(3)]
        store.commit("p-1", points, b"state")
        store.commit("p-1", points, b"state")
        assert everything(store, "p-1") == points

    def test_the_last_writing_of_a_point_holds(self, store: MetricStore) -> None:
        store.commit("p-1", [activity(0)], None)
        store.commit("p-1", [activity(0, "standing"), activity(1)], None)
        assert [p.fields["state"] for p in everything(store, "p-1")] == ["standing", "sitting"]
        store.commit("p-1", [activity(0), activity(0, "walking")], None)
        assert everything(store, "p-1")[0].fields["state"] == "walking"

    def test_series_differ_by_their_tags(self, store: MetricStore) -> None:
        gaps = [
            Point("gap", T0, {"patient": "p-1", "device": device}, {"dur_s": 2.0, "reason": "lost"})
            for device in ("a", "b")
        ]
        store.commit("p-1", gaps, None)
        assert sorted(p.tags["device"] for p in everything(store, "p-1", "gap")) == ["a", "b"]

    def test_intervals_are_half_open_and_in_order(self, store: MetricStore) -> None:
        store.commit("p-1", [activity(k) for k in (3, 1, 2, 0)], None)
        times = [p.time_ns for p in store.points("activity", "p-1", T0 + 5 * SECOND, T0 + 15 * SECOND)]
        assert times == [T0 + 5 * SECOND, T0 + 10 * SECOND]

    def test_a_limit_gives_the_newest_in_order(self, store: MetricStore) -> None:
        store.commit("p-1", [activity(k) for k in range(5)], None)
        assert store.points("activity", "p-1", 0, T0 * 2, limit=2) == [activity(3), activity(4)]
        assert store.latest("activity", "p-1") == activity(4)
        assert store.latest("bout", "p-1") is None

    def test_patients_are_apart(self, store: MetricStore) -> None:
        store.commit("p-2", [activity(0, patient="p-2")], b"two")
        store.commit("p-1", [activity(0)], b"one")
        assert store.patients() == ["p-1", "p-2"]
        assert everything(store, "p-1") == [activity(0)]
        assert dict(store.checkpoints()) == {"p-1": b"one", "p-2": b"two"}

    def test_the_newest_checkpoint_holds(self, store: MetricStore, reopen: Reopen) -> None:
        assert store.checkpoint("p-1") is None
        store.commit("p-1", [], b"first")
        store.commit("p-1", [activity(0)], b"\x00second\xff")
        store.commit("p-1", [activity(1)], None)
        assert store.checkpoint("p-1") == b"\x00second\xff"
        assert reopen().checkpoint("p-1") == b"\x00second\xff"

    @pytest.mark.parametrize(
        "point",
        [
            Point("activity", T0, {"patient": "p-1"}, {"code": 1.5}),
            Point("activity", T0, {"patient": "p-1"}, {"unheard_of": 1}),
            Point("activity", T0, {"patient": "p-1"}, {"flexion_deg": float("nan")}),
            Point("activity", T0, {"patient": "p-1", "device": "x"}, {"code": 1}),
            Point("no_such_thing", T0, {"patient": "p-1"}, {"code": 1}),
            Point("activity", 1 << 63, {"patient": "p-1"}, {"code": 1}),
            Point("activity", T0, {"patient": "p-1"}, {"code": 1 << 63}),
        ],
        ids=["type", "field", "nan", "tag", "measurement", "time", "number"],
    )
    def test_what_breaks_the_metric_table_is_refused_whole(self, store: MetricStore, point: Point) -> None:
        store.commit("p-1", [activity(0)], b"before")
        with pytest.raises(StoreRefusedError):
            store.commit("p-1", [activity(1), point], b"after")
        assert everything(store, "p-1") == [activity(0)]
        assert store.checkpoint("p-1") == b"before"

    def test_what_is_kept_aside_is_counted_by_reason(self, store: MetricStore, reopen: Reopen) -> None:
        store.keep_aside("p-1", T0, "schema", b"x")
        store.keep_aside("p-1", T0 + 1, "schema", b"")
        store.keep_aside("p-2", T0, "cbor", b"y" * 100_000)
        assert dict(store.aside("p-1")) == {"schema": 2}
        assert dict(reopen().aside()) == {"cbor": 1, "schema": 2}

    def test_erasing_leaves_nothing_of_a_patient_and_all_of_the_others(self, store: MetricStore) -> None:
        for patient in ("p-1", "p-2"):
            store.commit(patient, [activity(0, patient=patient)], b"state")
            store.keep_aside(patient, T0, "schema", b"x")
        store.erase("p-1")
        assert store.patients() == ["p-2"]
        assert everything(store, "p-1") == []
        assert store.checkpoint("p-1") is None
        assert dict(store.aside("p-1")) == {}
        assert everything(store, "p-2") == [activity(0, patient="p-2")]
        assert dict(store.aside("p-2")) == {"schema": 1}
