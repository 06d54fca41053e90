"""Promise: a published page opens to its patient's link alone, guessing is slow, and a link can be taken away."""

from __future__ import annotations

import asyncio
import stat
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import websockets

from dashboards.doorkeeper import TRIES
from processing.stores.sqlite import SqliteStore
from spineclip.links import Links
from spineclip.patients import store_file
from tests.running import Command, spineclip

PUBLIC = "https://back.example.org"
HOST = "back.example.org"
SOCKET = "/_nicegui_ws/socket.io/?EIO=4&transport=websocket"


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Command, str, Path]]:
    """The page of p-1, as a web server with TLS on the same machine would ask for it."""
    data = tmp_path_factory.mktemp("data")
    SqliteStore(store_file(data)).close()
    arguments = ["page", "p-1", "--no-browser", "--port", "0", "--publish", PUBLIC]
    with spineclip(*arguments, data=data) as command:
        address = command.wait_for(r"http://127\.0\.0\.1:\d+").group()
        yield command, address, data
        assert command.end() == 0, command.text
        assert "Traceback" not in command.text


def _reader(address: str, who: str) -> httpx.Client:
    """A browser at an address of its own, behind the web server with TLS."""
    proxied = {"host": HOST, "origin": PUBLIC, "x-forwarded-for": who, "x-forwarded-proto": "https"}
    return httpx.Client(base_url=address, headers=proxied)


def _enter(reader: httpx.Client, token: str) -> int:
    answer = reader.post("/enter", content=token)
    if answer.status_code == 204:
        # httpx sends no cookie that is for TLS only over plain HTTP, as the proxy here does
        reader.headers["cookie"] = answer.headers["set-cookie"].split(";")[0]
    return answer.status_code


def test_without_its_link_nothing_is_told(published: tuple[Command, str, Path]) -> None:
    _, address, data = published
    Links(data).make("p-1")
    with _reader(address, "10.0.0.1") as stranger:
        for path in (
            "/",
            "/report",
            "/_nicegui/3/static/nicegui.js",
            "/_nicegui_ws/socket.io/?EIO=4&transport=polling",
        ):
            answer = stranger.get(path)
            assert answer.status_code == 403, path
            assert "p-1" not in answer.text
            assert "My back" not in answer.text
        assert stranger.get("/enter").status_code == 200
        assert stranger.get("/", headers={"host": "evil.example"}).status_code == 403


def test_the_link_opens_the_page_and_protects_it(published: tuple[Command, str, Path]) -> None:
    _, address, data = published
    token = Links(data).make("p-1")
    with _reader(address, "10.0.0.2") as patient:
        answer = patient.post("/enter", content=token)
        for part in ("__Host-spineclip_page=", "HttpOnly", "Secure", "SameSite=strict", "Path=/"):
            assert part in answer.headers["set-cookie"]
        assert _enter(patient, token) == 204
        page = patient.get("/")
        assert page.status_code == 200
        assert "My back today" in page.text
        assert patient.get("/report").status_code == 200
    headers = page.headers
    assert headers["strict-transport-security"] == "max-age=31536000"
    assert headers["cache-control"] == "no-store"
    assert headers["referrer-policy"] == "same-origin"
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert token not in page.text


def test_another_patients_link_is_refused(published: tuple[Command, str, Path]) -> None:
    _, address, data = published
    Links(data).make("p-1")
    with _reader(address, "10.0.0.3") as other:
        assert _enter(other, Links(data).make("p-2")) == 403
        assert other.get("/").status_code == 403


def test_guessing_is_slow_for_the_guesser_alone(published: tuple[Command, str, Path]) -> None:
    _, address, data = published
    token = Links(data).make("p-1")
    with _reader(address, "10.0.0.4") as guesser:
        answers = [_enter(guesser, f"guess-{number:020d}") for number in range(TRIES)]
        assert answers == [403] * (TRIES - 1) + [429]
        assert _enter(guesser, token) == 429, "not even with the right one"
        guesser.headers["cookie"] = f"__Host-spineclip_page={token}"
        assert guesser.get("/").status_code == 429
    with _reader(address, "10.0.0.5") as patient:
        assert _enter(patient, token) == 204
        assert patient.post("/enter", content="x" * 10_000).status_code == 413
        assert patient.post("/enter", content=token, headers={"origin": "https://evil.example"}).status_code == 403


