"""What stands between a browser and health data: who may ask, and what a browser may do with the answer."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dashboards.answers import answer
from dashboards.pace import Pace
from dashboards.words import Words
from spineclip.contract.clock import Clock, SystemClock

_HEADERS: Final = {
    # NiceGUI's start-up script is inline and its components compile templates; nothing from elsewhere is ever loaded.
    "Content-Security-Policy": (
        "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
        "img-src 'self' data:; font-src 'self' data:; connect-src 'self'; object-src 'none'; "
        "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    # Not "no-referrer": browsers then send our own forms with the origin "null", which the guard turns away.
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


_READING: Final = ("GET", "HEAD")
_TLS_ONLY: Final = "max-age=31536000"
POSTS: Final = 60
"""Forms that one address may send in a minute: ten times what two quick hands do."""
MESSAGES: Final = 1200
"""Messages that one open page may send in a minute: every key that is pressed in a note is one."""


class Guard:
    """Turn away requests for other host names, from other origins, or too many; protect every answer by headers.

    A page on loopback needs no login, but any web site that its reader visits can make the browser send requests
    there: under a name of its own (DNS rebinding) or as a cross-site WebSocket. Both carry a name that is not ours.

    Parameters
    ----------
    app
        What is guarded.
    hosts
        Host names that the page answers to (without ports).
    clock
        For counting by the minute.
    tls
        Whether browsers reach the page over TLS; they are then told to do so for ever.
    language
        Of what is said to those who are turned away.
    """

    def __init__(
        self,
        app: ASGIApp,
        hosts: Collection[str],
        *,
        clock: Clock | None = None,
        tls: bool = False,
        language: str = "en",
    ) -> None:
        self._app = app
        self._hosts = frozenset(hosts)
        self._headers = {**_HEADERS, "Strict-Transport-Security": _TLS_ONLY} if tls else _HEADERS
        self._clock = clock or SystemClock()
        self._posts = Pace(self._clock, POSTS)
        self._words = Words(language)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        if not self._ours(scope, headers):
            await self._refuse(scope, receive, send, "answer.address", 403)
            return
        if scope["type"] == "websocket":
            await self._app(scope, self._paced(receive), send)
            return
        if scope["method"] not in _READING and not self._posts.allows((scope.get("client") or ("",))[0]):
            await self._refuse(scope, receive, send, "answer.too_many", 429)
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                answer = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    answer[name] = value
                if not scope["path"].startswith("/_nicegui/"):
                    answer["Cache-Control"] = "no-store"
            await send(message)

        await self._app(scope, receive, send_guarded)

    def _ours(self, scope: Scope, headers: dict[str, str]) -> bool:
        host = headers.get("host", "")
        if _name(f"//{host}") not in self._hosts:
            return False
        origin = headers.get("origin")
        if origin is None:
            # Browsers say where a form or a WebSocket comes from; who does not say is no browser of our reader's.
            return scope["type"] == "http" and scope["method"] in _READING
        try:
            return urlsplit(origin).netloc == host
        except ValueError:
            return False

    async def _refuse(self, scope: Scope, receive: Receive, send: Send, key: str, status: int) -> None:
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
            return
        await answer(self._words, key, status, back=False)(scope, receive, send)

    def _paced(self, receive: Receive) -> Receive:
        pace = Pace(self._clock, MESSAGES)

        async def receive_paced() -> Message:
            message = await receive()
            if message["type"] == "websocket.receive" and not pace.allows(""):
                return {"type": "websocket.disconnect", "code": 1008}
            return message

        return receive_paced


def _name(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""
