"""A protocol as laboratories have it, put together of labelled recordings, with made changes from rest to rest.

No recording of HARTH or HAR70+ holds whole changes: they were cut out. So pieces of a person's recording are put
together, and the changes are made: a turn from the one gravity to the other with a bow in between, a push forward, and
a lift with the least jerk (Flash and Hogan 1985). The plain protocol is one order and one way of moving; the varied one
draws all of it anew for each run, and the sensor with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from processing.epochs import State
from processing.samples import Block
from spineclip.labelled import Labelled

Array = NDArray[np.float64]

RATE_HZ: Final = 50
STATES: Final = {
    "standing": State.STANDING,
    "sitting": State.SITTING,
    "lying": State.LYING,
    "walking": State.WALKING,
}
PLAIN: Final = (
    ("standing", 20), ("sitting", 16), ("standing", 20), ("lying", 18), ("sitting", 18), ("lying", 18), ("standing", 8),
    ("walking", 20), ("standing", 8), ("walking", 130),
)  # fmt: skip
"""What is asked for, and for how many seconds."""

_ORDERS: Final = (
    ("standing", "sitting", "standing", "lying", "sitting", "lying", "standing"),
    ("standing", "sitting", "standing", "lying", "sitting", "lying", "standing"),
    ("sitting", "standing", "sitting", "lying", "standing"),
    ("lying", "sitting", "standing", "sitting", "standing"),
    ("standing", "lying", "standing", "sitting", "standing"),
)
_NS: Final = 10**9
_FORWARD: Final = np.array([0.0, 0.0, 1.0])  # of the lower back in HARTH and HAR70+
_RIGHT: Final = np.array([0.0, 1.0, 0.0])
_OWN_NOISE_G: Final = 0.003
_STILLEST_OF: Final = 8


@dataclass(frozen=True)
class Way:
    """How somebody moves, sits and wears the clip in one run.

    Attributes
    ----------
    height_m
        Of the lower back above the floor, by state.
    lifted
        Which part of a change is spent on the lift, which ends with it: before it the trunk only bows.
    back_deg
        How far the trunk leans back in sitting, against that in standing; None: as it was recorded.
    turned_deg
        How far around the waist the clip sits.
    """

    order: tuple[tuple[str, int], ...] = PLAIN
    height_m: Mapping[str, float] = field(default_factory=lambda: {"standing": 1.0, "sitting": 0.58, "lying": 0.45})
    bow_deg: float = 28.0
    push_g: float = 0.12
    lasts_s: tuple[float, float] = (1.8, 3.0)
    lies_down_s: tuple[float, float] = (2.5, 3.6)
    lifted: float = 1.0
    noise_g: float = 0.012
    everywhere: bool = False
    rate_hz: int = RATE_HZ
    turned_deg: float = 0.0
    any_way: bool = False
    back_deg: float | None = None
    calm: bool = False
    fidgets: float = 0.0
    steps: float = 0.0


def varied(rng: np.random.Generator, *, told: bool) -> Way:
    """Draw a way, within what people, seats and sensors do."""
    names = _ORDERS[int(rng.integers(len(_ORDERS)))]
    order = [(name, int(rng.integers(10, 31))) for name in names]
    order += [("walking", 20), ("standing", 8), ("walking", 130)]
    slow = rng.uniform(1.3, 3.5)
    seat = rng.uniform(0.30, 0.48)
    return Way(
        order=tuple(order),
        height_m={"standing": 1.0, "sitting": 1.0 - seat, "lying": 1.0 - rng.uniform(0.4, 0.65)},
        bow_deg=float(rng.uniform(10.0, 45.0)),
        push_g=float(rng.uniform(0.05, 0.2)),
        lasts_s=(slow, slow + 1.0),
        lies_down_s=(slow + 0.5, slow + 2.5),
        lifted=float(rng.uniform(0.5, 1.0)),
        noise_g=float(rng.uniform(0.003, 0.012)),
        everywhere=True,
        rate_hz=int(rng.choice([25, 31, 50, 100])),
        turned_deg=float(rng.choice([0.0, 90.0, -90.0])),
        any_way=not told,
        back_deg=[None, 0.0, float(rng.uniform(10.0, 30.0))][int(rng.integers(3))],
        calm=bool(rng.random() < 0.5),
        fidgets=0.35,
        steps=0.4,
    )


def axes(way: Way) -> dict[str, str]:
    """Name the axes of a clip that is worn so, and not any way."""
    at = {0.0: ("right", "forward"), 90.0: ("forward", "left"), -90.0: ("backward", "right")}[way.turned_deg]
    return {"x": "up", "y": at[0], "z": at[1]}


def runs(one: Labelled) -> dict[str, list[tuple[int, int]]]:
    """Stretches of at least 12 s, by label; a walk may go up and down stairs."""
    found: dict[str, list[list[int]]] = {}
    for start, end, label in sorted(one.labels):
        name = "walking" if label.startswith("stairs") else label
        stretches = found.setdefault(name, [])
        if stretches and start - stretches[-1][1] <= _NS // 25:
            stretches[-1][1] = end
        else:
            stretches.append([start, end])
    return {name: [(a, b) for a, b in rows if b - a >= 12 * _NS] for name, rows in found.items()}


def made(one: Labelled, way: Way, rng: np.random.Generator) -> tuple[Block, NDArray[np.int64]]:
    """One run through the protocol, and its truth by second (-1 in a change); what a person lacks is left out."""
    stretches = runs(one)
    parts: list[Array] = []
    truth: list[int] = []
    last, stood = "", None
    for name, length_s in way.order:
        if not stretches.get(name):
            continue
        tries = _STILLEST_OF if way.calm and name != "walking" else 1
        pieces = [
            _piece(one, stretches[name][int(rng.integers(len(stretches[name])))], length_s, rng) for _ in range(tries)
        ]
        piece = min(pieces, key=lambda rows: float(np.mean(np.std(rows, axis=0)))) if tries > 1 else pieces[0]
        if name == "standing":
            stood = piece.mean(axis=0)
        if name == "sitting" and way.back_deg is not None:
            piece = _leant(piece, _stood(one, stretches) if stood is None else stood, way.back_deg)
        if name != "walking" and rng.random() < way.fidgets and len(piece) >= 10 * RATE_HZ:
            piece = _fidgeted(piece, rng)
        if last and last != name and "walking" not in (last, name):
            change = _change(parts[-1], piece, way, (last, name), rng)
            parts.append(change)
            truth += [-1] * (len(change) // RATE_HZ)
            if name == "standing" and last == "sitting" and rng.random() < way.steps and stretches.get("walking"):
                walked = _piece(one, stretches["walking"][0], 12, rng)
                some = walked[: int(rng.integers(1, 4)) * RATE_HZ]
                parts.append(some)
                truth += [-1] * (len(some) // RATE_HZ)
        parts.append(piece)
        truth += [STATES[name].code] * (len(piece) // RATE_HZ)
        last = name
    return _worn(np.concatenate(parts), way, rng), np.array(truth)


def _piece(one: Labelled, run: tuple[int, int], length_s: int, rng: np.random.Generator) -> Array:
    start, end = run
    length_ns = min(length_s * _NS, (end - start) // _NS * _NS)
    begin = start + int(rng.integers(0, (end - start - length_ns) // _NS + 1)) * _NS
    low, high = np.searchsorted(one.t_ns, [begin, begin + length_ns])
    return one.xyz_g[low : low + (high - low) // RATE_HZ * RATE_HZ]


def _leant(piece: Array, upright: Array, back_deg: float) -> Array:
    """Turn a rest so that it leans back by so much against how somebody stood, with the size that gravity has there."""
    mean = piece.mean(axis=0)
    there, _ = Rotation.align_vectors(_unit(upright[None]), _unit(mean[None]))
    leant = Rotation.from_rotvec(-np.radians(back_deg) * _RIGHT)  # to the back: forward turns up
    return np.asarray((leant * there).apply(piece)) * (np.linalg.norm(upright) / np.linalg.norm(mean))


def _stood(one: Labelled, stretches: Mapping[str, list[tuple[int, int]]]) -> Array:
    """How gravity reads in standing; where nobody stands, in walking."""
    start, end = (stretches.get("standing") or stretches["walking"])[0]
    low, high = np.searchsorted(one.t_ns, [start, end])
    return one.xyz_g[low:high].mean(axis=0)


def _fidgeted(piece: Array, rng: np.random.Generator) -> Array:
    """Shift in the place for some seconds, with a turn that comes back, or not all of it."""
    n = int(rng.uniform(1.0, 6.0) * RATE_HZ)
    at = int(rng.integers(2 * RATE_HZ, max(len(piece) - n - 2 * RATE_HZ, 2 * RATE_HZ + 1)))
    n = min(n, len(piece) - at)
    share = np.arange(n) / n
    axis = _unit(rng.normal(size=(1, 3)))[0]
    stays = np.radians(rng.uniform(0.0, 6.0))
    smooth = share**3 * (10.0 - 15.0 * share + 6.0 * share**2)
    angle = np.radians(rng.uniform(3.0, 25.0)) * np.sin(np.pi * share) ** 2 + stays * smooth
    angle = np.concatenate([np.zeros(at), angle, np.full(len(piece) - at - n, stays)])
    moved = np.asarray(Rotation.from_rotvec(angle[:, None] * axis).apply(piece))
    white = np.fft.rfft(rng.normal(size=(n, 3)), axis=0)
    hz = np.fft.rfftfreq(n, 1.0 / RATE_HZ)
    white[(hz < 0.4) | (hz > 4.0)] = 0.0
    shaken = np.fft.irfft(white, n, axis=0)
    shaken *= rng.uniform(0.02, 0.08) / max(float(shaken.std()), 1e-6) * np.sin(np.pi * share)[:, None]
    moved[at : at + n] += shaken
    return moved


def _change(before: Array, after: Array, way: Way, names: tuple[str, str], rng: np.random.Generator) -> Array:
    """Whole seconds from one rest to the next."""
    bows = "lying" not in names
    lift_m = way.height_m[names[1]] - way.height_m[names[0]]
    lasts_s = max(round(rng.uniform(*(way.lasts_s if bows else way.lies_down_s))), 1)
    share = np.arange(lasts_s * RATE_HZ) / (lasts_s * RATE_HZ)
    turned = (share**3 * (10.0 - 15.0 * share + 6.0 * share**2))[:, None]
    ends = [one.mean(axis=0) for one in (before[-RATE_HZ:], after[:RATE_HZ])]
    size = np.linalg.norm(ends[0]) * (1.0 - turned) + np.linalg.norm(ends[1]) * turned
    up = _unit((1.0 - turned) * _unit(ends[0][None]) + turned * _unit(ends[1][None]))
    bow = (np.radians(way.bow_deg) * bows * np.sin(np.pi * share) ** 2)[:, None]
    up = _unit(np.cos(bow) * up - np.sin(bow) * _FORWARD)
    ahead = _unit(_FORWARD - (up @ _FORWARD)[:, None] * up)
    rises = lift_m > 0.0  # getting up, the bow comes first; sitting down, it is last to go
    lifting = np.clip((share - (1.0 - way.lifted)) / way.lifted if rises else share / way.lifted, 0.0, 1.0)
    lift_g = lift_m * (60.0 * lifting - 180.0 * lifting**2 + 120.0 * lifting**3) / (lasts_s * way.lifted) ** 2 / 9.80665
    pushed = (1.0 + lift_g)[:, None] * up + way.push_g * np.sin(2.0 * np.pi * share)[:, None] * ahead
    noise = 0.0 if way.everywhere else way.noise_g
    return np.asarray(pushed * size + rng.normal(0.0, max(noise, _OWN_NOISE_G * way.everywhere), (len(share), 3)))


def _worn(xyz: Array, way: Way, rng: np.random.Generator) -> Block:
    """Read the clip at its rate, with its noise, as it was put on."""
    if way.everywhere:
        at = np.arange(0, len(xyz) * way.rate_hz // RATE_HZ) * (RATE_HZ / way.rate_hz)
        xyz = np.stack([np.interp(at, np.arange(len(xyz)), xyz[:, axis]) for axis in range(3)], axis=1)
        more = np.sqrt(max(way.noise_g**2 - _OWN_NOISE_G**2, 0.0))
        xyz = xyz + rng.normal(0.0, more, xyz.shape)
    turn = Rotation.from_rotvec([np.radians(way.turned_deg), 0.0, 0.0])
    turn = Rotation.random(rng=rng) if way.any_way else turn
    t_ns = 1_700_000_000 * _NS + np.arange(len(xyz), dtype=np.int64) * _NS // way.rate_hz
    return Block(t_ns, np.asarray(turn.inv().apply(xyz)))


def _unit(rows: Array) -> Array:
    return np.asarray(rows / np.linalg.norm(rows, axis=1)[:, None])
