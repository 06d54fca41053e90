"""Promise: a file that a command is told of and that is not there is named, rather than blamed on the network."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from processing.stores.sqlite import SqliteStore
from spineclip.cli.main import app
from spineclip.patients import store_file


@pytest.mark.parametrize("words", [["core"], ["page", "p-1"], ["erase", "p-1", "--yes"]], ids=["core", "page", "erase"])
def test_a_missing_authority_is_named(tmp_path: Path, words: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPINECLIP_DATA", str(tmp_path))
    SqliteStore(store_file(tmp_path)).close()
    missing = tmp_path / "no.crt"
    answer = CliRunner().invoke(app, [*words, "--host", "127.0.0.1", "--ca", str(missing)])
    assert answer.exit_code == 1
    assert str(missing) in answer.output.replace("\n", "")
    assert "--ca" in answer.output
    assert answer.exception is None or isinstance(answer.exception, SystemExit)
