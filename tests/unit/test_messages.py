"""Every message comes back as it was written; what is not one is refused with a reason, never with a crash."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spineclip.contract.config import Calibration, Clip, Goals, Nudging, PatientConfig
from spineclip.contract.errors import SettingsError, WireError
from spineclip.contract.live import Live
from spineclip.contract.messages import (
    MAX_BYTES,
    Ack,
    Buzz,
    Event,
    Resend,
    Stored,
    command_from_json,
    command_to_json,
    dump,
    load,
)
from spineclip.contract.placement import Placement

ids = st.text("abcdefghijklmnopqrstuvwxyz0123456789-", min_size=1, max_size=36)
u32 = st.integers(0, 2**32 - 1)
finite = st.floats(allow_nan=False, allow_infinity=False)
vectors = st.tuples(finite, finite, finite)
hours = st.integers(0, 23)
minutes = st.floats(0, 30)
clips = st.builds(
    Clip,
    st.sampled_from(Placement),
    st.sampled_from([{}, {"y": "down"}, {"x": "up", "z": "forward"}, {"x": "left", "y": "up", "z": "backward"}]),
    st.none()
    | st.builds(
        Calibration,
        st.integers(0, 2**62),
        st.none() | vectors,
        st.dictionaries(st.text(max_size=9), vectors, max_size=2),
    ),
)
configs = st.builds(
    PatientConfig,
    st.sampled_from(["UTC", "Europe/Berlin", "Pacific/Chatham"]),
    st.dictionaries(ids, clips, max_size=3),
    st.lists(st.builds(Goals, st.dates().map(str), minutes, minutes), min_size=1, max_size=3).map(tuple),
    st.builds(Nudging, st.booleans(), minutes, minutes, hours, st.integers(0, 20), hours, hours),
)
READERS: list[Callable[[bytes], object]] = [
    Ack.from_json,
    Event.from_json,
    Live.from_json,
    PatientConfig.from_json,
    command_from_json,
]


@given(st.dictionaries(ids, st.builds(Stored, u32, u32), max_size=4))
def test_an_ack_comes_back(stored: dict[str, Stored]) -> None:
    assert Ack.from_json(Ack(stored).to_json()) == Ack(stored)


@given(st.one_of(st.builds(Resend, ids, u32, u32, u32), st.builds(Buzz, ids, st.text(max_size=20))))
def test_a_command_comes_back(command: Resend | Buzz) -> None:
    assert command_from_json(command_to_json(command)) == command


@given(
    st.sampled_from(["nudge", "gap", "device", "fault"]),
    st.integers(),
    ids | st.just(""),
    st.dictionaries(st.text(max_size=9), st.text(max_size=9) | st.integers() | finite | st.booleans(), max_size=3),
)
def test_an_event_comes_back(kind: str, time_ns: int, device: str, detail: dict[str, str | int | float | bool]) -> None:
    event = Event(kind, time_ns, device, detail)
    assert Event.from_json(event.to_json()) == event


@given(configs)
def test_a_config_comes_back(config: PatientConfig) -> None:
    assert PatientConfig.from_json(config.to_json()) == config


def test_a_live_second_comes_back_and_unknown_angles_stay_unknown() -> None:
    live = Live(5, "sitting", "unknown", 0.5, False, 3, 60.0, 0.0, 12.5, 20.0)
    back = Live.from_json(live.to_json())
    assert back == live
    assert back.flexion_deg is None


def test_keys_that_a_newer_sender_added_are_ignored() -> None:
    live = Live(5, "sitting", "unknown", 0.5, False, 3, 60.0, 0.0, 12.5, 20.0)
    assert Live.from_json(dump(asdict(live) | {"heart_rate": 60})) == live
    assert Ack.from_json(dump({"stored": {"w-1": {"boot": 1, "through_seq": 2, "new": 3}}, "new": 1})).stored == {
        "w-1": Stored(1, 2)
    }
    assert PatientConfig.from_json(dump({"goals": [{"walking_min": 9.0, "new": 1}]})).goals == (Goals(walking_min=9.0),)


@pytest.mark.parametrize(
    "calibration",
    [
        b'{"since_ns":1e999}',
        b'{"since_ns":NaN}',
        b'{"since_ns":0,"neutral":[NaN,0,1]}',
        b'{"since_ns":0,"neutral":[0,0,1e999]}',
        b'{"since_ns":0,"poses":{"slouched":[0,-1e999,1]}}',
        b'{"since_ns":0,"neutral":[0,0,1' + b"0" * 400 + b"]}",
    ],
)
def test_numbers_without_end_are_no_calibration(calibration: bytes) -> None:
    """JSON as Python reads it knows them; the core keeps such a message aside instead of calculating with it."""
    payload = b'{"v":1,"clips":{"clip-1":{"placement":"belt","calibration":' + calibration + b"}}}"
    with pytest.raises(WireError) as refused:
        PatientConfig.from_json(payload)
    assert refused.value.reason == "field"


def test_an_empty_config_is_the_default() -> None:
    assert PatientConfig.from_json(dump({})) == PatientConfig()


def test_a_zone_that_does_not_exist_is_refused_with_advice() -> None:
    with pytest.raises(SettingsError, match="Europe/Berlin"):
        PatientConfig(time_zone="Mars/Olympus")
    with pytest.raises(WireError):
        PatientConfig.from_json(dump({"time_zone": "Mars/Olympus"}))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | finite | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
OUR_KEYS = ["stored", "cmd", "device", "boot", "kind", "time_ns", "detail", "clips", "goals", "nudging", "time_zone"]


@pytest.mark.parametrize("read", READERS)
@given(st.binary(max_size=200) | st.dictionaries(st.sampled_from(OUR_KEYS), json_values).map(dump))
def test_whatever_arrives_is_read_or_refused_with_a_reason(read: Callable[[bytes], object], payload: bytes) -> None:
    try:
        read(payload)
    except WireError as refusal:
        assert refusal.reason in ("size", "json", "schema", "field")


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b" " * (MAX_BYTES + 1), "size"),
        (b"\xff", "json"),
        (b"[" * 100_000, "json"),
        (b"[]", "json"),
        (b"{}", "schema"),
        (json.dumps({"v": 2}).encode(), "schema"),
    ],
)
def test_each_refusal_names_its_reason(payload: bytes, reason: str) -> None:
    with pytest.raises(WireError) as refusal:
        load(payload)
    assert refusal.value.reason == reason


@pytest.mark.parametrize("boot", [-1, 2**32, 1.0, True, "1", None])
def test_a_boot_is_a_32_bit_number(boot: object) -> None:
    with pytest.raises(WireError):
        Ack.from_json(dump({"stored": {"w-1": {"boot": boot, "through_seq": 0}}}))


@pytest.mark.parametrize("axes", [{"w": "up"}, {"x": "skyward"}, {"x": "up", "y": "down"}])
def test_axes_that_no_sensor_has_are_no_config(axes: dict[str, str]) -> None:
    """With them no record of the patient could be processed; the core keeps such a message aside instead."""
    payload = dump({"clips": {"clip-1": {"placement": "belt", "axes": axes}}})
    with pytest.raises(WireError, match="axes"):
        PatientConfig.from_json(payload)


def test_yes_is_no_time() -> None:
    with pytest.raises(WireError):
        Event.from_json(dump({"kind": "device", "time_ns": True, "device": ""}))
