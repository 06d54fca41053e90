"""The page's ear on MQTT: the newest live message of each patient."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator

from dashboards.patient.feed import LatestFeed
from spineclip.contract import topics
from spineclip.contract.clock import SystemClock
from spineclip.contract.connection import BrokerAccess
from spineclip.contract.errors import WireError
from spineclip.contract.line import Line
from spineclip.contract.live import Live


class MqttFeed(LatestFeed):
    """A feed that a broker fills; what it cannot read is counted by reason in `rejects`.

    Parameters
    ----------
    broker
        Where the core publishes.
    patient
        Whom to listen to; everybody by default.
    """

    def __init__(self, broker: BrokerAccess, patient: str | None = None) -> None:
        super().__init__(SystemClock())
        live = topics.Channel.LIVE
        pattern = topics.everyone(live) if patient is None else topics.topic(patient, live)
        self.line = Line(broker, "page", [pattern], self._take)
        self.rejects: Counter[str] = Counter()

    @property
    def connected(self) -> bool:
        """Whether the broker listens to us."""
        return self.line.connected

    def _take(self, topic: str, payload: bytes) -> None:
        try:
            patient, _ = topics.parse(topic)
            self.put(patient, Live.from_json(payload))
        except WireError as error:
            self.rejects[error.reason] += 1


@contextlib.asynccontextmanager
async def live_feed(broker: BrokerAccess, patient: str | None = None) -> AsyncIterator[MqttFeed]:
    """Listen to live messages, as `MqttFeed` does, for as long as the context lasts.

    Raises
    ------
    BrokerError
        If the broker cannot be reached or refuses at the start; a connection that is lost later is opened again.
    """
    feed = MqttFeed(broker, patient)
    listening = asyncio.create_task(feed.line.run(), name="live")
    try:
        await feed.line.begun()
        yield feed
    finally:
        feed.line.end()
        await listening
