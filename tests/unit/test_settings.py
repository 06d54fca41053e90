"""Promise: a settings file is understood, or the error names the place and the remedy."""

from __future__ import annotations

from pathlib import Path

import pytest

from spineclip import settings
from spineclip.contract.errors import SettingsError
from spineclip.contract.placement import Placement
from spineclip.enrolment import write_bundle

GOOD = """
patient = "p-1"
[broker]
host = "clinic.example"
port = 8883
username = "p-1"
password_file = "password"
[[clips]]
wearable = "witmotion-c0ffee000001"
placement = "sternum"
"""


def _file(folder: Path, text: str) -> Path:
    path = folder / "collector.toml"
    path.write_text(text)
    return path


def test_reads_what_it_says(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("secret\n")
    chosen = settings.read(_file(tmp_path, GOOD)).for_collector(tmp_path)
    assert chosen.broker.password == "secret"
    assert (chosen.broker.host, chosen.broker.port) == ("clinic.example", 8883)
    assert chosen.clips[0].placement is Placement.STERNUM
    assert "secret" not in repr(chosen)


@pytest.mark.parametrize(
    ("was", "now", "says"),
    [
        ("port = 8883", "port = 88830", "'broker.port' cannot be 88830"),
        ("port = 8883", "prot = 8883", "no setting 'broker.prot'. Known here: host, port"),
        ('patient = "p-1"', "", "'patient' is missing"),
        ('patient = "p-1"', 'patient = "Mrs Smith"', "cannot be 'Mrs Smith'. must be 1 to 36 characters"),
        ('placement = "sternum"', 'placement = "nose"', "'clips.0.placement' cannot be 'nose'"),
        ("port = 8883", "port = ", "is not TOML"),
    ],
)
def test_names_place_and_remedy(tmp_path: Path, was: str, now: str, says: str) -> None:
    assert was in GOOD
    with pytest.raises(SettingsError) as caught:
        settings.read(_file(tmp_path, GOOD.replace(was, now)))
    assert says in str(caught.value)
    assert "collector.toml" in str(caught.value)


def test_a_missing_password_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="password, which the settings name, is not there"):
        settings.read(_file(tmp_path, GOOD)).for_collector(tmp_path)


def test_writes_what_it_reads(tmp_path: Path) -> None:
    first = settings.read(_file(tmp_path, GOOD))
    settings.write(tmp_path / "again.toml", first)
    assert settings.read(tmp_path / "again.toml") == first
    assert (tmp_path / "again.toml").stat().st_mode & 0o077 == 0


def test_reads_what_enrolment_hands_out(tmp_path: Path) -> None:
    bundle = write_bundle(tmp_path, "p-2", "word", host="h", port=8883, authority=tmp_path / "none")
    read = settings.read(bundle / "collector.toml")
    assert (read.patient, read.broker.username) == ("p-2", "p-2")
    with pytest.raises(SettingsError, match="no wearable is named"):
        read.for_collector(bundle)
