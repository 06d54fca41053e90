"""Promise: the outbox reaches the core, in order and bounded, whatever the broker does; commands are obeyed."""

from __future__ import annotations

import asyncio
from pathlib import Path

import numpy as np
import pytest

from collector import uplink as uplink_module
from collector.outbox import Outbox
from collector.uplink import PROBE, SHOW_FROM, SHOW_UNTIL, SHOWN, Uplink
from spineclip.broker import embedded_broker
from spineclip.contract.clock import DrivenClock
from spineclip.contract.connection import BrokerAccess, Connection
from spineclip.contract.errors import SpineclipError
from spineclip.contract.messages import Ack, Buzz, Resend, Stored, command_to_json
from spineclip.contract.placement import Placement
from spineclip.contract.topics import Channel, topic
from spineclip.contract.wire import ANY_TIME_NS, SampleBatch, decode
from tests.servers.mosquitto import mosquitto
from tests.servers.process import free_port
from tests.system.test_collector import PATIENT, StandIn, until

NOW_S = 1_700_000_000
BACKLOG = 1200
"""More than may be on its way at once, and little enough for a busy machine with the broker in the same process."""


def _batch(boot: int, seq: int) -> SampleBatch:
    xyz = np.full((50, 3), seq % 1000, dtype=np.int16)
    return SampleBatch("witmotion-1", Placement.STERNUM, boot, seq, (NOW_S + seq) * 10**9, 20_000_000, 0.001, xyz)


def _outbox(folder: Path, records: int) -> tuple[Outbox, int]:
    outbox = Outbox(folder / "outbox.sqlite", DrivenClock(NOW_S * 10**9))
    boot = outbox.begin("witmotion-1")
    outbox.append([_batch(boot, seq) for seq in range(records)])
    return outbox, boot


async def _end(uplink: Uplink, task: asyncio.Task[None], outbox: Outbox) -> None:
    await uplink.stop(5.0)
    await asyncio.wait_for(task, 10)
    outbox.close()


async def test_a_backlog_drains_in_order_and_once(tmp_path: Path) -> None:
    outbox, _ = _outbox(tmp_path, BACKLOG)
    async with embedded_broker() as broker:
        access = BrokerAccess(broker.host, broker.port, broker.username, broker.password)
        core = StandIn(access, acks=False)
        uplink = Uplink(PATIENT, access, outbox)
        task = asyncio.create_task(uplink.run())
        async with asyncio.timeout(100):
            while outbox.backlog:
                await asyncio.sleep(0.2)
                core.ack()  # as the core does: now and then, for all that it has stored
        await _end(uplink, task, outbox)
        core.close()
    assert [record.seq for record in core.in_order] == list(range(BACKLOG))
    assert core.deliveries == BACKLOG


async def test_what_is_not_acked_is_bounded_and_sent_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uplink_module, "UNSTORED", 64)
    monkeypatch.setattr(uplink_module, "RESEND_S", 0.3)
    outbox, boot = _outbox(tmp_path, 500)
    async with embedded_broker() as broker:
        access = BrokerAccess(broker.host, broker.port, broker.username, broker.password)
        core = StandIn(access, acks=False)
        uplink = Uplink(PATIENT, access, outbox)
        task = asyncio.create_task(uplink.run())
        await until(lambda: core.deliveries >= 3 * 64, 90)
        # However long no ack comes, only the oldest are on their way, again and again.
        assert {record.seq for record in core.in_order} == set(range(64))
        assert outbox.backlog == 500
        # What is stored makes room for as much, and for no more.
        core.client.publish(topic(PATIENT, Channel.ACK), Ack({"witmotion-1": Stored(boot, 9)}).to_json(), qos=1)
        await until(lambda: len(core.records) >= 74)
        sent = core.deliveries
        await until(lambda: core.deliveries >= sent + 2 * PROBE, 90)
        assert {record.seq for record in core.in_order} == set(range(74))
        core.acks = True
        await until(lambda: outbox.backlog == 0, 60)
        await _end(uplink, task, outbox)
        core.close()
    assert [record.seq for record in core.in_order] == list(range(500))


