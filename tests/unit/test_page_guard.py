"""Promise: the page answers only to its own address, and tells browsers to keep it to themselves."""

from __future__ import annotations

from typing import Any

import pytest

from dashboards.guard import POSTS, Guard
from spineclip.contract.clock import DrivenClock


async def _page(_scope: Any, _receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"health"})


async def _ask(kind: str = "http", path: str = "/", method: str = "GET", **headers: str) -> list[dict[str, Any]]:
    sent: list[dict[str, Any]] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        raise AssertionError("nothing is read before the guard has looked")

    scope = {
        "type": kind,
        "path": path,
        "method": method,
        "headers": [(k.encode(), v.encode()) for k, v in headers.items()],
    }
    await Guard(_page, ["127.0.0.1", "localhost"])(scope, receive, send)  # type: ignore[arg-type]
    return sent


@pytest.mark.parametrize("host", ["127.0.0.1:8642", "localhost:8642", "LOCALHOST:8642", "127.0.0.1"])
async def test_its_own_names_open_the_page(host: str) -> None:
    assert (await _ask(host=host))[0]["status"] == 200


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example:8642", "", "[", "user@evil.example"])
async def test_other_names_do_not(host: str) -> None:
    sent = await _ask(host=host)
    assert sent[0]["status"] == 403
    assert b"health" not in sent[1]["body"]


@pytest.mark.parametrize("origin", ["http://evil.example", "http://127.0.0.1:9999", "null", "http://["])
async def test_other_origins_cannot_open_the_websocket(origin: str) -> None:
    assert await _ask("websocket", host="127.0.0.1:8642", origin=origin) == [{"type": "websocket.close", "code": 1008}]


async def test_who_does_not_say_where_a_form_or_a_websocket_comes_from_is_refused() -> None:
    assert (await _ask("websocket", host="127.0.0.1:8642"))[0] == {"type": "websocket.close", "code": 1008}
    assert (await _ask(host="127.0.0.1:8642", method="POST"))[0]["status"] == 403
    own = "http://127.0.0.1:8642"
    assert (await _ask(host="127.0.0.1:8642", method="POST", origin=own))[0]["status"] == 200


async def test_forms_come_by_the_minute() -> None:
    clock = DrivenClock(0)
    guard = Guard(_page, ["127.0.0.1"], clock=clock)  # type: ignore[arg-type]

    async def post(address: str) -> int:
        sent: list[dict[str, Any]] = []

        async def send(message: Any) -> None:
            sent.append(message)

        headers = [(b"host", b"127.0.0.1"), (b"origin", b"http://127.0.0.1")]
        scope = {"type": "http", "path": "/", "method": "POST", "headers": headers, "client": (address, 1)}
        await guard(scope, None, send)  # type: ignore[arg-type]
        return int(sent[0]["status"])

    assert [await post("10.0.0.1") for _ in range(POSTS + 1)] == [200] * POSTS + [429]
    assert await post("10.0.0.2") == 200, "nobody pays for another"
    clock.advance(60)
    assert await post("10.0.0.1") == 200


async def test_its_own_origin_can() -> None:
    assert (await _ask(host="127.0.0.1:8642", origin="http://127.0.0.1:8642"))[0]["status"] == 200


async def test_every_answer_carries_protective_headers() -> None:
    headers = dict((await _ask(host="127.0.0.1"))[0]["headers"])
    assert b"frame-ancestors 'none'" in headers[b"content-security-policy"]
    assert headers[b"x-content-type-options"] == b"nosniff"
    assert headers[b"referrer-policy"] == b"same-origin"
    assert headers[b"cache-control"] == b"no-store"
