"""InfluxDB as Debian ships it (1.6.7), behind a small nginx that gives it the write address and tokens of InfluxDB 2.

What is the same on both: line protocol, InfluxQL on ``/query``, buckets named as databases. What the shim adds:
``/api/v2/write`` with ``org``, ``bucket`` and ``precision``, ``Authorization: Token ...`` and ``/health``. A token
stands for a database user with real grants, so that what a token may not read, InfluxDB itself refuses.
"""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from string import Template
from typing import Any

import urllib3

from tests.servers.process import ServerDiedError, free_port, need, running

_HERE = Path(__file__).parent


@dataclass(frozen=True)
class Influx:
    """A running database: `url` speaks as InfluxDB 2 does, `url_v1` is the bare 1.6.7 behind it.

    Attributes
    ----------
    token
        Writes and reads the bucket.
    read_token
        Only reads it.
    """

    url: str
    url_v1: str
    org: str
    bucket: str
    token: str
    read_token: str
    admin: tuple[str, str]
    pid: int
    users: dict[str, str] = field(default_factory=dict)

    def admin_query(self, query: str) -> list[dict[str, Any]]:
        """Run a statement as the database's administrator, past the shim."""
        return ask(self.url_v1, query, basic=self.admin)

    def clear(self) -> None:
        """Empty the bucket."""
        self.admin_query(f'DROP DATABASE "{self.bucket}"')
        self.admin_query(f'CREATE DATABASE "{self.bucket}"')
        for user, right in (("writer", "ALL"), ("reader", "READ")):
            self.admin_query(f'GRANT {right} ON "{self.bucket}" TO "{user}"')


def ask(url: str, query: str, *, basic: tuple[str, str]) -> list[dict[str, Any]]:
    """Send one InfluxQL statement to a bare 1.x server and return its series."""
    answer = urllib3.PoolManager().request(
        "POST", f"{url}/query", fields={"q": query}, encode_multipart=False, headers={"Authorization": _basic(basic)}
    )
    if answer.status != 200:
        raise PermissionError(f"{answer.status}: {answer.json().get('error')}")
    result = answer.json()["results"][0]
    if "error" in result:
        raise ValueError(result["error"])
    series: list[dict[str, Any]] = result.get("series", [])
    return series


@contextmanager
def influx(
    folder: Path,
    bucket: str = "spineclip",
    extra_tokens: dict[str, tuple[str, str]] | None = None,
    ports: tuple[int, int, int] | None = None,
) -> Iterator[Influx]:
    """Run InfluxDB 1.6.7 and its shim in a folder of their own.

    Parameters
    ----------
    extra_tokens
        Further users by name, each with the one bucket that it has to do with and its right (READ, WRITE or ALL).
        Their tokens are in `Influx.users`.
    ports
        InfluxDB's http port, its internal port and the shim's; a test that starts it again gives the same ones.
    """
    influxd, nginx = need("influxd"), need("nginx")
    http, internal, shim = ports or (free_port(), free_port(), free_port())
    for part in ("meta", "data", "wal", "tmp"):
        (folder / part).mkdir(exist_ok=True)
    wanted = {"writer": (bucket, "ALL"), "reader": (bucket, "READ"), **(extra_tokens or {})}
    known = folder / "users.json"
    passwords = (
        json.loads(known.read_text()) if known.exists() else {u: secrets.token_hex(16) for u in ("admin", *wanted)}
    )
    fresh = not known.exists()
    known.write_text(json.dumps(passwords))
    places = {"folder": str(folder), "http": str(http), "internal": str(internal), "shim": str(shim)}
    places["tokens"] = "".join(
        f'    "Token {passwords[user]}" "{_basic((user, passwords[user]))}";\n' for user in wanted
    )
    for name in ("influxdb.conf", "nginx.conf"):
        (folder / name).write_text(Template((_HERE / f"{name}.template").read_text()).substitute(places))
    command = [influxd, "-config", str(folder / "influxdb.conf")]
    with running(command, [http], folder / "influxd.log") as database:
        url_v1, admin = f"http://127.0.0.1:{http}", ("admin", passwords["admin"])
        if fresh:
            ask(url_v1, f"CREATE USER admin WITH PASSWORD '{admin[1]}' WITH ALL PRIVILEGES", basic=admin)
            for user, (own, right) in wanted.items():
                ask(url_v1, f'CREATE DATABASE "{own}"', basic=admin)
                ask(url_v1, f"CREATE USER \"{user}\" WITH PASSWORD '{passwords[user]}'", basic=admin)
                ask(url_v1, f'GRANT {right} ON "{own}" TO "{user}"', basic=admin)
        with running([nginx, "-p", f"{folder}/", "-c", "nginx.conf"], [shim], folder / "nginx.log"):
            url = f"http://127.0.0.1:{shim}"
            version = (
                urllib3.PoolManager().request("GET", f"{url}/ping", timeout=10).headers.get("X-Influxdb-Version", "")
            )
            if not version.startswith("1."):
                raise ServerDiedError(f"{url} is not the database that was started")
            yield Influx(
                url,
                url_v1,
                "clinic",
                bucket,
                passwords["writer"],
                passwords["reader"],
                admin,
                database.pid,
                {user: passwords[user] for user in wanted},
            )


def _basic(login: tuple[str, str]) -> str:
    return "Basic " + base64.b64encode(":".join(login).encode()).decode()
