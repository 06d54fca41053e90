"""Promise: who builds a wearable describes it in a file, sees at once what spineclip makes of it, and pairs it."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from typer.testing import CliRunner

from collector.wearables import KINDS
from collector.wearables.generic import PRESETS, GenericDecoder
from collector.wearables.profile import parse_profile
from spineclip import settings as files
from spineclip.cli.main import app
from spineclip.contract.errors import SettingsError

# An ESP32 that forwards an MPU6050's fourteen registers as they are, twice a notification, after a count:
# acceleration, temperature, angular rate, big-endian, 8 g over 32768 (the sensor's register map, 4.17 to 4.19).
MPU6050 = """
kind: my-mpu
label: My clip
service: 6e400001-b5a3-f393-e0a9-e50e24dcca9e
data: 6e400003-b5a3-f393-e0a9-e50e24dcca9e
byte_order: big
fields: [{name: counter, type: u16}]
samples: {type: i16, scale: 0.000244140625, skip: 8}
rates: [{hz: 100}]
packet_samples: 2
"""
PACKET = struct.pack(">H7h7h", 300, 0, 4096, -2048, 900, 1, 2, 3, 1024, 4096, 0, 901, 4, 5, 6)


def test_registers_of_an_mpu6050_are_read_as_they_are() -> None:
    (frame,) = GenericDecoder(profile := parse_profile(MPU6050, "mine.yaml")).feed(profile.data, PACKET)
    assert frame.counter == 300
    assert (frame.counts * frame.scale_g).tolist() == [[0.0, 1.0, -0.5], [0.25, 1.0, 0.0]]


def test_a_stream_with_more_than_samples_in_it_is_cut_right() -> None:
    text = MPU6050.replace("byte_order", 'framing: stream\nhead: "a5 5a"\nbyte_order')
    profile = parse_profile(text, "mine.yaml")
    decoder = GenericDecoder(profile)
    stream = (b"\xa5\x5a" + PACKET) * 3
    frames = [frame for at in range(0, len(stream), 7) for frame in decoder.feed(profile.data, stream[at : at + 7])]
    assert [len(frame.counts) for frame in frames] == [2, 2, 2]
    assert not decoder.rejects


def test_the_command_says_what_it_makes_of_a_packet(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(MPU6050)
    done = CliRunner().invoke(app, ["wearables", "--check", str(path), "--packet", PACKET.hex(" ")])
    assert done.exit_code == 0, done.output
    assert "2 samples: 30 bytes" in done.output  # 2 + 2 x 14
    assert "2 samples, counter 300" in done.output
    assert "x +0.000  y +1.000  z -0.500 g, length 1.118 g" in done.output


@pytest.mark.parametrize(
    ("was", "now", "packet", "says"),
    [
        ("byte_order: big", "byte_order: little", PACKET.hex(), "check scale, unit, byte_order"),
        ("0.000244140625", "0.00006103515625", PACKET.hex(), "this is 0.2"),  # 1.06 g a quarter as long
        ("kind", "kind", PACKET[:-1].hex(), "refused: wrong-length (1)"),
        ("u16}", "u16, must_be: 7}", PACKET.hex(), "no sample was read: check"),
    ],
)
def test_what_is_odd_is_said(tmp_path: Path, was: str, now: str, packet: str, says: str) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(MPU6050.replace(was, now, 1))
    done = CliRunner().invoke(app, ["wearables", "--check", str(path), "--packet", packet])
    assert says in done.output


@pytest.mark.parametrize(
    ("was", "now", "line"),
    [
        ("type: u16", "type: u12", 7),
        ("skip: 8", "slip: 8", 8),
        ("{hz: 100}", "{herz: 100}", 9),
        ("label: My clip\n", "", 1),
        ("packet_samples: 2", "packet_samples: two", 10),
    ],
)
def test_an_error_names_the_line(was: str, now: str, line: int) -> None:
    with pytest.raises(SettingsError, match=rf"mine.yaml, line {line}\b"):
        parse_profile(MPU6050.replace(was, now, 1), "mine.yaml")


def test_what_is_no_yaml_is_named_with_its_place_and_the_reader_s_words() -> None:
    with pytest.raises(SettingsError, match=r"mine.yaml, line 2, column 9: .*\(mapping values are not allowed here\)"):
        parse_profile(MPU6050.replace("kind: my-mpu", "kind: my: mpu"), "mine.yaml")


@pytest.mark.parametrize(
    "more", ["framing: stream", 'framing: stream\nhead: "a5 5a"\nfields: [{name: samples, type: u8}]']
)
def test_a_stream_needs_a_head_and_frames_of_one_length(more: str) -> None:
    with pytest.raises(SettingsError, match="needs a 'head', and frames of one length"):
        parse_profile(MPU6050.replace("fields: [{name: counter, type: u16}]", more), "mine.yaml")


def test_one_bit_of_the_flags_may_choose_the_scale() -> None:
    text = MPU6050.replace("type: u16}", "type: u16}, {name: flags, type: u8}")
    profile = parse_profile(text.replace("scale: 0.000244140625", "scales: [0.25, 0.5], mask: 1"), "mine.yaml")
    for flags, x_g in ((0b10, 0.25), (0b11, 0.5)):
        packet = struct.pack(">HB7h", 7, flags, 1, 0, 0, 0, 0, 0, 0)
        (frame,) = GenericDecoder(profile).feed(profile.data, packet)
        assert (frame.counts * frame.scale_g).tolist() == [[x_g, 0.0, 0.0]]


def test_every_preset_passes_its_own_check(tmp_path: Path) -> None:
    for path in PRESETS.glob("*.yaml"):
        done = CliRunner().invoke(app, ["wearables", "--check", str(path)])
        assert done.exit_code == 0, done.output


def test_settings_name_profiles_beside_them(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(MPU6050)
    (tmp_path / "collector.toml").write_text('patient = "p-1"\nprofiles = ["mine.yaml"]\n')
    before = list(KINDS)
    try:
        files.read(tmp_path / "collector.toml")
        assert KINDS[0].kind == "my-mpu"
    finally:
        KINDS[:] = before
