"""One MQTT connection of a collector: opened, listened to, given up; paho-mqtt underneath.

Each connection is a new client with a clean session, so that nothing of an earlier one is repeated behind our back:
what must not be lost lies in the outbox, and `collector/uplink.py` decides what is sent again.
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
class BrokerAccess:
    """Where the broker is and how to be let in; the password is not shown by `repr`.

    With `ca_file` the connection is TLS (1.2 or newer) and the broker's certificate must come from that authority.
    """

    host: str
    port: int = 1883
    username: str = ""
    password: str = field(default="", repr=False)
    ca_file: Path | None = None


class BrokerSession:
    """One connection, from `open` to `close`. Callbacks run in the event loop.

    Parameters
    ----------
    access
        The broker.
    will
        Topic and payload of the last will (QoS 1, retained), or none.
    on_message, on_puback, on_lost
        Called with topic and payload; with the message id; with the reason.
    """

    def __init__(
        self,
        access: BrokerAccess,
        *,
        client_id: str,
        will: tuple[str, bytes] | None = None,
        on_message: Callable[[str, bytes], None],
        on_puback: Callable[[int], None],
        on_lost: Callable[[str], None],
    ) -> None:
        self._access = access
        self._loop = asyncio.get_running_loop()
        self._on_message = on_message
        self._on_puback = on_puback
        self._on_lost = on_lost
        self._connected: asyncio.Future[None] = self._loop.create_future()
        self._subscribed: asyncio.Future[None] = self._loop.create_future()
        self._closing = False
        client = mqtt.Client(
            CallbackAPIVersion.VERSION2,
            client_id=f"{client_id}-{secrets.token_hex(4)}",
            protocol=mqtt.MQTTv311,
            clean_session=True,
            reconnect_on_failure=False,
        )
        client.connect_timeout = CONNECT_S
        client.max_inflight_messages_set(0)
        if will is not None:
            client.will_set(*will, qos=1, retain=True)
        if access.username:
            client.username_pw_set(access.username, access.password)
        client.on_connect = self._connack
        client.on_subscribe = self._suback
        client.on_publish = self._puback
        client.on_message = self._message
        client.on_disconnect = self._disconnected
        self._client = client

    async def open(self, topics: list[str]) -> None:
        """Connect and subscribe.

        Raises
        ------
        BrokerError
            If the broker cannot be reached, is not who it should be, or refuses.
        """
        access = self._access
        try:
            if access.ca_file is not None:
                context = ssl.create_default_context(cafile=access.ca_file)
                context.minimum_version = ssl.TLSVersion.TLSv1_2
                self._client.tls_set_context(context)
            await asyncio.to_thread(self._client.connect, access.host, access.port, KEEPALIVE_S)
            self._client.loop_start()
            async with asyncio.timeout(CONNECT_S):
                await self._connected
                self._client.subscribe([(topic, 1) for topic in topics])
                await self._subscribed
        except ssl.SSLError as error:
            raise self._error(f"does not prove who it is ({error.reason or error})", "Check ca_file") from error
        except TimeoutError as error:
            raise self._error("does not answer", "Check address and network") from error
        except OSError as error:
            raise self._error(f"cannot be reached ({error.strerror or error})", "Check address and network") from error
        except ValueError as error:
            raise self._error(f"cannot be used ({error})", "Check host and port in the settings") from error

    def publish(self, topic: str, payload: bytes, *, retain: bool = False, qos: int = 1) -> int:
        """Send, with QoS 1 if not told else; return the message id that its PUBACK will bear."""
        return self._client.publish(topic, payload, qos=qos, retain=retain).mid

    async def close(self) -> None:
        """Take leave and end the thread."""
        self._closing = True
        for future in (self._connected, self._subscribed):
            if not future.done():
                future.cancel()
            elif not future.cancelled():
                future.exception()
        self._client.disconnect()
        await asyncio.to_thread(self._client.loop_stop)
        # Client and session hold each other; parted, the client closes its wake-up sockets at once.
        self._client.on_connect = self._client.on_subscribe = self._client.on_message = None
        self._client.on_publish = self._client.on_disconnect = None
        left_open = self._client.socket()
        if left_open is not None:  # paho's thread ended before it had said good-bye
            left_open.close()

    def _error(self, what: str, advice: str) -> BrokerError:
        return BrokerError(f"the broker at {self._access.host}:{self._access.port} {what}", advice=advice)

    # ---- from paho's thread

    def _connack(self, _client: mqtt.Client, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        if reason.is_failure:
            error = self._error(f"refuses us ({reason})", "Check username and password")
            self._call(_fail, self._connected, error)
        else:
            self._call(_succeed, self._connected)

    def _suback(self, _client: mqtt.Client, _data: Any, _mid: int, reasons: Any, _properties: Any) -> None:
        if any(reason.is_failure for reason in reasons):
            error = self._error("does not let us read our own topics", "Check its access list for this user")
            self._call(_fail, self._subscribed, error)
        else:
            self._call(_succeed, self._subscribed)

    def _puback(self, _client: mqtt.Client, _data: Any, mid: int, _reason: Any, _properties: Any) -> None:
        self._call(self._on_puback, mid)

    def _message(self, _client: mqtt.Client, _data: Any, message: mqtt.MQTTMessage) -> None:
        self._call(self._on_message, message.topic, bytes(message.payload))

    def _disconnected(self, _client: mqtt.Client, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        error = self._error(f"closed the connection ({reason})", "It will be tried again")
        for future in (self._connected, self._subscribed):
            self._call(_fail, future, error)
        self._call(self._on_lost, str(reason))

    def _call(self, function: Callable[..., None], *values: Any) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(function, *values)


def _succeed(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


def _fail(future: asyncio.Future[None], error: BrokerError) -> None:
    if not future.done():
        future.set_exception(error)
        future.exception()  # whoever still waits sees it; nobody has to
