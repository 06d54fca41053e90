"""One MQTT connection: opened, listened to, watched, given up; paho-mqtt underneath, in a thread of its own.

Each connection is a new client with a clean session, so that nothing of an earlier one is repeated behind our back: a
broker's queue promises nothing, and what must not be lost is sent, or asked for, again by whoever knows of it.
"""

from __future__ import annotations

import asyncio
import secrets
import ssl
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from spineclip.contract.errors import BrokerError

CONNECT_S: Final = 10.0
"""For a broker's first answers: to the connection, and to a subscription (our choice)."""
RETRY_S: Final = (0.2, 0.5, 1.0, 2.0, 5.0)
"""Pauses before a lost or refused connection is opened anew; the last one again and again."""
KEEPALIVE_S: Final = 10
"""A broker that hangs is noticed within one and a half of these, as it notices us (MQTT 3.1.1, 3.1.2.10)."""
_TICKS: Final = 10
"""So often in a keepalive it is looked whether the broker lives. Turns are counted, not time: a machine that stood
still itself has not waited for anybody."""
_ASK_AFTER: Final = 5
_LOST_AFTER: Final = 12
"""Turns without a word after which the broker is asked for one, and given up: at most 1.2 keepalives."""
_NOWHERE: Final = "spineclip/v1/-/nowhere"
"""Nobody subscribes to it. Unsubscribing from it changes nothing, and a broker must answer (MQTT 3.1.1, 3.10.4-5)."""


