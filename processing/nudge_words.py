"""What a nudge says, and how it is stored. Short, kind, and with the number that it goes by."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from processing.metrics import Point, Value
from processing.streaks import Cause, Nudge

_TEXT: Final[Mapping[str, Mapping[Cause, str]]] = {
    "en": {
        Cause.SLOUCHED: "Time to straighten up for a moment?",
        Cause.SEDENTARY: "Time to stand up and stretch?",
        Cause.WALK_MISSING: "Fancy a short walk?",
    },
    "de": {
        Cause.SLOUCHED: "Kurz aufrichten?",
        Cause.SEDENTARY: "Kurz aufstehen und strecken?",
        Cause.WALK_MISSING: "Lust auf einen kleinen Spaziergang?",
    },
}
_REASON: Final[Mapping[str, Mapping[Cause, str]]] = {
    "en": {
        Cause.SLOUCHED: "Bent forward for {measured} min (your limit is {limit}).",
        Cause.SEDENTARY: "Sitting for {measured} min (your limit is {limit}).",
        Cause.WALK_MISSING: "{measured} of {limit} min walked today.",
    },
    "de": {
        Cause.SLOUCHED: "Seit {measured} min nach vorn gebeugt (Ihre Grenze: {limit}).",
        Cause.SEDENTARY: "Seit {measured} min im Sitzen (Ihre Grenze: {limit}).",
        Cause.WALK_MISSING: "{measured} von {limit} min sind Sie heute gegangen.",
    },
}
LANGUAGES: Final = tuple(sorted(_TEXT))
"""Languages that nudges are said in; in any other language they are said in English."""


def text(nudge: Nudge, language: str) -> str:
    """Say a nudge."""
    return _TEXT.get(language, _TEXT["en"])[nudge.cause]


def reason(nudge: Nudge, language: str) -> str:
    """Say why, with the numbers: whole minutes, as far as they are complete."""
    words = _REASON.get(language, _REASON["en"])[nudge.cause]
    return words.format(measured=_number(float(int(nudge.measured_min))), limit=_number(nudge.limit_min))


def point(nudge: Nudge, patient: str, language: str) -> Point:
    """Return the ``nudge`` point of a nudge that has started or ended (the same point, amended)."""
    fields: dict[str, Value] = {
        "cause": str(nudge.cause),
        "text": text(nudge, language),
        "reason": reason(nudge, language),
    }
    if nudge.ended_s is not None:
        fields["ended_s"] = float(nudge.ended_s)
    if not nudge.told:
        fields["told"] = False
    return Point("nudge", nudge.time_ns, {"patient": patient}, fields)


def _number(minutes: float) -> str:
    return f"{minutes:.1f}".removesuffix(".0")
