"""What the page says, from the message files beside this module (one for each language)."""

from __future__ import annotations

import functools
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

_FOLDER: Final = Path(__file__).parent / "messages"
LANGUAGES: Final = tuple(sorted(file.stem for file in _FOLDER.glob("*.toml")))
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


@functools.cache
def messages(language: str) -> dict[str, str]:
    """Read one language's file as a flat table of ``section.name`` to text."""
    sections: dict[str, dict[str, Any]] = tomllib.loads((_FOLDER / f"{language}.toml").read_text("utf-8"))
    return {f"{section}.{name}": str(text) for section, rows in sections.items() for name, text in rows.items()}
