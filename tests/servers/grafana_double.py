"""A double of Grafana's HTTP API, as far as we use it; Grafana itself is in no package of Debian's.

Its answers follow https://grafana.com/docs/grafana/latest/developers/http_api/ : a request to any other path, without
the right login, or without what the documentation asks for is refused as Grafana refuses it.
"""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Json = dict[str, Any]
ADMIN = ("admin", "right")


class Org:
    """What one organisation holds."""

    def __init__(self) -> None:
        self.datasources: dict[str, Json] = {}
        self.folders: dict[str, Json] = {}
        self.dashboards: dict[str, Json] = {}
        self.versions: dict[str, list[Json]] = {}
        self.rules: dict[str, Json] = {}


class GrafanaDouble:
    """The state behind the double, and what a test may do to it."""

    def __init__(self, version: str) -> None:
        self.version = version
        self.orgs: dict[int, Org] = {1: Org()}
        self.names: dict[str, int] = {"Main Org.": 1}
        self.broken = False
        self.url = ""

    def edit(self, uid: str, title: str, org: int = 1) -> None:
        """Do what a person does in the browser: change a dashboard and save it."""
        here = self.orgs[org]
        here.dashboards[uid]["dashboard"]["title"] = title
        here.versions[uid].append({"version": len(here.versions[uid]) + 1, "message": "nicer title"})

    def answer(self, method: str, path: str, body: Json, org_id: int) -> tuple[int, Any]:
        """Answer one request."""
        if self.broken:
            return 502, {"message": "Bad Gateway"}
        if (method, path) == ("GET", "/health"):
            return 200, {"database": "ok", "version": self.version}
        match [method, *path.strip("/").split("/")]:
            case ["GET", "orgs", "name", name]:
                number = self.names.get(name)
                return (200, {"id": number, "name": name}) if number else _missing()
            case ["POST", "orgs"]:
                number = self.names.setdefault(body["name"], len(self.names) + 1)
                self.orgs[number] = Org()
                return 200, {"orgId": number, "message": "Organization created"}
        here = self.orgs.get(org_id)
        if here is None:
            return 403, {"message": "not a member of that organization"}
        return self._within(here, method, path.strip("/").split("/"), body)

    def _within(  # noqa: PLR0911 - a table of paths
        self, here: Org, method: str, parts: list[str], body: Json
    ) -> tuple[int, Any]:
        match [method, *parts]:
            case ["GET", "datasources", "uid", uid]:
                return _found(here.datasources.get(uid))
            case ["POST", "datasources"]:
                if not {"name", "type", "access"} <= body.keys():
                    return 400, {"message": "bad request data"}
                here.datasources[body["uid"]] = body | {"readOnly": False}
                return 200, {"message": "Datasource added"}
            case ["PUT", "datasources", "uid", uid]:
                if here.datasources[uid].get("readOnly"):
                    return 403, {"message": "Cannot update read-only data source"}
                here.datasources[uid] = body
                return 200, {"message": "Datasource updated"}
            case ["GET", "folders", uid]:
                return _found(here.folders.get(uid))
            case ["POST", "folders"]:
                here.folders[body["uid"]] = body
                return 200, body
            case ["GET", "dashboards", "uid", uid]:
                return _found(here.dashboards.get(uid))
            case ["GET", "dashboards", "uid", uid, "versions"]:
                rows = here.versions[uid][::-1]
                return 200, rows if self.version < "12" else {"continueToken": "", "versions": rows}
            case ["POST", "dashboards", "db"]:
                return self._save(here, body)
            case ["GET", "v1", "provisioning", "alert-rules", uid]:
                return _found(here.rules.get(uid))
            case ["POST", "v1", "provisioning", "alert-rules"]:
                if (
                    body["folderUID"] not in here.folders
                    or not {"title", "condition", "data", "ruleGroup"} <= body.keys()
                ):
                    return 400, {"message": "invalid alert rule"}
                here.rules[body["uid"]] = body
                return 201, body
            case ["PUT", "v1", "provisioning", "alert-rules", uid]:
                here.rules[uid] = body
                return 200, body
        return _missing()

    def _save(self, here: Org, body: Json) -> tuple[int, Any]:
        page = body["dashboard"]
        if body["folderUid"] not in here.folders or page["id"] is not None:
            return 400, {"message": "folder not found"}
        before = here.dashboards.get(page["uid"])
        if before is not None and before["meta"]["provisioned"]:
            return 400, {"message": "Cannot save provisioned dashboard"}
        here.dashboards[page["uid"]] = {"dashboard": page, "meta": {"provisioned": False}}
        rows = here.versions.setdefault(page["uid"], [])
        # as 12.4.0 does: a first version has a message of Grafana's own
        message = "Initial save" if not rows and self.version >= "12" else body.get("message", "")
        rows.append({"version": len(rows) + 1, "message": message})
        return 200, {"status": "success", "uid": page["uid"], "version": len(rows)}


def _found(thing: Json | None) -> tuple[int, Any]:
    return (200, thing) if thing is not None else _missing()


def _missing() -> tuple[int, Any]:
    return 404, {"message": "not found"}


@contextmanager
def grafana_double(version: str = "13.3.0") -> Iterator[GrafanaDouble]:
    """Serve a double on loopback, below ``/grafana`` as behind a proxy."""
    state = GrafanaDouble(version)
    right = "Basic " + base64.b64encode(":".join(ADMIN).encode()).decode()

    class Handler(BaseHTTPRequestHandler):
        def _serve(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length) or b"{}") or {}
            path = self.path.split("?")[0]
            if not path.startswith("/grafana/api/"):
                status, content = _missing()
            elif path != "/grafana/api/health" and self.headers.get("Authorization") not in (right, "Bearer token"):
                status, content = 401, {"message": "Invalid username or password"}
            else:
                org = int(self.headers.get("X-Grafana-Org-Id") or 1)
                status, content = state.answer(self.command, path.removeprefix("/grafana/api"), body, org)
            self.send_response(status)
            payload = json.dumps(content).encode()
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(payload)))
            self.end_headers()
            self.wfile.write(payload)

        do_GET = do_POST = do_PUT = _serve  # noqa: N815

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        state.url = f"http://127.0.0.1:{server.server_port}/grafana"
        yield state
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
