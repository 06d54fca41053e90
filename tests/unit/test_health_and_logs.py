"""Promises: each stage tells how it is to whoever asks; logs name neither patient nor wearable."""

from __future__ import annotations

import asyncio
import io
import json
import logging
from collections.abc import Iterator

import pytest

from spineclip import logs
from spineclip.broker import embedded_broker
from spineclip.contract.errors import SettingsError
from spineclip.health import health, of_page
from spineclip.live_feed import MqttFeed, live_feed


async def _ask(port: int, request: bytes) -> tuple[int, bytes]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split()[1]), body


async def test_well_and_unwell_are_told_by_status_and_numbers() -> None:
    numbers: dict[str, object] = {"ok": True, "backlog": 3}
    async with health(lambda: numbers, 0) as port:
        status, body = await _ask(port, b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        assert (status, json.loads(body)) == (200, numbers)
        numbers["ok"] = False
        assert (await _ask(port, b"GET /healthz?x HTTP/1.1\r\n\r\n"))[0] == 503
        assert await _ask(port, b"HEAD /healthz HTTP/1.1\r\n\r\n") == (503, b"")
        assert (await _ask(port, b"GET /secrets HTTP/1.1\r\n\r\n"))[0] == 404
        assert (await _ask(port, b"POST /healthz HTTP/1.1\r\n\r\n"))[0] == 405
        assert (await _ask(port, b"\x00\r\n\r\n"))[0] == 404


async def test_a_page_is_well_while_its_store_answers_and_its_broker_where_it_has_one() -> None:
    assert of_page(True, None)["ok"]
    assert not of_page(False, None)["ok"]
    async with embedded_broker() as broker:
        assert not of_page(True, MqttFeed(broker))["ok"]
        async with live_feed(broker) as live:
            assert of_page(True, live)["ok"]


async def test_a_taken_port_is_one_sentence() -> None:
    async with health(dict, 0) as port:
        with pytest.raises(SettingsError, match=f"port {port}"):
            async with health(dict, port):
                pass


@pytest.fixture
def root() -> Iterator[logging.Logger]:
    logger = logging.getLogger()
    handlers, level = logger.handlers[:], logger.level
    yield logger
    logger.handlers[:], logger.level = handlers, level


def _written(level: int, message: str, *values: object) -> dict[str, str]:
    out = io.StringIO()
    logs.set_up(level, out)
    logging.getLogger("processing.service").warning(message, *values)
    row: dict[str, str] = json.loads(out.getvalue())
    return row


@pytest.mark.usefixtures("root")
def test_a_line_is_one_object_without_ids() -> None:
    row = _written(
        logging.INFO, "patient %s, %s at %s on %s", "p-0a1b2c3d4e", "witmotion-c0ffee000001", "C0:FF:EE:00:00:01",
        "spineclip/v1/anna/samples",
    )  # fmt: skip
    assert row["what"] == "patient <patient>, <wearable> at <address> on spineclip/v1/<patient>/samples"
    assert (row["level"], row["where"]) == ("warning", "processing.service")
    assert "p-0a1b2c3d4e" in _written(logging.DEBUG, "patient p-0a1b2c3d4e")["what"]
