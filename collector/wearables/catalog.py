"""All families of wearables that the collector knows."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from collector.wearables.base import Advertisement, Wearable
from collector.wearables.espruino import Espruino
from collector.wearables.generic import Generic, presets
from collector.wearables.metamotion import MetaMotion
from collector.wearables.movella import MovellaDot
from collector.wearables.movesense import Movesense
from collector.wearables.polar import H10, OH1, VERITY_SENSE
from collector.wearables.profile import read_profile
from collector.wearables.witmotion import WitMotion
from spineclip.contract.errors import SettingsError

KINDS: Final[list[Wearable]] = [
    H10,
    VERITY_SENSE,
    OH1,
    Movesense(),
    WitMotion(),
    Espruino(),
    MetaMotion(),
    MovellaDot(),
    *presets(),
]
"""In the order in which they are asked to recognise an advertisement."""


def add_profile(path: Path) -> Wearable:
    """Read a profile of the user's own; it is asked first from now on, and replaces a kind of the same name.

    Raises
    ------
    SettingsError
        If the profile cannot be used.
    """
    wearable = Generic(read_profile(path))
    KINDS[:] = [wearable, *(known for known in KINDS if known.kind != wearable.kind)]
    return wearable


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
