"""Promise: every language says everything, in plain words, and nothing sounds like a doctor."""

from __future__ import annotations

import re
from datetime import date
from string import Formatter

import pytest

from dashboards.words import LANGUAGES, Words, messages
from processing import nudge_words
from processing.streaks import Cause, Nudge

FORBIDDEN = {
    "en": r"\b(treat\w*|diagnos\w*|prevent\w*|risk\w*|cure\w*|heal|heals|healing|therap(y|ies)|must|fail\w*|lazy)\b",
    "de": r"\b(behandel\w*|behandlung\w*|diagnos\w*|vorbeug\w*|verhinder\w*|risik\w*|heil\w*|müssen|versagt\w*|faul)\b",
}
LONGEST_SENTENCE = 22
"""Words; plain-language guides for health texts ask for 15 to 20 on average at most, single ones may be longer."""


def _names(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


def _said(language: str) -> dict[str, str]:
    nudges = {f"nudge.{c}": nudge_words.text(Nudge(c, 0, 1, 2), language) for c in Cause}
    reasons = {f"why.{c}": nudge_words.reason(Nudge(c, 0, 1, 2), language) for c in Cause}
    return {**messages(language), **nudges, **reasons}


def test_there_is_english_and_german() -> None:
    assert {"en", "de"} <= set(LANGUAGES)
    assert set(nudge_words.LANGUAGES) == set(LANGUAGES)


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_language_has_every_message_with_the_same_names(language: str) -> None:
    english, other = messages("en"), messages(language)
    assert set(other) == set(english)
    assert {key: _names(text) for key, text in other.items()} == {key: _names(text) for key, text in english.items()}
    assert all(text.strip() for text in other.values())


@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_promises_what_a_clip_cannot(language: str) -> None:
    found = {key: text for key, text in _said(language).items() if re.search(FORBIDDEN[language], text, re.IGNORECASE)}
    assert found == {}


@pytest.mark.parametrize("language", LANGUAGES)
def test_sentences_are_short(language: str) -> None:
    long = {
        sentence
        for text in _said(language).values()
        for sentence in re.split(r"[.!?;:]\s", text)
        if len(sentence.split()) > LONGEST_SENTENCE
    }
    assert long == set()


def test_the_forbidden_words_are_found_where_they_are() -> None:
    assert re.search(FORBIDDEN["en"], "This prevents pain", re.IGNORECASE)
    assert re.search(FORBIDDEN["de"], "Das Risiko sinkt", re.IGNORECASE)


def test_numbers_and_dates_are_written_as_the_language_does() -> None:
    day = date(2026, 3, 9)
    assert (Words("en").number(3.25, 1), Words("de").number(3.25, 1)) == ("3.2", "3,2")
    assert (Words("en").long_date(day), Words("de").long_date(day)) == ("9 Mar 2026", "9. März 2026")
    assert Words("tlh").short_date(day) == "9 Mar", "a language that is not there reads English"
