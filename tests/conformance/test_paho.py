"""Promise: the installed paho-mqtt is the one that the uplink was written for."""

from __future__ import annotations

import inspect

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion


def test_the_client_takes_what_we_give() -> None:
    parameters = inspect.signature(mqtt.Client.__init__).parameters
    assert {"callback_api_version", "client_id", "clean_session", "protocol", "reconnect_on_failure"} <= set(parameters)
    assert {"VERSION2"} <= {one.name for one in CallbackAPIVersion}
    for name in ("connect", "loop_start", "loop_stop", "publish", "subscribe", "will_set", "tls_set_context"):
        assert callable(getattr(mqtt.Client, name))


def test_unlimited_in_flight_is_zero() -> None:
    client = mqtt.Client(CallbackAPIVersion.VERSION2)
    client.max_inflight_messages_set(0)
    assert client._max_inflight_messages == 0


def test_publish_hands_out_the_id_that_the_puback_bears() -> None:
    client = mqtt.Client(CallbackAPIVersion.VERSION2)
    first, second = client.publish("a", b"", qos=1).mid, client.publish("a", b"", qos=1).mid
    assert second == first + 1
