"""Web pages for this machine, in the event loop of whoever runs them."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import socket
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

import uvicorn
from starlette.types import ASGIApp

from dashboards.guard import Guard
from spineclip.contract.errors import SettingsError

LOOPBACK: Final = "127.0.0.1"
DEFAULT_PORT: Final = 8642
_NAMES: Final = (LOOPBACK, "localhost")
_GRACE_S: Final = 1
"""How long open pages may take to let go when the server ends."""


@dataclass(frozen=True, slots=True)
class Public:
    """An address that others know.

    Attributes
    ----------
    url
        Scheme, name and port, without a slash at the end.
    """

    url: str

    @property
    def host(self) -> str:
        """The name in it."""
        return urlsplit(self.url).hostname or ""

    @property
    def tls(self) -> bool:
        """Whether it is protected on the way."""
        return self.url.startswith("https://")


def public_address(url: str) -> Public:
    """Check the address at which a page is to be published.

    Raises
    ------
    SettingsError
        If it is no address, more than a name and a port, or not protected on the way.
    """
    try:
        parts = urlsplit(url.strip())
        host, port = parts.hostname, parts.port
    except ValueError:
        parts, host, port = urlsplit(""), None, None
    if parts.scheme not in ("http", "https") or not host or parts.path.strip("/") or parts.query or parts.username:
        raise SettingsError(f"{url!r} is no address to publish at", advice="Give one such as https://back.example.org")
    if parts.scheme == "http" and host not in _NAMES:
        raise SettingsError(
            f"{url} is not protected on the way, and this is health data",
            advice="Put a web server with TLS before the page, and give its https address",
        )
    shown = f"[{host}]" if ":" in host else host
    return Public(f"{parts.scheme}://{shown}{'' if port is None else f':{port}'}")


class _Server(uvicorn.Server):
    """A server that leaves Ctrl-C to whoever runs it."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@contextlib.asynccontextmanager
async def serve(
    app: ASGIApp, *, port: int | None = None, listen: str = LOOPBACK, public: Public | None = None, language: str = "en"
) -> AsyncIterator[str]:
    """Serve an app behind the guard for as long as the context lasts.

    Parameters
    ----------
    app
        What answers.
    port
        A port to listen on, 0 for any; None takes `DEFAULT_PORT`, or any where that is taken.
    listen
        The address to listen on. Another than loopback is for containers, whose own loopback nobody reaches: whoever
        publishes the port binds it to loopback. The page itself answers to loopback's names only.
    public
        The address under which a web server with TLS shows the page to others; the page answers to its name too.
        Whoever gives it puts an `Entrance` before the app.
    language
        Of what is said to those who are turned away.

    Yields
    ------
    str
        The address.

    Raises
    ------
    SettingsError
        If the port cannot be had.
    """
    names = _NAMES if public is None else (*_NAMES, public.host)
    listener = _listen(listen, port)
    config = uvicorn.Config(
        Guard(app, names, tls=public is not None and public.tls, language=language),
        log_config=None,
        log_level=logging.CRITICAL,
        access_log=False,
        lifespan="on",
        ws="websockets-sansio",
        server_header=False,
        proxy_headers=public is not None,  # of a proxy on this machine, or of those in FORWARDED_ALLOW_IPS
        timeout_graceful_shutdown=_GRACE_S,
    )
    server = _Server(config)
    task = asyncio.create_task(server.serve(sockets=[listener]), name="page server")
    try:
        while not server.started:
            if task.done():
                task.result()
                raise SettingsError("the page could not be started", advice="Try another port with --port")
            await asyncio.sleep(0.01)
        yield f"http://{LOOPBACK}:{listener.getsockname()[1]}/"
    finally:
        server.should_exit = True
        await task
        listener.close()


def check_port(port: int | None, listen: str = LOOPBACK) -> None:
    """Make sure that a port can be had, before anything else is begun.

    Raises
    ------
    SettingsError
        If it is taken.
    """
    _listen(listen, port).close()


def _listen(address: str, port: int | None) -> socket.socket:
    wanted = DEFAULT_PORT if port is None else port
    try:
        return socket.create_server((address, wanted))
    except OSError as error:
        if port is None and error.errno in (errno.EADDRINUSE, errno.EACCES):
            return _listen(address, 0)
        if error.errno not in (errno.EADDRINUSE, errno.EACCES):
            raise SettingsError(
                f"the page cannot listen on {address} ({error.strerror})",
                advice="Give an address of this machine with --listen",
            ) from error
        raise SettingsError(
            f"the page cannot listen on port {wanted} ({error.strerror})",
            advice="Choose another with --port, or --port 0 for any that is free",
        ) from error
