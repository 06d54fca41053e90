"""Promise: no bytes from the air, and no profile, can crash a decoder; what is refused is counted or explained."""

from __future__ import annotations

import contextlib
import json
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.stream import ClipStream
from collector.wearables import KINDS, Wearable, by_kind, uuids
from collector.wearables.generic import PRESETS
from collector.wearables.profile import parse_profile
from spineclip.contract.errors import SettingsError
from spineclip.contract.placement import Placement
from spineclip.contract.wire import Gap, decode, encode

EXAMPLES = max(300, int(os.environ.get("SPINECLIP_FUZZ", "0")) // 100)
"""Of some twenty notifications each; `make fuzz` asks for more."""
NAMES = [kind.kind for kind in KINDS]
# Beginnings that lead deep into each decoder.
HEADS = [
    b"", b"\x55\x61", b"\x55\x71\x64\x00", b"\x02" + bytes(8) + b"\x01", b"\x02" + bytes(8) + b"\x80",
    b"\x02" + bytes(8) + b"\x81" + bytes(6), b"\xf0\x02\x02\x00\x00\x05\x01", b"\x02\x63" + bytes(4), b"\x03\x63",
    b"\x03\x04", b"\x03\x1c", b"\x01\x02\x00\x00", b"spineclip,1,2,", b"spinebat,", b"\n",
]  # fmt: skip
PIECES = st.builds(lambda head, rest: head + rest, st.sampled_from(HEADS), st.binary(max_size=64))
LINES = st.lists(st.integers(-(2**70), 2**70) | st.just("nan"), max_size=12).map(
    lambda numbers: b"spineclip," + ",".join(map(str, numbers)).encode() + b"\n"
)
OBJECTS = st.dictionaries(
    st.sampled_from(["n", "t", "a", "battery", "b"]),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=1), inner, max_size=2),
        max_leaves=8,
    ),
).map(lambda held: json.dumps(held).encode() + b"\n")
NOTIFICATIONS = st.lists(
    st.tuples(st.integers(0, 3), PIECES | LINES | OBJECTS, st.integers(0, 3 * 10**9), st.integers(-(10**13), 10**13)),
    max_size=40,
)


def _characteristic(wearable: Wearable, choice: int) -> str:
    return "elsewhere" if choice == 3 else wearable.notify[choice % len(wearable.notify)]


@settings(max_examples=EXAMPLES)
@given(kind=st.sampled_from(NAMES), notifications=NOTIFICATIONS)
def test_no_bytes_crash_a_decoder(kind: str, notifications: list[tuple[int, bytes, int, int]]) -> None:
    wearable = by_kind(kind)
    decoder = wearable.decoder(wearable.plan(50.0, 8.0))
    for choice, data, _, _ in notifications:
        for frame in decoder.feed(_characteristic(wearable, choice), data):
            assert frame.counts.dtype == np.int16
            assert frame.counts.ndim == 2
            assert frame.counts.shape[1] == 3
            assert 0.0 < frame.scale_g <= 1.0
            assert frame.battery_pct is None or 0 <= frame.battery_pct <= 100
    if any(choice == 3 for choice, *_ in notifications):
        assert decoder.rejects["foreign-characteristic"] == sum(choice == 3 for choice, *_ in notifications)


@pytest.mark.parametrize("kind", ["polar-h10", "movesense", "metamotion", "dot", "microbit", "diy"])
@settings(max_examples=EXAMPLES)
@given(data=st.binary(min_size=1, max_size=80))
def test_a_packet_gives_samples_or_a_reason(kind: str, data: bytes) -> None:
    wearable = by_kind(kind)
    decoder = wearable.decoder(wearable.plan(50.0, 8.0))
    found = decoder.feed(wearable.notify[-1], data)
    waits = kind == "movesense" and data[:2] == b"\x02\x63"
    answers = (kind == "metamotion" and data[1:2] >= b"\x80") or (kind == "movesense" and data[:2] == b"\x01\x63")
    assert bool(found) + sum(decoder.rejects.values()) == 1 or waits or answers


