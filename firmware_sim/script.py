"""What the generated person does, one stretch after another."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from firmware_sim.person import Pose


class Doing(StrEnum):
    """Kinds of stretches."""

    SITS = "sits"
    STANDS = "stands"
    LIES = "lies"
    WALKS = "walks"
    RUNS = "runs"
    CYCLES = "cycles"
    DRIVES = "drives"
    TURNS = "turns"
    SCRATCHES = "scratches"
    OFF = "off"


@dataclass(frozen=True, slots=True)
class Stretch:
    """One thing done for a while.

    Attributes
    ----------
    doing, seconds
        What, and for how long.
    pose
        How the trunk is held; by default what goes with `doing`.
    flexion_deg, lateral_deg
        The trunk's angles against sitting tall, in place of those of the pose.
    cadence_spm
        Steps (or, cycling, half turns of the pedals) a minute.
    limp
        0 for even steps; 0.3 makes one step 30 % longer than the mean and the other 30 % shorter, and one weaker.
    strength
        Size of the movement against what is usual at this cadence.
    reclip
        Whether the clip is taken off and put on anew, turned otherwise, when this stretch begins.
    still
        Whether the person keeps from fidgeting.
    """

    doing: Doing
    seconds: float
    pose: Pose | None = None
    flexion_deg: float | None = None
    lateral_deg: float | None = None
    cadence_spm: float = 112.0
    limp: float = 0.0
    strength: float = 1.0
    reclip: bool = False
    still: bool = False

    def __post_init__(self) -> None:
        """Check the sizes.

        Raises
        ------
        ValueError
            If a stretch has no length, or steps that nobody takes.
        """
        if not self.seconds > 0:
            raise ValueError(f"a stretch lasts more than 0 s, not {self.seconds}")
        if not 30.0 <= self.cadence_spm <= 240.0 or not 0.0 <= self.limp < 0.8:
            raise ValueError(f"nobody walks {self.cadence_spm} steps a minute with a limp of {self.limp}")


def sits(seconds: float, pose: Pose = Pose.UPRIGHT, *, still: bool = False) -> Stretch:
    """Sit in a pose."""
    return Stretch(Doing.SITS, seconds, pose, still=still)


def stands(seconds: float) -> Stretch:
    """Stand."""
    return Stretch(Doing.STANDS, seconds)


def lies(seconds: float, pose: Pose = Pose.SUPINE) -> Stretch:
    """Lie on the back, the front or a side."""
    return Stretch(Doing.LIES, seconds, pose)


def walks(seconds: float, cadence_spm: float = 112.0, *, limp: float = 0.0, strength: float = 1.0) -> Stretch:
    """Walk at a cadence."""
    return Stretch(Doing.WALKS, seconds, cadence_spm=cadence_spm, limp=limp, strength=strength)


def runs(seconds: float, cadence_spm: float = 162.0) -> Stretch:
    """Run at a cadence."""
    return Stretch(Doing.RUNS, seconds, cadence_spm=cadence_spm)


def cycles(seconds: float) -> Stretch:
    """Ride a bicycle, sitting."""
    return Stretch(Doing.CYCLES, seconds, cadence_spm=132.0)


def drives(seconds: float) -> Stretch:
    """Drive a car, leaning back."""
    return Stretch(Doing.DRIVES, seconds)


def off(seconds: float) -> Stretch:
    """Leave the clip on a table; it is put on anew after that, some degrees off where it was."""
    return Stretch(Doing.OFF, seconds)
