"""What all tests share: the real servers, the labelled recordings, and a word on what is left out."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.servers.influx import Influx, influx
from tests.servers.mosquitto import Broker, mosquitto
from tests.servers.process import PACKAGES, find, need

# Loaded machines make slow examples, not wrong ones; and a change shall not fail for what another one found by luck.
settings.register_profile("spineclip", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", settings.get_profile("spineclip"), derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "spineclip")

# Expected days and hours are those of UTC: a developer's own zone must not change them.
os.environ["TZ"] = "UTC"

_HERE = Path(__file__).resolve().parent
DATA = _HERE.parents[1] / "shared" / "data"
_WITH_CORE = {"browser", "conformance", "fault", "property", "system"}
_PROGRAM_OF = {"influx": ("influxd", "nginx"), "mosquitto": ("mosquitto",), "chromium": ("chromium",)}


def pytest_report_header() -> list[str]:
    """Say before the first test what this machine cannot show."""
    missing = [f"{program} (apt-get install {package})" for program, package in PACKAGES.items() if not find(program)]
    lines = [f"servers: {'left out: ' + ', '.join(missing) if missing else 'all here'}"]
    lines.append(f"recordings: {DATA if DATA.is_dir() else f'left out: none in {DATA}'}")
    return lines


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the modules that take longest, so that no worker is left alone with one at the end."""
    slow = {item.path for item in items if item.get_closest_marker("slow") is not None}
    items.sort(key=lambda item: item.path not in slow)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Have the core compiled before a test waits for it: after an edit that takes minutes, which no test allows for."""
    led_through = any(item.path.relative_to(_HERE).parts[0] in _WITH_CORE for item in session.items)
    if led_through and "processing.clip" in sys.modules and not session.config.option.collectonly:
        from processing.warm_up import warm_up  # noqa: PLC0415 - loads the compiler, which other tests do without

        warm_up()


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Leave out (or, where everything is required, fail) what needs a program or data that are not here."""
    for mark in item.iter_markers("server"):
        for name in mark.args:
            for program in _PROGRAM_OF.get(name, (name,)):
                need(program)
    if item.get_closest_marker("data") is not None and not DATA.is_dir():
        pytest.skip(f"the labelled recordings are not here ({DATA})")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Return the folder of the labelled recordings."""
    if not DATA.is_dir():
        pytest.skip(f"the labelled recordings are not here ({DATA})")
    return DATA


@pytest.fixture(scope="session")
def mosquitto_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """One mosquitto for all tests of this process; each test takes topics or patients of its own."""
    with mosquitto(tmp_path_factory.mktemp("mosquitto")) as broker:
        yield broker


@pytest.fixture(scope="session")
def influx_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Influx]:
    """One InfluxDB for all tests of this process."""
    with influx(tmp_path_factory.mktemp("influx")) as server:
        yield server


@pytest.fixture
def influx_empty(influx_server: Influx) -> Influx:
    """The same InfluxDB with nothing in it."""
    influx_server.clear()
    return influx_server


@pytest.fixture(scope="session")
def chromium() -> str:
    """Return the path of the browser."""
    return need("chromium")
