"""Promise: what runs tells over HTTP how it is, the broker of the embedded default with the stages that it serves."""

from __future__ import annotations

import json
import re
import urllib.request
from pathlib import Path
from typing import Any

from processing.stores.sqlite import SqliteStore
from spineclip.patients import store_file
from tests.running import Command, spineclip


def _health(command: Command) -> dict[str, Any]:
    found = re.search(r"Health: (http://127\.0\.0\.1:\d+/healthz)", command.text)
    assert found is not None
    address = found.group(1)
    with urllib.request.urlopen(address, timeout=20) as answer:
        assert answer.status == 200
        numbers: dict[str, Any] = json.loads(answer.read())
    return numbers


def test_the_demo_tells_of_broker_collector_and_core(tmp_path: Path) -> None:
    with spineclip("demo", "--no-browser", "--port", "0", "--health", "0", data=tmp_path) as command:
        command.wait_for("streaming at 50 Hz")
        numbers = _health(command)
        assert command.end() == 0, command.text
    stages = {stage["stage"]: stage for stage in numbers["stages"]}
    assert set(stages) == {"broker", "collector", "core"}
    assert all(stage["ok"] for stage in stages.values())
    assert stages["broker"]["connections"] >= 3, "collector, core and the ear of the page"
    assert stages["collector"]["streaming"] == 1


def test_the_page_tells_whether_its_store_answers(tmp_path: Path) -> None:
    SqliteStore(store_file(tmp_path)).close()
    with spineclip("page", "p-1", "--no-browser", "--port", "0", "--health", "0", data=tmp_path) as command:
        command.wait_for("The page of p-1")
        numbers = _health(command)
        assert command.end() == 0, command.text
    assert (numbers["stage"], numbers["ok"], numbers["store"], numbers["connected"]) == ("page", True, True, None)
