"""Promise: an authority that cannot be used is told with what to do, and nothing is written over."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from spineclip.certs import CertificateFiles, make
from spineclip.contract.errors import SettingsError

NOW = dt.datetime(2026, 10, 1, tzinfo=dt.UTC)


def _locked() -> bytes:
    return ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"a password"),
    )


@pytest.mark.parametrize("content", [b"", b"no key at all", _locked()], ids=["empty", "no key", "with a password"])
@pytest.mark.parametrize("damaged", ["authority", "authority_key"])
def test_a_damaged_authority_is_told(tmp_path: Path, damaged: str, content: bytes) -> None:
    files = make(tmp_path, ["localhost"], NOW)
    path: Path = getattr(files, damaged)
    path.write_bytes(content)
    server = files.server.read_bytes()
    with pytest.raises(SettingsError, match="cannot be read") as told:
        make(tmp_path, ["localhost"], NOW)
    assert "move them away" in told.value.advice
    assert CertificateFiles.within(tmp_path).server.read_bytes() == server


def test_what_is_no_host_name_is_told(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="host name"):
        make(tmp_path, ["prüfstand.example"], NOW)
