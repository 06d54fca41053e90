"""Records on the wire: the same bytes for the same record, the same record for the same bytes, and no crash ever."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import cbor2
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from spineclip.contract.errors import WireError
from spineclip.contract.placement import Placement
from spineclip.contract.wire import (
    EARLIEST_NS,
    MAX_DT_NS,
    MAX_RECORD_BYTES,
    MAX_SAMPLES,
    Gap,
    Record,
    SampleBatch,
    decode,
    encode,
)

NOW_NS = 1_790_000_000 * 10**9
DAY_NS = 86_400 * 10**9
REASONS = {"size", "cbor", "schema", "field", "absurd-time", "absurd-value"}

ids = st.text("abcdefghijklmnopqrstuvwxyz0123456789-", min_size=1, max_size=36)
u32 = st.integers(0, 2**32 - 1)
times = st.integers(EARLIEST_NS, NOW_NS + DAY_NS)
batches = st.builds(
    SampleBatch,
    device=ids,
    placement=st.sampled_from(Placement),
    boot=u32,
    seq=u32,
    t0_ns=times,
    dt_ns=st.integers(1, 10**9),
    scale_g=st.floats(1e-6, 64.0 / 32768),
    xyz=st.integers(1, 40).flatmap(lambda n: arrays(np.int16, (n, 3))),
    clock_error_ns=st.none() | st.integers(0, 10**12),
    battery_pct=st.none() | st.integers(0, 100),
    rssi_dbm=st.none() | st.integers(-128, 127),
)
gaps = st.tuples(times, times, u32, u32).flatmap(
    lambda ends: st.builds(
        Gap, ids, st.sampled_from(Placement), u32, st.just(max(ends[2:])), st.just(min(ends[:2])),
        st.just(max(ends[:2])), st.text(max_size=64), st.none() | st.just(min(ends[2:])),
    )
)  # fmt: skip


def _same(a: Record, b: Record) -> bool:
    if isinstance(a, SampleBatch) and isinstance(b, SampleBatch):
        nothing = np.zeros((1, 3), dtype=np.int16)
        return bool(np.array_equal(a.xyz, b.xyz)) and repr(replace(a, xyz=nothing)) == repr(replace(b, xyz=nothing))
    return a == b


@given(batches | gaps)
def test_a_record_comes_back_and_is_the_same_bytes_again(record: Record) -> None:
    payload = encode(record)
    back = decode(payload, now_ns=NOW_NS)
    assert _same(back, record)
    assert encode(back) == payload


def test_the_layout_is_the_documented_one() -> None:
    """RFC 8949 and RFC 8746 by hand: a map, and in it tag 77 (sint16, little endian) around the counts."""
    batch = SampleBatch("w-1", Placement.BELT, 1, 2, NOW_NS, 20_000_000, 0.5, np.array([[1, -2, 256]], dtype=np.int16))
    payload = encode(batch)
    assert b"\x63xyz" + bytes([0xD8, 77, 0x46]) + b"\x01\x00\xfe\xff\x00\x01" in payload
    fields = cbor2.loads(payload)
    assert {key: fields[key] for key in ("v", "kind", "device", "placement", "boot", "seq", "dt_ns", "n", "scale")} == {
        "v": 1, "kind": "samples", "device": "w-1", "placement": "belt", "boot": 1, "seq": 2, "dt_ns": 20_000_000,
        "n": 1, "scale": 0.5,
    }  # fmt: skip
    assert "battery" not in fields


def test_times_and_units_of_a_batch() -> None:
    batch = SampleBatch("w-1", Placement.BELT, 1, 2, 100, 20, 0.5, np.array([[2, 0, 0], [0, 4, 0]], dtype=np.int16))
    assert batch.times_ns().tolist() == [100, 120]
    assert (batch.n, batch.end_ns) == (2, 140)
    assert batch.xyz_g().tolist() == [[1.0, 0.0, 0.0], [0.0, 2.0, 0.0]]


def _gap(**changes: Any) -> bytes:
    known = cbor2.loads(encode(Gap("w-1", Placement.BELT, 1, 2, NOW_NS, NOW_NS, "lost", from_seq=2)))
    return cbor2.dumps(known | changes)


def _fields(**changes: Any) -> bytes:
    known = cbor2.loads(
        encode(SampleBatch("w-1", Placement.BELT, 1, 2, NOW_NS, 20_000_000, 0.5, np.ones((2, 3), dtype=np.int16)))
    )
    return cbor2.dumps({key: value for key, value in (known | changes).items() if value is not ...})


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"\0" * (MAX_RECORD_BYTES + 1), "size"),
        (b"", "cbor"),
        (b"hello", "cbor"),
        (cbor2.dumps([1]), "cbor"),
        (_fields() + b"\0", "cbor"),
        (_fields()[:-1], "cbor"),
        (_fields(v=2), "schema"),
        (_fields(v=...), "schema"),
        (_fields(v=True), "schema"),
        (_fields(kind="song"), "field"),
        (_fields(device="A/B"), "field"),
        (_fields(placement="ankle"), "field"),
        (_fields(boot=-1), "field"),
        (_fields(seq=2**32), "field"),
        (_fields(n=3), "field"),
        (_fields(n=0), "field"),
        (_fields(dt_ns=0), "field"),
        (_fields(scale=1), "field"),
        (_fields(scale=float("nan")), "field"),
        (_fields(xyz=b"\0" * 12), "field"),
        (_fields(battery=101), "field"),
        (_fields(t0_ns=0), "absurd-time"),
        (_fields(t0_ns=NOW_NS + DAY_NS + 1), "absurd-time"),
        (_fields(xyz=cbor2.CBORTag(77, np.full((2, 3), 129, "<i2").tobytes())), "absurd-value"),
        (_fields(xyz=cbor2.CBORTag(77, np.full((2, 3), -129, "<i2").tobytes())), "absurd-value"),
        (_fields(xyz=cbor2.CBORTag(78, bytes(12))), "field"),
        (_fields(n=MAX_SAMPLES + 1, xyz=cbor2.CBORTag(77, bytes(6 * (MAX_SAMPLES + 1)))), "field"),
        (_fields(dt_ns=MAX_DT_NS + 1), "field"),
        (_fields(scale=0.0), "field"),
        (_fields(scale=1.0), "field"),
        (_fields(battery=-1), "field"),
        (_fields(rssi=128), "field"),
        (_fields(rssi=-129), "field"),
        (_fields(clock_error_ns=-1), "field"),
        (_fields(t0_ns=EARLIEST_NS - 1), "absurd-time"),
        (_gap(start_ns=NOW_NS + 1), "field"),
        (_gap(reason="a" * 65), "field"),
        (_gap(from_seq=3), "field"),
        (_gap(from_seq=-1), "field"),
        (_gap(end_ns=NOW_NS + DAY_NS + 1), "absurd-time"),
    ],
)
def test_each_refusal_names_its_reason(payload: bytes, reason: str) -> None:
    with pytest.raises(WireError) as refusal:
        decode(payload, now_ns=NOW_NS)
    assert refusal.value.reason == reason


def test_the_bound_of_64_g_itself_is_still_read() -> None:
    """128 counts of 0.5 g, on either side."""
    for count in (128, -128):
        at_bound = _fields(scale=0.5, xyz=cbor2.CBORTag(77, np.full((2, 3), count, "<i2").tobytes()))
        assert isinstance(decode(at_bound, now_ns=NOW_NS), SampleBatch)


@pytest.mark.parametrize(
    "payload",
    [
        _fields(n=MAX_SAMPLES, xyz=cbor2.CBORTag(77, bytes(6 * MAX_SAMPLES))),
        _fields(dt_ns=MAX_DT_NS),
        _fields(boot=2**32 - 1, seq=2**32 - 1),
        _fields(clock_error_ns=0, battery=100, rssi=127),
        _fields(battery=0, rssi=-128),
        _fields(t0_ns=EARLIEST_NS),
        _fields(t0_ns=NOW_NS + DAY_NS),
        _gap(),
        _gap(from_seq=0, reason="a" * 64),
    ],
    ids=["samples", "spacing", "numbers", "most", "least", "earliest", "latest", "one-record-of-no-time", "all"],
)
def test_the_bounds_themselves_are_still_read(payload: bytes) -> None:
    assert encode(decode(payload, now_ns=NOW_NS)) == payload


def _read_or_refuse(payload: bytes) -> None:
    try:
        decode(payload, now_ns=NOW_NS)
    except WireError as refusal:
        assert refusal.reason in REASONS


@settings(max_examples=500)
@given(st.binary(max_size=300))
@example(b"\xbf" * 5000)
@example(b"\x81" * 5000)
@example(b"\xc0" * 5000)
@example(bytes([0xBB]) + b"\xff" * 8)
@example(bytes([0x5B]) + b"\xff" * 8)
def test_no_bytes_can_crash_the_reader(payload: bytes) -> None:
    _read_or_refuse(payload)


@settings(max_examples=300)
@given(batches | gaps, st.data())
def test_no_damage_to_a_true_record_can_crash_the_reader(record: Record, data: st.DataObject) -> None:
    payload = bytearray(encode(record))
    for _ in range(data.draw(st.integers(1, 4))):
        payload[data.draw(st.integers(0, len(payload) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(payload)))
    _read_or_refuse(bytes(payload))
    _read_or_refuse(bytes(payload[:cut]))


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | st.text(max_size=8)
    | st.binary(max_size=24),
    lambda inner: st.lists(inner, max_size=3) | st.builds(cbor2.CBORTag, st.sampled_from([24, 64, 77, 258]), inner),
    max_leaves=5,
)


@settings(max_examples=300)
@given(st.dictionaries(st.sampled_from([*sorted(cbor2.loads(_fields())), "start_ns", "end_ns", "reason"]), values))
def test_no_value_under_a_known_key_can_crash_the_reader(changes: dict[str, Any]) -> None:
    known = cbor2.loads(_fields())
    for kind in ("samples", "gap"):
        try:
            payload = cbor2.dumps(known | {"kind": kind} | changes)
        except ValueError:  # a tag around something that cannot stand there
            continue
        _read_or_refuse(payload)
