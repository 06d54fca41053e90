"""All families of wearables that the collector knows."""

from __future__ import annotations

from typing import Final

from collector.wearables.base import Advertisement, Wearable
from collector.wearables.witmotion import WitMotion
from spineclip.contract.errors import SettingsError

KINDS: Final[tuple[Wearable, ...]] = (WitMotion(),)
"""In the order in which they are asked to recognise an advertisement."""


def by_kind(kind: str) -> Wearable:
    """Find a family by its short name.

    Raises
    ------
    SettingsError
        If there is none of that name.
    """
    for wearable in KINDS:
        if wearable.kind == kind:
            return wearable
    known = ", ".join(wearable.kind for wearable in KINDS)
    raise SettingsError(f"there is no kind of wearable called {kind!r}", advice=f"Known kinds: {known}")


def recognise(seen: Advertisement) -> Wearable | None:
    """Find the family that an advertisement comes from, or None."""
    return next((wearable for wearable in KINDS if wearable.recognise(seen)), None)
