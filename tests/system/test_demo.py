"""Promise: ``spineclip demo`` runs the whole way by itself, says where, ends when asked, and leaves nothing behind."""

from __future__ import annotations

import os
import re
import signal
import socket
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import pytest

from processing.stores.sqlite import SqliteReader
from spineclip.demo_person import PATIENT
from spineclip.demo_practice import PRACTICE
from spineclip.patients import store_file
from tests.running import Command, ask, spineclip

pytestmark = pytest.mark.slow


def _address(command: Command) -> str:
    return command.wait_for(r"http://127\.0\.0\.1:\d+/").group()


def _nothing_left(command: Command, address: str) -> None:
    assert "Traceback" not in command.text
    assert "Warning" not in command.text
    session = command.process.pid
    assert not [one for one in psutil.process_iter() if _session(one) == session], "no process is left behind"
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", urlsplit(address).port or 0)) != 0, "the page's port is free again"


def _session(process: psutil.Process) -> int:

    try:
        return os.getsid(process.pid)
    except OSError:
        return -1


def test_it_ends_by_itself_with_one_line_and_keeps_its_data_where_asked(tmp_path: Path) -> None:
    data = tmp_path / "kept"
    arguments = ["--no-browser", "--port", "0", "--for", "4", "--speed", "60", "--data", str(data)]
    with spineclip("demo", *arguments, data=tmp_path) as command:
        address = _address(command)
        status, page = ask(address)
        assert (status, "My back today" in page) == (200, True)
        assert command.wait() == 0, command.text
        _nothing_left(command, address)
    found = re.fullmatch(
        r"Played (.+) in (\d+) s, \d+ times as fast as life: ([\d,]+) of ([\d,]+) .*", command.said[-1]
    )
    assert found, command.text
    received, sent = (int(number.replace(",", "")) for number in found.groups()[2:])
    assert sent >= received >= sent - 100, "all but the last unfinished batch"
    assert received > 4 * 50, "faster than life"
    reader = SqliteReader(store_file(data))
    days = reader.points("daily", PATIENT, 0, 1 << 62)
    activity = reader.latest("activity", PATIENT)
    weeks = {patient: len(reader.points("daily", patient, 0, 1 << 62)) for patient in reader.patients()}
    reader.close()
    assert weeks == {PATIENT: 57, **dict.fromkeys(PRACTICE, 56)}, "the therapist has others, too"
    assert "Grafana's dashboards: make clinic-demo" in command.text
    assert "not seen" not in command.text, "the wearable is there as soon as it is looked for"
    assert len(days) == 57, "eight weeks and today"
    assert sum(bool(day.fields.get("met_walking")) for day in days) > 10
    assert activity is not None


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_cleanly(number: int, tmp_path: Path) -> None:
    with spineclip("demo", "--no-browser", "--port", "0", data=tmp_path) as command:
        address = _address(command)
        command.wait_for("streaming at 50 Hz")
        folder = Path(re.search(r"The data are in (\S+)", command.text).group(1))  # type: ignore[union-attr]
        assert folder.is_relative_to(tempfile.gettempdir())
        assert command.end(number) == 0, command.text
        _nothing_left(command, address)
    assert command.said[-1].startswith("Played ")
    assert not folder.exists(), "the data go with the demo"


def test_a_signal_in_the_middle_of_starting_ends_it_cleanly(tmp_path: Path) -> None:
    with spineclip("demo", "--no-browser", "--port", "0", data=tmp_path) as command:
        command.wait_for("Writing down")
        assert command.end() == 0, command.text
        assert "Traceback" not in command.text


def test_a_port_in_use_is_told_with_what_to_do(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        with spineclip("demo", "--no-browser", "--port", port, data=tmp_path) as command:
            assert command.wait() == 1
    assert f"cannot listen on port {port}" in command.text
    assert "--port 0" in command.text
    assert "Traceback" not in command.text


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--tz", "Europe/Nowhere"], "no time zone"),
        (["--language", "xx"], "no language 'xx'"),
        (["--speed", "0"], "speed"),
    ],
)
def test_wrong_options_are_told(arguments: list[str], said: str, tmp_path: Path) -> None:
    with spineclip("demo", "--no-browser", *arguments, data=tmp_path) as command:
        assert command.wait() != 0
    assert said in command.text
    assert "Traceback" not in command.text
