"""Promise: a recording of one sample, or a place where nothing can be written, is told and no accident."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from spineclip.cli.main import app


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    file = tmp_path / "one.csv"
    file.write_text("time,x,y,z\n2026-03-01T08:00:00Z,0,0,1\n")
    return file


def test_one_sample_cannot_be_played(recording: Path, tmp_path: Path) -> None:
    answer = CliRunner().invoke(app, ["replay", str(recording), "--store", str(tmp_path / "metrics.sqlite")])
    assert answer.exit_code == 1
    assert "one has one sample" in answer.output


def test_a_picture_that_cannot_be_written_is_told(recording: Path, tmp_path: Path) -> None:
    answer = CliRunner().invoke(app, ["plot", str(recording), "--out", str(tmp_path / "nowhere" / "one.png")])
    assert answer.exit_code == 1
    assert "cannot be written" in answer.output
    assert "--out" in answer.output
