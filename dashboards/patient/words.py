"""What the page says: the words of all dashboards, under the name that the page's parts use."""

from __future__ import annotations

from dashboards.words import DEFAULT, LANGUAGES, Words, messages

__all__ = ["DEFAULT", "LANGUAGES", "Words", "messages"]
