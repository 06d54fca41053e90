"""Promise: what the documents name is there: pages, places in them, commands with their options."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from collector.wearables import KINDS
from spineclip.cli.main import COMMANDS, load
from spineclip.contract.config import Nudging

HOUSE = Path(__file__).resolve().parents[2]
DOCUMENTS = sorted([*HOUSE.glob("*.md"), *(HOUSE / "docs").glob("*.md")])
CLAIMS = re.compile(r"\b(treat(s|ed|ment)?|diagnos\w*|prevent\w*|risk\w*|cures?|heals?)\b", re.IGNORECASE)

everywhere = pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)


def test_every_page_is_in_the_list_of_pages() -> None:
    listed = set(re.findall(r"\]\(([\w.-]+\.md)\)", (HOUSE / "docs" / "README.md").read_text(encoding="utf-8")))
    assert listed == {path.name for path in (HOUSE / "docs").glob("*.md")} - {"README.md"}


@everywhere
def test_links_lead_somewhere(path: Path) -> None:
    text = re.sub(r"```.*?```", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    for target, place in re.findall(r"\]\((?!https?:)([^)#]*)(?:#([\w-]+))?\)", text):
        file = (path.parent / target) if target else path
        assert file.exists(), f"{path.name}: {target}"
        if place:
            heads = re.findall(r"^#+ (.+)$", file.read_text(encoding="utf-8"), re.MULTILINE)
            assert place in {re.sub(r"[^\w -]", "", head.lower()).replace(" ", "-") for head in heads}, place


@everywhere
def test_no_document_says_more_than_that_it_informs(path: Path) -> None:
    text = path.read_text(encoding="utf-8").replace("does not diagnose", "")
    assert [found[0] for found in CLAIMS.finditer(text)] == []


@cache
def _options(words: tuple[str, ...]) -> set[str]:
    """Options of a command, or of a command within one."""
    command: Any = load(words[0])
    for word in words[1:]:
        command = getattr(command, "commands", {}).get(word, command)
    return {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}


@everywhere
def test_commands_have_the_options_that_are_named_with_them(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    for said in re.findall(r"(?:`|^    |\$ )spineclip ([^`\n#;]+)", text, re.MULTILINE):
        words = said.split()
        if words[0].startswith("-"):
            continue
        assert words[0] in COMMANDS, f"{path.name}: spineclip {said}"
        named = {word.partition("=")[0].strip("[],.:") for word in words if word.strip("[").startswith("--")}
        assert named <= _options(tuple(words[:2])), f"{path.name}: spineclip {said}"


def test_whether_a_decoder_has_met_a_real_device_is_told_as_it_is() -> None:
    said = (HOUSE / "docs" / "wearables.md").read_text(encoding="utf-8")
    assert ("None of the decoders has met a real device" in said) == (not any(kind.hardware_seen for kind in KINDS))


def test_every_task_of_make_that_is_named_is_there() -> None:
    tasks = set(re.findall(r"^([a-z-]+):", (HOUSE / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    for path in DOCUMENTS:
        named = re.findall(r"(?:`|^    )make ([a-z-]+)", path.read_text(encoding="utf-8"), re.MULTILINE)
        assert set(named) <= tasks, path.name


def test_the_nudges_that_are_told_of_are_those_that_nobody_has_changed() -> None:
    text = " ".join((HOUSE / "docs" / "care.md").read_text(encoding="utf-8").split())
    said = re.search(
        r"forward for longer than agreed \((\d+) minutes\), sitting for longer than agreed \((\d+) minutes\),"
        r".*?\(from (\d+) h\).*?quiet hours \((\d+) to (\d+) h\).*?the day's cap of eight,",
        text,
    )
    assert said is not None
    slouched_min, sedentary_min, walk_from, quiet_from, quiet_until = map(int, said.groups())
    assert Nudging() == Nudging(
        enabled=True,
        slouched_min=slouched_min,
        sedentary_min=sedentary_min,
        walk_missing_from_hour=walk_from,
        daily_cap=8,
        quiet_from_hour=quiet_from,
        quiet_until_hour=quiet_until,
        paused_until_ns=0,
    )