@dataclass(frozen=True, slots=True)
class BrokerAccess:
    """Where the broker is and how to be let in; the password is not shown by `repr`.

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
    access
        The broker.
    client_id
        What we are called there; some random letters are added.
    on_message
        Called with topic and payload.
    on_lost
        Called once with the reason, when the connection ends by itself or the broker does not answer any more.
    on_puback
        Called with the message id of what the broker has confirmed (QoS 1).
    will
        Topic and payload of the last will (QoS 1, retained), or none.
    """

    def __init__(
        self,
        access: BrokerAccess,
        *,
        client_id: str,
        on_message: Callable[[str, bytes], None],
        on_lost: Callable[[str], None] = lambda _: None,
        on_puback: Callable[[int], None] = lambda _: None,
        will: tuple[str, bytes] | None = None,
    ) -> None:
        self._access = access
        self._loop = asyncio.get_running_loop()
        self._on_message = on_message
        self._on_puback = on_puback
        self._on_lost = on_lost
        self._connected: asyncio.Future[None] = self._loop.create_future()
        self._subscriptions: dict[int, asyncio.Future[None]] = {}
        self._unconfirmed: set[int] = set()
        self._watch: asyncio.Task[None] | None = None
        self._closing: asyncio.Task[None] | None = None
        self._quiet = 0
        self._ended = False
        self._calls: deque[tuple[Callable[..., None], tuple[Any, ...]]] = deque()
        self._woken = False
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
        client.on_unsubscribe = self._unsuback
        client.on_publish = self._puback
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
        except ssl.SSLError as error:
            raise self._error(f"does not prove who it is ({error.reason or error})", "Check the CA file") from error
        except TimeoutError as error:
            raise self._error("does not answer", "Check address and network") from error
        except OSError as error:
            raise self._error(f"cannot be reached ({error.strerror or error})", "Check address and network") from error
        except ValueError as error:
            raise self._error(f"cannot be used ({error})", "Check host and port in the settings") from error
        self._watch = self._loop.create_task(self._watch_over())

    async def subscribe(self, *topics: str) -> None:
        """Subscribe with QoS 1 and wait until the broker has agreed.

        Raises
        ------
        BrokerError
            If it does not.
        """
        try:
            async with asyncio.timeout(CONNECT_S):
                # callbacks run in this loop, so the answer cannot come before it is waited for
                _, mid = self._client.subscribe([(topic, 1) for topic in topics])
                if mid is None:
                    raise self._error("closed the connection", "It will be tried again")
                self._subscriptions[mid] = self._loop.create_future()
                await self._subscriptions[mid]
        except TimeoutError as error:
            raise self._error("does not answer", "Check address and network") from error

    def publish(self, topic: str, payload: bytes, *, qos: int = 1, retain: bool = False) -> int:
        """Send; return the message id that its PUBACK will bear (QoS 1)."""
        mid = self._client.publish(topic, payload, qos=qos, retain=retain).mid
        if qos:
            self._unconfirmed.add(mid)
        return mid

    async def close(self) -> None:
        """Take leave and end the thread; carried through even when the caller is cancelled meanwhile."""
        self._closing = self._closing or self._loop.create_task(self._close())
        await asyncio.shield(self._closing)

    async def _close(self) -> None:
        self._ended = True
        if self._watch is not None:
            self._watch.cancel()
            await asyncio.gather(self._watch, return_exceptions=True)
        for future in (self._connected, *self._subscriptions.values()):
            if not future.done():
                future.cancel()
            elif not future.cancelled():
                future.exception()
        self._client.disconnect()
        await asyncio.to_thread(self._client.loop_stop)
        # paho closes its wake-up sockets here alone; left to the collector of garbage, they might be collected first.
        self._client.__del__()

    def _error(self, what: str, advice: str) -> BrokerError:
        return BrokerError(f"the broker at {self._access.host}:{self._access.port} {what}", advice=advice)

    # ---- from paho's thread

    def _connack(self, _client: mqtt.Client, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        failed = self._error(f"refuses us ({reason})", "Check username and password") if reason.is_failure else None
        self._call(_settle, self._connected, failed)

    def _suback(self, _client: mqtt.Client, _data: Any, mid: int, reasons: Any, _properties: Any) -> None:
        refused = any(reason.is_failure for reason in reasons)
        failed = self._error("does not let us read", "Check its access list for this user") if refused else None
        self._call(self._subscribed, mid, failed)

    def _unsuback(self, _client: mqtt.Client, _data: Any, _mid: int, _reasons: Any, _properties: Any) -> None:
        self._call(self._heard)

    def _puback(self, _client: mqtt.Client, _data: Any, mid: int, _reason: Any, _properties: Any) -> None:
        self._call(self._confirmed, mid)

    def _message(self, _client: mqtt.Client, _data: Any, message: mqtt.MQTTMessage) -> None:
        self._call(self._arrived, message.topic, bytes(message.payload))

    def _disconnected(self, _client: mqtt.Client, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        self._call(self._lost, str(reason))

    def _call(self, function: Callable[..., None], *values: Any) -> None:
        """Have something done in the loop; it is woken once for all that wait, not for each.

        Each waking is a byte in a pipe that holds a few hundred: were it full, a signal such as SIGTERM would find no
        room in it and be lost.
        """
        self._calls.append((function, values))
        if not self._woken and not self._loop.is_closed():
            self._woken = True
            self._loop.call_soon_threadsafe(self._work_off)

    # ---- in the loop

    def _work_off(self) -> None:
        self._woken = False  # first: what is added from now on wakes the loop again
        while self._calls:
            function, values = self._calls.popleft()
            try:
                function(*values)
            except Exception as error:  # noqa: BLE001 - as the loop itself does: a defect in one holds no other back
                self._loop.call_exception_handler({"message": f"a defect in {function}", "exception": error})

    def _heard(self) -> None:
        self._quiet = 0

    def _subscribed(self, mid: int, failed: BrokerError | None) -> None:
        self._heard()
        future = self._subscriptions.get(mid)
        if future is not None:
            _settle(future, failed)

    def _confirmed(self, mid: int) -> None:
        if mid in self._unconfirmed:  # what goes with QoS 0 is "published" once it has left, and nobody has answered
            self._heard()
            self._unconfirmed.discard(mid)
            self._on_puback(mid)

    def _arrived(self, topic: str, payload: bytes) -> None:
        self._heard()
        self._on_message(topic, payload)

    def _lost(self, reason: str) -> None:
        error = self._error(f"closed the connection ({reason})", "It will be tried again")
        for future in (self._connected, *self._subscriptions.values()):
            _settle(future, error)
        if not self._ended:
            self._ended = True
            self._on_lost(reason)

    async def _watch_over(self) -> None:
        """Ask a broker that is quiet for a word, and give it up when none comes.

        paho's own pings tell it after up to two keepalives, which is later than a broker has to notice us.
        """
        while not self._ended:
            await asyncio.sleep(KEEPALIVE_S / _TICKS)
            self._quiet += 1
            if self._quiet == _ASK_AFTER:
                self._client.unsubscribe(_NOWHERE)
            elif self._quiet >= _LOST_AFTER:
                self._lost("it does not answer any more")


def _settle(future: asyncio.Future[None], failed: BrokerError | None) -> None:
    if future.done():
        return
    if failed is None:
        future.set_result(None)
        return
    future.set_exception(failed)
    future.exception()  # whoever still waits sees it; nobody has to
