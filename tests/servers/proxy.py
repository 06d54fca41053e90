"""A TCP proxy on loopback between a client and a real server, for connections that are slow, cut or swallowed.

It is one thread that moves bytes; what it does can be changed at any moment from the test's own thread.
"""

from __future__ import annotations

import selectors
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

_CHUNK = 65_536
_TURN_S = 0.01


@dataclass
class _Pipe:
    """One direction of one connection."""

    source: socket.socket
    target: socket.socket
    held: bytearray = field(default_factory=bytearray)
    due_s: float = 0.0


class Proxy:
    """A listening port that leads to a server.

    Attributes
    ----------
    port
        Where clients connect.
    delay_s
        How long bytes are held back, in each direction.
    swallow
        Take bytes and let nothing through (a black hole: nobody is told).
    refuse
        Close every new connection at once.
    connections
        How many were accepted so far.
    """

    def __init__(self, target_port: int) -> None:
        self.target_port = target_port
        self.delay_s = 0.0
        self.swallow = False
        self.refuse = False
        self.connections = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.setblocking(False)
        self.port: int = self._listener.getsockname()[1]
        self._pipes: list[_Pipe] = []
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="proxy", daemon=True)

    def cut(self) -> int:
        """Cut all connections that stand, as a pulled cable that the machine notices; return how many."""
        with self._lock:
            pipes, self._pipes = self._pipes, []
        for pipe in pipes:
            pipe.source.close()
        return len(pipes) // 2

    def start(self) -> None:
        """Begin to accept."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread and close everything."""
        self._stopping.set()
        self._thread.join()
        self.cut()
        self._listener.close()

    def _run(self) -> None:
        while not self._stopping.is_set():
            with self._lock:
                sources = {pipe.source: pipe for pipe in self._pipes if pipe.source.fileno() >= 0}
            with selectors.DefaultSelector() as selector:
                selector.register(self._listener, selectors.EVENT_READ)
                for source in sources:
                    if source.fileno() >= 0:
                        selector.register(source, selectors.EVENT_READ)
                ready = [key.fileobj for key, _ in selector.select(_TURN_S)]
            for one in ready:
                if one is self._listener:
                    self._accept()
                elif isinstance(one, socket.socket):
                    self._read(sources[one])
            self._flush()

    def _accept(self) -> None:
        client, _ = self._listener.accept()
        self.connections += 1
        if self.refuse:
            client.close()
            return
        try:
            server = socket.create_connection(("127.0.0.1", self.target_port), timeout=5)
        except OSError:  # the server is down: so is its door
            client.close()
            return
        with self._lock:
            self._pipes += [_Pipe(client, server), _Pipe(server, client)]

    def _read(self, pipe: _Pipe) -> None:
        try:
            data = pipe.source.recv(_CHUNK)
        except OSError:
            data = b""
        if not data:
            self._close(pipe)
        elif not self.swallow:
            if not pipe.held:
                pipe.due_s = time.monotonic() + self.delay_s
            pipe.held += data

    def _flush(self) -> None:
        with self._lock:
            due = [pipe for pipe in self._pipes if pipe.held and time.monotonic() >= pipe.due_s]
        for pipe in due:
            try:
                pipe.target.sendall(pipe.held)
                pipe.held.clear()
            except OSError:
                self._close(pipe)

    def _close(self, pipe: _Pipe) -> None:
        with self._lock:
            ends = {pipe.source, pipe.target}
            self._pipes = [other for other in self._pipes if other.source not in ends]
        for end in ends:
            end.close()


@contextmanager
def proxy(target_port: int) -> Iterator[Proxy]:
    """Run a proxy while the body runs."""
    one = Proxy(target_port)
    one.start()
    try:
        yield one
    finally:
        one.stop()
