"""Promises of the InfluxDB store, on the real database: those of every store, and what only a server can break."""

from __future__ import annotations

import dataclasses
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from influxdb_client.client.write.point import Point as LinePoint

from processing.checkpoint import CheckpointError
from processing.metrics import MEASUREMENTS, Measurement, Point, Value
from processing.patient import Patient
from processing.stores.base import MAX_ASIDE, MetricStore
from processing.stores.influx import InfluxReader, InfluxStore
from processing.stores.influx_link import Address, InfluxLink
from processing.stores.influx_proof import shown
from processing.stores.line_protocol import line
from spineclip.contract.errors import StoreBusyError, StoreError, StoreRefusedError
from tests.servers.influx import Influx, influx
from tests.servers.process import free_port
from tests.stores_suite import T0, Reopen, StoreSuite, activity, everything

pytestmark = pytest.mark.server("influx")
DAY_NS = 86_400 * 10**9


def address(server: Influx, **changes: object) -> Address:
    plain = Address(server.url, server.bucket, server.token, server.org, timeout_s=5.0, retries=1)
    return dataclasses.replace(plain, **changes)  # type: ignore[arg-type]


@pytest.fixture
def opened() -> Iterator[list[InfluxStore]]:
    stores: list[InfluxStore] = []
    yield stores
    for store in stores:
        store.close()


@pytest.fixture
def store(influx_empty: Influx, opened: list[InfluxStore]) -> InfluxStore:
    opened.append(InfluxStore(address(influx_empty)))
    return opened[-1]


@pytest.fixture
def reopen(influx_server: Influx, opened: list[InfluxStore]) -> Reopen:
    def _reopen() -> MetricStore:
        opened[-1].close()
        opened.append(InfluxStore(address(influx_server)))
        return opened[-1]

    return _reopen


class TestInfluxStore(StoreSuite):
    """All promises of the suite."""


def test_a_point_written_with_fewer_fields_keeps_none_of_the_old(store: InfluxStore, reopen: Reopen) -> None:
    """InfluxDB itself would merge the two."""
    walk = Point("activity", T0, {"patient": "p-1"}, {"state": "walking", "cadence_spm": 110.0})
    rest = Point("activity", T0, {"patient": "p-1"}, {"state": "sitting"})
    store.commit("p-1", [walk, activity(1)], None)
    store.commit("p-1", [rest], None)
    assert everything(store, "p-1") == [rest, activity(1)]
    store.commit("p-1", [walk], None)
    later = reopen()  # a store that did not see the first writing
    later.commit("p-1", [rest, activity(2)], None)
    assert everything(later, "p-1") == [rest, activity(1), activity(2)]


texts = st.text(st.characters(codec="utf-8", exclude_characters="\0", exclude_categories=("Cs",)), max_size=40)
kinds: dict[type, st.SearchStrategy[Value]] = {
    str: texts,
    int: st.integers(-(2**62), 2**62),
    float: st.floats(allow_nan=False, allow_infinity=False, min_value=-1e299, max_value=1e299, allow_subnormal=False),
    bool: st.booleans(),
}


def _fields(name: str) -> st.SearchStrategy[dict[str, Value]]:
    columns = {column: kinds[known.kind] for column, known in MEASUREMENTS[name].fields.items()}
    return st.fixed_dictionaries({}, optional=columns).filter(bool)


@settings(max_examples=60)
@given(st.sampled_from(sorted(MEASUREMENTS)).flatmap(lambda name: st.tuples(st.just(name), _fields(name))))
def test_whatever_the_table_allows_comes_back(influx_server: Influx, drawn: tuple[str, dict[str, Value]]) -> None:
    name, fields = drawn
    store = InfluxStore(address(influx_server))
    try:
        store.erase("p-any")
        point = Point(name, T0, dict.fromkeys(MEASUREMENTS[name].tags, "x") | {"patient": "p-any"}, fields)
        store.commit("p-any", [point], None)
        assert everything(store, "p-any", name) == [point]
    finally:
        store.close()


