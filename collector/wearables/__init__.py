"""One file per wearable: recognise, start, decode. All of them stand in `KINDS`."""

from __future__ import annotations

from collector.wearables.base import Advertisement, Decoded, Decoder, Gatt, Stream, TickClock, Wearable
from collector.wearables.catalog import KINDS, add_profile, by_kind, recognise

__all__ = [
    "KINDS",
    "Advertisement",
    "Decoded",
    "Decoder",
    "Gatt",
    "Stream",
    "TickClock",
    "Wearable",
    "add_profile",
    "by_kind",
    "recognise",
]
