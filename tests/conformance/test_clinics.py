"""Secrets are made once and for their owner alone; clinics are kept apart by the database itself."""

from __future__ import annotations

import datetime as dt
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from processing.stores.influx import InfluxReader, InfluxStore
from processing.stores.influx_link import Address
from spineclip.cli.main import app
from spineclip.clinic import add_clinic, make_secrets
from spineclip.contract.errors import SettingsError, StoreBusyError, StoreRefusedError
from tests.servers.influx import Influx, influx
from tests.stores_suite import T0, activity

NOW = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
HOUSE = Path(__file__).resolve().parents[2]


def test_secrets_are_made_once_and_are_nobodys_but_the_owners(tmp_path: Path) -> None:
    made = make_secrets(tmp_path, ["broker.example"], NOW)
    assert made.user != 0
    files = [path for path in (tmp_path / "secrets").rglob("*") if path.is_file()]
    # a certificate is no secret; everything else is
    private = [path for path in files if path.suffix != ".crt"]
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in private)
    assert stat.S_IMODE((tmp_path / "secrets").stat().st_mode) == 0o700
    before = {path: path.read_bytes() for path in files}
    again = make_secrets(tmp_path, ["broker.example"], NOW)
    assert again.paths == []
    assert {path: path.read_bytes() for path in files} == before


def test_everything_that_compose_mounts_is_made(tmp_path: Path) -> None:
    make_secrets(tmp_path, ["broker.example"], NOW)
    compose = yaml.safe_load((HOUSE / "docker-compose.yml").read_text())
    wanted = [secret["file"] for secret in compose["secrets"].values()]
    wanted += [mount.split(":")[0] for service in compose["services"].values() for mount in service["volumes"]]
    for name in wanted:
        if name.startswith(("./secrets", "./state")):
            assert (tmp_path / name).exists(), name


def test_two_clinics_get_different_secrets(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        make_secrets(tmp_path / name, ["localhost"], NOW)
    for secret in ("influxdb_token", "grafana_password", "mqtt_core"):
        one, other = ((tmp_path / name / "secrets" / secret).read_text() for name in ("a", "b"))
        assert len(one) >= 32
        assert one != other


def test_the_command_tells_what_it_made_and_what_comes_next(tmp_path: Path) -> None:
    run = CliRunner()
    told = run.invoke(app, ["clinic", "secrets", "--house", str(tmp_path), "--host", "broker.example"])
    assert told.exit_code == 0
    assert "ca.key is best" in told.output.replace("\n", " ")
    told = run.invoke(
        app, ["clinic", "add", "north", "--org", "2", "--zone", "Europe/Berlin", "--house", str(tmp_path)]
    )
    assert told.exit_code == 0, told.output
    assert "10-tokens.sh north north-" in told.output
    told = run.invoke(app, ["clinic", "add", "north", "--house", str(tmp_path)])
    assert told.exit_code == 1
    assert "already" in told.output


@pytest.mark.parametrize(
    ("name", "org", "zone"),
    [("North!", 2, "UTC"), ("spineclip", 2, "UTC"), ("north", 1, "UTC"), ("north", 2, "Mars/Base")],
)
def test_what_cannot_be_a_clinic_is_refused(tmp_path: Path, name: str, org: int, zone: str) -> None:
    with pytest.raises(SettingsError):
        add_clinic(tmp_path, name, org, zone)
    assert not (tmp_path / "clinics").exists()


def test_a_clinics_provisioning_names_its_own_bucket_organisation_and_zone(tmp_path: Path) -> None:
    add_clinic(tmp_path, "north", 7, "Europe/Berlin")
    folder = tmp_path / "clinics" / "north"
    (source,) = yaml.safe_load((folder / "provisioning/datasources/north.yaml").read_text())["datasources"]
    assert (source["orgId"], source["jsonData"]["dbName"]) == (7, "north")
    assert source["secureJsonData"]["httpHeaderValue1"] == "$__file{/run/secrets/north-grafana}"
    (group,) = yaml.safe_load((folder / "provisioning/alerting/north.yaml").read_text())["groups"]
    assert group["orgId"] == 7
    assert '"Europe/Berlin"' in (folder / "dashboards/patient.json").read_text()


@pytest.fixture(scope="module")
def two_clinics(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Influx]:
    users = {
        "south-core": ("south", "ALL"),
        "south-grafana": ("south", "READ"),
        "north-core": ("north", "ALL"),
        "north-grafana": ("north", "READ"),
    }
    with influx(tmp_path_factory.mktemp("two"), extra_tokens=users) as server:
        for clinic in ("south", "north"):
            store = InfluxStore(Address(server.url, clinic, server.users[f"{clinic}-core"]))
            store.commit(f"p-{clinic}", [activity(0, patient=f"p-{clinic}")], b"state")
            store.close()
        yield server


@pytest.mark.server("influx")
@pytest.mark.parametrize(("clinic", "other"), [("south", "north"), ("north", "south")])
def test_a_clinics_tokens_reach_its_own_data_and_no_others(two_clinics: Influx, clinic: str, other: str) -> None:
    server = two_clinics
    for role in ("core", "grafana"):
        own = InfluxReader(Address(server.url, clinic, server.users[f"{clinic}-{role}"]))
        assert own.patients() == [f"p-{clinic}"]
        # naming the other clinic's bucket in the query itself is what a curious person would try first
        with pytest.raises(StoreBusyError, match="does not let us use"):
            own._link.query(f'SELECT * FROM "{other}".."activity"')
        databases = own._link.query("SHOW DATABASES")
        assert [row[0] for one in databases for row in one.get("values", [])] == [clinic]
        own.close()
        with pytest.raises(StoreRefusedError, match="does not let us use"):
            InfluxReader(Address(server.url, other, server.users[f"{clinic}-{role}"]))


@pytest.mark.server("influx")
def test_a_dashboards_token_changes_nothing(two_clinics: Influx) -> None:
    server = two_clinics
    store = InfluxStore(Address(server.url, "south", server.users["south-grafana"]))
    for attempt in (
        lambda: store.commit("p-south", [activity(1, patient="p-south")], None),
        lambda: store.erase("p-south"),
    ):
        with pytest.raises(StoreBusyError, match="does not let us use"):
            attempt()
    assert store.points("activity", "p-south", 0, 2 * T0) == [activity(0, patient="p-south")]
    store.close()
