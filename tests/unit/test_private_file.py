"""Promise: what is secret, or known of a patient, is its owner's alone, and never half written."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from spineclip.contract.config import Clip, PatientConfig
from spineclip.contract.placement import Placement
from spineclip.enrolment import Passwords
from spineclip.patients import Patients
from spineclip.private_file import write_private


def test_only_its_owner_can_open_it_whatever_new_files_are_like(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        write_private(tmp_path / "token", b"secret")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "token").stat().st_mode) == 0o600


def test_an_older_file_that_others_could_read_is_closed_to_them(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_bytes(b"old")
    file.chmod(0o644)
    write_private(file, b"new")
    assert file.read_bytes() == b"new"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_whoever_reads_meanwhile_reads_the_old_one_to_its_end(tmp_path: Path) -> None:
    file = tmp_path / "settings"
    file.write_bytes(b"old settings")
    with file.open("rb") as reader:
        assert reader.read(4) == b"old "
        write_private(file, b"something else")
        assert reader.read() == b"settings"


def test_what_cannot_be_written_leaves_nothing_behind(tmp_path: Path) -> None:
    taken = tmp_path / "token"
    taken.mkdir()
    (taken / "inside").touch()
    with pytest.raises(OSError, match="token"):
        write_private(taken, b"secret")
    assert list(tmp_path.iterdir()) == [taken]


MANY = 40


def _all_at_once(work: Callable[[int], object]) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(MANY)))


def test_of_many_who_change_a_patients_settings_at_once_none_undoes_anothers(tmp_path: Path) -> None:
    def wear_one_more(k: int) -> None:
        def change(config: PatientConfig) -> PatientConfig:
            return replace(config, clips={**config.clips, f"clip-{k}": Clip(Placement.BELT)})

        Patients(tmp_path).change("p-1", change)

    _all_at_once(wear_one_more)
    assert set(Patients(tmp_path).config("p-1").clips) == {f"clip-{k}" for k in range(MANY)}


def test_of_many_who_are_admitted_at_once_none_is_forgotten(tmp_path: Path) -> None:
    _all_at_once(lambda k: Passwords(tmp_path / "passwords").admit(f"p-{k}"))
    assert len(Passwords(tmp_path / "passwords").users()) == MANY
