"""What is said of seconds at rest by the stories of `processing.rests`, beside what the network says of each second.

Before any change or walk was seen there is only the network's word, which is right of standing, since that sways, and
not of sitting (short rests of people left out, put together so that no walk comes first, were called sitting whatever
they were, and 4 of 10 were: `benchmarks/before_a_walk.py`). Then stories alone decide between standing, sitting and
lying. Once upright is known well from walking the network does, which knows how the trunk is held against it and how
long ago the walk was; then stories say what it does not know, and overrule it where they are sure.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from processing import orientation, reference, statistics
from processing.activity import CLASSES, RESTING, UPRIGHT
from processing.changes import KINDS, LYING, SITTING
from processing.compiled import borrowing, compiled
from processing.epochs import State
from processing.stories import CHANGED

CLAIMED: Final = 0.7
"""Chance from which on a rest is named before enough walking, and..."""

LIKELY: Final = 0.5
"""...after it."""

OVERRULING: Final = 0.97
"""Chance from which on a story is believed against the network, after enough walking."""

ENOUGH: Final = 10.0
"""Weight of walking behind upright (some ten seconds) from which on the network is asked first: after a few steps it
still takes quiet standing for sitting, and surely so."""

SOME: Final = 4.0
"""Weight of walking from which on the network tells lying from sitting: people recline by up to 72 degrees, and it has
learnt that."""

RECLINED_DEG: Final = 65.0
"""Where only axes were told, the network also tells lying from sitting of who is turned less than this against them
(64.9 degrees, against the upright of walking: Scand J Med Sci Sports 2018, doi 10.1111/sms.13017)."""

CONFIDENCE: Final = (0.85, 0.8)
"""What stories alone say is never sure, before enough walking and after: no recording with truth holds whole changes
from a chair."""

_RECLINED_COS: Final = float(np.cos(np.radians(RECLINED_DEG)))
_DOUBTED: Final = 0.65
_SEEMS: Final = 0.5
_UNKNOWN: Final = State.UNKNOWN.code
_CODES: Final = np.array([State.STANDING.code, State.SITTING.code, State.LYING.code], dtype=np.int8)
_LYING_AT: Final = CLASSES.index(State.LYING)
_SITTING_AT: Final = CLASSES.index(State.SITTING)


@compiled
def told(
    codes: NDArray[np.int8],
    confidence: NDArray[np.float64],
    stories: NDArray[np.float64],
    chances: NDArray[np.float64],
    covered: NDArray[np.bool_],
    upright: NDArray[np.int64],
    held: NDArray[np.float64],
    table: NDArray[np.float64],
) -> tuple[NDArray[np.int8], NDArray[np.float64], NDArray[np.bool_]]:
    """Say standing, sitting or lying by the stories of what the wearer did.

    Parameters
    ----------
    codes, confidence
        Shape (n,): states as the signal of each second tells them, and how sure.
    stories
        Shape (n, 4), from `rests.follow`; all 0 where the clip is not at the pelvis.
    chances
        Shape (n, classes), of the network.
    covered, upright, held
        Shapes (n,), (n,) and (n, `orientation.HELD`), see `orientation.upright`.
    table
        Shape (n, `statistics.COLUMNS`), the same seconds.

    Returns
    -------
    Codes and confidence; and of which seconds too little is known to say what the network says: see `unsaid`.
    """
    codes, confidence = codes.copy(), confidence.copy()
    unsure = np.zeros(len(codes), dtype=np.bool_)
    each = np.empty(KINDS)
    for i in range(len(codes)):
        rests_now = 0.0
        for column in range(RESTING):
            rests_now += chances[i, column]
        if not covered[i] or rests_now < _SEEMS or not _of_rest(codes[i]):
            continue
        walked = held[i, orientation.STRENGTH]
        if stories[i, CHANGED] < LIKELY and walked < orientation.LITTLE:  # nothing but the network's word
            unsure[i] = codes[i] == _CODES[SITTING] and held[i, orientation.OWN] != orientation.TAUGHT
            confidence[i] = min(confidence[i], _DOUBTED) if unsure[i] else confidence[i]
            continue
        if not stories[i, 0] + stories[i, 1] + stories[i, 2] > 0.0:
            continue
        best = _likeliest(stories, chances, i, walked >= SOME or _reclines(held, table, i), each)
        chance, code, grown = each[best], _CODES[best], walked >= ENOUGH
        if codes[i] == code and chance < OVERRULING:
            confidence[i] = min(confidence[i], CONFIDENCE[0])
        if grown and codes[i] != code and codes[i] != _UNKNOWN and chance < OVERRULING:
            confidence[i] = min(confidence[i], CONFIDENCE[1])
            continue
        known = upright[i] == UPRIGHT - 1
        if chance >= (LIKELY if grown else CLAIMED):
            said = min(chance, CONFIDENCE[1] if known else CONFIDENCE[0])
            confidence[i] = max(said, confidence[i]) if codes[i] == code else said
            codes[i] = code
        elif held[i, orientation.OWN] != orientation.TAUGHT or known:
            unsure[i], confidence[i] = True, min(chance, _DOUBTED)
    return codes, confidence, unsure


@compiled
def unsaid(codes: NDArray[np.int8], unsure: NDArray[np.bool_]) -> NDArray[np.int8]:
    """Take back what only the signal of a second tells of rest, where `told` was not sure."""
    codes = codes.copy()
    for i in range(len(codes)):
        if unsure[i] and _of_rest(codes[i]):
            codes[i] = _UNKNOWN
    return codes


@compiled
def _of_rest(code: int) -> bool:
    return bool(code == _UNKNOWN or code == _CODES[0] or code == _CODES[1] or code == _CODES[2])


@borrowing
def _reclines(held: NDArray[np.float64], table: NDArray[np.float64], i: int) -> bool:
    """Tell whether a trunk is turned less against the axes that were told than one that lies; no if none were."""
    up, gravity = held[i, orientation.REFERENCE], table[i, statistics.GRAVITY]
    least = _RECLINED_COS * np.sqrt(reference.dot(up, up) * reference.dot(gravity, gravity))
    return bool(held[i, orientation.STRENGTH] == 0.0 and reference.dot(up, gravity) > least)


@borrowing
def _likeliest(
    stories: NDArray[np.float64], chances: NDArray[np.float64], i: int, network: bool, each: NDArray[np.float64]
) -> int:
    """Write the chance of each rest, lying against sitting by the network if it knows, and find the likeliest."""
    for kind in range(KINDS):
        each[kind] = stories[i, kind]
    if network:
        lying, sitting = chances[i, _LYING_AT], chances[i, _SITTING_AT]
        down = each[SITTING] + each[LYING]
        each[LYING] = down * lying / max(lying + sitting, 1e-9)
        each[SITTING] = down - each[LYING]
    best = 0
    for kind in range(1, KINDS):
        best = kind if each[kind] > each[best] else best
    return best
