"""The collector: one patient's wearables, decoded and timed, kept on disk, sent to the broker."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from collector.link import Link, Radio
from collector.outbox import DEFAULT_MAX_BYTES, Outbox
from collector.rates import RateBook
from collector.scan import Sighting, Target
from collector.stream import ClipStream
from collector.uplink import Uplink
from collector.wearables import Stream
from collector.writer import Writer
from spineclip.contract.clock import Clock
from spineclip.contract.connection import BrokerAccess
from spineclip.contract.errors import OutboxError, SpineclipError
from spineclip.contract.ids import check_id
from spineclip.contract.messages import Buzz, Event
from spineclip.contract.placement import Placement
from spineclip.contract.wire import Gap, Record

_LOG = logging.getLogger(__name__)

REPORT_S: Final = 60.0
"""Between two ``device`` points of a wearable: the metric table has one a minute."""
DRAIN_S: Final = 5.0
"""Who is asked to stop waits so long for the core's acks, of the ten seconds in which all has to be over."""
MAX_BACKLOG: Final = 2_000
"""`settled` waits while more than this waits to be stored."""


@dataclass(frozen=True, slots=True)
class WornClip:
    """A wearable of the patient: what to look for (kind, address, id or name), and where it is worn."""

    wearable: str
    placement: Placement


@dataclass(frozen=True, slots=True)
class CollectorSettings:
    """Everything that a collector needs to know.

    `rate_hz` and `range_g` are wishes: each wearable's nearest offer is taken.
    """

    patient: str
    clips: tuple[WornClip, ...]
    broker: BrokerAccess
    outbox: Path
    outbox_max_bytes: int = DEFAULT_MAX_BYTES
    rate_hz: float = 50.0
    range_g: float = 8.0
    adapter: str | None = None