@given(st.sampled_from(sorted(MEASUREMENTS)).flatmap(lambda name: st.tuples(st.just(name), _fields(name))), texts)
def test_our_lines_are_those_of_the_client(drawn: tuple[str, dict[str, Value]], tag: str) -> None:
    name, fields = drawn
    theirs = LinePoint(name).time(T0)
    for tag_name, text in {"patient": "p-1", "hour": tag}.items():
        if text and not text.endswith("\\"):
            theirs.tag(tag_name, text)
    for column, value in fields.items():
        theirs.field(column, value)
    ours = line(name, dict(theirs._tags), fields, T0)
    # the client leaves out the ".0" of whole numbers, which means the same
    assert ours.replace(".0,", ",").replace(".0 ", " ") == theirs.to_line_protocol().replace(".0,", ",").replace(
        ".0 ", " "
    )


def test_one_point_that_the_database_refuses_holds_up_no_other(store: InfluxStore, influx_empty: Influx) -> None:
    """Somebody else wrote a text where we write a number: InfluxDB keeps the first type."""
    with_text = 'activity,patient=p-9 cadence_spm="fast" 1700000000000000000'
    link = InfluxLink(address(influx_empty))
    assert link.write([with_text]) == []
    link.close()
    points = [activity(k) for k in range(50)]
    bad = Point("activity", T0 + 23 * 5 * 10**9, {"patient": "p-1"}, {"state": "walking", "cadence_spm": 110.0})
    store.commit("p-1", [*points[:23], bad, *points[24:]], b"state")
    kept = everything(store, "p-1")
    assert [p for p in kept if p.time_ns != bad.time_ns] == [*points[:23], *points[24:]]
    assert store.aside("p-1") == {"store-field-type": 1}
    assert store.checkpoint("p-1") == b"state"


