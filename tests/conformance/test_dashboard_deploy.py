"""Deploying makes what is missing, renews what is ours, and leaves alone what is somebody's own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from dashboards.grafana.deploy import Database, Done, deploy
from dashboards.grafana.provisioning import dashboards
from dashboards.grafana.remote import Auth, Grafana
from spineclip.cli.main import app
from spineclip.contract.errors import GrafanaError
from tests.servers.grafana_double import ADMIN, GrafanaDouble, grafana_double
from tests.servers.process import free_port

DATABASE = Database("http://influxdb:8086", "spineclip", "read-token")


@pytest.fixture(params=["13.3.0", "10.4.2"])
def there(request: pytest.FixtureRequest) -> Iterator[GrafanaDouble]:
    with grafana_double(request.param) as double:
        yield double


def run(
    there: GrafanaDouble, database: Database | None = DATABASE, *, auth: Auth = ADMIN, clinic: str | None = None,
    overwrite: bool = False,
) -> dict[str, Done]:  # fmt: skip
    with Grafana(there.url, auth) as grafana:
        return {done.what: done for done in deploy(grafana, database, clinic=clinic, overwrite=overwrite)}


def test_everything_is_made_once_and_renewed_after(there: GrafanaDouble) -> None:
    first = run(there)
    assert {done.outcome for done in first.values()} == {"made"}
    here = there.orgs[1]
    assert {page["uid"] for page in dashboards().values()} == here.dashboards.keys()
    assert len(here.rules) == 3
    source = here.datasources["spineclip"]
    assert source["secureJsonData"] == {"httpHeaderValue1": "Token read-token"}
    assert source["jsonData"]["dbName"] == "spineclip"
    second = run(there)
    assert {name: done.outcome for name, done in second.items() if name.startswith("dashboard")} == dict.fromkeys(
        (name for name in first if name.startswith("dashboard")), "renewed"
    )
    assert all(len(rows) == 2 for rows in here.versions.values())


def test_what_a_person_has_changed_stays_until_it_is_asked_for(there: GrafanaDouble) -> None:
    run(there)
    there.edit("spineclip-patient", "My patients")
    assert run(there)["dashboard patient"].outcome == "kept"
    assert there.orgs[1].dashboards["spineclip-patient"]["dashboard"]["title"] == "My patients"
    assert run(there, overwrite=True)["dashboard patient"].outcome == "renewed"
    assert there.orgs[1].dashboards["spineclip-patient"]["dashboard"]["title"] == "Patient"
    assert run(there)["dashboard patient"].outcome == "renewed"


def test_alerts_that_are_there_stay_until_it_is_asked_for(there: GrafanaDouble) -> None:
    run(there)
    there.orgs[1].rules["spineclip-battery"]["for"] = "1h"
    assert run(there)["alert 'Battery below 15 percent'"].outcome == "kept"
    assert there.orgs[1].rules["spineclip-battery"]["for"] == "1h"
    run(there, overwrite=True)
    assert there.orgs[1].rules["spineclip-battery"]["for"] == "10m"


def test_what_came_from_files_stays_whatever_is_asked_for(there: GrafanaDouble) -> None:
    """A half-provisioned Grafana: some from files, the rest missing."""
    here = there.orgs[1]
    here.datasources["spineclip"] = {"type": "influxdb", "readOnly": True}
    page = {"uid": "spineclip-devices", "title": "From a file"}
    here.dashboards["spineclip-devices"] = {"dashboard": page, "meta": {"provisioned": True}}
    done = run(there, None, overwrite=True)
    assert done["data source"].outcome == done["dashboard devices"].outcome == "kept"
    assert done["dashboard overview"].outcome == "made"
    assert here.dashboards["spineclip-devices"]["dashboard"]["title"] == "From a file"


def test_a_clinic_gets_an_organisation_of_its_own(there: GrafanaDouble) -> None:
    done = run(there, Database("http://influxdb:8086", "north", "t"), clinic="north")
    assert done["organisation north"] == Done("organisation north", "made", "is number 2")
    assert there.orgs[2].datasources["spineclip"]["jsonData"]["dbName"] == "north"
    assert there.orgs[1].dashboards == {}
    assert run(there, None, clinic="north")["organisation north"].outcome == "kept"


def test_without_a_data_source_it_asks_where_the_metrics_are(there: GrafanaDouble) -> None:
    with pytest.raises(GrafanaError, match="--influx"):
        run(there, None)


def test_another_data_source_of_our_name_is_not_touched(there: GrafanaDouble) -> None:
    there.orgs[1].datasources["spineclip"] = {"type": "prometheus"}
    with pytest.raises(GrafanaError, match="another kind"):
        run(there)
    assert there.orgs[1].datasources["spineclip"] == {"type": "prometheus"}


@pytest.mark.parametrize("version", ["9.5.21", "2.0", "", "nightly"])
def test_a_grafana_that_is_too_old_or_none_is_told(version: str) -> None:
    with grafana_double(version) as double, pytest.raises(GrafanaError, match=r"10 or newer|which Grafana"):
        run(double)


def test_a_newer_grafana_is_told_and_tried() -> None:
    with grafana_double("14.0.1") as double:
        assert run(double)["Grafana 14.0.1"].outcome == "warning"


@pytest.mark.parametrize("auth", [("admin", "wrong"), "guessed"])
def test_strangers_are_refused_with_a_sentence(there: GrafanaDouble, auth: Auth) -> None:
    with pytest.raises(GrafanaError, match="administrator"):
        run(there, auth=auth)


def test_a_grafana_in_trouble_and_one_that_is_not_there() -> None:
    with grafana_double() as double:
        double.broken = True
        with pytest.raises(GrafanaError, match="in trouble"):
            run(double)
    with Grafana(f"http://127.0.0.1:{free_port()}", ADMIN) as nobody, pytest.raises(GrafanaError, match="no Grafana"):
        list(deploy(nobody, DATABASE))
    with pytest.raises(GrafanaError, match="no address"):
        Grafana("grafana.example", ADMIN)


def test_the_command_tells_each_step(there: GrafanaDouble, tmp_path: Path) -> None:
    for name, content in {"password": "right\n", "read": "Token read-token"}.items():
        (tmp_path / name).write_text(content)
    command = ["dashboards", "deploy", there.url, "--password-file", str(tmp_path / "password")]
    asked = CliRunner().invoke(
        app, [*command, "--influx", "http://db:8086", "--read-token-file", str(tmp_path / "read")]
    )
    assert asked.exit_code == 0, asked.output
    assert asked.output.count("made") == 9
    assert there.orgs[1].datasources["spineclip"]["secureJsonData"] == {"httpHeaderValue1": "Token read-token"}
    asked = CliRunner().invoke(app, ["dashboards", "deploy", there.url])
    assert asked.exit_code == 1
    assert "--token-file" in asked.output
