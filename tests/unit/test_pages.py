"""What is written beside the code is true of the code: links lead somewhere, commands exist, tables are current."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from typer.main import get_command

from spineclip.cli.main import app
from spineclip.metrics_page import metrics_page

HOUSE = Path(__file__).resolve().parents[2]
PAGES = sorted([*HOUSE.glob("*.md"), *(HOUSE / "docs").glob("*.md")])
each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)


def _prose(page: Path) -> str:
    return re.sub(r"```.*?```|`[^`\n]*`", "", page.read_text(encoding="utf-8"), flags=re.S)


@each_page
def test_links_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)\s#]+)", _prose(page))
    missing = [link for link in links if "://" not in link and not (page.parent / link).exists()]
    assert not missing


@each_page
def test_make_targets_that_are_named_exist(page: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (HOUSE / "Makefile").read_text(), re.M))
    text = page.read_text(encoding="utf-8")
    named = set(re.findall(r"(?:`|^    )make ([a-z-]+)", text, re.M))
    assert named <= targets


@each_page
def test_commands_that_are_named_exist(page: Path) -> None:
    commands = set(get_command(app).commands)  # type: ignore[attr-defined]
    named = set(re.findall(r"(?:`|^    )spineclip ([a-z]+)", page.read_text(encoding="utf-8"), re.M))
    assert named <= commands


def test_every_page_is_in_the_index() -> None:
    index = (HOUSE / "docs" / "README.md").read_text(encoding="utf-8")
    assert [page.name for page in PAGES if page.parent.name == "docs" and f"({page.name})" not in index] == [
        "README.md"
    ]


def test_the_page_of_metrics_is_current() -> None:
    """After a change of the table: make docs."""
    assert (HOUSE / "docs" / "metrics.md").read_text(encoding="utf-8") == metrics_page()


def test_the_lock_names_no_host_and_pins_everything_by_hash() -> None:
    for name in ("requirements.txt", "requirements-dev.txt"):
        text = (HOUSE / name).read_text()
        assert "://" not in text
        assert "index-url" not in text
        for block in re.split(r"\n(?=\S)", text.strip()):
            assert re.match(r"[a-z0-9._-]+==\S+", block), block.splitlines()[0]
            assert "--hash=sha256:" in block
    lock = (HOUSE / "tests" / "dashboards" / "package-lock.json").read_text()
    assert '"resolved"' not in lock
    assert '"integrity"' in lock


def test_what_is_declared_is_locked() -> None:
    declared = re.findall(r'^    "([A-Za-z0-9_.-]+)[><=\[]', (HOUSE / "pyproject.toml").read_text(), re.M)
    locked = set(re.findall(r"^([a-z0-9._-]+)==", (HOUSE / "requirements-dev.txt").read_text(), re.M))
    assert {name.lower().replace("_", "-") for name in declared} <= locked


def test_the_scripts_are_right_in_form() -> None:
    for script in [*(HOUSE / "scripts").iterdir(), HOUSE / ".ci" / "run"]:
        subprocess.run(["bash", "-n", str(script)], check=True)
        assert script.stat().st_mode & 0o111, f"{script} cannot be run"
