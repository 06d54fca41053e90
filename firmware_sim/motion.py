"""A generated person with a clip on, whose every step and angle is known.

The specific force is a function of time alone: any instants may be asked for, in any order and as often as one
likes, and the same seed always gives the same person. Asking for a second or more at once is fastest.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from firmware_sim.gait import Walk, walk
from firmware_sim.mount import Mount
from firmware_sim.noise import band, white
from firmware_sim.person import LEAN_DEG, SEATED, Person
from firmware_sim.script import Doing, Stretch
from firmware_sim.trunk import ON_SEAT, Trunk, body_gravity, bows, plan, pose_of
from spineclip.contract.placement import Placement

SECOND_NS: Final = 10**9
_MG: Final = 1e-3
_LIFT_M: Final = 0.4
_LIFT_S: Final = 1.2
_LIFT_AFTER_S: Final = 0.5
_STATE: Final = {
    Doing.SITS: "sitting",
    Doing.STANDS: "standing",
    Doing.LIES: "lying",
    Doing.WALKS: "walking",
    Doing.RUNS: "running",
    Doing.CYCLES: "cycling",
    Doing.DRIVES: "sitting",
    Doing.TURNS: "active",
    Doing.SCRATCHES: "sitting",
    Doing.OFF: "not_worn",
}

# noise of the body in mg (up, right, forward): slow sway, 1-8 Hz, 8-24 Hz; medians of HARTH and HAR70+
_SWAY: Final = band(0.04, 1.0, 0.6)
_TREMOR: Final = band(1.0, 8.0, 0.0)
_BUZZ: Final = band(8.0, 24.0, 0.5)
_TAP: Final = band(3.5, 5.5, 0.0)
_TUMBLE: Final = band(0.3, 2.0, 0.5)
_BODY_MG: Final = {
    Doing.SITS: ((1.6, 2.4, 2.4), (3.0, 3.0, 4.6), (1.6, 1.6, 2.2)),
    Doing.STANDS: ((4.0, 12.5, 15.5), (5.0, 5.8, 5.2), (3.2, 2.9, 3.0)),
    Doing.LIES: ((1.6, 1.4, 0.8), (1.3, 1.5, 1.5), (0.4, 0.4, 0.4)),
    Doing.WALKS: ((5.0, 12.0, 12.0), (35.0, 30.0, 35.0), (50.0, 40.0, 50.0)),
    Doing.RUNS: ((10.0, 25.0, 25.0), (90.0, 80.0, 80.0), (60.0, 60.0, 60.0)),
    Doing.CYCLES: ((9.0, 11.0, 14.0), (95.0, 65.0, 60.0), (48.0, 34.0, 28.0)),
    Doing.DRIVES: ((8.0, 22.0, 35.0), (22.0, 18.0, 14.0), (18.0, 12.0, 11.0)),
    Doing.TURNS: ((10.0, 35.0, 35.0), (22.0, 25.0, 22.0), (8.0, 8.0, 8.0)),
    Doing.SCRATCHES: ((1.6, 2.4, 2.4), (3.0, 3.0, 4.6), (1.6, 1.6, 2.2)),
    Doing.OFF: ((0.0, 0.0, 0.0), (0.0, 0.0, 0.0), (0.0, 0.0, 0.0)),
}
_RESTS: Final = frozenset({Doing.SITS, Doing.STANDS, Doing.LIES, Doing.SCRATCHES})
_GAIT: Final = frozenset({Doing.WALKS, Doing.RUNS, Doing.TURNS})
_UPPER: Final = frozenset({Placement.UPPER_BACK, Placement.STERNUM, Placement.COLLAR})


@dataclass(frozen=True, slots=True)
class Truth:
    """What really happens in each second; all columns have shape (n,).

    `state` and `posture` are names; angles are against sitting tall, forward and right positive (NaN off the body);
    `cadence_spm` is NaN outside walking and running; `steps` counts heel strikes of walking and running.
    """

    start_ns: NDArray[np.int64]
    state: NDArray[np.str_]
    posture: NDArray[np.str_]
    flexion_deg: NDArray[np.float64]
    lateral_deg: NDArray[np.float64]
    cadence_spm: NDArray[np.float64]
    steps: NDArray[np.float64]

    def __len__(self) -> int:
        """Number of seconds."""
        return len(self.start_ns)


class Motion:
    """A person doing what a script says, with a clip on.

    Parameters
    ----------
    script
        What is done, in order.
    start_ns
        UTC time of the beginning. Before it the person is in the first pose, after the end in the last.
    seed
        Draws the person (unless given), the steps and the fidgets. Two clips with the same seed and script are on
        the same person.
    placement, mount
        Where the clip is worn and how it is turned.
    repeat
        Whether the script begins anew each time that it ends.
    """

    def __init__(
        self,
        script: tuple[Stretch, ...],
        *,
        start_ns: int,
        seed: int = 0,
        placement: Placement = Placement.STERNUM,
        person: Person | None = None,
        mount: Mount | None = None,
        repeat: bool = False,
    ) -> None:
        if not script:
            raise ValueError("a script has at least one stretch")
        self.script = script
        self.start_ns = start_ns
        self.seed = seed
        self.placement = placement
        self.person = person or Person.drawn(seed)
        self.mount = mount or Mount.named()
        self.repeat = repeat
        self._ends_s = np.cumsum([stretch.seconds for stretch in script])
        self._begins_s = np.concatenate([[0.0], self._ends_s[:-1]])
        self.duration_s = float(self._ends_s[-1])
        self._trunk = Trunk(plan(script, self._begins_s, self.person, placement, seed))
        anew = [
            number > 0 and (stretch.reclip or script[number - 1].doing is Doing.OFF)
            for number, stretch in enumerate(script)
        ]
        self._mounts: list[Mount] = []
        usual = now = self.mount
        for number, stretch in enumerate(script):
            if anew[number]:
                now = usual.reclipped(seed, number, turned=stretch.reclip)
                usual = now if stretch.reclip else usual
            self._mounts.append(now)
        self._anew = anew
        self._walk = lru_cache(maxsize=4096)(self._draw_walk)
        self._lane = list(Placement).index(placement) + 1

    def samples(self, t_ns: NDArray[np.int64]) -> NDArray[np.float64]:
        """Specific force in sensor axes, g, shape (n, 3), at UTC times, shape (n,)."""
        t_ns = np.asarray(t_ns, dtype=np.int64)
        t_s = self._script_time(t_ns)
        if len(t_s) > 1 and np.any(np.diff(t_s) < 0):
            order = np.argsort(t_s, kind="stable")
            out = np.empty((len(t_s), 3))
            out[order] = self._ordered(t_ns[order], t_s[order])
            return out
        return self._ordered(t_ns, t_s)

    def neutral_g(self, t_ns: int | None = None) -> tuple[float, float, float]:
        """What the sensor reads while the person sits tall, with the clip as it is put on at a time."""
        body = body_gravity(np.zeros((1, 2)), LEAN_DEG[self.placement])
        x, y, z = self._mount_at(t_ns).read(body)[0]
        return (float(x), float(y), float(z))

    def forward(self, t_ns: int | None = None) -> tuple[float, float, float]:
        """The wearer's forward in sensor axes, unit length, with the clip as it is put on at a time."""
        lean = np.radians(LEAN_DEG[self.placement])
        x, y, z = self._mount_at(t_ns).rotation @ np.array([np.sin(lean), 0.0, np.cos(lean)])
        return (float(x), float(y), float(z))

    def step_times_ns(self, start_ns: int, end_ns: int) -> NDArray[np.int64]:
        """Heel strikes of walking and running in ``[start_ns, end_ns)``."""
        cycle_ns = round(self.duration_s * SECOND_NS)
        first, last = 0, 0
        if self.repeat:
            first, last = (start_ns - self.start_ns) // cycle_ns, (end_ns - self.start_ns) // cycle_ns
        one = [
            np.round((self._begins_s[i] + self._walk(i).steps_s) * SECOND_NS).astype(np.int64)
            for i, stretch in enumerate(self.script)
            if stretch.doing in (Doing.WALKS, Doing.RUNS)
        ]
        steps = np.concatenate([np.empty(0, dtype=np.int64), *one])
        times = np.concatenate([self.start_ns + n * cycle_ns + steps for n in range(first, last + 1)])
        return times[(times >= start_ns) & (times < end_ns)]

    def truth(self, start_ns: int, end_ns: int) -> Truth:
        """Tell what really happens in each whole UTC second that begins in ``[start_ns, end_ns)``."""
        first = -(-start_ns // SECOND_NS)
        seconds = np.arange(first, -(-end_ns // SECOND_NS), dtype=np.int64) * SECOND_NS
        number = self._stretch_at(self._script_time(seconds + SECOND_NS // 2))
        doing = [stretch.doing for stretch in self.script]
        states = np.array([_STATE[d] for d in doing])
        postures = np.array([_posture(stretch) for stretch in self.script])
        inside = np.arange(5, dtype=np.int64) * (SECOND_NS // 5) + SECOND_NS // 10
        times = self._script_time((seconds[:, None] + inside).ravel())
        angles = self._trunk.angles_deg(times).reshape(len(seconds), 5, 2).mean(axis=1)
        off = states[number] == "not_worn"
        angles[off] = np.nan
        strikes = self.step_times_ns(first * SECOND_NS - 10 * SECOND_NS, end_ns + 10 * SECOND_NS)
        steps = np.diff(np.searchsorted(strikes, np.append(seconds, seconds[-1:] + SECOND_NS))).astype(np.float64)
        cadence = np.full(len(seconds), np.nan)
        if len(strikes) > 1:
            middle, pace = strikes[:-1] + np.diff(strikes) // 2, 60.0 * SECOND_NS / np.diff(strikes)
            for i in np.flatnonzero((states[number] == "walking") | (states[number] == "running")):
                low, high = np.searchsorted(middle, [seconds[i] - 4 * SECOND_NS, seconds[i] + 5 * SECOND_NS])
                near = pace[low:high]
                near = near[near > 25.0]
                cadence[i] = len(near) / np.sum(1.0 / near) if len(near) else np.nan
        return Truth(seconds, states[number], postures[number], angles[:, 0], angles[:, 1], cadence, steps)

    def _script_time(self, t_ns: NDArray[np.int64]) -> NDArray[np.float64]:
        since = t_ns - self.start_ns
        if self.repeat:
            since = since % round(self.duration_s * SECOND_NS)
        return np.asarray(np.clip(since / SECOND_NS, 0.0, np.nextafter(self.duration_s, 0.0)))

    def _stretch_at(self, t_s: NDArray[np.float64]) -> NDArray[np.intp]:
        return np.minimum(np.searchsorted(self._ends_s, t_s, side="right"), len(self.script) - 1)

    def _mount_at(self, t_ns: int | None) -> Mount:
        if t_ns is None:
            return self.mount
        return self._mounts[int(self._stretch_at(self._script_time(np.array([t_ns], dtype=np.int64)))[0])]

    def _ordered(self, t_ns: NDArray[np.int64], t_s: NDArray[np.float64]) -> NDArray[np.float64]:
        out = np.empty((len(t_s), 3))
        bounds = np.searchsorted(t_s, self._ends_s[:-1])
        lows = np.concatenate([[0], bounds])
        highs = np.concatenate([bounds, [len(t_s)]])
        for i in np.flatnonzero(highs > lows):
            piece = slice(int(lows[i]), int(highs[i]))
            out[piece] = self._mounts[i].read(self._body(int(i), t_s[piece]))
        for axis in range(3):
            out[:, axis] += self.mount.noise_g * white(t_ns, 1000 * self.seed + 10 * self._lane + axis)
        return out

    def _body(self, number: int, t_s: NDArray[np.float64]) -> NDArray[np.float64]:
        stretch, begin = self.script[number], self._begins_s[number]
        since = t_s - begin
        if stretch.doing is Doing.OFF:
            return np.broadcast_to(np.array([0.03, -0.02, 0.999]), (len(t_s), 3)).copy()
        angles = self._trunk.angles_deg(t_s)
        if self.placement is Placement.THIGH and stretch.doing in _GAIT:
            swing = 22.0 if stretch.doing is not Doing.TURNS else 8.0
            angles[:, 0] += -swing * np.sin(2.0 * np.pi * self._walk(number).phase(since))
        body = body_gravity(angles, LEAN_DEG[self.placement])
        noise = self._noise(number, t_s, since)
        if stretch.doing in _GAIT:
            noise += self._walk(number).at(since) * self._reach()
        return np.asarray(body + noise)

    def _noise(self, number: int, t_s: NDArray[np.float64], since: NDArray[np.float64]) -> NDArray[np.float64]:
        stretch = self.script[number]
        offset = 977.0 * number + 131.0 * self._lane + 17.0 * self.seed
        scale = np.array(_BODY_MG[stretch.doing]) * _MG
        if stretch.doing in _GAIT:
            scale[1:] *= min(1.0, stretch.cadence_spm / 112.0) ** 2 * stretch.strength
        noise = _SWAY.at(t_s, offset) * (scale[0] * self.person.sway)
        noise += _TREMOR.at(t_s, offset) * scale[1]
        noise += _BUZZ.at(t_s, offset) * scale[2]
        noise[:, 0] += self._lift(number, since)
        if stretch.doing in _RESTS:
            size = 5.0 if self.placement in _UPPER else 1.5
            phase = 2.0 * np.pi * (self.person.breath_hz * t_s + 0.25 * np.sin(t_s * (2.0 * np.pi / 47.0)))
            noise[:, 2] += size * _MG * np.sin(phase)
        if stretch.doing is Doing.CYCLES:
            pedal = np.sin(2.0 * np.pi * (stretch.cadence_spm / 60.0) * since)
            noise += pedal[:, None] * (np.array([35.0, 25.0, 30.0]) * _MG)
        if stretch.doing is Doing.SCRATCHES:
            busy = (since % 9.0) < 3.5
            noise += _TAP.at(t_s, offset) * (np.array([90.0, 110.0, 120.0]) * _MG) * busy[:, None]
        if self._anew[number]:
            handled = np.clip(3.0 - since, 0.0, 1.0)
            noise += _TUMBLE.at(t_s, offset) * 0.6 * handled[:, None]
        return np.asarray(noise)

    def _lift(self, number: int, since: NDArray[np.float64]) -> NDArray[np.float64]:
        """Rise from a seat, or sink onto it: 0.4 m with the least jerk (Flash and Hogan 1985), after the bow."""
        before = self.script[number - 1].doing if number else self.script[number].doing
        if not bows(before, self.script[number]):
            return np.zeros(len(since))
        share = np.clip((since - _LIFT_AFTER_S) / _LIFT_S, 0.0, 1.0)
        curve = share * (60.0 + share * (120.0 * share - 180.0))
        sign = -1.0 if self.script[number].doing in ON_SEAT else 1.0
        return np.asarray(curve * (sign * _LIFT_M / _LIFT_S**2 / 9.81))

    def _reach(self) -> NDArray[np.float64]:
        if self.placement in _UPPER:
            return np.array([0.95, 0.9, 0.6])
        return np.array([1.0, 1.0, 1.0])

    def _draw_walk(self, number: int) -> Walk:
        stretch = self.script[number]
        turning = stretch.doing is Doing.TURNS
        return walk(
            np.random.default_rng([self.seed, 23, number]),
            stretch.seconds,
            78.0 if turning else stretch.cadence_spm,
            running=stretch.doing is Doing.RUNS,
            limp=stretch.limp,
            strength=(0.6 if turning else stretch.strength) * self.person.bounce,
            sideways=self.person.sideways,
            stride_cv=0.28 if turning else self.person.stride_cv * (1.0 + max(0.0, 90.0 - stretch.cadence_spm) / 40.0),
            damping=0.6 if self.placement in _UPPER else 1.0,
        )


def _posture(stretch: Stretch) -> str:
    if stretch.doing in (Doing.SITS, Doing.DRIVES) and stretch.flexion_deg is None:
        pose = pose_of(stretch)
        return str(pose) if pose in SEATED else "unknown"
    return "upright" if stretch.doing is Doing.STANDS else "unknown"