async def test_a_link_that_is_taken_away_ends_what_is_open(published: tuple[Command, str, Path]) -> None:
    _, address, data = published
    token = Links(data).make("p-1")
    where = address.replace("http:", "ws:") + SOCKET
    headers = {"Host": HOST, "X-Forwarded-For": "10.0.0.6", "Cookie": f"__Host-spineclip_page={token}"}

    def connect(**more: str) -> websockets.connect:
        return websockets.connect(where, additional_headers={**headers, **more}, origin=PUBLIC)  # type: ignore[arg-type]

    for stranger in ({"Cookie": "__Host-spineclip_page=somebody-else-altogether"}, {"Cookie": ""}):
        with pytest.raises(websockets.InvalidStatus):
            async with connect(**stranger):
                pass
    with pytest.raises(websockets.InvalidStatus):
        async with websockets.connect(where, additional_headers=headers, origin="https://evil.example"):  # type: ignore[arg-type]
            pass
    async with connect() as socket:
        assert str(await socket.recv()).startswith("0{"), "the handshake of the page's own protocol"
        with spineclip("link", "p-1", "--revoke", data=data) as revoking:
            assert await asyncio.to_thread(revoking.wait) == 0, revoking.text
        await socket.send("40")
        await asyncio.wait_for(socket.wait_closed(), 20)
    with _reader(address, "10.0.0.6") as patient:
        patient.headers["cookie"] = headers["Cookie"]
        assert [patient.get("/").status_code for _ in range(2 * TRIES)] == [403] * 2 * TRIES, "no new guess, no lock"


def test_the_link_is_told_by_its_own_command_and_kept_for_its_owner_alone(tmp_path: Path) -> None:
    def told(*more: str) -> str:
        with spineclip("link", "p-1", "--at", PUBLIC, *more, data=tmp_path) as command:
            assert command.wait() == 0, command.text
        return next(line for line in command.said if line.startswith(PUBLIC))

    first = told()
    assert first.startswith(f"{PUBLIC}/enter#")
    assert len(first.split("#")[1]) >= 32, "192 bits"
    assert told() == first
    assert told("--new") != first
    file = tmp_path / "links" / "p-1"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700


@pytest.mark.parametrize(
    "url", ["http://back.example.org", "back.example.org", "https://back.example.org/page", "ftp://a"]
)
def test_an_address_that_does_not_protect_is_refused(url: str, tmp_path: Path) -> None:
    SqliteStore(store_file(tmp_path)).close()
    with spineclip("page", "p-1", "--no-browser", "--port", "0", "--publish", url, data=tmp_path) as command:
        assert command.wait() == 1
    assert "Traceback" not in command.text
    assert "https" in command.text


def test_the_therapists_view_is_published_behind_its_own_key(tmp_path: Path) -> None:
    SqliteStore(store_file(tmp_path)).close()
    token, key_file = Links(tmp_path).make("p-1"), tmp_path / "therapist.key"
    arguments = ["therapist", "--no-browser", "--port", "0", "--publish", PUBLIC, "--key-file", str(key_file)]
    with spineclip(*arguments, data=tmp_path) as command:
        key = command.wait_for(rf"{PUBLIC}/enter#(\S+)").group(1)
        address = command.wait_for(r"http://127\.0\.0\.1:\d+").group()
        with _reader(address, "10.0.0.7") as patient:
            assert _enter(patient, token) == 403, "a patient's link opens a patient's page"
        with _reader(address, "10.0.0.8") as therapist:
            assert therapist.get("/").status_code == 403
            assert _enter(therapist, key) == 204
            answer = therapist.get("/")
            assert answer.status_code == 200
            assert "strict-transport-security" in answer.headers
        assert command.end() == 0, command.text
    assert key_file.read_text() == key, "the same at the next start"
    assert stat.S_IMODE(key_file.stat().st_mode) == 0o600
