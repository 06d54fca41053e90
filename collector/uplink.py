"""From the outbox to MQTT, and acks back.

A broker's PUBACK promises nothing (a broker may forget what it has acknowledged): a record leaves the outbox only by
the core's ack. Until then it is sent again: all at once after every new connection, and a few now and then while acks
do not come. The core drops what it has seen. What is on its way is bounded, in PUBACKs and in acks.

All of them travel in order. While many wait, the newest are also shown to the core on a topic of their own, so that it
knows the present before it has worked off the past; whether it hears them changes nothing else.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections import Counter, OrderedDict, deque
from collections.abc import Callable
from typing import Final

from collector.outbox import Outbox, Row
from spineclip.contract.connection import RETRY_S, BrokerAccess, Connection
from spineclip.contract.errors import BrokerError, SpineclipError, WireError
from spineclip.contract.messages import Ack, Buzz, CollectorReport, CollectorState, Event, Resend, command_from_json
from spineclip.contract.topics import Channel, topic

_LOG = logging.getLogger(__name__)

UNSTORED: Final = 1024
"""Records that may be sent and not yet stored by the core."""
UNCONFIRMED: Final = 128
"""Records that may be sent and not yet confirmed by the broker."""
RESEND_S = 10.0
"""After so long without any ack the oldest are sent again."""
PROBE: Final = 16
"""So many of them, until an ack shows that a core listens: a core that is away for hours costs little, one that has
just come, and may never have heard of us, gets to know us within the pause."""
_RESEND_ROWS: Final = 512
_EVENTS: Final = 200
"""Events that wait for a connection at most; they are news, not measurements."""
SHOW_FROM: Final = 256
SHOW_UNTIL: Final = 32
"""When so many records wait, the newest begin to be shown ahead, and do so until so few wait (our choice: fewer than
the first are worked off within seconds)."""
SHOWN: Final = 8
"""So many are shown at a time."""
SHOW_EVERY_S: Final = 0.5
"""Twice as often as the page is told of."""


class Uplink:
    """Publishes one patient's outbox until stopped. Its pauses are real time: the network lives in no other.

    Parameters
    ----------
    patient
        Whose outbox it is.
    access
        The broker.
    outbox
        What to send.
    on_buzz
        Called when the core wants a wearable to make itself felt.
    on_trouble
        Called with the error when the broker cannot be used, once per kind of trouble.
    """

    def __init__(
        self,
        patient: str,
        access: BrokerAccess,
        outbox: Outbox,
        *,
        on_buzz: Callable[[Buzz], None] = lambda _: None,
        on_trouble: Callable[[SpineclipError], None] = lambda _: None,
    ) -> None:
        self.connects = 0
        self.published = 0
        self.acks = 0
        self.rejects: Counter[str] = Counter()
        """Messages from the broker that could not be used, by reason."""
        self._patient = patient
        self._access = access
        self._outbox = outbox
        self._on_buzz = on_buzz
        self._on_trouble = on_trouble
        self._samples = topic(patient, Channel.SAMPLES)
        self._newest = topic(patient, Channel.NEWEST)
        self._shown = 0
        self._shown_s: float | None = None
        self._wake = asyncio.Event()
        self._stopping = False
        self._lost: str | None = None
        self._cursor = 0
        self._unstored: OrderedDict[int, Row] = OrderedDict()
        self._unconfirmed: set[int] = set()
        self._new_ack: Ack | None = None
        self._resends: deque[Resend] = deque(maxlen=64)
        self._events: deque[Event] = deque(maxlen=_EVENTS)
        self._window = UNSTORED
        self._number = 0
        self._outlived = False
        self._progress_s = 0.0
        self._session: Connection | None = None

    @property
    def connected(self) -> bool:
        """Whether the broker listens to us."""
        return self._session is not None

    def wake(self) -> None:
        """Say that the outbox has something new."""
        self._wake.set()

    def event(self, event: Event) -> None:
        """Publish an event as soon as there is a connection; of many, the newest are kept."""
        self._events.append(event)
        self._wake.set()

    async def run(self) -> None:
        """Connect and publish, again and again, until cancelled or drained by `stop`."""
        failures, told = 0, ""
        while not self._stopping:
            began_s = time.monotonic()
            try:
                await self._serve()
            except BrokerError as error:
                if str(error) != told:
                    told = str(error)
                    self._on_trouble(error)
            else:
                told = ""
            if time.monotonic() - began_s > 30.0:
                failures = 0
            if not self._stopping:
                await asyncio.sleep(RETRY_S[min(failures, len(RETRY_S) - 1)])
                failures += 1

    async def stop(self, drain_s: float) -> None:
        """Wait until the core has stored everything, at most so long, and take leave; `run` returns then."""
        deadline_s = time.monotonic() + drain_s
        while self.connected and self._outbox.backlog and time.monotonic() < deadline_s:  # noqa: ASYNC110 - in a thread
            await asyncio.sleep(0.02)
        self._stopping = True
        self._wake.set()

    async def _serve(self) -> None:
        state = topic(self._patient, Channel.STATE)
        self._number = max(self._number + 1, time.time_ns())
        session = Connection(
            self._access,
            client_id=f"collector-{self._patient}",
            will=(state, self._report(CollectorState.LOST)),
            on_message=self._on_message,
            on_puback=self._on_puback,
            on_lost=self._on_lost,
        )
        self._lost = None
        self._begin_anew()
        try:
            await session.open()
            await session.subscribe(*(topic(self._patient, one) for one in (Channel.ACK, Channel.CMD, Channel.STATE)))
            session.publish(state, self._report(CollectorState.READY), retain=True)
            self._session = session
            self.connects += 1
            self._window = UNSTORED
            while self._lost is None and not self._stopping:
                await self._work(session)
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(1.0):
                        await self._wake.wait()
                self._wake.clear()
            if self._lost is None:
                await self._say_goodbye(session, state)
        finally:
            self._session = None
            await session.close()

    async def _say_goodbye(self, session: Connection, state: str) -> None:
        last = session.publish(state, self._report(CollectorState.DISCONNECTED), retain=True)
        self._unconfirmed.add(last)
        deadline_s = time.monotonic() + 1.0
        while last in self._unconfirmed and self._lost is None and time.monotonic() < deadline_s:  # noqa: ASYNC110
            await asyncio.sleep(0.01)

    # ---- sending

    async def _work(self, session: Connection) -> None:
        self._tell(session)
        ack, self._new_ack = self._new_ack, None
        if ack is not None:
            await self._take_ack(ack)
        while self._resends:
            wanted = self._resends.popleft()
            for row in await asyncio.to_thread(
                self._outbox.between, wanted.device, wanted.boot, wanted.from_seq, wanted.through_seq, _RESEND_ROWS
            ):
                self._publish(session, row)
        if self._unstored and time.monotonic() - self._progress_s > RESEND_S:
            self._window = PROBE
            self._begin_anew()
        await self._show_newest(session)
        while (room := min(self._window - len(self._unstored), UNCONFIRMED - len(self._unconfirmed))) > 0:
            rows = await asyncio.to_thread(self._outbox.after, self._cursor, room)
            if not rows:
                break
            if not self._unstored:
                self._progress_s = time.monotonic()
            for row in rows:
                self._cursor = row.row_id
                self._unstored[row.row_id] = row
                self._publish(session, row)
            await self._show_newest(session)

    async def _show_newest(self, session: Connection) -> None:
        """Let the core see the newest records at once while many older ones wait."""
        if self._outbox.backlog < (SHOW_FROM if self._shown_s is None else SHOW_UNTIL):
            self._shown_s = None
            return
        now_s = time.monotonic()
        if self._shown_s is not None and now_s - self._shown_s < SHOW_EVERY_S:
            return
        self._shown_s = now_s
        for row in await asyncio.to_thread(self._outbox.newest, self._shown, SHOWN):
            session.publish(self._newest, row.payload, qos=0)
            self._shown = row.row_id

    def _tell(self, session: Connection) -> None:
        while self._events:
            session.publish(topic(self._patient, Channel.EVENT), self._events.popleft().to_json())
        if self._outlived:
            self._outlived = False
            session.publish(topic(self._patient, Channel.STATE), self._report(CollectorState.READY), retain=True)

    def _publish(self, session: Connection, row: Row) -> None:
        # Callbacks run in this loop, so the PUBACK cannot come before the id is noted.
        self._unconfirmed.add(session.publish(self._samples, row.payload))
        self.published += 1

    def _begin_anew(self) -> None:
        """Send everything that is still here from its beginning."""
        self._cursor = 0
        self._unstored.clear()
        self._unconfirmed.clear()
        self._progress_s = time.monotonic()

    async def _take_ack(self, ack: Ack) -> None:
        self.acks += 1
        outrun = self._outbox.outrun
        if await asyncio.to_thread(self._outbox.acknowledge, ack):
            self._window = UNSTORED
            self._progress_s = time.monotonic()
        if self._outbox.outrun != outrun:
            self._begin_anew()
        stored = ack.stored
        done = [
            row_id
            for row_id, row in self._unstored.items()
            if row.device in stored and (row.boot, row.seq) <= (stored[row.device].boot, stored[row.device].through_seq)
        ]
        for row_id in done:
            del self._unstored[row_id]

    # ---- hearing

    def _on_puback(self, mid: int) -> None:
        self._unconfirmed.discard(mid)
        self._wake.set()

    def _on_lost(self, reason: str) -> None:
        self._lost = reason
        self._wake.set()

    def _on_message(self, name: str, payload: bytes) -> None:
        try:
            if name == topic(self._patient, Channel.ACK):
                if payload:
                    self._new_ack = Ack.from_json(payload)  # each tells of all devices: the newest is enough
            elif name == topic(self._patient, Channel.STATE):
                self._heard_of_us(payload)
            else:
                command = command_from_json(payload)
                if isinstance(command, Buzz):
                    self._on_buzz(command)
                else:
                    self._resends.append(command)
        except WireError as error:
            self.rejects[error.reason] += 1
            _LOG.debug("message on %s not used: %s", name, error)
        self._wake.set()

    def _heard_of_us(self, payload: bytes) -> None:
        """Notice that the will of an earlier session came late and stands in the place of our own report."""
        if payload:
            report = CollectorReport.from_json(payload)
            self._outlived |= report.state is CollectorState.LOST and report.session < self._number

    def _report(self, state: CollectorState) -> bytes:
        return CollectorReport(state, self._number).to_json()
