"""Grafana's own files: where the data are, which dashboards there are, what to alert on.

Written as files they need no token, survive a rebuild and are read-only in the browser
(https://grafana.com/docs/grafana/latest/administration/provisioning/).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import yaml

from dashboards.grafana.alerts import FOLDER, group
from dashboards.grafana.devices import devices
from dashboards.grafana.fortnight import fortnight
from dashboards.grafana.overview import overview
from dashboards.grafana.panels import DATASOURCE, Json
from dashboards.grafana.patient import patient

GENERATED: Final = Path(__file__).parent / "generated"
HEADER: Final = "/run/secrets/grafana_influx_header"
"""The file that holds the first clinic's read token as the header that Grafana sends."""
MOUNT: Final = "/etc/spineclip/dashboards"
"""Where the generated dashboards lie inside of the container."""


def dashboards(zone: str = "UTC") -> dict[str, Json]:
    """Build every dashboard, by name, for a clinic whose days are those of a time zone.

    A zone that was named is also that of the axes, wherever the browser is: a day's bar shall begin at its midnight.
    """
    built = {"overview": overview(), "patient": patient(zone), "fortnight": fortnight(), "devices": devices()}
    return {name: page | ({} if zone == "UTC" else {"timezone": zone}) for name, page in built.items()}


def datasource(bucket: str, token_file: str, *, url: str = "http://influxdb:8086", org_id: int = 1) -> Json:
    """Build the data source of one organisation: one bucket, read with a token that can read nothing else.

    Parameters
    ----------
    token_file
        Path of the file (inside of the container) that holds ``Token`` and the read token.
    """
    return {
        "apiVersion": 1,
        "datasources": [
            {
                "name": "spineclip",
                "uid": DATASOURCE["uid"],
                "orgId": org_id,
                "type": "influxdb",
                "access": "proxy",
                "url": url,
                "isDefault": True,
                "editable": False,
                "jsonData": {
                    "version": "InfluxQL",
                    "dbName": bucket,
                    "httpMode": "POST",
                    "timeInterval": "5s",
                    "httpHeaderName1": "Authorization",
                },
                # Grafana reads the file itself: https://grafana.com/docs/grafana/latest/setup-grafana/configure-grafana/
                "secureJsonData": {"httpHeaderValue1": f"$__file{{{token_file}}}"},
            }
        ],
    }


def provider(*, org_id: int = 1, path: str = MOUNT) -> Json:
    """Build the list of folders from which one organisation's dashboards are read."""
    return {
        "apiVersion": 1,
        "providers": [
            {
                "name": f"spineclip-{org_id}",
                "orgId": org_id,
                "folder": FOLDER,
                "folderUid": FOLDER,
                "type": "file",
                "disableDeletion": True,
                "allowUiUpdates": False,
                "options": {"path": path},
            }
        ],
    }


def files(bucket: str, token_file: str, *, org_id: int = 1) -> dict[str, Json]:
    """Build all provisioning files of one organisation, by their paths below ``provisioning``."""
    path = MOUNT if org_id == 1 else f"/etc/spineclip/clinics/{bucket}/dashboards"
    return {
        f"datasources/{bucket}.yaml": datasource(bucket, token_file, org_id=org_id),
        f"dashboards/{bucket}.yaml": provider(org_id=org_id, path=path),
        f"alerting/{bucket}.yaml": group(org_id),
    }


def as_json(built: Json) -> str:
    """Write a dashboard as it is kept in the repository."""
    return json.dumps(built, indent=1, ensure_ascii=False) + "\n"


def as_yaml(built: Json) -> str:
    """Write a provisioning file."""
    return "# Written by `make dashboards`; change dashboards/grafana/ instead.\n" + str(
        yaml.dump(built, sort_keys=False, allow_unicode=True, width=110, Dumper=_Plain)
    )


def write(folder: Path, provisioning: Path) -> list[Path]:
    """Write all dashboards and the first organisation's provisioning."""
    written = {folder / f"{name}.json": as_json(built) for name, built in dashboards().items()}
    first = files("spineclip", HEADER)
    written |= {provisioning / name: as_yaml(built) for name, built in first.items()}
    for path, text in written.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return list(written)


class _Plain(yaml.SafeDumper):
    """YAML without anchors: the same part may stand in two places, and people read the files."""

    def ignore_aliases(self, data: Any) -> bool:
        return True
