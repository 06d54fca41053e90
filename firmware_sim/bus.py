"""A system bus of our own: enough of a D-Bus daemon for one service and any number of clients.

It listens on a socket, authenticates, names its clients, keeps their match rules and carries messages between them
and the services that live in this process (D-Bus specification, "Authentication Protocol" and "Message Bus Messages").
Each client has its own write queue; one that does not read is cut off, as the reference daemon does.
"""

from __future__ import annotations

import array
import asyncio
import fcntl
import itertools
import logging
import os
import socket
import termios
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from dbus_fast import Message, MessageFlag, MessageType

from firmware_sim.frames import FrameError, message_size, pack, stamp, unpack
from firmware_sim.rules import Rule, RuleError

BUS_NAME: Final = "org.freedesktop.DBus"
BUS_PATH: Final = "/org/freedesktop/DBus"
OWNER: Final = ":1.0"
"""Unique name of every service of this process."""
_LOG = logging.getLogger(__name__)
_MAX_LINE: Final = 16384
DEFAULT_QUEUE_LIMIT: Final = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Call:
    """A method call that waits for its answer."""

    client: Client
    message: Message

    def reply(self, signature: str = "", *body: Any) -> None:
        """Answer it."""
        self.client.waiting.pop(self.message.serial, None)
        if not self.message.flags & MessageFlag.NO_REPLY_EXPECTED:
            self.client.send(Message.new_method_return(self.message, signature, list(body)))

    def error(self, name: str, text: str) -> None:
        """Refuse it."""
        self.client.waiting.pop(self.message.serial, None)
        if not self.message.flags & MessageFlag.NO_REPLY_EXPECTED:
            self.client.send(Message.new_error(self.message, name, text))


class Client(asyncio.Protocol):
    """One connection to the bus."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._transport: asyncio.Transport | None = None
        self._buffer = bytearray()
        self._authenticated = False
        self._sent = False
        self._serials = itertools.count(1)
        self.name = ""
        self.rules: list[tuple[str, Rule]] = []
        self.waiting: dict[int, tuple[str, Call]] = {}

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin with authentication."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - for the type checker
        self._transport = transport
        transport.set_write_buffer_limits(high=self._bus.queue_limit)
        self._bus.clients.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the bus."""
        del exc
        self._transport = None
        self._bus.forget(self)

    def data_received(self, data: bytes) -> None:
        """Take in what came and act on each whole line or message."""
        self._buffer += data
        try:
            while self._buffer and (self._take_message() if self._authenticated else self._take_line()):
                pass
        except (FrameError, UnicodeDecodeError) as error:
            self._bus.bad_messages += 1
            self.close(str(error))

    def pause_writing(self) -> None:
        """Cut off a client that does not read: its queue is past the limit."""
        self._bus.cut_off += 1
        self.close("does not read")

    def close(self, why: str) -> None:
        """Drop the connection at once."""
        if self._transport is not None:
            self._bus.closed_because.append((self.name, why))
            self._transport.abort()

    def send(self, message: Message) -> None:
        """Send a message to this client."""
        message.destination = self.name or None
        self.send_frame(pack(message))

    def send_frame(self, frame: bytearray) -> None:
        """Send a packed message, stamped with the next serial."""
        if self._transport is not None and not self._transport.is_closing():
            stamp(frame, next(self._serials))
            self._transport.write(frame)
            self._sent = True

    def unread(self) -> bool:
        """Whether something that was sent has not been read by the other end yet."""
        if not self._sent or self._transport is None or self._transport.is_closing():
            return False
        if self._transport.get_write_buffer_size():
            return True
        waiting = array.array("i", [0])
        fcntl.ioctl(self._transport.get_extra_info("socket").fileno(), termios.TIOCOUTQ, waiting)
        self._sent = waiting[0] > 0
        return self._sent

    def _take_line(self) -> bool:
        """Act on one line of the authentication; return whether there was one."""
        if self._buffer.startswith(b"\0"):
            del self._buffer[:1]
        line, found, _ = bytes(self._buffer).partition(b"\r\n")
        if not found:
            if len(self._buffer) > _MAX_LINE:
                raise FrameError("an authentication line without an end")
            return False
        del self._buffer[: len(line) + 2]
        words = line.decode("ascii").split()
        command = words[0] if words else ""
        if command == "BEGIN":
            self._authenticated = True
        elif command == "AUTH" and words[1:2] in (["EXTERNAL"], ["ANONYMOUS"]):
            self._say(f"OK {self._bus.guid}")
        elif command == "AUTH":
            self._say("REJECTED EXTERNAL ANONYMOUS")
        elif command == "NEGOTIATE_UNIX_FD":
            self._say("AGREE_UNIX_FD")  # bleak insists on it, though no descriptor is ever sent here
        else:
            self._say("ERROR")
        return True

    def _say(self, line: str) -> None:
        if self._transport is not None:
            self._transport.write(f"{line}\r\n".encode("ascii"))

    def _take_message(self) -> bool:
        size = message_size(self._buffer)
        if size is None or len(self._buffer) < size:
            return False
        frame = bytes(self._buffer[:size])
        del self._buffer[:size]
        self._bus.dispatch(self, unpack(frame))
        return True


