"""A person in a chair, played into the nudging state machine second by second."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from processing.epochs import State
from processing.nudges import NEVER, Today, begin, step
from processing.streaks import Moment, Nudge
from spineclip.contract.config import Nudging
from spineclip.contract.days import local_time

BERLIN = ZoneInfo("Europe/Berlin")
NOON_NS = int(datetime(2026, 5, 4, 12, tzinfo=BERLIN).timestamp()) * 10**9
ENOUGH = Today(walking_min=3, goal_walking_min=20, worn_min=600)


class Body:
    """A person in a chair whose seconds are played into the state machine."""

    def __init__(self, nudging: Nudging | None = None, start_ns: int = NOON_NS, today: Today | None = None) -> None:
        self.nudging = nudging or Nudging(slouched_min=2, sedentary_min=45)
        self.now_ns = start_ns
        self.start_ns = start_ns
        self.today = today or Today()
        self.state = begin()
        self.said: list[Nudge] = []
        self.present_ns = NEVER
        """From when on an untold nudge may be said anew."""

    def be(
        self,
        seconds: float,
        state: State = State.SITTING,
        bent: bool | None = False,
        *,
        confidence: float = 0.9,
        oriented: bool = True,
        vibration_mg: float = 3.0,
        mount: int = 0,
    ) -> list[Nudge]:
        """Stay like this for a while; return the nudges that started or ended meanwhile."""
        before = len(self.said)
        for _ in range(round(seconds)):
            self.now_ns += 10**9
            moment = Moment(self.now_ns, state, bent, confidence, oriented, vibration_mg, mount)
            local = local_time(self.now_ns, BERLIN)
            self.state, nudges = step(self.state, moment, self.today, self.nudging, local, present_ns=self.present_ns)
            self.said += nudges
        return self.said[before:]

    def slouch(self, seconds: float) -> list[Nudge]:
        return self.be(seconds, bent=True)

    def walk(self, seconds: float) -> list[Nudge]:
        return self.be(seconds, State.WALKING, vibration_mg=150.0)

    def skip(self, seconds: float) -> None:
        """Let time pass of which nothing is measured."""
        self.now_ns += round(seconds * 1e9)
