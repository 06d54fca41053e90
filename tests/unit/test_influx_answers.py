"""Promise: the answers of InfluxDB 2 are understood, where they differ from those of 1.x that the other tests run on.

Each answer here is what InfluxDB 2.8.0 sent, byte for byte.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

import pytest

from processing.stores.influx import InfluxReader
from processing.stores.influx_link import Address, InfluxLink
from spineclip.contract.errors import StoreBusyError, StoreError, StoreRefusedError

DELETED = b"{}\n"
NOTHING = b'{"results":[{"statement_id":0}]}\n'
NO_RIGHT = b'{"results":[{"statement_id":0,"error":"insufficient permissions"}]}\n'
NO_BUCKET = b'{"results":[{"statement_id":0,"error":"database not found: missing"}]}\n'
NO_BUCKET_TO_DELETE_FROM = (
    b'{"results":[{"statement_id":0,"error":"default retention policy not set for: spineclip"}]}\n'
)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    answers: dict[str, bytes]


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_POST(self) -> None:
        form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        body = self.server.answers[form["q"][0].split()[0]]
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("X-Influxdb-Version", "v2.8.0")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[_Server]:
    made = _Server(("127.0.0.1", 0), _Handler)
    made.answers = {}
    thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield made
    made.shutdown()
    thread.join()
    made.server_close()


def _address(server: _Server) -> Address:
    return Address(f"http://127.0.0.1:{server.server_address[1]}", "spineclip", "token", retries=0)


@pytest.mark.parametrize("answer", [DELETED, NOTHING], ids=["2.8.0", "1.6.7"])
def test_what_was_deleted_is_no_fault(server: _Server, answer: bytes) -> None:
    server.answers["DELETE"] = answer
    with closing(InfluxLink(_address(server))) as link:
        assert link.query('DELETE FROM "activity"') == []


def test_an_empty_answer_to_a_question_is_a_fault(server: _Server) -> None:
    server.answers["SELECT"] = DELETED
    with closing(InfluxLink(_address(server))) as link, pytest.raises(StoreError, match="does not answer as"):
        link.query('SELECT "name" FROM "core"')


@pytest.mark.parametrize("answer", [NO_RIGHT, NO_BUCKET_TO_DELETE_FROM], ids=["right", "bucket"])
def test_a_right_that_is_missing_is_waited_for(server: _Server, answer: bytes) -> None:
    """A person can mend it, and nothing is given up until then."""
    server.answers["DELETE"] = answer
    with closing(InfluxLink(_address(server))) as link, pytest.raises(StoreBusyError, match="does not let us use"):
        link.query('DELETE FROM "activity"')


def test_a_bucket_that_is_not_there_is_told_at_the_start(server: _Server) -> None:
    """InfluxDB 2 has no measurements to show of it, and calls that no error."""
    server.answers |= {"SHOW": NOTHING, "SELECT": NO_BUCKET}
    with pytest.raises(StoreRefusedError, match="database not found"):
        InfluxReader(_address(server))
