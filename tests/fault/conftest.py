"""The fault matrix: each test's docstring says what is done and what is promised; here the table is made of them.

A docstring reads ``F1: what is done. Promise: what must hold.`` With ``SPINECLIP_FAULTS=full`` (``make faults``) the
tests take their full counts and the table is printed at the end (``table``: reduced counts and the table).
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.servers.mosquitto import Broker, mosquitto

LONG_FUZZ = "SPINECLIP_FUZZ" in os.environ  # a mark counts for more than the limit that make fuzz gives
FULL = os.environ.get("SPINECLIP_FAULTS") == "full"
_HERE = Path(__file__).parent
_SHAPE = re.compile(r"\s*(F\d+): (.*?)\s*Promise: (.*)\s*", re.DOTALL)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(_HERE) and isinstance(item, pytest.Function):
            item.add_marker(pytest.mark.timeout(3600 if LONG_FUZZ else 900 if FULL else 180))
            told = _SHAPE.fullmatch(item.obj.__doc__ or "")
            if told is not None:
                row = "|".join(" ".join(part.split()) for part in told.groups())
                item.user_properties.append(("fault", row))


@pytest.fixture
def figure(record_property: Callable[[str, object], None]) -> Callable[[str], None]:
    """Note what was measured; it stands in the table."""
    return lambda text: record_property("figure", text)


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    """A mosquitto that knows nothing of other tests' patients."""
    folder = tmp_path / "broker"
    folder.mkdir()
    with mosquitto(folder) as running:
        yield running


@pytest.fixture
def full() -> bool:
    """Whether the full counts of the matrix are wanted."""
    return FULL


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if "SPINECLIP_FAULTS" not in os.environ:
        return
    rows: dict[str, list[str]] = {}
    for outcome, word in (("passed", "held"), ("failed", "NOT HELD"), ("error", "NOT HELD"), ("skipped", "left out")):
        for report in terminalreporter.stats.get(outcome, []):
            known = dict(getattr(report, "user_properties", ()))
            if "fault" in known and (report.when == "call" or outcome in ("error", "skipped")):
                number, done, promise = known["fault"].split("|")
                rows[report.nodeid] = [number, done, promise, str(known.get("figure", "-")), word]
    terminalreporter.section("the fault matrix")
    terminalreporter.line("| id | what was done | promise | figure | held |")
    terminalreporter.line("|---|---|---|---|---|")
    for row in sorted(rows.values(), key=lambda row: (int(row[0][1:]), row[1])):
        terminalreporter.line("| " + " | ".join(row) + " |")