class Collector:
    """Runs until cancelled, then stops cleanly within ten seconds.

    Parameters
    ----------
    settings
        What to collect and where to send it.
    clock
        The time that the wearables live in. The network lives in real time.
    say
        Called with sentences for people.

    Raises
    ------
    OutboxError
        If the outbox cannot be opened.
    """

    def __init__(self, settings: CollectorSettings, clock: Clock, say: Callable[[str], None] = lambda _: None) -> None:
        check_id(settings.patient, "patient")
        self._settings = settings
        self._clock = clock
        self._say = say
        self._outbox = Outbox(settings.outbox, clock, settings.outbox_max_bytes)
        self._rates = RateBook(settings.outbox.with_suffix(".rates.json"))
        self._uplink = Uplink(
            settings.patient,
            settings.broker,
            self._outbox,
            on_buzz=self._buzz,
            on_trouble=lambda error: say(str(error)),
        )
        self._writer = Writer(self._outbox, self._uplink.wake, self._trouble)
        radio = Radio(settings.adapter, self._outbox.devices())
        self._clips = [self._make_clip(worn, radio) for worn in settings.clips]
        self._background: set[asyncio.Task[None]] = set()

    @property
    def received(self) -> int:
        """Samples put into batches since the start."""
        return sum(clip.stream.samples for clip in self._clips if clip.stream is not None)

    @property
    def backlog(self) -> int:
        """Records that the core has not stored yet."""
        return self._outbox.backlog + self._writer.waiting

    @property
    def connected(self) -> bool:
        """Whether the broker listens to us."""
        return self._uplink.connected

    @property
    def dropped(self) -> int:
        """Records that a full outbox or a disk that takes none has cost, since the start."""
        return self._outbox.dropped + self._writer.let_go

    @property
    def streaming(self) -> int:
        """How many wearables are connected and subscribed."""
        return sum(clip.link.streaming for clip in self._clips)

    @property
    def devices(self) -> list[str]:
        """Ids of the wearables found so far."""
        return [clip.stream.device for clip in self._clips if clip.stream is not None]

    @property
    def rejects(self) -> Counter[str]:
        """What could not be used, by reason, from wearables and broker."""
        found = Counter(self._uplink.rejects)
        for clip in self._clips:
            if clip.stream is not None:
                found += clip.stream.rejects
        return found

    async def settled(self) -> None:
        """Wait until all that has arrived is worked off and the outbox is not far behind.

        A simulator that drives the clock awaits this after every step.
        """
        while not all(clip.link.idle for clip in self._clips):  # noqa: ASYNC110 - one turn of the loop is awaited
            await asyncio.sleep(0)
        while self._uplink.connected and self.backlog > MAX_BACKLOG:  # noqa: ASYNC110 - falls in a thread
            await asyncio.sleep(0.001)

    async def run(self) -> None:
        """Collect until cancelled or `stop`; drain for some seconds then, so that little is left for the next start."""
        self._tell_opening()
        uplink = asyncio.create_task(self._uplink.run(), name="uplink")
        writer = asyncio.create_task(self._writer.run(), name="writer")
        links = [asyncio.create_task(clip.link.run(), name=f"link {clip.worn.wearable}") for clip in self._clips]
        report = asyncio.create_task(self._report(), name="report")
        try:
            await asyncio.wait(links)  # which, when cancelled, leaves the links to be stopped in order
        finally:
            for clip in self._clips:
                clip.link.stop()
            await self._finish(links, report, writer, uplink)

    def stop(self) -> None:
        """End `run` soon, cleanly."""
        for clip in self._clips:
            clip.link.stop()

    async def _finish(
        self,
        links: list[asyncio.Task[None]],
        report: asyncio.Task[None],
        writer: asyncio.Task[None],
        uplink: asyncio.Task[None],
    ) -> None:
        pending = [task for task in links if not task.done()]
        if pending:
            _, late = await asyncio.wait(pending, timeout=3.0)
            for task in late:
                task.cancel()
        report.cancel()
        await self._writer.stop(writer)
        await self._uplink.stop(DRAIN_S)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(2.0):
                await uplink
        uplink.cancel()
        await asyncio.gather(*links, report, writer, uplink, *self._background, return_exceptions=True)
        self._outbox.close()

    # ---- the clips

    def _make_clip(self, worn: WornClip, radio: Radio) -> _Clip:
        clip = _Clip(worn, self)
        clip.link = Link(
            Target(worn.wearable),
            radio,
            self._clock,
            clip,
            rate_hz=self._settings.rate_hz,
            range_g=self._settings.range_g,
        )
        return clip

    def open_stream(self, sighting: Sighting, placement: Placement) -> ClipStream:
        """Begin the records of a wearable that was found."""
        device = sighting.wearable_id
        stream = ClipStream(
            device,
            placement,
            sighting.wearable,
            lambda: self._outbox.begin(device),
            self._outbox.last_end_ns(device),
        )
        stream.rate = self._rates.rate(device)
        stream.rssi_dbm = sighting.seen.rssi_dbm
        return stream

    def write(self, records: list[Record]) -> None:
        """Keep records and send them."""
        self._writer.put(records)
        for record in records:
            if isinstance(record, Gap):
                detail: dict[str, str | int | float | bool] = {"dur_s": (record.end_ns - record.start_ns) / 1e9}
                detail["reason"] = record.reason
                self._uplink.event(Event("gap", record.start_ns, record.device, detail))

    def tell(self, device: str, sentence: str, kind: str = "fault", reason: str = "link") -> None:
        """Tell people and the core what happened to a wearable."""
        self._say(f"{device}: {sentence}" if device else sentence)
        detail: dict[str, str | int | float | bool] = {"stage": "collector", "reason": reason, "text": sentence}
        self._uplink.event(Event(kind, self._clock.utc_ns(), device, detail))

    def _trouble(self, error: OutboxError) -> None:
        self.tell("", str(error), reason="outbox")

    def _tell_opening(self) -> None:
        damaged, saved = self._outbox.opened.damaged, self._outbox.opened.salvaged
        if damaged is not None:
            begun = f"a new one begun with what could be read (records: {saved})"
            self.tell("", f"the outbox was damaged; it was moved to {damaged} and {begun}", reason="outbox-damaged")

    def _buzz(self, wanted: Buzz) -> None:
        for clip in self._clips:
            if clip.stream is not None and clip.stream.device == wanted.device:
                task = asyncio.get_running_loop().create_task(self._buzz_one(clip))
                self._background.add(task)
                task.add_done_callback(self._background.discard)

    async def _buzz_one(self, clip: _Clip) -> None:
        try:
            await clip.link.buzz()
        except Exception as error:  # noqa: BLE001
            # A nudge that cannot be felt must not disturb the measurement, whatever the link raises.
            _LOG.debug("buzz failed: %s", error)

    async def _report(self) -> None:
        """Tell once a minute how each wearable does."""
        while True:
            await self._clock.sleep(REPORT_S)
            for clip in self._clips:
                if clip.stream is not None:
                    detail = clip.health()
                    self._uplink.event(Event("device", self._clock.utc_ns(), clip.stream.device, detail))
                    self.keep_rate(clip.stream)

    def keep_rate(self, stream: ClipStream) -> None:
        """Remember a wearable's rate over the next start."""
        self._rates.note(stream.device, stream.rate)
        self._rates.save()


