"""The private broker of the embedded default: MQTT 3.1.1 in this process, on loopback, behind a generated password.

Nothing but Python is needed for it. It keeps no message on disk: what must not be lost waits in the collector's
outbox until the core has stored it, and a broker that starts anew starts empty.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from amqtt.adapters import StreamReaderAdapter, StreamWriterAdapter
from amqtt.broker import Broker as AmqttBroker
from amqtt.session import Session
from pwdlib.hashers.argon2 import Argon2Hasher

from spineclip.contract.connection import BrokerAccess

LOOPBACK: Final = "127.0.0.1"
_LISTENER: Final = "default"
_USERNAME: Final = "spineclip"


@dataclass(frozen=True, slots=True)
class Broker(BrokerAccess):
    """How to reach the broker that runs here, and how it is; `password` is a fresh 256-bit token."""

    listening: Callable[[], bool] = field(default=lambda: True, compare=False, repr=False)
    connections: Callable[[], int] = field(default=lambda: 0, compare=False, repr=False)
    """Whether it takes connections, and how many it has."""


class _Snapshot(dict[str, list[tuple[Session, int]]]):
    """A table whose loops go over what was there when they began."""

    def __iter__(self) -> Iterator[str]:
        return iter(tuple(super().keys()))

    def items(self) -> Any:
        return tuple(super().items())


class _Mended(AmqttBroker):
    """amqtt's broker without two faults of version 0.12.

    When a client connects, it goes through the subscriptions of everybody, with waits in between: another client that
    subscribed meanwhile broke that loop and the new connection with it; and the new client was sent every retained
    message that anybody had subscribed to.
    """

    def __init__(self, config: dict[str, Any]) -> None:
        super().__init__(config)
        self._subscriptions = _Snapshot()

    async def _publish_retained_messages_for_subscription(
        self, subscription: tuple[str, int], session: Session
    ) -> None:
        if any(one.client_id == session.client_id for one, _ in self._subscriptions.get(subscription[0], ())):
            await super()._publish_retained_messages_for_subscription(subscription, session)


@contextlib.asynccontextmanager
async def embedded_broker() -> AsyncIterator[Broker]:
    """Run a broker on a free loopback port for as long as the context lasts.

    The password file lies in a directory that only this user can enter, readable by this user alone, and goes with
    the broker. Sessions are those of a named user, because amqtt throws away what is queued for anonymous ones.

    Yields
    ------
    Broker
        Address and credentials.
    """
    _hush()
    password = secrets.token_urlsafe(32)
    with tempfile.TemporaryDirectory(prefix="spineclip-broker-") as folder:
        file = Path(folder) / "passwords"
        file.touch(mode=0o600)
        file.write_text(f"{_USERNAME}:{_hash(password)}\n")
        broker = _Mended(
            {
                "listeners": {_LISTENER: {"type": "external"}},
                "plugins": {"amqtt.plugins.authentication.FileAuthPlugin": {"password_file": str(file)}},
            }
        )
        await broker.start()
        connections: set[asyncio.Task[None]] = set()

        async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            if task is not None:
                connections.add(task)
                task.add_done_callback(connections.discard)
            try:
                await broker.external_connected(StreamReaderAdapter(reader), StreamWriterAdapter(writer), _LISTENER)
            finally:
                writer.close()  # amqtt leaves the socket of a client that took its leave open

        # The listener is ours rather than amqtt's: it knows its port, so that no other program can take it in between.
        server = await asyncio.start_server(connected, LOOPBACK, 0)
        try:
            port = server.sockets[0].getsockname()[1]
            yield Broker(
                LOOPBACK,
                port,
                _USERNAME,
                password,
                listening=server.is_serving,
                connections=lambda: len(connections),
            )
        finally:
            server.close()
            await broker.shutdown()
            if connections:
                _, hanging = await asyncio.wait(connections, timeout=2.0)
                for task in hanging:
                    task.cancel()
                await asyncio.gather(*hanging, return_exceptions=True)
            await server.wait_closed()


def _hash(password: str) -> str:
    # A slow hash protects a password that people choose; against 256 random bits nobody can search, so it may be fast.
    return Argon2Hasher(time_cost=1, memory_cost=1024, parallelism=1).hash(password)


def _hush() -> None:
    # amqtt reports every connection that ends without a DISCONNECT as a warning; here they are all our own.
    for name in ("amqtt", "transitions"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
