"""Promise: the embedded broker lets in only who knows its password, keeps what is queued, and leaves nothing behind."""

from __future__ import annotations

import asyncio
import stat
import tempfile
import threading
from pathlib import Path

import paho.mqtt.client as mqtt
import pytest

from spineclip.broker import Broker, embedded_broker
from spineclip.contract.connection import Connection


class _Client:
    """A paho client (the collector's library) whose answers can be awaited."""

    def __init__(self, broker: Broker, name: str, username: str | None, password: str | None, *, clean: bool = True):
        self.loop = asyncio.get_running_loop()
        self.answer: asyncio.Future[int] = self.loop.create_future()
        self.messages: asyncio.Queue[tuple[str, bytes]] = asyncio.Queue()
        self.subscribed = asyncio.Event()
        self.paho = mqtt.Client(
            mqtt.CallbackAPIVersion.VERSION2, client_id=name, clean_session=clean, protocol=mqtt.MQTTv311
        )
        if username is not None:
            self.paho.username_pw_set(username, password)
        self.paho.on_connect = lambda *_args: self._tell(_args[3].value)
        self.paho.on_subscribe = lambda *_: self.loop.call_soon_threadsafe(self.subscribed.set)
        self.paho.on_message = lambda _c, _u, m: self.loop.call_soon_threadsafe(
            self.messages.put_nowait, (m.topic, m.payload)
        )
        self.paho.connect(broker.host, broker.port)
        self.paho.loop_start()

    def _tell(self, code: int) -> None:
        def tell() -> None:
            if not self.answer.done():
                self.answer.set_result(code)

        self.loop.call_soon_threadsafe(tell)

    async def close(self) -> None:
        self.paho.disconnect()
        await asyncio.to_thread(self.paho.loop_stop)


async def _connack(broker: Broker, username: str | None, password: str | None) -> int:
    client = _Client(broker, "stranger", username, password)
    try:
        return await asyncio.wait_for(client.answer, 10)
    finally:
        await client.close()


async def test_only_the_generated_password_opens() -> None:
    async with embedded_broker() as broker:
        assert await _connack(broker, broker.username, broker.password) == 0
        assert await _connack(broker, broker.username, "guess") != 0
        assert await _connack(broker, "someone", broker.password) != 0
        assert await _connack(broker, None, None) != 0


async def test_messages_for_a_session_that_is_away_are_kept_in_order() -> None:
    async with embedded_broker() as broker:
        core = _Client(broker, "core", broker.username, broker.password, clean=False)
        await asyncio.wait_for(core.answer, 10)
        core.paho.subscribe("spineclip/v1/+/samples", qos=1)
        await asyncio.wait_for(core.subscribed.wait(), 10)
        await core.close()
        collector = _Client(broker, "collector", broker.username, broker.password)
        await asyncio.wait_for(collector.answer, 10)
        for k in range(20):
            info = collector.paho.publish("spineclip/v1/p-1/samples", bytes([k]), qos=1)
            await asyncio.to_thread(info.wait_for_publish, 10)
        await collector.close()
        again = _Client(broker, "core", broker.username, broker.password, clean=False)
        seen = [await asyncio.wait_for(again.messages.get(), 10) for _ in range(20)]
        await again.close()
        assert [payload for _, payload in seen] == [bytes([k]) for k in range(20)]


async def test_a_client_gets_the_retained_messages_of_its_own_subscriptions_only() -> None:
    async with embedded_broker() as broker:
        page = _Client(broker, "page", broker.username, broker.password)
        await asyncio.wait_for(page.answer, 10)
        page.paho.subscribe("spineclip/v1/+/config", qos=1)
        await asyncio.wait_for(page.subscribed.wait(), 10)
        await asyncio.to_thread(
            page.paho.publish("spineclip/v1/p-1/config", b"{}", qos=1, retain=True).wait_for_publish, 10
        )
        core = _Client(broker, "core", broker.username, broker.password)
        await asyncio.wait_for(core.answer, 10)
        core.paho.subscribe("spineclip/v1/+/samples", qos=1)
        await asyncio.wait_for(core.subscribed.wait(), 10)
        await asyncio.to_thread(page.paho.publish("spineclip/v1/p-1/samples", b"1", qos=1).wait_for_publish, 10)
        assert await asyncio.wait_for(core.messages.get(), 10) == ("spineclip/v1/p-1/samples", b"1")
        late = _Client(broker, "late", broker.username, broker.password)
        await asyncio.wait_for(late.answer, 10)
        late.paho.subscribe("spineclip/v1/p-1/#", qos=1)
        assert await asyncio.wait_for(late.messages.get(), 10) == ("spineclip/v1/p-1/config", b"{}")
        for client in (page, core, late):
            await client.close()


async def test_clients_that_come_at_once_do_not_disturb_each_other() -> None:
    async with embedded_broker() as broker:
        clients = [_Client(broker, f"c-{k}", broker.username, broker.password) for k in range(12)]
        for k, client in enumerate(clients):
            client.paho.on_connect = lambda c, *a, k=k, client=client: (
                c.subscribe([(f"t/{k}/{n}", 1) for n in range(20)]),
                client._tell(a[2].value),
            )
        for client in clients:
            assert await asyncio.wait_for(client.answer, 10) == 0
            await asyncio.wait_for(client.subscribed.wait(), 10)
        assert all(client.paho.is_connected() for client in clients)
        for client in clients:
            await client.close()


async def test_the_password_is_kept_private_and_goes_with_the_broker(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    async with embedded_broker() as broker:
        (folder,) = tmp_path.iterdir()
        (file,) = folder.iterdir()
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert broker.password not in file.read_text()
        assert broker.password not in repr(broker)
    assert not list(tmp_path.iterdir())


async def test_ending_with_a_client_still_there_is_quick_and_closes_the_port() -> None:
    async with embedded_broker() as broker:
        client = _Client(broker, "late", broker.username, broker.password)
        await asyncio.wait_for(client.answer, 10)
    client.paho.loop_stop()
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection(broker.host, broker.port)


async def test_a_connection_is_closed_even_when_its_closing_is_cancelled() -> None:
    """A task that is cancelled while it takes leave would else leave its thread, and the broker, waiting for ever."""
    async with asyncio.timeout(30), embedded_broker() as broker:
        connection = Connection(broker, client_id="leaving", on_message=lambda *_: None)
        await connection.open()
        leaving = asyncio.create_task(connection.close())
        await asyncio.sleep(0)
        leaving.cancel()
        await asyncio.gather(leaving, return_exceptions=True)
        assert leaving.cancelled()
        while any("leaving-" in thread.name for thread in threading.enumerate()):  # ends with the time limit
            await asyncio.sleep(0.01)
