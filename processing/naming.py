"""From seconds of sitting and standing to the name of the posture: stretch, angles, fine motion and habits together."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from processing import habits as habit
from processing import orientation, pose_model, posture, reference, seat, stretches, tilt, wear
from processing.clip_state import ClipSetup
from processing.compiled import compiled
from processing.epochs import State
from processing.frozen import frozen
from processing.habits import Habits
from processing.posture import PIECE, Pose

Array = NDArray[np.float64]

_SITTING: Final = State.SITTING.code
_STANDING: Final = State.STANDING.code
_UNKNOWN: Final = State.UNKNOWN.code
_RESTS: Final = 1
_MAY_REST: Final = 2
_KINDS: Final = len(posture.SITTING)


@frozen
class Trunk:
    """What is to be heard of a trunk in n seconds, as `look` fills it in.

    Attributes
    ----------
    rests
        Shape (n,), int8: whether its posture is to be named.
    gravity, fine
        Shapes (n, 3) and (n, 6), from `stretches.heard`.
    closes
        Shape (n,): which seconds end a stretch that may teach something; (0,) where nothing is to be learned.
    """

    rests: NDArray[np.int8]
    gravity: Array
    fine: NDArray[np.int8]
    closes: NDArray[np.bool_]


@frozen
class Named:
    """Posture codes and their chances by second, and what is known of the wearer now.

    `beyond` is what is known of each posture beyond the angles, shape (n, 6), for joining clips: by the fine motion,
    and by what this wearer has shown.
    """

    posture: NDArray[np.int8]
    chance: NDArray[np.float64]
    beyond: NDArray[np.int8]
    habits: Habits


def room(n: int, *, learns: bool) -> Trunk:
    """Return what `look` is to fill in for `n` seconds."""
    return Trunk(
        np.empty(n, dtype=np.int8), np.empty((n, 3)), np.empty((n, _KINDS), dtype=np.int8),
        np.empty(n if learns else 0, dtype=np.bool_),
    )  # fmt: skip


def name(setup: ClipSetup, habits: Habits, trunk: Trunk, held: NDArray[np.float64], at: int) -> Named:
    """Name how the trunk is held in seconds; a thigh tells nothing of it.

    Parameters
    ----------
    setup, habits
        Where the clip is worn, with the poses that its wearer has shown, and what was learned so far.
    held
        Shape (n, `orientation.HELD`): what is known of the mounting.
    at
        The first of them that is to be named, from `look`.
    """
    n, learned = len(held), habits
    at = at if setup.placement.sees_trunk else n
    out, chance, beyond = np.zeros(n, dtype=np.int8), np.zeros(n), np.zeros((n, _KINDS), dtype=np.int8)
    while at < n:
        row = held[at]
        mount, kind = int(row[orientation.MOUNT]), int(row[orientation.OWN])
        if learned.mount != mount or learned.kind != kind:
            learned = habit.begin(mount, kind)
        taught = _taught(setup, row)
        knows = posture.knowledge(setup.placement, taught, own_neutral=kind > 0, habits=learned)
        at, ended = _name(
            at, trunk.rests, trunk.closes, trunk.gravity, trunk.fine, held, bool(taught), learned.heard < habit.ENOUGH,
            knows.points, knows.tail, knows.general, knows.sees_slouch, knows.personal, out, chance, beyond,
        )  # fmt: skip
        if ended >= 0:
            model = posture.model(setup.placement, taught, own_neutral=kind > 0)
            angles_deg = np.array(_angles(trunk.gravity, held, ended))
            learned = habit.learn(learned, model, angles_deg, trunk.fine[ended])
    return Named(out, chance, beyond, learned)


@compiled
def look(
    codes: NDArray[np.int8],
    flexion_deg: Array,
    held: Array,
    stretch: Array,
    skip: int,
    ahead_s: int,
    rests: NDArray[np.int8],
    gravity: Array,
    fine: NDArray[np.int8],
    closes: NDArray[np.bool_],
) -> int:
    """Tell in which seconds a trunk's posture is to be named, and hear what there is of it; loops over seconds.

    Postures are named while sitting or standing. Before the first walk it may not be known which of the two. Then a
    trunk that keeps still, but lives, near to where the told axes have it upright, does one of them.

    Parameters
    ----------
    codes, flexion_deg, held
        Shapes (n,), (n,) and (n, `orientation.HELD`): states, angles, and what is known of the mounting.
    stretch, skip
        Rows of a `StretchState`, and that of the first second.
    ahead_s
        Seconds after each that are heard.
    rests, gravity, fine, closes
        Those of a `Trunk`, to be filled.

    Returns
    -------
    The number of the first of these seconds, n without any.
    """
    open_ = False
    for i in range(len(codes)):
        rests[i] = 0
        if not np.isfinite(flexion_deg[i]):
            continue
        if codes[i] in (_SITTING, _STANDING):
            rests[i] = _RESTS
        elif codes[i] == _UNKNOWN and _may_rest(held, i):
            rests[i], open_ = _MAY_REST, True
    if open_:
        stretches.fill_heard(stretch, skip, 0, gravity, fine)
        _keep_near(rests, gravity, held, stretch, skip)
    at = _next(rests, 0)
    if at < len(rests):
        stretches.fill_heard(stretch, skip, ahead_s, gravity, fine)
        if len(closes):
            stretches.fill_closing(stretch, skip, habit.LEAST_S, closes)
    return at


@compiled
def _may_rest(held: Array, i: int) -> bool:
    open_ = held[i, orientation.OWN] == 0.0 and held[i, orientation.STRENGTH] < reference.KNOWN
    return bool(open_ and held[i, orientation.ODD] % 2 == 0 and held[i, orientation.STILL_S] < wear.DOUBT_S)


@compiled
def _keep_near(rests: NDArray[np.int8], gravity: Array, held: Array, stretch: Array, skip: int) -> None:
    """Let those seconds that may rest do so whose trunk is steady and near to upright; loops over seconds."""
    for i in range(len(rests)):
        if rests[i] == _MAY_REST:
            flexion, lateral = _angles(gravity, held, i)
            near = flexion * flexion + lateral * lateral < seat.TILT_DEG**2  # False where not known
            rests[i] = _RESTS if near and stretches.steady(stretch, skip + i) else 0


@compiled
def _angles(gravity: Array, held: Array, i: int) -> tuple[float, float]:
    up, ahead = orientation.NEUTRAL.start, orientation.FORWARD.start
    return tilt.angles(
        (gravity[i, 0], gravity[i, 1], gravity[i, 2]),
        (held[i, up], held[i, up + 1], held[i, up + 2]),
        (held[i, ahead], held[i, ahead + 1], held[i, ahead + 2]),
    )


@compiled
def _next(rests: NDArray[np.int8], at: int) -> int:
    while at < len(rests) and rests[at] != _RESTS:
        at += 1
    return at


@compiled
def _name(
    at: int, rests: NDArray[np.int8], closes: NDArray[np.bool_], gravity: Array, fine: NDArray[np.int8], held: Array,
    taught: bool, learns: bool,
    points: Array, tail: float, general: Array, sees_slouch: bool, personal: bool,
    out: NDArray[np.int8], chance: Array, beyond: NDArray[np.int8],
) -> tuple[int, int]:  # fmt: skip
    """Name resting seconds from `at` on, as long as what is known holds; loops over pieces.

    That is until the mounting changes, taught poses turn, or a stretch ends that teaches something.

    Returns
    -------
    The next resting second that is to be named, and the last second of a stretch that teaches, or -1.
    """
    begin, ended = at, -1
    size = min(len(rests) - at, PIECE)
    seconds, within = np.empty(size, dtype=np.int64), np.empty(size, dtype=np.bool_)
    angles_deg, products = np.empty((2, size)), np.empty((len(points), size))
    said = np.empty((size, _KINDS), dtype=np.int8)
    chances, usual, raised = np.empty((_KINDS, size)), np.empty((_KINDS, size)), np.zeros((_KINDS, size))
    while at < len(rests) and ended < 0 and _same(held, begin, at, taught):
        n = 0
        while n < size and at < len(rests) and ended < 0 and _same(held, begin, at, taught):
            seconds[n] = at
            for k in range(_KINDS):
                said[n, k] = fine[at, k]
            angles_deg[0, n], angles_deg[1, n] = _angles(gravity, held, at)
            within[n] = posture.settled(angles_deg, n)
            ended = at if learns and len(closes) and closes[at] else -1
            n, at = n + 1, _next(rests, at + 1)
        pose_model.multiply(angles_deg, n, products)
        pose_model.likely(points, tail, products, n, chances)
        if personal:
            pose_model.likely(general, 0.0, products, n, usual)
            posture.personal(chances, usual, n, raised)
        posture.weigh(chances, n, said, 0)
        for s in range(n):
            now = seconds[s]
            for k in range(_KINDS):
                beyond[now, k] = np.int8(max(said[s, k] + raised[k, s], -127.0))
            out[now], chance[now] = posture.named(chances, s, sees_slouch, within[s])
    return at, ended


@compiled
def _same(held: Array, begin: int, at: int, taught: bool) -> bool:
    """Tell whether what is known of one second's mounting holds in another one."""
    same = bool(held[at, orientation.MOUNT] == held[begin, orientation.MOUNT])
    same = same and held[at, orientation.OWN] == held[begin, orientation.OWN]
    for column in range(orientation.FORWARD.start, orientation.FORWARD.stop):
        same = same and (not taught or held[at, column] == held[begin, column])
    return same


def _taught(setup: ClipSetup, row: Array) -> tuple[Pose, ...]:
    if not setup.poses or row[orientation.OWN] != orientation.TAUGHT:
        return ()
    neutral, forward = row[orientation.NEUTRAL].tolist(), row[orientation.FORWARD].tolist()
    return _shown(tuple(setup.poses.items()), tuple(neutral), tuple(forward))


@lru_cache(maxsize=256)
def _shown(
    poses: tuple[tuple[str, tuple[float, float, float]], ...],
    neutral: tuple[float, ...],
    forward: tuple[float, ...],
) -> tuple[Pose, ...]:
    """Work it out once, not for every second."""
    return posture.shown(dict(poses), np.array(neutral), np.array(forward))