@settings(max_examples=EXAMPLES)
@given(kind=st.sampled_from(NAMES), notifications=NOTIFICATIONS)
def test_whatever_comes_the_records_keep_the_contract(
    kind: str, notifications: list[tuple[int, bytes, int, int]]
) -> None:
    wearable = by_kind(kind)
    stream = ClipStream(f"{kind}-1", Placement.STERNUM, wearable, lambda: 1)
    stream.connected(wearable.plan(50.0, 8.0))
    arrival_ns, records = 10**12, []
    for choice, data, pause_ns, step_ns in notifications:
        arrival_ns += pause_ns
        utc_ns = arrival_ns + 1_700_000_000 * 10**9 + (step_ns if pause_ns % 7 == 0 else 0)
        records += stream.feed(_characteristic(wearable, choice), data, arrival_ns, utc_ns)
    records += stream.disconnected("stopped")
    end_ns = 0
    for seq, record in enumerate(records):
        assert record.seq == seq
        assert (record.start_ns if isinstance(record, Gap) else record.t0_ns) >= end_ns
        end_ns = record.end_ns
        if end_ns < 1 << 62:
            assert encode(decode(encode(record), now_ns=1 << 62)) == encode(record)


PRESET_TEXTS = [path.read_text() for path in sorted(Path(PRESETS).glob("*.yaml"))]


@settings(max_examples=EXAMPLES)
@given(st.data())
def test_no_profile_crashes_the_reader(data: st.DataObject) -> None:
    text = data.draw(st.sampled_from(PRESET_TEXTS) | st.text(max_size=200))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(text)))
        to = min(len(text), at + data.draw(st.integers(0, 12)))
        text = text[:at] + data.draw(st.text(max_size=8)) + text[to:]
    with contextlib.suppress(SettingsError):
        parse_profile(text, "mine.yaml")


@pytest.mark.parametrize(
    ("was", "now", "says"),
    [
        ("kind: diy", "kind: My Clip", "'kind' cannot be 'My Clip'. must be 1 to 20 characters"),
        ("label:", "lable:", "there is no key 'lable' in a profile. Known: kind, label"),
        ("type: u16", "type: u12", "'fields.2.type' cannot be 'u12'"),
        ("service: 5b1c0001", "service: 5b1c001", "must be a full UUID"),
        ('bytes: "01 19 02"', 'bytes: "01 19 0"', "'rates.0.writes.0.bytes' cannot be '01 19 0'. must be hexadecimal"),
        ("time: {tick_ns: 1000, of: first}", "", "a field 'time' needs a section 'time'"),
        ("  mask: 3\n", "", "needs a field 'flags' and 'samples.mask'"),
        ("fields:", "fields: [", "line"),
        ("{hz: 25,", "{hz: 75,", "'rates' must rise"),
    ],
)
def test_a_typo_in_a_profile_is_named_with_its_remedy(was: str, now: str, says: str) -> None:
    text = (PRESETS / "diy.yaml").read_text()
    assert was in text
    with pytest.raises(SettingsError) as caught:
        parse_profile(text.replace(was, now, 1), "mine.yaml")
    assert says in str(caught.value)
    assert "mine.yaml" in str(caught.value)


def test_the_uuids_of_the_presets_are_those_of_the_wearables() -> None:
    expected = {
        "microbit": (uuids.MICROBIT_SERVICE, uuids.MICROBIT_DATA),
        "nicla": (uuids.NICLA_SERVICE, uuids.NICLA_ACCELERATION),
        "infinitime": (uuids.INFINITIME_SERVICE, uuids.INFINITIME_MOTION),
        "diy": (uuids.DIY_SERVICE, uuids.DIY_SAMPLES),
        "diy-text": (uuids.DIY_TEXT_SERVICE, uuids.DIY_TEXT),
    }
    for path in PRESETS.glob("*.yaml"):
        profile = parse_profile(path.read_text(), path.name)
        assert (profile.service, profile.data) == expected.pop(profile.kind)
    assert not expected
