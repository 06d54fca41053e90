"""What the page says of the clip itself: battery, signal, where it is worn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from dashboards.fields import number
from dashboards.patient.feed import STALE_S, Received
from dashboards.words import Words
from processing.metrics import Point
from spineclip.contract.placement import Placement

_LOW_PCT: Final = 15.0
_GOOD_DBM, _WEAK_DBM = -75.0, -90.0
"""Received signal: above the first a link is steady, below the second it breaks (Bluetooth LE receivers need about
-95 dBm or better; the margin is for a body in between)."""


@dataclass(frozen=True, slots=True)
class ClipView:
    """The card "my clip": name and value pairs, a sentence, and how it is put on (both may be empty)."""

    facts: tuple[tuple[str, str], ...]
    sentence: str
    how_to_wear: str = ""


def clip_view(device: Point | None, received: Received | None, words: Words) -> ClipView:
    """Say how the clip does.

    Parameters
    ----------
    device
        The newest point of ``device``, or None when none was stored yet.
    received
        The newest live message, or None.
    """
    heard = received is not None and received.age_s <= STALE_S
    if device is None and not heard:
        return ClipView((), words("clip.none"))
    battery = number(device, "battery_pct")
    if heard and received is not None and received.live.battery_pct is not None:
        battery = float(received.live.battery_pct)
    facts = [(words("clip.connection"), words("clip.heard" if heard else "clip.silent"))]
    if battery is not None:
        facts.append((words("clip.battery"), words("clip.percent", n=round(battery))))
    rssi_dbm = number(device, "rssi_dbm")
    if rssi_dbm is not None and heard:
        facts.append((words("clip.signal"), words(f"clip.signal_{_strength(rssi_dbm)}")))
    placement = None if device is None else device.fields.get("placement")
    how = ""
    if placement in set(Placement):
        facts.append((words("clip.worn_at"), words(f"placement.{placement}")))
        how = words(f"wear.{placement}")
    low = battery is not None and battery <= _LOW_PCT
    return ClipView(tuple(facts), words("clip.charge") if low else "", how)


def _strength(rssi_dbm: float) -> str:
    if rssi_dbm >= _GOOD_DBM:
        return "good"
    return "fair" if rssi_dbm >= _WEAK_DBM else "weak"
