"""Promise: the list of commands is there at once, and says of each what it says itself."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

import spineclip.cli
from processing.stores.sqlite import SqliteStore
from spineclip.cli.main import COMMANDS, app, load
from spineclip.patients import store_file

HEAVY = ("numpy", "scipy", "pyarrow", "nicegui", "matplotlib", "influxdb_client", "bleak", "requests", "cbor2", "paho")


@pytest.mark.parametrize("name", COMMANDS)
def test_the_list_says_what_the_command_says(name: str) -> None:
    command = load(name)
    said = " ".join((command.help or "").split())
    assert said.startswith(COMMANDS[name])
    assert CliRunner().invoke(app, [name, "--help"]).exit_code == 0


def test_every_file_of_a_command_is_in_the_list() -> None:
    folder = Path(spineclip.cli.__file__).parent
    assert {path.stem for path in folder.glob("*.py")} - {"__init__", "main", "options", "recording_options"} == set(
        COMMANDS
    )


def test_help_loads_no_stage() -> None:
    script = (
        "import sys\nfrom spineclip.cli.main import app\n"
        "try:\n    app(['--help'])\nexcept SystemExit as end:\n    assert not end.code\n"
        f"print('loaded', [name for name in {HEAVY!r} if name in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)
    assert run.stdout.rstrip().endswith("loaded []")
    assert all(name in run.stdout for name in COMMANDS)


def test_a_command_that_is_not_there_is_told_with_the_nearest() -> None:
    run = CliRunner().invoke(app, ["analyse"])
    assert run.exit_code == 2
    assert "analyze" in run.output


@pytest.mark.parametrize(
    "line",
    [
        ["enroll", "p-1", "--dir", "{file}/secrets"],
        ["certs", "--host", "here", "--dir", "{file}/secrets"],
        ["clinic", "secrets", "--house", "{file}"],
        ["therapist", "--data", "{data}", "--key-file", "{file}/key"],
    ],
    ids=lambda line: line[0],
)
def test_a_place_that_cannot_be_written_is_one_sentence(line: list[str], tmp_path: Path) -> None:
    file = tmp_path / "a-file"
    file.touch()
    SqliteStore(store_file(tmp_path)).close()
    result = CliRunner().invoke(app, [part.format(file=file, data=tmp_path) for part in line])
    assert result.exit_code == 1, result.output
    assert isinstance(result.exception, SystemExit)
    assert str(file) in result.output
    assert len(result.output.strip().splitlines()) == 1


@pytest.mark.parametrize("only", ["posture", "trunk"])
def test_training_says_what_it_lacks(only: str, tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["train", str(tmp_path), "--only", only])
    assert result.exit_code == 1
    assert "should hold" in result.output or "Give a folder" in result.output


def test_training_of_what_there_is_not_is_refused(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["train", str(tmp_path), "--only", "arms"])
    assert result.exit_code == 2
