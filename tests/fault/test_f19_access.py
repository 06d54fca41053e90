"""Promise 5 (F19): nobody reads or writes another patient's data; every stranger is refused by the real broker."""

from __future__ import annotations

import queue
import socket
import ssl
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.reasoncodes import ReasonCode

from spineclip.certs import make
from spineclip.contract.errors import SettingsError
from spineclip.enrolment import Passwords, password_hash, tell_broker, write_bundle
from tests.servers.secure_mosquitto import SecureBroker, secure_mosquitto

pytestmark = pytest.mark.server("mosquitto")
PATIENCE_S = 10.0


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecureBroker]:
    folder = tmp_path_factory.mktemp("clinic")
    wild = f"+:{password_hash('wild')}\n#:{password_hash('wild')}\n"
    with secure_mosquitto(folder, extra_passwords=wild) as server:
        yield server


def close(client: mqtt.Client) -> None:
    """Let the library close its sockets now: it does so when nothing refers to the client any more."""
    client.on_connect = client.on_message = client.on_subscribe = client.on_disconnect = None


class Visitor:
    """A client of the broker that remembers what happened to it."""

    def __init__(self, broker: SecureBroker, user: str | None, password: str = "", ca: Path | None = None) -> None:
        self.connected: queue.Queue[ReasonCode] = queue.Queue()
        self.heard: queue.Queue[tuple[str, bytes]] = queue.Queue()
        self.subscribed: queue.Queue[list[ReasonCode]] = queue.Queue()
        self.client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv311, reconnect_on_failure=False)
        self.client.on_connect = lambda *args: self.connected.put(args[3])
        self.client.on_message = lambda *args: self.heard.put((args[2].topic, args[2].payload))
        self.client.on_subscribe = lambda *args: self.subscribed.put(args[3])
        self.client.tls_set(ca_certs=str(ca or broker.files.authority), tls_version=ssl.PROTOCOL_TLS_CLIENT)
        if user is not None:
            self.client.username_pw_set(user, password)
        self.broker = broker

    def connect(self) -> ReasonCode:
        self.client.connect(self.broker.host, self.broker.port)
        self.client.loop_start()
        return self.connected.get(timeout=PATIENCE_S)

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        self.client.publish(topic, payload, qos=1, retain=retain).wait_for_publish(PATIENCE_S)

    def subscribe(self, topic: str) -> None:
        self.client.subscribe(topic, qos=1)
        self.subscribed.get(timeout=PATIENCE_S)

    def leave(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()
        close(self.client)


@contextmanager
def visiting(*visitors: Visitor) -> Iterator[None]:
    try:
        for visitor in visitors:
            assert not visitor.connect().is_failure
        yield
    finally:
        for visitor in visitors:
            visitor.leave()


def heard_before(listener: Visitor, mark: bytes) -> list[tuple[str, bytes]]:
    """Return all that arrived before a message that is known to be allowed."""
    messages = []
    while (message := listener.heard.get(timeout=PATIENCE_S))[1] != mark:
        messages.append(message)
    return messages


def test_anonymous_is_refused(broker: SecureBroker) -> None:
    stranger = Visitor(broker, None)
    assert stranger.connect().is_failure
    stranger.leave()


def test_wrong_password_is_refused(broker: SecureBroker) -> None:
    broker.passwords.admit("p-wrong")
    stranger = Visitor(broker, "core", "guess")
    assert stranger.connect().is_failure
    stranger.leave()


def test_another_patients_topics_are_refused_both_ways(broker: SecureBroker) -> None:
    own, other, core = (broker.passwords.admit(user) for user in ("p-one", "p-two", "core"))
    tell_broker(broker.pid)
    one, two, listener = Visitor(broker, "p-one", own), Visitor(broker, "p-two", other), Visitor(broker, "core", core)
    with visiting(one, two, listener):
        listener.subscribe("spineclip/v1/+/samples")
        one.subscribe("spineclip/v1/p-two/ack")
        one.subscribe("spineclip/v1/+/ack")
        one.subscribe("#")
        two.publish("spineclip/v1/p-one/samples", b"forged")
        two.publish("spineclip/v1/p-two/samples", b"honest")
        assert heard_before(listener, b"honest") == []
        listener.publish("spineclip/v1/p-two/ack", b"secret")
        listener.publish("spineclip/v1/p-one/ack", b"own")
        one.subscribe("spineclip/v1/p-one/ack")
        listener.publish("spineclip/v1/p-one/ack", b"own again")
        assert all(topic == "spineclip/v1/p-one/ack" for topic, _ in heard_before(one, b"own again"))


@pytest.mark.parametrize("user", ["+", "#"])
def test_a_user_named_like_a_wildcard_gets_nowhere(broker: SecureBroker, user: str) -> None:
    core = broker.passwords.admit("core")
    broker.passwords.path.write_text(broker.passwords.path.read_text() + f"{user}:{password_hash('wild')}\n")
    tell_broker(broker.pid)
    wild, listener = Visitor(broker, user, "wild"), Visitor(broker, "core", core)
    with visiting(listener):
        listener.subscribe("spineclip/v1/+/samples")
        listener.subscribe("spineclip/v1/+/event")
        if not wild.connect().is_failure:  # "#" is refused at once: mosquitto reads that line as a comment
            wild.publish("spineclip/v1/p-two/samples", b"forged")
            wild.subscribe("spineclip/v1/+/ack")
            listener.publish("spineclip/v1/p-two/ack", b"secret")
        listener.publish("spineclip/v1/p-two/event", b"mark")
        assert heard_before(listener, b"mark") == []
        assert wild.heard.empty()
        wild.leave()


def test_the_enrolment_never_admits_a_wildcard(tmp_path: Path) -> None:
    for user in ("+", "#", "p/1", "p 1", "", "P1"):
        with pytest.raises(SettingsError):
            Passwords(tmp_path / "passwords").admit(user)


def test_a_will_on_another_patients_topic_is_not_published(broker: SecureBroker) -> None:
    own, core = broker.passwords.admit("p-one"), broker.passwords.admit("core")
    tell_broker(broker.pid)
    one, listener = Visitor(broker, "p-one", own), Visitor(broker, "core", core)
    one.client.will_set("spineclip/v1/p-two/state", b"lost", qos=1, retain=True)
    with visiting(listener):
        listener.subscribe("spineclip/v1/+/state")
        assert not one.connect().is_failure
        one.publish("spineclip/v1/p-one/state", b"ready")
        assert listener.heard.get(timeout=PATIENCE_S) == ("spineclip/v1/p-one/state", b"ready")
        sock = one.client.socket()
        assert sock is not None
        one.client.loop_stop()
        sock.close()  # without a DISCONNECT: this is what makes a broker publish a will
        again = Visitor(broker, "p-one", own)
        assert not again.connect().is_failure
        again.publish("spineclip/v1/p-one/state", b"mark")
        assert heard_before(listener, b"mark") == []
        again.leave()


def shake_hands(broker: SecureBroker, authority: Path) -> None:
    """Open TLS as every client does: trust one authority, check the host's name."""
    context = ssl.create_default_context(cafile=str(authority))
    with (
        socket.create_connection((broker.host, broker.port), timeout=PATIENCE_S) as plain,
        context.wrap_socket(plain, server_hostname=broker.host) as sock,
    ):
        assert sock.version() in ("TLSv1.2", "TLSv1.3")


def test_a_wrong_authority_is_refused_by_the_client(broker: SecureBroker, tmp_path: Path) -> None:
    shake_hands(broker, broker.files.authority)
    foreign = make(tmp_path / "foreign", ["127.0.0.1"], datetime.now(UTC))
    with pytest.raises(ssl.SSLCertVerificationError):
        shake_hands(broker, foreign.authority)


def test_an_expired_certificate_is_refused_by_the_client(tmp_path: Path) -> None:
    with (
        secure_mosquitto(tmp_path, server_days=-1) as expired,
        pytest.raises(ssl.SSLCertVerificationError, match="expired"),
    ):
        shake_hands(expired, expired.files.authority)


def test_a_certificate_for_another_host_is_refused_by_the_client(tmp_path: Path) -> None:
    with (
        secure_mosquitto(tmp_path, hosts=["another.example"]) as server,
        pytest.raises(ssl.SSLCertVerificationError, match="IP address mismatch"),
    ):
        shake_hands(server, server.files.authority)


def test_the_plain_port_is_closed(broker: SecureBroker) -> None:
    core = broker.passwords.admit("core")
    tell_broker(broker.pid)
    plain = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv311, reconnect_on_failure=False)
    answers: queue.Queue[ReasonCode] = queue.Queue()
    losses: queue.Queue[ReasonCode] = queue.Queue()
    plain.on_connect = lambda *args: answers.put(args[3])
    plain.on_disconnect = lambda *args: losses.put(args[3])
    plain.username_pw_set("core", core)
    plain.connect(broker.host, broker.port)
    plain.loop_start()
    losses.get(timeout=PATIENCE_S)
    plain.loop_stop()
    close(plain)
    assert answers.empty()


def test_a_revoked_collector_is_out(broker: SecureBroker) -> None:
    password = broker.passwords.admit("p-gone")
    tell_broker(broker.pid)
    before = Visitor(broker, "p-gone", password)
    with visiting(before):
        pass
    assert broker.passwords.revoke("p-gone")
    tell_broker(broker.pid)
    after = Visitor(broker, "p-gone", password)
    assert after.connect().is_failure
    after.leave()


def test_secrets_are_for_their_owner_alone(tmp_path: Path) -> None:
    files = make(tmp_path / "secrets", ["localhost"], datetime.now(UTC))
    passwords = Passwords(tmp_path / "secrets" / "passwords")
    password = passwords.admit("p-one")
    bundle = write_bundle(tmp_path, "p-one", password, host="localhost", port=8883, authority=files.authority)
    private = [files.authority_key, files.server_key, passwords.path, bundle / "password", bundle / "collector.toml"]
    assert [stat.filemode(path.stat().st_mode) for path in private] == ["-rw-------"] * len(private)
    assert password not in passwords.path.read_text()
    assert password not in (bundle / "collector.toml").read_text()
