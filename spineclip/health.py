"""How a stage is, over HTTP on loopback: ``GET /healthz`` answers with a small JSON, 200 when all is well, else 503.

A stage hands in a function that tells its numbers; ``ok`` among them decides the status. Nothing of patients is told.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable, Mapping
from typing import TYPE_CHECKING, Final

from spineclip.contract.errors import SettingsError

if TYPE_CHECKING:
    from collector.service import Collector
    from processing.service import Core
    from spineclip.broker import Broker
    from spineclip.live_feed import MqttFeed
    from spineclip.station import Station

LOOPBACK: Final = "127.0.0.1"
_PATIENCE_S: Final = 5.0
_LONGEST: Final = 8_192
_REASONS: Final = {200: "OK", 404: "Not Found", 405: "Method Not Allowed", 503: "Service Unavailable"}

Numbers = Mapping[str, object]


@contextlib.asynccontextmanager
async def health(tell: Callable[[], Numbers], port: int) -> AsyncIterator[int]:
    """Answer on a port for as long as the context lasts; 0 takes a free one.

    Yields
    ------
    int
        The port.

    Raises
    ------
    SettingsError
        If the port is taken.
    """

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(_PATIENCE_S):
                head = await reader.readuntil(b"\r\n\r\n")
            writer.write(_response(head, tell))
            await writer.drain()
        except (TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ConnectionError):
            pass  # whoever asks badly is not answered
        finally:
            writer.close()

    try:
        server = await asyncio.start_server(answer, LOOPBACK, port, limit=_LONGEST)
    except OSError as error:
        raise SettingsError(
            f"port {port} for the health check cannot be used ({error.strerror or error})", advice="Choose another"
        ) from error
    async with server:
        yield int(server.sockets[0].getsockname()[1])


@contextlib.asynccontextmanager
async def health_if(port: int | None, tell: Callable[[], Numbers], say: Callable[[str], None]) -> AsyncIterator[None]:
    """Answer for as long as the context lasts if a port was asked for, and say where.

    Raises
    ------
    SettingsError
        If the port is taken.
    """
    if port is None:
        yield
        return
    async with health(tell, port) as told:
        say(f"Health: http://{LOOPBACK}:{told}/healthz")
        yield


def of_core(core: Core) -> Numbers:
    """Tell how a core is: well while the broker listens to it."""
    return {
        "ok": core.connected,
        "stage": "core",
        "connected": core.connected,
        "received": core.received,
        "processed": core.processed,
        "waiting": core.waiting,
        "commits": core.commits,
        "rejects": dict(core.rejects),
        "duplicates": core.duplicates,
        "flooding_patients": len(core.floods),
    }


def of_collector(collector: Collector) -> Numbers:
    """Tell how a collector is: well while the broker listens to it."""
    return {
        "ok": collector.connected,
        "stage": "collector",
        "connected": collector.connected,
        "streaming": collector.streaming,
        "received": collector.received,
        "backlog": collector.backlog,
        "dropped": collector.dropped,
        "rejects": dict(collector.rejects),
    }


def of_broker(broker: Broker) -> Numbers:
    """Tell how the broker of the embedded default is, which has no process of its own: well while it listens."""
    return {"ok": broker.listening(), "stage": "broker", "connections": broker.connections()}


def of_station(station: Station) -> Numbers:
    """Tell how the stages are that run together in one process: well while each of them is."""
    stages = [of_broker(station.broker), of_collector(station.collector), of_core(station.core)]
    return {"ok": all(stage["ok"] for stage in stages), "stage": "station", "stages": stages}


def of_page(store_answers: bool, live: MqttFeed | None) -> Numbers:
    """Tell how a patient's page is: well while its store answers, and its broker where it has one."""
    listens = None if live is None else live.connected
    return {
        "ok": store_answers and listens is not False,
        "stage": "page",
        "store": store_answers,
        "connected": listens,
        "rejects": {} if live is None else dict(live.rejects),
    }


def _response(head: bytes, tell: Callable[[], Numbers]) -> bytes:
    method, _, rest = head.split(b"\r\n", 1)[0].partition(b" ")
    path = rest.partition(b" ")[0].partition(b"?")[0]
    numbers: Numbers = {}
    if path != b"/healthz":
        status = 404
    elif method not in (b"GET", b"HEAD"):
        status = 405
    else:
        numbers = tell()
        status = 200 if numbers.get("ok") else 503
    body = json.dumps(numbers, sort_keys=True).encode()
    lines = (
        f"HTTP/1.1 {status} {_REASONS[status]}", "Content-Type: application/json", f"Content-Length: {len(body)}",
        "Cache-Control: no-store", "Connection: close", "", "",
    )  # fmt: skip
    return "\r\n".join(lines).encode() + (b"" if method == b"HEAD" else body)
