"""What the page shows at this moment, read from the store and the live feed at most twice a second."""

from __future__ import annotations

import asyncio
import datetime as dt
import time
import zoneinfo
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from dashboards.fields import number
from dashboards.patient import markup
from dashboards.patient.clip import clip_view
from dashboards.patient.desk import Calibrator, Desk
from dashboards.patient.feed import STALE_S, LiveFeed, Received
from dashboards.patient.figure import Figure
from dashboards.patient.fortnight import DAYS, FortnightView, fortnight_view
from dashboards.patient.goals_view import LOOK_BACK_DAYS, goals_html, goals_view
from dashboards.patient.now import now_view, sitting_view, walking_view
from dashboards.patient.nudge_view import nudge_html
from dashboards.patient.today import Reel
from dashboards.words import Words
from processing.metrics import Point
from processing.stores.base import MetricReader
from spineclip.contract.clock import Clock
from spineclip.contract.days import day_of, day_start_ns, local_time

_FRESH_S: Final = 0.5
_WHOLE_DAY_EVERY_S: Final = 60.0
"""How often the whole day is read anew, so that late data that amend its past show up too."""
_OVERLAP_NS: Final = 600 * 10**9
_DAY_NS: Final = 86_400 * 10**9


@dataclass(frozen=True, slots=True)
class Source:
    """Whom the page shows, where its numbers come from, and where what is written goes (nowhere without a desk)."""

    patient: str
    where: Callable[[], zoneinfo.ZoneInfo]
    """Tells the patient's time zone; asked each time, because patients move while pages are open."""
    language: str
    reader: MetricReader
    feed: LiveFeed
    clock: Clock
    desk: Desk | None = None
    calibrator: Calibrator | None = None

    @property
    def zone(self) -> zoneinfo.ZoneInfo:
        """The patient's time zone now."""
        return self.where()


@dataclass(frozen=True, slots=True)
class Shown:
    """The parts of the page, as HTML and as the figure with its angles."""

    when: str
    state: str
    figure: Figure
    headline: str
    now: str
    walking: str
    sitting: str
    today: str
    fortnight: str
    goals: str
    nudge: str
    clip: str


class PageModel:
    """Reads what is needed and nothing twice: the day grows by its new points, everything else is small."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.words = Words(source.language)
        self._lock = asyncio.Lock()
        self._shown: tuple[float, Shown] | None = None
        self._reel: Reel | None = None
        self._whole_day_at = 0.0

    async def shown(self) -> Shown:
        """Return what to show, at most half a second old; the store is read in a thread of its own.

        Raises
        ------
        StoreError
            If the store cannot be read.
        """
        async with self._lock:
            if self._shown is None or time.monotonic() - self._shown[0] > _FRESH_S:
                received = self.source.feed.latest(self.source.patient)
                self._shown = (time.monotonic(), await asyncio.to_thread(self._read, received))
            return self._shown[1]

    def _read(self, received: Received | None) -> Shown:
        source, words = self.source, self.words
        now_ns = self._now_ns(received)
        today = day_of(now_ns, source.zone)
        fortnight = self._fortnight(now_ns)
        daily = fortnight[1]
        live = received.live if received and day_of(received.live.time_ns, source.zone) == today else None
        walked = _larger(live.walking_min if live else None, number(daily, "walking_min"))
        goal = live.goal_walking_min if live else number(daily, "goal_walking_min")
        now = now_view(received, words)
        reel = self._day(now_ns)
        return Shown(
            when=f"{words(f'weekday.{today.weekday()}')} {words.short_date(today)}, "
            f"{local_time(now_ns, source.zone):%H:%M}",
            state=now.state,
            figure=now.figure,
            headline=markup.headline_html(now),
            now=markup.now_html(now),
            walking=markup.walking_html(walking_view(walked, goal, words), words),
            sitting=markup.sitting_html(
                sitting_view(received, number(daily, "goal_longest_sedentary_min"), words), words
            ),
            today=markup.today_html(reel.view(), source.zone, words),
            fortnight=markup.fortnight_html(fortnight[0], words),
            goals=self._goals(now_ns),
            nudge=nudge_html(source.reader.latest("nudge", source.patient), now_ns),
            clip=markup.clip_html(clip_view(source.reader.latest("device", source.patient), received, words)),
        )

    def _now_ns(self, received: Received | None) -> int:
        # While the wearable speaks, its newest sample is "now": it never runs ahead of what the page can show.
        fresh = received is not None and received.age_s <= STALE_S
        return received.live.time_ns if received and fresh else self.source.clock.utc_ns()

    def _fortnight(self, now_ns: int) -> tuple[FortnightView, Point | None]:
        source = self.source
        today = day_of(now_ns, source.zone)
        since_ns = day_start_ns(today, source.zone) - DAYS * _DAY_NS
        points = source.reader.points("daily", source.patient, since_ns, now_ns + _DAY_NS)
        latest = [point for point in points if point.fields.get("date") == today.isoformat()]
        return fortnight_view(points, today), (latest[-1] if latest else None)

    def _goals(self, now_ns: int) -> str:
        source = self.source
        today = day_of(now_ns, source.zone)
        since_ns = day_start_ns(today - dt.timedelta(days=LOOK_BACK_DAYS), source.zone)
        daily = source.reader.points("daily", source.patient, since_ns, now_ns + _DAY_NS)
        agreed = source.reader.latest("goal", source.patient)
        return goals_html(goals_view(daily, agreed, today, self.words), self.words)

    def _day(self, now_ns: int) -> Reel:
        source = self.source
        today = day_of(now_ns, source.zone)
        bounds = (day_start_ns(today, source.zone), day_start_ns(today + dt.timedelta(days=1), source.zone))
        whole = self._reel is None or (self._reel.start_ns, self._reel.end_ns) != bounds
        if whole or time.monotonic() - self._whole_day_at > _WHOLE_DAY_EVERY_S:
            self._reel = Reel(*bounds)
            self._whole_day_at = time.monotonic()
        reel = self._reel
        assert reel is not None  # noqa: S101  (just made where it was missing)
        since_ns = max(bounds[0], reel.newest_ns - _OVERLAP_NS)
        reel.add(source.reader.points("activity", source.patient, since_ns, bounds[1]))
        return reel


def _larger(one: float | None, other: float | None) -> float | None:
    known = [value for value in (one, other) if value is not None]
    return max(known, default=None)
