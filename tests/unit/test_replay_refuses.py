"""Promise: a replay is never mixed with a patient who was set up here, be it only with goals."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from spineclip.cli.main import app
from spineclip.patients import Patients, store_file


@pytest.mark.parametrize("told", [["--patient", "p-1"], [], ["--patient", "p-1", "--store", "same"]])
def test_who_has_settings_only_is_somebody(told: list[str], tmp_path: Path) -> None:
    recording = tmp_path / "P 1.csv"
    recording.write_text("time,x,y,z\n0,0,0,1\n0.02,0,0,1\n")
    patients = Patients(tmp_path)
    agreed = patients.change("p-1", lambda config: config)
    words = [str(store_file(tmp_path)) if word == "same" else word for word in told]
    answer = CliRunner().invoke(
        app, ["replay", str(recording), *words], env={"SPINECLIP_DATA": str(tmp_path), "COLUMNS": "200"}
    )
    assert answer.exit_code == 1
    assert "p-1 is a patient with settings of their own" in answer.output
    assert "--patient" in answer.output
    assert not store_file(tmp_path).exists()
    assert patients.config("p-1") == agreed
