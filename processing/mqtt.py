"""The core's MQTT connection; paho-mqtt underneath, its thread kept away from everything else.

Each connection is a new client with a clean session: a broker's queue promises nothing, and what was missed is asked
for again by number.
"""

from __future__ import annotations

import asyncio
import secrets
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from spineclip.contract.errors import BrokerError

CONNECT_S: Final = 10.0
KEEPALIVE_S: Final = 10
"""A broker that hangs is noticed after one to two of these."""


@dataclass(frozen=True, slots=True)
class MqttSettings:
    """Where the broker is and how to be let in.

    With `ca_file` the connection is TLS (1.2 or newer) and the broker's certificate must come from that authority.
    """

    host: str = "127.0.0.1"
    port: int = 1883
    username: str = ""
    password: str = field(default="", repr=False)
    ca_file: Path | None = None


class Connection:
    """One connection, from `open` to `close`. Callbacks run in the event loop.

    Parameters
    ----------
    settings
        The broker.
    on_message, on_lost
        Called with topic and payload; with the reason.
    """

    def __init__(
        self,
        settings: MqttSettings,
        *,
        on_message: Callable[[str, bytes], None],
        on_lost: Callable[[str], None],
    ) -> None:
        self._settings = settings
        self._loop = asyncio.get_running_loop()
        self._on_message = on_message
        self._on_lost = on_lost
        self._connected: asyncio.Future[None] = self._loop.create_future()
        self._subscriptions: dict[int, asyncio.Future[None]] = {}
        self._closing = False
        client = mqtt.Client(
            CallbackAPIVersion.VERSION2,
            client_id=f"core-{secrets.token_hex(6)}",
            protocol=mqtt.MQTTv311,
            clean_session=True,
            reconnect_on_failure=False,
        )
        client.connect_timeout = CONNECT_S
        client.max_inflight_messages_set(0)
        if settings.username:
            client.username_pw_set(settings.username, settings.password)
        client.on_connect = self._connack
        client.on_subscribe = self._suback
        client.on_message = self._message
        client.on_disconnect = self._disconnected
        self._client = client

    async def open(self) -> None:
        """Connect.

        Raises
        ------
        BrokerError
            If the broker cannot be reached, is not who it should be, or refuses.
        """
        settings = self._settings
        try:
            if settings.ca_file is not None:
                context = ssl.create_default_context(cafile=settings.ca_file)
                context.minimum_version = ssl.TLSVersion.TLSv1_2
                self._client.tls_set_context(context)
            await asyncio.to_thread(self._client.connect, settings.host, settings.port, KEEPALIVE_S)
            self._client.loop_start()
            async with asyncio.timeout(CONNECT_S):
                await self._connected
        except ssl.SSLError as error:
            raise self._error(f"does not prove who it is ({error.reason or error})", "Check the CA file") from error
        except TimeoutError as error:
            raise self._error("does not answer", "Check address and network") from error
        except OSError as error:
            raise self._error(f"cannot be reached ({error.strerror or error})", "Check address and network") from error
        except ValueError as error:
            raise self._error(f"cannot be used ({error})", "Check host and port") from error

    async def subscribe(self, topic: str) -> None:
        """Subscribe with QoS 1 and wait until the broker has agreed.

        Raises
        ------
        BrokerError
            If it does not.
        """
        try:
            async with asyncio.timeout(CONNECT_S):
                # callbacks run in this loop, so the answer cannot come before it is waited for
                _, mid = self._client.subscribe(topic, qos=1)
                if mid is None:
                    raise self._error("closed the connection", "It will be tried again")
                self._subscriptions[mid] = self._loop.create_future()
                await self._subscriptions[mid]
        except TimeoutError as error:
            raise self._error("does not answer", "Check address and network") from error

    def publish(self, topic: str, payload: bytes, *, qos: int = 1, retain: bool = False) -> None:
        """Send; without a connection nothing happens, since everything is sent again after the next one."""
        self._client.publish(topic, payload, qos=qos, retain=retain)

    async def close(self) -> None:
        """Take leave and end the thread."""
        self._closing = True
        for future in (self._connected, *self._subscriptions.values()):
            if not future.done():
                future.cancel()
            elif not future.cancelled():
                future.exception()
        self._client.disconnect()
        await asyncio.to_thread(self._client.loop_stop)
        # Client and connection hold each other; parted, the client closes its wake-up sockets at once.
        self._client.on_connect = self._client.on_subscribe = None
        self._client.on_message = self._client.on_disconnect = None

    def _error(self, what: str, advice: str) -> BrokerError:
        return BrokerError(f"the broker at {self._settings.host}:{self._settings.port} {what}", advice=advice)

    # ---- from paho's thread

    def _connack(self, _client: mqtt.Client, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        failed = self._error(f"refuses us ({reason})", "Check username and password") if reason.is_failure else None
        self._call(_settle, self._connected, failed)

    def _suback(self, _client: mqtt.Client, _data: Any, mid: int, reasons: Any, _properties: Any) -> None:
        refused = any(reason.is_failure for reason in reasons)
        failed = self._error("does not let us read", "Check its access list for this user") if refused else None
        self._call(self._settle_subscription, mid, failed)

    def _message(self, _client: mqtt.Client, _data: Any, message: mqtt.MQTTMessage) -> None:
        self._call(self._on_message, message.topic, bytes(message.payload))

    def _disconnected(self, _client: mqtt.Client, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        self._call(self._lost, str(reason))

    def _call(self, function: Callable[..., None], *values: Any) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(function, *values)

    # ---- in the loop

    def _settle_subscription(self, mid: int, failed: BrokerError | None) -> None:
        future = self._subscriptions.get(mid)
        if future is not None:
            _settle(future, failed)

    def _lost(self, reason: str) -> None:
        error = self._error(f"closed the connection ({reason})", "It will be tried again")
        for future in (self._connected, *self._subscriptions.values()):
            _settle(future, error)
        if not self._closing:
            self._on_lost(reason)


def _settle(future: asyncio.Future[None], failed: BrokerError | None) -> None:
    if future.done():
        return
    if failed is None:
        future.set_result(None)
        return
    future.set_exception(failed)
    future.exception()  # whoever still waits sees it; nobody has to