class Bus:
    """The daemon.

    Parameters
    ----------
    queue_limit
        A client with more unsent bytes than this is cut off.
    """

    def __init__(self, *, queue_limit: int = DEFAULT_QUEUE_LIMIT) -> None:
        self.queue_limit = queue_limit
        self.guid = os.urandom(16).hex()
        self.clients: set[Client] = set()
        self.services: dict[str, Callable[[Call], None]] = {}
        self.on_gone: list[Callable[[str], None]] = []
        self.cut_off = 0
        self.bad_messages = 0
        self.closed_because: list[tuple[str, str]] = []
        self._names = itertools.count(1)
        self._server: asyncio.Server | None = None
        self._routes: dict[tuple[str, str, str, str], list[Client]] = {}

    async def listen(self, path: Path) -> None:
        """Accept clients on a Unix socket."""
        self._server = await asyncio.get_running_loop().create_unix_server(lambda: Client(self), path)

    async def listen_tcp(self, host: str, port: int = 0) -> int:
        """Accept clients on a TCP port (loopback, containers) and return it."""
        self._server = await asyncio.get_running_loop().create_server(lambda: Client(self), host, port)
        bound: int = self._server.sockets[0].getsockname()[1]
        for listening in self._server.sockets:
            listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return bound

    async def close(self) -> None:
        """Drop every client and stop listening; what a dying daemon looks like from outside."""
        server, self._server = self._server, None
        if server is not None:
            server.close()
        for client in tuple(self.clients):
            client.close("the bus ends")
        if server is not None:
            await server.wait_closed()
        await asyncio.sleep(0)

    def start_service(self, name: str, answer: Callable[[Call], None]) -> None:
        """Let a service of this process own a name."""
        self.services[name] = answer
        self.broadcast(BUS_PATH, BUS_NAME, "NameOwnerChanged", "sss", name, "", OWNER)

    def end_service(self, name: str) -> None:
        """Take a name away, as when its owner dies: who waits for an answer is told that none will come."""
        if self.services.pop(name, None) is None:
            return
        for client in self.clients:
            for destination, call in tuple(client.waiting.values()):
                if destination == name:
                    call.error(f"{BUS_NAME}.Error.NoReply", "Message recipient disconnected without replying")
        self.broadcast(BUS_PATH, BUS_NAME, "NameOwnerChanged", "sss", name, OWNER, "")

    def forget(self, client: Client) -> None:
        """Forget a client that has gone, and tell the services."""
        self.clients.discard(client)
        self._routes.clear()
        if client.name:
            for tell in self.on_gone:
                tell(client.name)

    def unread(self) -> bool:
        """Whether any client has not read all that it was sent."""
        return any(client.unread() for client in self.clients)

    def broadcast(self, path: str, interface: str, member: str, signature: str, *body: Any) -> None:
        """Send a signal to every client whose rules want it."""
        frame: bytearray | None = None
        for client in tuple(self.clients):
            args = tuple(body)
            if any(rule.wants(path=path, interface=interface, member=member, args=args) for _, rule in client.rules):
                if frame is None:
                    frame = pack(Message.new_signal(path, interface, member, signature, list(body)))
                client.send_frame(bytearray(frame))

    def broadcast_frame(self, path: str, interface: str, member: str, arg0: str, frame: bytearray) -> None:
        """Send a packed signal to every client whose rules want it; who that is, is remembered."""
        key = (path, interface, member, arg0)
        route = self._routes.get(key)
        if route is None:
            route = self._routes[key] = [
                client
                for client in self.clients
                if any(
                    rule.wants(path=path, interface=interface, member=member, args=(arg0,)) for _, rule in client.rules
                )
            ]
        for client in route:
            client.send_frame(frame)

    def dispatch(self, client: Client, message: Message) -> None:
        """Act on a message from a client. Only method calls concern this bus."""
        if message.message_type is not MessageType.METHOD_CALL:
            return
        if client.name:
            message.sender = client.name
        call = Call(client, message)
        service = self._daemon if message.destination == BUS_NAME else self.services.get(message.destination or "")
        client.waiting[message.serial] = (message.destination or "", call)
        if service is None:
            call.error(f"{BUS_NAME}.Error.ServiceUnknown", f"The name {message.destination} was not provided")
            return
        try:
            service(call)
        except (IndexError, KeyError, TypeError, ValueError, AttributeError) as error:
            # Arguments that do not fit lead anywhere; they are the caller's mistake, and must not end the bus.
            self.bad_messages += 1
            _LOG.warning("could not answer %s.%s: %r", message.interface, message.member, error)
            call.error(f"{BUS_NAME}.Error.InvalidArgs", f"{message.member}: {error}")

    def _daemon(self, call: Call) -> None:
        member, body = call.message.member, call.message.body
        if member == "Hello" and not call.client.name:
            call.client.name = f":1.{next(self._names)}"
            call.reply("s", call.client.name)
        elif member == "AddMatch":
            self._add_match(call, str(body[0]))
        elif member == "RemoveMatch":
            kept = [pair for pair in call.client.rules if pair[0] != body[0]]
            call.client.rules[:] = kept
            self._routes.clear()
            call.reply()
        elif member == "NameHasOwner":
            call.reply("b", self._owner(body[0]) is not None)
        elif member == "GetNameOwner":
            owner = self._owner(body[0])
            if owner is None:
                call.error(f"{BUS_NAME}.Error.NameHasNoOwner", f"Nobody owns the name {body[0]}")
            else:
                call.reply("s", owner)
        elif member == "ListNames":
            call.reply("as", [BUS_NAME, *self.services, *sorted(one.name for one in self.clients if one.name)])
        elif member == "RequestName":
            call.error(f"{BUS_NAME}.Error.AccessDenied", "This bus has no room for other services")
        else:
            call.error(f"{BUS_NAME}.Error.UnknownMethod", f"There is no method {member}")

    def _add_match(self, call: Call, text: str) -> None:
        try:
            call.client.rules.append((text, Rule.parse(text)))
        except RuleError as error:
            call.error(f"{BUS_NAME}.Error.MatchRuleInvalid", str(error))
            return
        self._routes.clear()
        call.reply()

    def _owner(self, name: object) -> str | None:
        if name == BUS_NAME:
            return BUS_NAME
        if name in self.services:
            return OWNER
        return next((one.name for one in self.clients if one.name == name and one.name), None)
