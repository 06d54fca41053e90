"""The proxy does what fault tests rely on: it passes, delays, swallows, cuts and refuses."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator

import pytest

from tests.servers.proxy import Proxy, proxy


@pytest.fixture
def echo_port() -> Iterator[int]:
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                try:
                    while data := connection.recv(1000):
                        connection.sendall(data)
                except OSError:  # cut by the proxy: the next client comes
                    continue

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield listener.getsockname()[1]
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join()


def _connect(to: Proxy) -> socket.socket:
    return socket.create_connection(("127.0.0.1", to.port), timeout=5)


def test_bytes_pass_both_ways(echo_port: int) -> None:
    with proxy(echo_port) as way, _connect(way) as client:
        client.sendall(b"there and back")
        assert client.recv(100) == b"there and back"
        assert way.connections == 1


def test_a_delay_holds_bytes_back_in_each_direction(echo_port: int) -> None:
    with proxy(echo_port) as way, _connect(way) as client:
        way.delay_s = 0.1
        begin = time.monotonic()
        client.sendall(b"slow")
        assert client.recv(100) == b"slow"
        assert time.monotonic() - begin >= 0.2


def test_swallowed_bytes_never_arrive_and_nobody_is_told(echo_port: int) -> None:
    with proxy(echo_port) as way, _connect(way) as client:
        way.swallow = True
        client.settimeout(0.2)
        client.sendall(b"gone")
        with pytest.raises(TimeoutError):
            client.recv(100)


def test_a_cut_is_seen_at_once_and_a_new_connection_works(echo_port: int) -> None:
    with proxy(echo_port) as way:
        with _connect(way) as client:
            client.sendall(b"one")
            assert client.recv(100) == b"one"
            assert way.cut() == 1
            assert client.recv(100) == b""
        with _connect(way) as client:
            client.sendall(b"two")
            assert client.recv(100) == b"two"


def test_a_refused_connection_ends_without_a_word(echo_port: int) -> None:
    with proxy(echo_port) as way:
        way.refuse = True
        with _connect(way) as client:
            try:
                assert client.recv(100) == b""
            except ConnectionResetError:
                assert way.connections == 1