@pytest.mark.parametrize("day", [0, 1, 2])
def test_points_of_a_day_that_the_database_does_not_show_are_noticed(
    store: InfluxStore, influx_empty: Influx, day: int
) -> None:
    """InfluxDB forgets what a request holds for a shard, or nothing; a shard is a day at least."""
    points = [activity(17_280 * k // 4) for k in range(12)]  # T0 is not midnight: a day of ours lies in two of UTC
    store.commit("p-1", points, None)
    link = InfluxLink(address(influx_empty))
    assert shown(link, points)
    midnight_ns = T0 - T0 % DAY_NS + day * DAY_NS
    link.query(f'DELETE FROM "activity" WHERE time >= {midnight_ns} AND time < {midnight_ns + DAY_NS}')
    assert not shown(link, points)
    link.close()


def test_an_older_writing_of_a_point_is_not_taken_for_the_new_one(store: InfluxStore, influx_empty: Influx) -> None:
    walk = Point("activity", T0, {"patient": "p-1"}, {"state": "walking", "cadence_spm": 110.0, "code": 3})
    store.commit("p-1", [walk], None)
    link = InfluxLink(address(influx_empty))
    assert shown(link, [walk])
    assert not shown(link, [dataclasses.replace(walk, fields={**walk.fields, "cadence_spm": 111.0})])
    assert not shown(link, [dataclasses.replace(walk, fields={**walk.fields, "steps": 9.0})])
    link.close()


def test_a_checkpoint_of_any_length_replaces_a_longer_one(store: InfluxStore) -> None:
    noise = os.urandom(200_000)  # three times what a patient may take, and not compressible
    for length in (200_000, 64_000, 0, 45_000):
        store.commit("p-1", [], noise[:length])
        assert store.checkpoint("p-1") == noise[:length]


def test_a_torn_checkpoint_is_told_and_not_taken(store: InfluxStore, influx_empty: Influx) -> None:
    store.commit("p-1", [], b"state")
    link = InfluxLink(address(influx_empty))
    link.write(["checkpoint,patient=p-1 crc=1i 0"])
    link.close()
    with pytest.raises(StoreError, match="damaged"):
        store.checkpoint("p-1")


def test_a_torn_checkpoint_holds_up_no_other_patient(store: InfluxStore, influx_empty: Influx) -> None:
    for patient in ("p-1", "p-2"):
        store.commit(patient, [], b"state")
    link = InfluxLink(address(influx_empty))
    link.write(["checkpoint,patient=p-1 crc=1i 0"])
    link.close()
    assert store.checkpoints() == {"p-1": b"", "p-2": b"state"}
    with pytest.raises(CheckpointError):
        Patient.resume("p-1", b"")


@pytest.mark.parametrize(
    ("changes", "words"),
    [({"token": "guessed"}, "token"), ({"bucket": "missing"}, "bucket 'missing'")],
    ids=["token", "bucket"],
)
def test_wrong_settings_are_told_at_the_start(influx_server: Influx, changes: dict[str, object], words: str) -> None:
    with pytest.raises(StoreRefusedError, match=words) as refusal:
        InfluxStore(address(influx_server, **changes))
    assert "token may read and write" in refusal.value.advice


def test_nobody_there_is_worth_trying_again() -> None:
    nobody = Address(f"http://127.0.0.1:{free_port()}", "spineclip", "token", retries=0, timeout_s=2.0)
    with pytest.raises(StoreBusyError, match="no InfluxDB answers"):
        InfluxStore(nobody)


def test_something_else_there_is_told(mosquitto_server: object, influx_server: Influx) -> None:
    nothing_of_ours = address(influx_server, url=f"{influx_server.url}/ping")
    with pytest.raises(StoreError):
        InfluxStore(nothing_of_ours)


def test_settings_that_go_wrong_later_give_nothing_up(store: InfluxStore, influx_empty: Influx) -> None:
    store.commit("p-1", [activity(0)], b"before")
    influx_empty.admin_query('REVOKE ALL ON "spineclip" FROM "writer"')
    with pytest.raises(StoreBusyError, match="does not let us use"):
        store.commit("p-1", [activity(1)], b"after")
    influx_empty.admin_query('GRANT ALL ON "spineclip" TO "writer"')
    store.commit("p-1", [activity(1)], b"after")
    assert everything(store, "p-1") == [activity(0), activity(1)]


def test_a_read_token_reads_and_cannot_write(store: InfluxStore, influx_empty: Influx) -> None:
    store.commit("p-1", [activity(0)], b"state")
    reader = InfluxReader(address(influx_empty, token=influx_empty.read_token))
    assert reader.points("activity", "p-1", 0, 2 * T0) == [activity(0)]
    assert reader.patients() == ["p-1"]
    reader.close()
    as_writer = InfluxStore(address(influx_empty, token=influx_empty.read_token))
    with pytest.raises(StoreBusyError, match="does not let us use"):
        as_writer.commit("p-1", [activity(1)], None)
    as_writer.close()


def test_a_column_that_a_newer_version_wrote_is_passed_over(store: InfluxStore, influx_empty: Influx) -> None:
    store.commit("p-1", [activity(0)], None)
    link = InfluxLink(address(influx_empty))
    link.write([f'activity,patient=p-1 mood="new" {T0}', "sleep,patient=p-1 depth=1 5"])
    link.close()
    assert everything(store, "p-1") == [activity(0)]


def test_erasing_leaves_no_series_in_any_place_that_the_store_writes_to(
    store: InfluxStore, influx_empty: Influx
) -> None:
    """Whatever is added to the store later and forgotten in `erase` is found here."""
    sample: dict[type, Value] = {str: "x", int: 1, float: 1.5, bool: True}
    for patient in ("p-1", "p-2"):
        points = [
            Point(name, T0, dict.fromkeys(known.tags, "x") | {"patient": patient}, _filled(known, sample))
            for name, known in MEASUREMENTS.items()
        ]
        store.commit(patient, points, b"state")
        store.keep_aside(patient, T0, "schema", b"x")

    def series(patient: str) -> int:
        found = influx_empty.admin_query(f'SHOW SERIES ON "{influx_empty.bucket}" WHERE "patient" = \'{patient}\'')
        return sum(len(one["values"]) for one in found)

    assert series("p-1") == series("p-2") >= len(MEASUREMENTS) + 3
    store.erase("p-1")
    assert series("p-1") == 0
    assert series("p-2") >= len(MEASUREMENTS) + 3


def _filled(known: Measurement, sample: dict[type, Value]) -> dict[str, Value]:
    return {column: sample[field.kind] for column, field in known.fields.items()}


def test_what_is_kept_aside_is_bounded_and_stays_counted(store: InfluxStore, influx_empty: Influx) -> None:
    link = InfluxLink(address(influx_empty))
    link.write([f'aside,patient=p-1 reason="cbor",payload="eA==" {k}' for k in range(1, MAX_ASIDE + 100)])
    link.write([f"aside_count,patient=p-1,reason=cbor n={MAX_ASIDE + 99}i 0"])
    link.close()
    store.keep_aside("p-1", T0, "schema", b"newest")
    assert store.aside("p-1") == {"cbor": MAX_ASIDE + 99, "schema": 1}
    rows = influx_empty.admin_query('SELECT "reason" FROM "spineclip".."aside"')[0]["values"]
    assert len(rows) == MAX_ASIDE
    assert rows[-1][1] == "schema"


def test_a_database_that_restarts_loses_nothing_and_is_found_again(tmp_path: Path) -> None:
    ports = (free_port(), free_port(), free_port())
    with influx(tmp_path, ports=ports) as server:
        store = InfluxStore(address(server))
        store.commit("p-1", [activity(0)], b"first")
    with pytest.raises(StoreBusyError):
        store.commit("p-1", [activity(1)], b"second")
    with influx(tmp_path, ports=ports) as server:
        store.commit("p-1", [activity(1)], b"second")
        assert everything(store, "p-1") == [activity(0), activity(1)]
        assert store.checkpoint("p-1") == b"second"
        # killed this time: what was accepted is in its log
        psutil.Process(server.pid).kill()
    with influx(tmp_path, ports=ports):
        assert everything(store, "p-1") == [activity(0), activity(1)]
        assert store.checkpoint("p-1") == b"second"
        store.close()


def test_a_writer_killed_anywhere_leaves_what_a_resumed_one_makes_whole(influx_empty: Influx) -> None:
    """Points may be ahead of the checkpoint, never behind it; made again, they are the same."""
    here = address(influx_empty)
    program = (
        "import sys, itertools\n"
        "from processing.stores.influx import InfluxStore\n"
        "from processing.stores.influx_link import Address\n"
        "from tests.stores_suite import activity\n"
        "store = InfluxStore(Address(*sys.argv[1:]))\n"
        "first = int(store.checkpoint('p-1') or -1) + 1\n"
        "for k in itertools.count(first):\n"
        "    store.commit('p-1', [activity(k)], str(k).encode())\n"
        "    print(k, flush=True)\n"
    )
    command = [sys.executable, "-c", program, here.url, here.bucket, here.token]
    acknowledged = -1
    for stop in (10, 20, 30):
        child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert child.stdout is not None
        for told in child.stdout:
            acknowledged = int(told)
            if acknowledged >= stop:
                child.send_signal(signal.SIGKILL)
                break
        rest = child.stdout.read().split()
        acknowledged = max([acknowledged, *map(int, rest)])
        child.stdout.close()
        child.wait()
    store = InfluxStore(here)
    state = store.checkpoint("p-1")
    points = everything(store, "p-1")
    store.close()
    assert state is not None
    assert acknowledged <= int(state) <= acknowledged + 1
    assert len(points) in (int(state) + 1, int(state) + 2)
    assert points == [activity(k) for k in range(len(points))]
