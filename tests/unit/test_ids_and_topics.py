"""Ids are safe as MQTT level, database tag and file name; topics lead back to patient and channel."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spineclip.contract.errors import SettingsError, WireError
from spineclip.contract.ids import check_id, is_id, new_patient_id, wearable_id
from spineclip.contract.topics import Channel, everyone, parse, topic

ids = st.text("abcdefghijklmnopqrstuvwxyz0123456789-", min_size=1, max_size=36)


@given(st.one_of(st.text(max_size=50), st.none(), st.integers(), st.binary(max_size=5)))
def test_an_id_holds_nothing_that_means_something_elsewhere(value: object) -> None:
    if is_id(value):
        assert isinstance(value, str)
        assert 1 <= len(value) <= 36
        assert not set(value) & set("+#/\\. ,=\"'$*\0\n")
        assert value == value.lower()


@pytest.mark.parametrize("value", ["", "a" * 37, "A", "a b", "a/b", "+", "#", "a\n", "é", "..", "\u0661"])
def test_what_is_not_an_id_is_refused_with_the_rule(value: str) -> None:
    assert not is_id(value)
    with pytest.raises(SettingsError, match=r"patient id.*1 to 36 characters") as refusal:
        check_id(value, "patient")
    assert refusal.value.advice


def test_patient_ids_are_random_pseudonyms() -> None:
    made = {new_patient_id() for _ in range(200)}
    assert len(made) == 200
    assert all(re.fullmatch(r"p-[0-9a-f]{10}", one) and is_id(one) for one in made)


def test_a_wearables_id_is_the_same_however_its_address_is_written() -> None:
    assert wearable_id("witmotion", "C0:FF:EE:00:00:01") == "witmotion-c0ffee000001"
    assert wearable_id("witmotion", "c0-ff-ee-00-00-01") == "witmotion-c0ffee000001"
    # macOS gives a UUID in the place of the address: its last twelve digits
    assert wearable_id("puck", "12345678-9ABC-DEF0-1234-56789ABCDEF0") == "puck-56789abcdef0"


@given(ids, st.sampled_from(Channel))
def test_a_topic_leads_back_to_patient_and_channel(patient: str, channel: Channel) -> None:
    name = topic(patient, channel)
    assert parse(name) == (patient, channel)
    # the pattern of everyone differs from it in the patient's level alone
    assert [level for level in everyone(channel).split("/") if level != "+"] == [
        level for at, level in enumerate(name.split("/")) if at != 2
    ]


@given(st.text(max_size=60))
def test_foreign_topics_are_refused_with_a_reason(name: str) -> None:
    try:
        patient, channel = parse(name)
    except WireError as refusal:
        assert refusal.reason == "topic"
    else:
        assert topic(patient, channel) == name


@pytest.mark.parametrize(
    "name",
    [
        "",
        "spineclip/v1/p-1",
        "spineclip/v2/p-1/ack",
        "spineclip/v1/+/ack",
        "spineclip/v1/p-1/ack/x",
        "/spineclip/v1/p/ack",
    ],
)
def test_near_misses_are_not_topics(name: str) -> None:
    with pytest.raises(WireError):
        parse(name)
