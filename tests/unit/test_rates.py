"""Promise: a wearable's rate is remembered over restarts, and a damaged memory costs nothing but time."""

from __future__ import annotations

from pathlib import Path

import pytest

from collector.rates import Rate, RateBook

RATE = Rate(20_000_000.0, 20_000_700.0, 2e-7)


def test_a_rate_is_remembered(tmp_path: Path) -> None:
    book = RateBook(tmp_path / "outbox.rates.json")
    assert book.rate("clip-1") is None
    book.note("clip-1", RATE)
    book.save()
    again = RateBook(tmp_path / "outbox.rates.json")
    assert again.rate("clip-1") == RATE
    assert again.rate("clip-2") is None


@pytest.mark.parametrize(
    "text", ["", "{", "[1, 2]", '{"a": 3}', '{"a": [1, 2]}', '{"a": ["x", 1, 1]}', '{"a": [1, 1e999, 1]}', "null"]
)
def test_a_damaged_file_is_as_none(tmp_path: Path, text: str) -> None:
    path = tmp_path / "outbox.rates.json"
    path.write_text(text)
    book = RateBook(path)
    assert book.rate("a") is None
    book.note("a", RATE)
    book.save()
    assert RateBook(path).rate("a") == RATE


def test_what_cannot_be_true_is_not_remembered(tmp_path: Path) -> None:
    book = RateBook(tmp_path / "outbox.rates.json")
    for rate in (Rate(2e7, 1e7, 1e-6), Rate(2e7, float("nan"), 1e-6), Rate(2e7, 2e7, 0.0), None):
        book.note("a", rate)
    assert book.rate("a") is None


def test_a_disk_that_takes_nothing_is_no_trouble(tmp_path: Path) -> None:
    book = RateBook(tmp_path / "missing" / "outbox.rates.json")
    book.note("a", RATE)
    book.save()
    assert book.rate("a") == RATE
