"""The page's ear on MQTT: the newest live message of each patient."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from dashboards.patient.feed import LatestFeed
from spineclip.contract import topics
from spineclip.contract.clock import SystemClock
from spineclip.contract.connection import BrokerAccess
from spineclip.contract.errors import BrokerError, WireError
from spineclip.contract.ids import new_patient_id
from spineclip.contract.live import Live


class MqttFeed(LatestFeed):
    """A feed that a broker fills; what it cannot read is counted by reason in `rejects`."""

    def __init__(self) -> None:
        super().__init__(SystemClock())
        self.rejects: Counter[str] = Counter()
        self.connected = False
        """Whether the broker sends us what it hears."""

    def take(self, topic: str, payload: bytes) -> None:
        """Take one message of the ``live`` channel."""
        try:
            patient, _ = topics.parse(topic)
            self.put(patient, Live.from_json(payload))
        except WireError as error:
            self.rejects[error.reason] += 1


@contextlib.asynccontextmanager
async def live_feed(
    broker: BrokerAccess, patient: str | None = None, *, timeout_s: float = 10.0
) -> AsyncIterator[MqttFeed]:
    """Listen to live messages for as long as the context lasts; paho connects again by itself after a loss.

    Parameters
    ----------
    broker
        Where the core publishes.
    patient
        Whom to listen to; everybody by default.
    timeout_s
        How long the broker may take to let us in.

    Raises
    ------
    BrokerError
        If the broker cannot be reached, or refuses us or our subscription.
    """
    feed = MqttFeed()
    loop = asyncio.get_running_loop()
    subscribed: asyncio.Future[None] = loop.create_future()
    pattern = topics.everyone(topics.Channel.LIVE) if patient is None else topics.topic(patient, topics.Channel.LIVE)
    client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=f"page-{new_patient_id()}", protocol=mqtt.MQTTv311)
    client.username_pw_set(broker.username, broker.password)
    if broker.ca_file is not None:
        client.tls_set(ca_certs=str(broker.ca_file))

    def settle(error: BrokerError | None) -> None:
        if not subscribed.done():
            if error is None:
                subscribed.set_result(None)
            else:
                subscribed.set_exception(error)

    def on_connect(asked: mqtt.Client, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        if reason.is_failure:
            error = BrokerError(f"the broker at {broker.host}:{broker.port} refuses the page ({reason})")
            loop.call_soon_threadsafe(settle, error)
        else:
            asked.subscribe(pattern, qos=0)

    def on_subscribe(_client: mqtt.Client, _data: Any, _mid: int, reasons: Any, _properties: Any) -> None:
        error = _refusal(broker, reasons)
        feed.connected = error is None
        loop.call_soon_threadsafe(settle, error)

    def on_disconnect(*_: Any) -> None:
        feed.connected = False

    client.on_connect = on_connect
    client.on_disconnect = on_disconnect
    client.on_subscribe = on_subscribe
    client.on_message = lambda _client, _data, message: feed.take(message.topic, bytes(message.payload))
    client.connect_async(broker.host, broker.port)
    client.loop_start()
    try:
        async with asyncio.timeout(timeout_s):
            await subscribed
        yield feed
    except TimeoutError as error:
        raise BrokerError(
            f"the broker at {broker.host}:{broker.port} does not answer", advice="Check that it runs"
        ) from error
    finally:
        client.disconnect()
        await asyncio.to_thread(client.loop_stop)


def _refusal(broker: BrokerAccess, reasons: Sequence[Any]) -> BrokerError | None:
    if not any(reason.is_failure for reason in reasons):
        return None
    return BrokerError(
        f"the broker at {broker.host}:{broker.port} does not let the page read",
        advice="Check its access list for this user",
    )
