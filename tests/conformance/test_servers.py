"""The servers that tests start are the real ones, are ours, and behave as the rest of the tests assume."""

from __future__ import annotations

import socket
import threading
from pathlib import Path

import paho.mqtt.client as mqtt
import psutil
import pytest
from influxdb_client import InfluxDBClient
from influxdb_client.client.write_api import SYNCHRONOUS
from influxdb_client.rest import ApiException
from paho.mqtt.enums import CallbackAPIVersion

from tests.servers.influx import Influx, ask
from tests.servers.mosquitto import Broker, mosquitto
from tests.servers.process import ServerDiedError, free_port, listening_ports, running


def _connect(broker: Broker, password: str) -> str:
    """Return the broker's answer to a login."""
    answered = threading.Event()
    answer: list[str] = []
    client = mqtt.Client(CallbackAPIVersion.VERSION2)
    client.username_pw_set(broker.username, password)

    def on_connect(*args: object) -> None:
        answer.append(str(args[3]))
        answered.set()

    client.on_connect = on_connect
    client.connect(broker.host, broker.port)
    client.loop_start()
    assert answered.wait(10)
    client.disconnect()
    client.loop_stop()
    return answer[0]


@pytest.mark.server("mosquitto")
def test_mosquitto_lets_in_who_knows_the_password_and_nobody_else(mosquitto_server: Broker) -> None:
    assert mosquitto_server.port in listening_ports(mosquitto_server.pid)
    assert psutil.Process(mosquitto_server.pid).name() == "mosquitto"
    assert _connect(mosquitto_server, mosquitto_server.password) == "Success"
    assert _connect(mosquitto_server, "guessed") == "Not authorized"


@pytest.mark.server("mosquitto")
def test_a_stranger_on_the_port_is_not_taken_for_the_server(tmp_path: Path) -> None:
    with socket.socket() as stranger:
        stranger.bind(("127.0.0.1", 0))
        stranger.listen()
        with pytest.raises(ServerDiedError, match="Address already in use"):
            with mosquitto(tmp_path, port=stranger.getsockname()[1]):
                pass


def test_a_server_that_never_listens_is_ended(tmp_path: Path) -> None:
    port = free_port()
    with pytest.raises(ServerDiedError), running(["sleep", "60"], [port], tmp_path / "log", patience_s=0.2):
        pass
    assert not [p for p in psutil.Process().children() if p.name() == "sleep" and p.status() != psutil.STATUS_ZOMBIE]


@pytest.mark.server("influx")
def test_the_client_writes_to_the_real_database(influx_empty: Influx) -> None:
    here = influx_empty
    assert psutil.Process(here.pid).name() == "influxd"
    with InfluxDBClient(here.url, here.token, org=here.org, enable_gzip=True) as client:
        assert client.ping()
        with client.write_api(write_options=SYNCHRONOUS) as api:
            api.write(
                here.bucket, record='probe,patient=p-1 n=3i,words="h\u00e9 \\"q\\"",yes=true,f=0.5 1700000000000000007'
            )
    rows = here.admin_query(f'SELECT * FROM "{here.bucket}".."probe"')
    assert rows[0]["columns"] == ["time", "f", "n", "patient", "words", "yes"]
    assert rows[0]["values"][0][1:] == [0.5, 3, "p-1", 'h\u00e9 "q"', True]


@pytest.mark.server("influx")
@pytest.mark.parametrize(("token", "status"), [("guessed", 401), ("reader", 403)])
def test_who_may_not_write_cannot(influx_empty: Influx, token: str, status: int) -> None:
    here = influx_empty
    secret = here.users.get(token, token)
    with InfluxDBClient(here.url, secret, org=here.org) as client, client.write_api(write_options=SYNCHRONOUS) as api:
        with pytest.raises(ApiException) as refusal:
            api.write(here.bucket, record="probe n=3i")
    assert refusal.value.status == status


@pytest.mark.server("influx")
def test_nobody_asks_the_bare_database_without_a_password(influx_server: Influx) -> None:
    with pytest.raises(PermissionError, match="401"):
        ask(influx_server.url_v1, "SHOW DATABASES", basic=("admin", "guessed"))
