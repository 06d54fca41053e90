"""Promise: the errors that a person can meet are all drawn in one place, and each says what happened and what to do."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from spineclip.contract import errors
from spineclip.contract.errors import PoseError, SpineclipError, WireError

HOUSE = Path(__file__).resolve().parents[2]
ROOMS = ("spineclip", "collector", "processing", "dashboards", "firmware_sim")


def _written() -> dict[str, str]:
    """All public classes below `SpineclipError` with what they derive from, wherever they stand."""
    parents: dict[str, str] = {}
    for file in (file for room in ROOMS for file in (HOUSE / room).rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef) and len(node.bases) == 1 and isinstance(node.bases[0], ast.Name):
                parents[node.name] = node.bases[0].id
    found: set[str] = {"SpineclipError"}
    while more := {name for name, parent in parents.items() if parent in found} - found:
        found |= more
    return {name: parents[name] for name in found if not name.startswith("_")}


def _drawn() -> dict[str, str]:
    """The same from the drawing: the depth of a line says whom it hangs on."""
    parents: dict[str, str] = {}
    above = ["Exception"]
    for line in (errors.__doc__ or "").splitlines():
        if found := re.match(r"([ │├└─]*)(\w+Error)\b", line):
            depth = len(found[1]) // 4
            above[depth:] = [found[2]]
            parents[found[2]] = above[depth - 1]
    return parents


def test_the_drawing_has_every_error_and_hangs_it_where_it_belongs() -> None:
    assert _drawn() == _written()


def test_a_message_says_what_happened_and_then_what_to_do() -> None:
    error = SpineclipError("the broker at x:1 does not answer", advice="Check that it runs")
    assert str(error) == "the broker at x:1 does not answer. Check that it runs."
    assert (error.what, error.advice) == ("the broker at x:1 does not answer", "Check that it runs")
    assert str(SpineclipError("nothing came")) == "nothing came."


@pytest.mark.parametrize("error", [WireError("schema", "a word"), PoseError("near", "a word", advice="Again")])
def test_a_reason_to_count_by_stands_beside_the_sentence(error: WireError | PoseError) -> None:
    assert error.reason in {"schema", "near"}
    assert error.reason not in str(error)
