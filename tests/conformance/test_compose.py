"""The compose file keeps what it promises of every service, and its parts fit each other."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from dashboards.grafana.patient import patient
from spineclip.cli.main import load

HOUSE = Path(__file__).resolve().parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((HOUSE / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
each = pytest.mark.parametrize("name", list(SERVICES))


def test_the_clinic_is_complete() -> None:
    started = {name for name, service in SERVICES.items() if "profiles" not in service}
    assert started == {"mosquitto", "influxdb", "grafana", "core", "page"}


def test_the_profile_of_the_demo_adds_one_patient_and_nothing_else() -> None:
    (demo,) = (service for service in SERVICES.values() if "profiles" in service)
    assert demo["profiles"] == ["demo"]
    assert demo["command"][:2] == ["clinic", "demo"]
    assert demo["networks"] == ["inside"]
    assert "secrets" not in demo, "it knows the database alone, not the broker"
    database = SERVICES["influxdb"]["environment"]
    options = {option: parameter.default for parameter in _command("demo").params for option in parameter.opts}
    assert options["--influx-bucket"] == database["DOCKER_INFLUXDB_INIT_BUCKET"]
    assert options["--influx-org"] == database["DOCKER_INFLUXDB_INIT_ORG"]
    (boxed,) = [row for row in patient()["templating"]["list"] if row["name"] == "zone"]
    assert options["--zone"] == boxed["query"], "their days are those of the dashboards"
    recipe = (HOUSE / "Makefile").read_text()
    assert re.search(r"^clinic-demo: secrets .*\n\t@docker compose --profile demo up ", recipe, re.M)


@each
def test_no_service_is_root_or_may_become_it(name: str) -> None:
    service = SERVICES[name]
    assert re.fullmatch(r"\$\{SPINECLIP_UID:\?[^}]+\}:\$\{SPINECLIP_GID:\?[^}]+\}", service["user"])
    assert service["cap_drop"] == ["ALL"]
    assert "cap_add" not in service
    assert "privileged" not in service
    assert "no-new-privileges:true" in service["security_opt"]


@each
def test_no_service_can_change_its_own_files(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    for mount in service["volumes"]:
        source, target, *mode = mount.split(":")
        if mode != ["ro"]:
            assert source.startswith(("./state/", "./secrets/tokens")), mount
        assert "docker.sock" not in source
        assert target.startswith("/")


@each
def test_every_service_is_watched_and_bounded(name: str) -> None:
    service = SERVICES[name]
    assert service["healthcheck"]["test"][0] in ("CMD", "CMD-SHELL")
    assert {"interval", "timeout", "retries"} <= service["healthcheck"].keys()
    assert service["restart"] == "unless-stopped"
    assert service["mem_limit"]
    assert service["logging"]["options"]["max-size"]


def test_the_database_is_healthy_only_where_others_reach_it() -> None:
    """The image sets it up on port 9999, where `influx ping` alone finds it before the tokens are written."""
    assert SERVICES["influxdb"]["healthcheck"]["test"][-2:] == ["--host", "http://127.0.0.1:8086"]
    for name in ("grafana", "core", "page", "demo"):
        assert SERVICES[name]["depends_on"]["influxdb"] == {"condition": "service_healthy"}


@each
def test_every_image_is_pinned_and_ready_for_its_digest(name: str) -> None:
    service = SERVICES[name]
    if "build" in service:
        assert service["image"] == f"spineclip:{_version()}"
        assert service["build"]["args"]["PYTHON_DIGEST"] == "${PYTHON_DIGEST:-}"
    else:
        assert re.fullmatch(r"[\w/-]+:\d+\.\d+\.\d+\$\{[A-Z]+_DIGEST:-\}", service["image"])


def test_only_three_doors_lead_in_and_two_of_them_from_this_machine_alone() -> None:
    ports = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    bound = "${SPINECLIP_BIND:-127.0.0.1}"
    assert ports == {"mosquitto": ["8883:8883"], "grafana": [f"{bound}:3000:3000"], "page": [f"{bound}:8080:8080"]}
    assert COMPOSE["networks"]["inside"] == {"internal": True}
    for name, service in SERVICES.items():
        assert "network_mode" not in service
        assert ("outside" in service["networks"]) == (name in ports)


def test_no_secret_stands_in_the_file_or_in_the_environment() -> None:
    for name, service in SERVICES.items():
        for key, value in service.get("environment", {}).items():
            if re.search(r"PASSWORD|TOKEN|SECRET", key):
                assert key.endswith("FILE"), f"{name}: {key}"
                assert str(value).startswith("/run/secrets/")
    for name, secret in COMPOSE["secrets"].items():
        assert secret == {"file": f"./secrets/{name}"}
    ignored = subprocess.run(
        ["git", "check-ignore", "secrets/x", "state/x", ".env"], cwd=HOUSE, check=False, capture_output=True
    )
    assert ignored.stdout.split() == [b"secrets/x", b"state/x", b".env"]


def test_grafana_lets_nobody_in_by_itself() -> None:
    environment = SERVICES["grafana"]["environment"]
    assert environment["GF_AUTH_ANONYMOUS_ENABLED"] == "false"
    assert environment["GF_USERS_ALLOW_SIGN_UP"] == "false"
    assert "GF_SECURITY_ADMIN_PASSWORD" not in environment


def test_every_file_that_is_mounted_is_in_the_repository_or_made_by_make_secrets() -> None:
    mounts = [mount.split(":")[0] for service in SERVICES.values() for mount in service["volumes"]]
    for source in mounts:
        if not source.startswith(("./secrets/", "./state/")):
            assert (HOUSE / source).exists(), source


def test_dashboards_lie_where_the_provisioning_looks() -> None:
    provider = yaml.safe_load((HOUSE / "deploy/grafana/provisioning/dashboards/spineclip.yaml").read_text())
    targets = {m.split(":")[0]: m.split(":")[1] for m in SERVICES["grafana"]["volumes"]}
    assert provider["providers"][0]["options"]["path"] == targets["./dashboards/grafana/generated"]
    source = yaml.safe_load((HOUSE / "deploy/grafana/provisioning/datasources/spineclip.yaml").read_text())
    header = source["datasources"][0]["secureJsonData"]["httpHeaderValue1"]
    assert header == f"$__file{{{targets['./secrets/tokens/grafana']}}}"
    assert (
        source["datasources"][0]["jsonData"]["dbName"]
        == SERVICES["influxdb"]["environment"]["DOCKER_INFLUXDB_INIT_BUCKET"]
    )


def test_the_image_is_not_root_and_installs_by_hash() -> None:
    text = (HOUSE / "Dockerfile").read_text()
    assert "--require-hashes" in text
    assert re.search(r"^USER 10001:10001$", text, re.M)
    assert text.count("FROM python:${PYTHON_TAG}${PYTHON_DIGEST}") == 2
    assert "slim" in text
    ignored = (HOUSE / ".dockerignore").read_text().split()
    assert ignored[0] == "*"
    assert not [line for line in ignored if line.startswith("!") and re.search("secret|state|env|git", line)]


@pytest.mark.parametrize(("name", "files"), [("core", 3), ("page", 3), ("demo", 1)])
def test_a_command_knows_its_options_and_names_files_that_it_is_given(name: str, files: int) -> None:
    service = SERVICES[name]
    given = {f"/run/secrets/{secret}" for secret in service.get("secrets", [])}
    given |= {mount.split(":")[1] for mount in service["volumes"]}
    named = {word for word in service["command"] if word.startswith("/run/")}
    assert len(named) == files
    assert named <= given
    known = {o for parameter in _command(name).params for o in (*parameter.opts, *parameter.secondary_opts)}
    assert {word for word in service["command"] if word.startswith("--")} <= known


def _command(name: str) -> Any:
    """Return what a service runs: a command, or a command within one."""
    first, second = SERVICES[name]["command"][:2]
    command: Any = load(first)
    return getattr(command, "commands", {}).get(second, command)


def test_the_scripts_are_right_in_form() -> None:
    for script in (HOUSE / "deploy" / "influxdb").glob("*.sh"):
        subprocess.run(["bash", "-n", str(script)], check=True)
        assert script.stat().st_mode & 0o111, f"{script} cannot be run"


def _version() -> str:
    found = re.search(r'^version = "([^"]+)"', (HOUSE / "pyproject.toml").read_text(), re.M)
    assert found is not None
    return found[1]