async def test_the_newest_are_shown_ahead_from_many_that_wait_until_few_do(tmp_path: Path) -> None:
    outbox, boot = _outbox(tmp_path, SHOW_FROM - 1)
    shown: list[int] = []
    async with embedded_broker() as broker:
        access = BrokerAccess(broker.host, broker.port, broker.username, broker.password)
        core = StandIn(access, acks=False)
        ear = Connection(
            access, client_id="ear", on_message=lambda _, payload: shown.append(decode(payload, now_ns=ANY_TIME_NS).seq)
        )
        await ear.open()
        await ear.subscribe(topic(PATIENT, Channel.NEWEST))
        uplink = Uplink(PATIENT, access, outbox)
        task = asyncio.create_task(uplink.run())
        await until(lambda: core.deliveries == SHOW_FROM - 1)
        assert shown == []
        outbox.append([_batch(boot, SHOW_FROM - 1)])
        uplink.wake()
        await until(lambda: len(shown) == SHOWN)
        assert shown == list(range(SHOW_FROM - SHOWN, SHOW_FROM))
        outbox.acknowledge(Ack({"witmotion-1": Stored(boot, SHOW_FROM - 1 - SHOW_UNTIL)}))
        outbox.append([_batch(boot, SHOW_FROM)])
        uplink.wake()
        await until(lambda: shown[SHOWN:] == [SHOW_FROM])
        outbox.acknowledge(Ack({"witmotion-1": Stored(boot, SHOW_FROM)}))
        for more in (1, 2):
            outbox.append([_batch(boot, SHOW_FROM + more)])
            uplink.wake()
            await until(lambda more=more: core.deliveries == SHOW_FROM + 1 + more)
        assert shown[SHOWN:] == [SHOW_FROM]
        core.acks = True
        core.ack()
        await ear.close()
        await _end(uplink, task, outbox)
        core.close()


async def test_resend_and_buzz_are_obeyed_and_nonsense_is_counted(tmp_path: Path) -> None:
    outbox, boot = _outbox(tmp_path, 20)
    buzzed: list[Buzz] = []
    async with embedded_broker() as broker:
        access = BrokerAccess(broker.host, broker.port, broker.username, broker.password)
        core = StandIn(access, acks=False)
        uplink = Uplink(PATIENT, access, outbox, on_buzz=buzzed.append)
        task = asyncio.create_task(uplink.run())
        await until(lambda: core.deliveries == 20)
        name = topic(PATIENT, Channel.CMD)
        core.client.publish(name, b"{nonsense", qos=1)
        core.client.publish(name, command_to_json(Resend("witmotion-1", boot, 5, 8)), qos=1)
        core.client.publish(name, command_to_json(Buzz("witmotion-1", "slouched")), qos=1)
        await until(lambda: core.deliveries == 24 and bool(buzzed))
        assert buzzed == [Buzz("witmotion-1", "slouched")]
        assert uplink.rejects == {"json": 1}
        core.acks = True
        core.ack()
        await _end(uplink, task, outbox)
        core.close()


async def test_a_broker_that_is_not_there_is_told_once_and_tried_for_ever(tmp_path: Path) -> None:
    outbox, _ = _outbox(tmp_path, 3)
    told: list[SpineclipError] = []
    uplink = Uplink(PATIENT, BrokerAccess("127.0.0.1", 9), outbox, on_trouble=told.append)
    task = asyncio.create_task(uplink.run())
    await until(lambda: bool(told))
    await asyncio.sleep(1.0)
    assert len(told) == 1
    assert "cannot be reached" in str(told[0])
    await _end(uplink, task, outbox)


@pytest.mark.server("mosquitto")
async def test_the_same_trouble_is_told_again_after_all_was_well(tmp_path: Path) -> None:
    outbox, _ = _outbox(tmp_path, 1)
    told: list[SpineclipError] = []
    port, password = free_port(), "between-friends"
    uplink = Uplink(PATIENT, BrokerAccess("127.0.0.1", port, "tests", password), outbox, on_trouble=told.append)
    task = asyncio.create_task(uplink.run())
    for times in (1, 2):
        await until(lambda times=times: len(told) >= times)
        with mosquitto(tmp_path, port=port, password=password):
            await until(lambda: uplink.connected)
    await until(lambda: len(told) >= 3)
    await _end(uplink, task, outbox)


async def test_a_wrong_password_is_told(tmp_path: Path) -> None:
    outbox, _ = _outbox(tmp_path, 3)
    told: list[SpineclipError] = []
    async with embedded_broker() as broker:
        access = BrokerAccess(broker.host, broker.port, broker.username, "guess")
        uplink = Uplink(PATIENT, access, outbox, on_trouble=told.append)
        task = asyncio.create_task(uplink.run())
        await until(lambda: bool(told))
        await _end(uplink, task, outbox)
    assert "guess" not in str(told[0])
    assert "guess" not in repr(access)
