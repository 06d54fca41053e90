"""Puts data source, folder, dashboards and alerts on a Grafana that is there already.

What came from files stays (Grafana would not let us), and so does what a person has changed: each version that we save
bears our mark in its message, and a newest version without it is somebody's own. A first version is nobody's change.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from dashboards.grafana import alerts
from dashboards.grafana.panels import DATASOURCE, Json
from dashboards.grafana.provisioning import dashboards, datasource
from dashboards.grafana.remote import Grafana
from spineclip.contract.errors import GrafanaError

OLDEST: Final = 10
"""Dashboards are built for Grafana 10 to 13 (filters of transformations came with 10)."""
NEWEST: Final = 13
MARK: Final = "spineclip dashboards deploy"
_FIRST: Final = (1, "Initial save")
"""Number and message of a first version on Grafana 12.4.0, whatever message it was sent with."""


@dataclass(frozen=True, slots=True)
class Database:
    """Where Grafana finds the metrics: its own view of the address, the bucket, and a token that can only read."""

    url: str
    bucket: str
    read_token: str


@dataclass(frozen=True, slots=True)
class Done:
    """What became of one thing: ``made``, ``renewed``, ``kept`` or ``warning``, and why."""

    what: str
    outcome: str
    why: str = ""


def deploy(
    grafana: Grafana,
    database: Database | None,
    *,
    clinic: str | None = None,
    zone: str = "UTC",
    overwrite: bool = False,
) -> Iterator[Done]:
    """Deploy everything, step by step.

    Parameters
    ----------
    database
        Needed where the data source is not there yet.
    clinic
        Name of the organisation; made if it is not there. None is the organisation of whoever we are.
    zone
        Time zone of the clinic's days.
    overwrite
        Also replace what a person has changed (never what came from files).

    Raises
    ------
    GrafanaError
        If it cannot be reached, refuses, is too old, or something else bears one of our names.
    """
    yield from _version(grafana)
    if clinic is not None:
        yield _organisation(grafana, clinic)
    yield _datasource(grafana, database)
    yield _folder(grafana)
    for name, built in dashboards(zone).items():
        yield _dashboard(grafana, name, built, overwrite=overwrite)
    for rule in alerts.rules():
        yield _rule(grafana, rule, overwrite=overwrite)


def _version(grafana: Grafana) -> Iterator[Done]:
    health = grafana.get("/health")
    text = str(health.get("version", "")) if isinstance(health, Mapping) else ""
    found = re.match(r"(\d+)\.", text)
    if found is None:
        raise GrafanaError(f"{grafana.url} does not say which Grafana it is", advice="Check the address")
    major = int(found[1])
    if major < OLDEST:
        raise GrafanaError(
            f"{grafana.url} is Grafana {text}; the dashboards need {OLDEST} or newer", advice="Update it first"
        )
    if major > NEWEST:
        yield Done(f"Grafana {text}", "warning", f"is newer than {NEWEST}, for which the dashboards are checked")


def _organisation(grafana: Grafana, clinic: str) -> Done:
    found = grafana.find(f"/orgs/name/{clinic}")
    if found is not None:
        grafana.org_id = int(found["id"])
        return Done(f"organisation {clinic}", "kept", f"is number {grafana.org_id}")
    grafana.org_id = int(grafana.post("/orgs", {"name": clinic})["orgId"])
    return Done(f"organisation {clinic}", "made", f"is number {grafana.org_id}")


def _datasource(grafana: Grafana, database: Database | None) -> Done:
    uid = DATASOURCE["uid"]
    found = grafana.find(f"/datasources/uid/{uid}")
    if found is not None and found.get("type") != "influxdb":
        raise GrafanaError(
            f"the data source {uid!r} at {grafana.url} is of another kind ({found.get('type')})",
            advice="Rename it, or use another organisation",
        )
    if found is not None and (found.get("readOnly") or database is None):
        return Done("data source", "kept", "comes from a file" if found.get("readOnly") else "is there already")
    if database is None:
        raise GrafanaError(
            f"there is no data source yet at {grafana.url}",
            advice="Say where the metrics are: --influx, --bucket and --read-token-file",
        )
    (content,) = datasource(database.bucket, "", url=database.url)["datasources"]
    content = {key: value for key, value in content.items() if key not in ("orgId", "editable")}
    content["secureJsonData"] = {"httpHeaderValue1": f"Token {database.read_token}"}
    if found is None:
        grafana.post("/datasources", content)
        return Done("data source", "made")
    grafana.put(f"/datasources/uid/{uid}", content)
    return Done("data source", "renewed")


def _folder(grafana: Grafana) -> Done:
    if grafana.find(f"/folders/{alerts.FOLDER}") is not None:
        return Done("folder", "kept", "is there already")
    grafana.post("/folders", {"uid": alerts.FOLDER, "title": alerts.FOLDER})
    return Done("folder", "made")


def _dashboard(grafana: Grafana, name: str, built: Json, *, overwrite: bool) -> Done:
    uid = built["uid"]
    found = grafana.find(f"/dashboards/uid/{uid}")
    what = f"dashboard {name}"
    if found is not None:
        if found.get("meta", {}).get("provisioned"):
            return Done(what, "kept", "comes from a file")
        if not overwrite and not _ours(grafana.get(f"/dashboards/uid/{uid}/versions?limit=1")):
            return Done(what, "kept", "somebody has changed it; --overwrite replaces it")
    page = {key: value for key, value in built.items() if key != "version"} | {"id": None}
    content = {"dashboard": page, "folderUid": alerts.FOLDER, "overwrite": True, "message": MARK}
    grafana.post("/dashboards/db", content)
    return Done(what, "made" if found is None else "renewed")


def _ours(versions: Any) -> bool:
    """Tell whether the newest version is one of ours; up to Grafana 11 the answer is a bare list."""
    rows = versions.get("versions", []) if isinstance(versions, Mapping) else versions
    if not rows:
        return False
    newest = max(rows, key=lambda row: int(row.get("version", 0)))
    message = str(newest.get("message", ""))
    return message.startswith(MARK) or (int(newest.get("version", 0)), message) == _FIRST


def _rule(grafana: Grafana, rule: Json, *, overwrite: bool) -> Done:
    path = "/v1/provisioning/alert-rules"
    content = {**rule, "folderUID": alerts.FOLDER, "ruleGroup": alerts.GROUP, "orgID": grafana.org_id or 1}
    what = f"alert {rule['title']!r}"
    found = grafana.find(f"{path}/{rule['uid']}")
    if found is None:
        grafana.post(path, content)
        return Done(what, "made")
    if found.get("provenance") == "file":
        return Done(what, "kept", "comes from a file")
    if not overwrite:
        return Done(what, "kept", "is there already; --overwrite replaces it")
    grafana.put(f"{path}/{rule['uid']}", content)
    return Done(what, "renewed")
