"""Promise: dependencies point one way, as the map of the house says."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

HOUSE = Path(__file__).parents[2]

ALLOWED = {
    "spineclip/contract": {"spineclip.contract"},
    "collector": {"collector", "spineclip.contract"},
    "processing": {"processing", "spineclip.contract"},
    "dashboards": {"dashboards", "processing.metrics", "processing.epochs", "processing.stores", "spineclip.contract"},
    "firmware_sim": {"firmware_sim", "collector.wearables.uuids", "spineclip.contract"},
    "spineclip": {"spineclip", "collector", "processing", "dashboards", "firmware_sim"},
}
OURS = ("spineclip", "collector", "processing", "dashboards", "firmware_sim")


def _parse(path: Path) -> ast.Module:
    source = path.read_text()
    try:
        return ast.parse(source)
    except SystemError:  # "AST constructor recursion depth mismatch": CPython before 3.11.8, and gone at the next call
        return ast.parse(source)


def _imports(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(_parse(path)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            assert node.module is not None
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return {name for name in found if name.split(".")[0] in OURS}


def _room(path: Path) -> str:
    name = path.relative_to(HOUSE).as_posix()
    return "spineclip/contract" if name.startswith("spineclip/contract/") else name.split("/")[0]


def _files() -> list[Path]:
    return sorted(path for room in OURS for path in (HOUSE / room).rglob("*.py"))


def _within(name: str, allowed: set[str]) -> bool:
    return any(name == one or name.startswith(f"{one}.") or one.startswith(f"{name}.") for one in allowed)


@pytest.mark.parametrize("path", _files(), ids=lambda path: path.relative_to(HOUSE).as_posix())
def test_imports_stay_within_what_the_room_may_know(path: Path) -> None:
    room = _room(path)
    strangers = {name for name in _imports(path) if not _within(name, ALLOWED[room])}
    assert not strangers, f"{path.relative_to(HOUSE)} imports {sorted(strangers)}, which {room} may not know"


def test_the_rule_catches_a_stranger(tmp_path: Path) -> None:
    stray = tmp_path / "stray.py"
    stray.write_text("from processing.metrics import Point\n")
    assert any(not _within(name, ALLOWED["collector"]) for name in _imports(stray))
