"""What pages and reports say, from the message files of each (one for each language)."""

from __future__ import annotations

import functools
import tomllib
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

_FOLDERS: Final = tuple(Path(__file__).parent / room / "messages" for room in ("patient", "report", "therapist"))
LANGUAGES: Final = tuple(sorted(file.stem for file in _FOLDERS[0].glob("*.toml")))
"""Languages that there is a message file for."""
DEFAULT: Final = "en"


@dataclass(frozen=True)
class Words:
    """The messages of one language.

    Parameters
    ----------
    language
        One of `LANGUAGES`; anything else reads English, because a page in the wrong language beats no page.
    """

    language: str = DEFAULT

    def __call__(self, key: str, **values: object) -> str:
        """Say the message `key` (``section.name``) with its names filled in.

        Raises
        ------
        KeyError
            If there is no such message: a mistake in the page, caught by the tests of the message files.
        """
        table = messages(self.language if self.language in LANGUAGES else DEFAULT)
        return table[key].format(**values)

    def duration(self, seconds: float) -> str:
        """Say a length of time as a person would: seconds under a minute, then minutes, then hours and minutes."""
        if seconds < 60:
            return self("duration.seconds", n=int(seconds))
        minutes = int(seconds // 60)
        if minutes < 60:
            return self("duration.minutes", n=minutes)
        return self("duration.hours", h=minutes // 60, m=minutes % 60)

    def number(self, value: float, decimals: int = 0) -> str:
        """Write a number with the language's decimal sign."""
        return f"{value:.{decimals}f}".replace(".", self("numbers.decimal_sign"))

    def short_date(self, day: date) -> str:
        """Write day and month."""
        return self("dates.short", day=day.day, month=self(f"dates.month_{day.month}"))

    def long_date(self, day: date) -> str:
        """Write day, month and year."""
        return self("dates.long", day=day.day, month=self(f"dates.month_{day.month}"), year=day.year)


@functools.cache
def messages(language: str) -> dict[str, str]:
    """Read one language's files as a flat table of ``section.name`` to text.

    Raises
    ------
    ValueError
        If two files say the same thing twice.
    """
    found: dict[str, str] = {}
    for folder in _FOLDERS:
        sections: dict[str, dict[str, Any]] = tomllib.loads((folder / f"{language}.toml").read_text("utf-8"))
        flat = {f"{section}.{name}": str(text) for section, rows in sections.items() for name, text in rows.items()}
        if twice := found.keys() & flat.keys():
            raise ValueError(f"messages that stand in two files: {sorted(twice)}")
        found |= flat
    return found
