"""Promise: the bus reads and writes D-Bus messages as the specification lays them out."""

from __future__ import annotations

import pytest
from dbus_fast import Message, MessageType, Variant
from hypothesis import given
from hypothesis import strategies as st

from firmware_sim.frames import FrameError, ValueSignal, message_size, pack, stamp, unpack
from firmware_sim.rules import Rule, RuleError

# The header of a method call with an empty body, byte by byte after the specification's "Message Format":
# little-endian, method call, no flags, version 1, body 0, serial 7, then an array of fields of 13 bytes
# (path "/a": code 1, signature "o", length 2, "/a", nul), padded to 8.
_HAND_MADE = bytes.fromhex("6c 01 00 01 00000000 07000000 0b000000 01 01 6f 00 02000000 2f6100 0000000000")


def test_the_size_of_a_message_is_known_from_its_first_16_bytes() -> None:
    assert message_size(_HAND_MADE[:15]) is None
    assert message_size(_HAND_MADE[:16]) == len(_HAND_MADE) == 32


def test_big_endian_messages_are_cut_too() -> None:
    header = bytes.fromhex("42 01 00 01 00000005 00000007 0000000b")
    assert message_size(header) == 16 + 16 + 5


@pytest.mark.parametrize("start", [b"\x00" * 16, b"GET / HTTP/1.1\r\n", b"l\x01\x00\x01" + b"\xff" * 12])
def test_what_is_no_message_is_refused(start: bytes) -> None:
    with pytest.raises(FrameError):
        message_size(start)


@given(st.binary(min_size=16, max_size=200))
def test_damaged_messages_raise_only_frame_errors(noise: bytes) -> None:
    try:
        message = unpack(b"l\x01\x00\x01" + noise)
    except FrameError:
        return
    assert isinstance(message, Message)


@given(st.binary(max_size=300), st.integers(1, 2**32 - 1))
def test_a_value_signal_carries_any_value(value: bytes, serial: int) -> None:
    signal = ValueSignal("/org/bluez/hci0/dev_1/service000a/char000b", "org.bluez.GattCharacteristic1")
    for _ in range(2):
        frame = signal.fill(value)
        stamp(frame, serial)
        message = unpack(frame)
        assert message_size(frame) == len(frame)
        assert message.message_type is MessageType.SIGNAL
        assert (message.serial, message.member) == (serial, "PropertiesChanged")
        assert message.body == ["org.bluez.GattCharacteristic1", {"Value": Variant("ay", value)}, []]


def test_pack_and_unpack_are_inverse() -> None:
    message = Message(
        destination="org.bluez", path="/", interface="a.b", member="C", signature="sa{sv}", body=["x", {}], serial=9
    )
    again = unpack(pack(message))
    assert (again.destination, again.path, again.body, again.serial) == ("org.bluez", "/", ["x", {}], 9)


BLEAK = "type=signal,interface=org.freedesktop.DBus.Properties,member=PropertiesChanged,path_namespace=/org/bluez"
PROPERTIES = {"interface": "org.freedesktop.DBus.Properties", "member": "PropertiesChanged"}


@pytest.mark.parametrize(
    ("text", "path", "wanted"),
    [
        (BLEAK, "/org/bluez/hci0", True),
        (BLEAK, "/org/bluez", True),
        (BLEAK, "/org/bluezoo", False),
        (BLEAK.replace("=Prop", "=Other"), "/org/bluez", False),
        ("type='signal',member='PropertiesChanged'", "/anything", True),
        ("", "/anything", True),
        ("type=method_call", "/org/bluez", False),
        ("path='/org/bluez',arg0='org.bluez.Device1'", "/org/bluez", True),
        ("arg0=org.bluez.Adapter1", "/org/bluez", False),
        ("arg1=x", "/org/bluez", False),
        ("arg0namespace=org.bluez", "/org/bluez", True),
        ("destination=:1.7", "/org/bluez", False),
        ("sender=org.bluez", "/org/bluez", True),
    ],
)
def test_match_rules(text: str, path: str, *, wanted: bool) -> None:
    assert Rule.parse(text).wants(path=path, args=("org.bluez.Device1",), **PROPERTIES) is wanted


def test_argument_paths_match_below_a_slash() -> None:
    rule = Rule.parse("member=InterfacesAdded,arg0path=/org/bluez/")
    about = {"path": "/", "interface": "x.y", "member": "InterfacesAdded"}
    assert rule.wants(args=("/org/bluez/hci0",), **about)
    assert not rule.wants(args=("/org/other",), **about)


@pytest.mark.parametrize("text", ["nonsense", "colour=red", "type='signal", "=x"])
def test_rules_that_cannot_be_read_say_so(text: str) -> None:
    with pytest.raises(RuleError):
        Rule.parse(text)
