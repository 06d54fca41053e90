"""F6, F7, F8 and F24: the clinic's store answers badly, dies, refuses, and is asked by the wrong people."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import psutil
import pytest
import urllib3

from collector.outbox import Outbox
from processing.stores.influx import InfluxReader, InfluxStore
from processing.stores.influx_link import Address, InfluxLink
from spineclip.contract.clock import SystemClock
from spineclip.contract.errors import StoreBusyError, StoreError
from tests.fault.world import PATIENT, core_here, metrics, until, uplink_here
from tests.servers.influx import Influx, ask, influx
from tests.servers.mosquitto import Broker
from tests.servers.process import free_port
from tests.servers.proxy import proxy
from tests.stores_suite import activity, everything
from tests.system.collecting import T0_NS, day_of_somebody
from tests.system.test_core import in_batch

pytestmark = [pytest.mark.server("influx"), pytest.mark.server("mosquitto")]


def address(server: Influx, *, port: int | None = None, token: str | None = None) -> Address:
    url = server.url if port is None else f"http://127.0.0.1:{port}"
    return Address(url, server.bucket, token or server.token, server.org, timeout_s=2.0, retries=0)


NOT_NOW = b'{"code":"x","message":"not now"}'


@contextmanager
def moody(server: Influx, *, says: bytes = NOT_NOW, answer: bytes | None = None) -> Iterator[tuple[int, list[int]]]:
    """A front before the database that answers writes with a status of our choice; 0 passes them on.

    Of several statuses each is for one write, and the last one stays. `says` goes with them; `answer` is given to
    whoever reads, in the place of the database's own.
    """
    mood = [0]
    pool = urllib3.PoolManager()

    class Front(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if "/write" in self.path and (status := mood.pop(0) if mood[1:] else mood[0]):
                self._say(status, says)
                return
            if "/query" in self.path and answer is not None:
                self._say(200, answer)
                return
            headers = {k: v for k, v in self.headers.items() if k.lower() not in ("host", "content-length")}
            passed = pool.request("POST", server.url + self.path, body=body, headers=headers)
            self._say(passed.status, passed.data)

        def _say(self, status: int, body: bytes) -> None:
            self.send_response(status)
            if status != 204:
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if status != 204:
                self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    front = ThreadingHTTPServer(("127.0.0.1", 0), Front)
    front.daemon_threads = True
    thread = threading.Thread(target=front.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield front.server_port, mood
    finally:
        front.shutdown()
        front.server_close()
        thread.join()
        pool.clear()


async def test_f06_answers(broker: Broker, influx_empty: Influx, tmp_path: Path, figure: Callable[[str], None]) -> None:
    """F6: the database answers writes with 500, 429, 503, 401, 404, one after the other.

    Promise: nothing lost, no ack before it has accepted (204).
    """
    moods = (500, 429, 503, 401, 404)
    batches = day_of_somebody(20 * len(moods))
    outbox = Outbox(tmp_path / "outbox.sqlite", SystemClock())
    with moody(influx_empty) as (port, mood):
        store = InfluxStore(address(influx_empty, port=port))
        async with core_here(broker, store, finish=True) as core, uplink_here(broker, outbox) as uplink:
            for k, status in enumerate(moods):
                await until(lambda: outbox.backlog == 0 and core.waiting == 0)
                mood[0], acks, commits = status, uplink.acks, core.commits
                outbox.append(batches[20 * k : 20 * k + 20])
                uplink.wake()
                await until(lambda k=k: core.processed >= 20 * (k + 1))
                await asyncio.sleep(0.5)
                assert (core.commits, uplink.acks, outbox.backlog) == (commits, acks, 20)
                mood[0] = 0
            await until(lambda: outbox.backlog == 0)
        same = metrics(store) == in_batch(batches, PATIENT)
        store.close()
    outbox.close()
    figure(f"{len(batches)} batches through {len(moods)} refusals, metrics identical: {same}")
    assert same


@pytest.mark.parametrize("moods", [[204, 0], [0, 204, 0], [204, 204, 0]], ids=["points", "checkpoint", "twice"])
def test_f06_forgotten(influx_empty: Influx, moods: list[int]) -> None:
    """F6: the database accepts a write (204) and does not show it, as it does when a shard is just let go of.

    Promise: what a commit has stored can be read.
    """
    points = [activity(17_280 * day) for day in range(3)]
    with moody(influx_empty) as (port, mood):
        store = InfluxStore(address(influx_empty, port=port))
        mood[:] = moods
        store.commit("p-1", points, b"state")
        assert everything(store, "p-1") == points
        assert store.checkpoint("p-1") == b"state"
        store.close()


def test_f06_too_much(influx_empty: Influx) -> None:
    """F6: what is written at once is too much for a front before the database (413).

    Promise: it is written in parts.
    """
    points = [activity(k) for k in range(5)]
    with moody(influx_empty) as (port, mood):
        store = InfluxStore(address(influx_empty, port=port))
        mood[:] = [413, 413, 0]
        store.commit("p-1", points, None)
        assert everything(store, "p-1") == points
        store.close()


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (b'{"results":[{"statement_id":0,"error":"database not found: spineclip"}]}', StoreBusyError),
        (b'{"results":[{"statement_id":0,"error":"user not authorized to execute statement"}]}', StoreBusyError),
        (b'{"results":[{"statement_id":0,"error":"max-select-series limit exceeded"}]}', StoreError),
    ],
    ids=["no bucket", "no right", "no answer"],
)
def test_f06_refuses_to_read(influx_empty: Influx, answer: bytes, kind: type[StoreError]) -> None:
    """F6: the database does not answer a question, in the words of InfluxDB 1.x.

    Promise: what a person can mend is worth trying again; what is wrong with the question is not.
    """
    with moody(influx_empty, answer=answer) as (port, _):
        link = InfluxLink(address(influx_empty, port=port))
        with pytest.raises(StoreError) as told:
            link.query("SHOW MEASUREMENTS")
        assert isinstance(told.value, StoreBusyError) is (kind is StoreBusyError)
        link.close()


def test_f06_words(influx_empty: Influx) -> None:
    """F6: a front before the database answers in words of its own.

    Promise: they are told as they are.
    """
    with moody(influx_empty, says=b"<h1>out for lunch</h1>") as (port, mood):
        store = InfluxStore(address(influx_empty, port=port))
        mood[0] = 503
        with pytest.raises(StoreBusyError, match="503: <h1>out for lunch</h1>"):
            store.commit("p-1", [activity(0)], None)
        store.close()


def test_f06_forgotten_for_good(influx_empty: Influx) -> None:
    """F6: whatever is written, the database does not show it.

    Promise: the commit says so, so that nothing is acknowledged.
    """
    with moody(influx_empty) as (port, mood):
        store = InfluxStore(address(influx_empty, port=port))
        mood[:] = [204]
        with pytest.raises(StoreBusyError, match="does not show"):
            store.commit("p-1", [activity(0)], b"state")
        store.close()


async def test_f06_connections(
    broker: Broker, influx_empty: Influx, tmp_path: Path, figure: Callable[[str], None]
) -> None:
    """F6: the way to the database is slow, cut in the middle, refused, and swallowed without a word.

    Promise: nothing lost, no ack before it has accepted; a write gives up within its time-out; memory bounded.
    """
    batches = day_of_somebody(120)
    outbox = Outbox(tmp_path / "outbox.sqlite", SystemClock())
    port = int(influx_empty.url.rsplit(":", 1)[1])
    memory = psutil.Process().memory_info
    with proxy(port) as way:
        store = InfluxStore(address(influx_empty, port=way.port))
        async with core_here(broker, store, finish=True) as core, uplink_here(broker, outbox) as uplink:
            before, told = memory().rss, []
            for k, trouble in enumerate(("slow", "cut", "refuse", "swallow")):
                way.delay_s = 0.5 if trouble == "slow" else 0.0
                way.refuse, way.swallow = trouble == "refuse", trouble == "swallow"
                way.cut()
                acks = uplink.acks
                outbox.append(batches[30 * k : 30 * k + 30])
                uplink.wake()
                await until(lambda k=k: core.processed >= 30 * (k + 1))
                if trouble in ("refuse", "swallow"):
                    await asyncio.sleep(1.0)
                    assert (uplink.acks, outbox.backlog) == (acks, 30)
                    way.refuse = way.swallow = False
                    way.cut()
                told.append(f"{trouble} {await until(lambda: outbox.backlog == 0):.1f} s")
            grown = memory().rss - before
        same = metrics(store) == in_batch(batches, PATIENT)
        store.close()
    outbox.close()
    figure(f"stored after {', '.join(told)}; RSS {grown / 2**20:+.0f} MiB; metrics identical: {same}")
    assert same


def test_f06_black_hole(influx_empty: Influx, figure: Callable[[str], None]) -> None:
    """F6: the database swallows a write and never answers.

    Promise: the write gives up within its time-out (10 s in service).
    """
    with proxy(int(influx_empty.url.rsplit(":", 1)[1])) as way:
        store = InfluxStore(address(influx_empty, port=way.port))
        way.swallow = True
        began_s = time.monotonic()
        with pytest.raises(StoreBusyError):
            store.commit(PATIENT, [], b"state")
        took_s = time.monotonic() - began_s
        store.close()
    figure(f"gave up after {took_s:.1f} s at a time-out of 2 s")
    assert took_s < 2 + 8
    assert Address("", "", "").timeout_s <= 10


async def test_f07(broker: Broker, tmp_path: Path, figure: Callable[[str], None], full: bool) -> None:
    """F7: InfluxDB is killed (SIGKILL) in the middle of the load and started again.

    Promise: metrics exact, nothing lost, nothing twice.
    """
    kills = 8 if full else 2
    ports = (free_port(), free_port(), free_port())
    batches = day_of_somebody(60 * kills + 60)
    outbox = Outbox(tmp_path / "outbox.sqlite", SystemClock())
    folder = tmp_path / "influx"
    folder.mkdir()
    with influx(folder, ports=ports) as server:
        store = InfluxStore(address(server))
    async with core_here(broker, Late(store, folder, ports), finish=True) as core:  # type: ignore[arg-type]
        async with uplink_here(broker, outbox) as uplink:
            for life in range(kills + 1):
                with influx(folder, ports=ports) as server:
                    commits = core.commits
                    outbox.append(batches[60 * life : 60 * life + 60])
                    uplink.wake()
                    await until(lambda commits=commits: core.commits > commits)
                    if life < kills:
                        psutil.Process(server.pid).kill()
                    else:
                        await until(lambda: outbox.backlog == 0)
                        await core.stop(finish=True)
                        found = metrics(store)
    same = found == in_batch(batches, PATIENT)
    store.close()
    outbox.close()
    figure(f"{kills} kills, {len(batches)} batches, {len(found)} points, metrics identical: {same}")
    assert same


class Late:
    """The store, with its checkpoints read from a database that is there for a moment."""

    def __init__(self, store: InfluxStore, folder: Path, ports: tuple[int, int, int]) -> None:
        self._store = store
        self._where = (folder, ports)

    def checkpoints(self) -> object:
        with influx(self._where[0], ports=self._where[1]):
            return self._store.checkpoints()

    def __getattr__(self, name: str) -> object:
        return getattr(self._store, name)


async def test_f08(broker: Broker, influx_empty: Influx, tmp_path: Path, figure: Callable[[str], None]) -> None:
    """F8: points that the database will never take (somebody wrote a field with another type), in a running stream.

    Promise: kept aside once each and counted; the stream goes on; all others are stored.
    """
    link = InfluxLink(address(influx_empty))
    assert link.write([f'bout,patient=p-9 steps="many" {T0_NS}']) == []
    link.close()
    batches = day_of_somebody(200)
    outbox = Outbox(tmp_path / "outbox.sqlite", SystemClock())
    store = InfluxStore(address(influx_empty))
    async with core_here(broker, store, finish=True), uplink_here(broker, outbox) as uplink:
        outbox.append(batches)
        uplink.wake()
        took_s = await until(lambda: outbox.backlog == 0)
    truth = in_batch(batches, PATIENT)
    poison = {key for key, point in truth.items() if point.measurement == "bout" and "steps" in point.fields}
    found, aside = metrics(store), store.aside(PATIENT)
    store.close()
    outbox.close()
    figure(f"{len(poison)} poisoned points, kept aside {dict(aside)}; {len(found)} others stored in {took_s:.1f} s")
    assert poison
    assert found == {key: point for key, point in truth.items() if key not in poison}
    assert sum(aside.values()) >= len(poison)


def test_f24(tmp_path: Path, figure: Callable[[str], None]) -> None:
    """F24: each token is used for what is not its own, on InfluxDB's own grants.

    Promise: the dashboards' token cannot write or delete, another clinic's can neither read nor write, nobody's
    nothing; the core's cannot drop the database.
    """
    with influx(tmp_path, extra_tokens={"north": ("north", "ALL")}) as server:
        core = InfluxStore(address(server))
        core.commit(PATIENT, [], b"state")
        refused = []
        as_reader = InfluxStore(address(server, token=server.read_token))
        for name, act in (
            ("reader writes", lambda: as_reader.commit(PATIENT, [], b"forged")),
            ("reader deletes", lambda: as_reader.erase(PATIENT)),
            ("other clinic reads", lambda: InfluxReader(address(server, token=server.users["north"]))),
            ("nobody reads", lambda: InfluxReader(address(server, token="guessed"))),
        ):
            with pytest.raises(StoreError):
                act()
            refused.append(name)
        north = InfluxLink(address(server, token=server.users["north"]))
        with pytest.raises(StoreError):
            north.write(['activity,patient=p-1 state="forged" 1'])
        north.close()
        with pytest.raises((PermissionError, ValueError)):
            ask(server.url_v1, f'DROP DATABASE "{server.bucket}"', basic=("writer", server.token))
        refused += ["other clinic writes", "core drops the database"]
        assert core.checkpoint(PATIENT) == b"state"
        as_reader.close()
        core.close()
    figure(f"refused: {', '.join(refused)}")
