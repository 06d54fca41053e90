"""The door of a published page: a link with a key, kept by the browser as a cookie, asked for before all else.

The key stands behind the ``#`` of the link. A browser sends that part to nobody, so it is in no log of any server on
the way; a few lines of script on the entrance hand it over once, and take it out of the address line.
"""

from __future__ import annotations

import json
from html import escape
from typing import Final

from starlette.requests import HTTPConnection, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dashboards.answers import answer
from dashboards.doorkeeper import Doorkeeper
from dashboards.words import Words

ENTER: Final = "/enter"
_KEY_MAX_BYTES: Final = 512
_KEPT_S: Final = 90 * 86_400
_SCRIPT: Final = """
const texts = %s, status = document.querySelector("[role=status]");
async function enter() {
  const key = location.hash.slice(1);
  history.replaceState(null, "", location.pathname);
  if (!key) { status.textContent = texts.needed; return; }
  const answer = await fetch(location.pathname, {method: "POST", headers: {"Content-Type": "text/plain"}, body: key});
  if (answer.ok) { location.replace("/"); return; }
  status.textContent = answer.status === 429 ? texts.shut : texts.refused;
}
addEventListener("hashchange", enter);
enter();
"""


class Entrance:
    """Asks for the key before anything is answered; a key that no longer counts also ends what is open.

    Parameters
    ----------
    app
        What is behind the door.
    cookie
        The cookie's name.
    secure
        Whether the browser reaches us over TLS, and sends the cookie only so.
    """

    def __init__(self, app: ASGIApp, doorkeeper: Doorkeeper, cookie: str, words: Words, *, secure: bool) -> None:
        self._app = app
        self._doorkeeper = doorkeeper
        self._cookie = f"__Host-{cookie}" if secure else cookie
        self._words = words
        self._secure = secure

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] == "websocket":
            await self._socket(scope, receive, send)
        elif scope["type"] == "http":
            reply = await self._answer(Request(scope, receive))
            await reply(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _answer(self, request: Request) -> ASGIApp:
        address = _address(request)
        if request.url.path == "/favicon.ico":
            return Response(status_code=204)  # browsers ask for it by themselves, without our cookie at first
        if self._doorkeeper.is_shut(address):
            return self._page("shut", 429)
        if request.url.path == ENTER:
            return await self._enter(request) if request.method == "POST" else self._page("waiting", 200, script=True)
        if self._doorkeeper.lets_in(self._kept(request), address):
            return self._app
        return self._page("needed", 403)

    async def _enter(self, request: Request) -> Response:
        offered = b""
        async for part in request.stream():
            offered += part
            if len(offered) > _KEY_MAX_BYTES:
                return Response(status_code=413)
        key = offered.decode("ascii", "replace").strip()
        address = _address(request)
        if not self._doorkeeper.lets_in(key, address):
            return Response(status_code=429 if self._doorkeeper.is_shut(address) else 403)
        entry = Response(status_code=204)
        entry.set_cookie(
            self._cookie, key, max_age=_KEPT_S, httponly=True, samesite="strict", secure=self._secure, path="/"
        )
        return entry

    async def _socket(self, scope: Scope, receive: Receive, send: Send) -> None:
        connection = HTTPConnection(scope)
        key = self._kept(connection)
        if key is None or not self._doorkeeper.lets_in(key, _address(connection)):
            await send({"type": "websocket.close", "code": 1008})
            return
        ended = False

        async def send_while_known(message: Message) -> None:
            nonlocal ended
            if ended:
                return
            if self._doorkeeper.knows(key):
                await send(message)
            else:
                ended = True
                await send({"type": "websocket.close", "code": 1008})

        async def receive_while_known() -> Message:
            message = await receive()
            if message["type"] == "websocket.receive" and not self._doorkeeper.knows(key):
                return {"type": "websocket.disconnect", "code": 1008}
            return message

        await self._app(scope, receive_while_known, send_while_known)

    def _kept(self, connection: HTTPConnection) -> str | None:
        return connection.cookies.get(self._cookie)

    def _page(self, said: str, status: int, *, script: bool = False) -> Response:
        words = self._words
        texts = json.dumps({name: words(f"enter.{name}") for name in ("needed", "refused", "shut")}).replace(
            "<", "\\u003c"
        )
        ending = f"<noscript><p>{escape(words('enter.script'))}</p></noscript><script>{_SCRIPT % texts}</script>"
        return answer(words, f"enter.{said}", status, ending=ending if script else "", back=False)


def _address(connection: HTTPConnection) -> str:
    return connection.client.host if connection.client else ""