class _Clip:
    """One wearable's sink: packets in, records out."""

    link: Link

    def __init__(self, worn: WornClip, collector: Collector) -> None:
        self.worn = worn
        self.stream: ClipStream | None = None
        self._collector = collector
        self._told = ""
        self._plan: Stream | None = None

    def found(self, sighting: Sighting) -> None:
        self.stream = self._collector.open_stream(sighting, self.worn.placement)

    def connected(self, plan: Stream) -> None:
        self._told = ""
        self._plan = plan
        stream = self._opened()
        stream.connected(plan)
        self._collector.tell(stream.device, f"streaming at {plan.rate_hz:g} Hz", "device")

    def packet(self, characteristic: str, data: bytes, arrival_ns: int, utc_ns: int) -> None:
        stream = self._opened()
        records = stream.feed(characteristic, data, arrival_ns, utc_ns)
        if records:
            self._collector.write(records)
        for notices in (stream.notices, stream.delivery.notices):
            for notice in notices:
                self._collector.tell(stream.device, notice, reason="wearable")
            notices.clear()
        if stream.delivery.remedy is not None:
            self.link.mend(stream.delivery.remedy)
            stream.delivery.remedy = None

    def restarted(self, plan: Stream, reason: str) -> None:
        self._collector.write(self._opened().restarted(plan, reason))

    def battery(self, percent: int) -> None:
        self._opened().battery_pct = percent

    def lost(self, reason: str) -> None:
        stream = self._opened()
        self._collector.write(stream.disconnected(reason))
        self._collector.keep_rate(stream)
        if reason != "stopped":
            self._collector.tell(stream.device, f"connection ended ({reason}); connecting again", "device")

    def trouble(self, error: SpineclipError) -> None:
        if error.what != self._told:  # the same trouble again and again is told once
            self._told = error.what
            self._collector.tell(self.stream.device if self.stream is not None else "", str(error))

    def health(self) -> dict[str, str | int | float | bool]:
        stream = self._opened()
        detail: dict[str, str | int | float | bool] = {
            "placement": str(self.worn.placement),
            "reconnects": max(0, self.link.connects - 1),
            "rejected": sum(stream.rejects.values()),
            "duplicates": stream.repeated,
        }
        known: dict[str, float | None] = {
            "battery_pct": stream.battery_pct,
            "rssi_dbm": stream.rssi_dbm,
            "rate_hz": stream.delivery.delivered_hz,
        }
        if self._plan is not None:
            known["nominal_hz"] = self._plan.rate_hz
            if stream.period_ns is not None:
                known["drift_ppm"] = (1e9 / self._plan.rate_hz / stream.period_ns - 1.0) * 1e6
                known["clock_error_ms"] = stream.clock_error_ns / 1e6
        return detail | {key: float(value) for key, value in known.items() if value is not None}

    def _opened(self) -> ClipStream:
        if self.stream is None:
            raise RuntimeError("a link spoke before it had found its wearable")
        return self.stream
