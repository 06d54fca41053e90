"""Telling core and collectors what is known of a patient: the retained ``config`` message."""

from __future__ import annotations

import asyncio
from typing import Final

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from spineclip.broker import Broker
from spineclip.contract import topics
from spineclip.contract.config import PatientConfig
from spineclip.contract.errors import BrokerError
from spineclip.contract.ids import new_patient_id

_PATIENCE_S: Final = 10.0


async def announce(broker: Broker, patient: str, config: PatientConfig) -> None:
    """Publish a patient's config, retained; return when the broker has it.

    Raises
    ------
    BrokerError
        If the broker cannot be reached.
    """
    await asyncio.to_thread(_announce, broker, topics.topic(patient, topics.Channel.CONFIG), config.to_json())


def _announce(broker: Broker, topic: str, payload: bytes) -> None:
    client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=f"settings-{new_patient_id()}", protocol=mqtt.MQTTv311)
    client.username_pw_set(broker.username, broker.password)
    try:
        client.connect(broker.host, broker.port)
        client.loop_start()
        client.publish(topic, payload, qos=1, retain=True).wait_for_publish(_PATIENCE_S)
    except (OSError, RuntimeError, ValueError) as error:
        raise BrokerError(
            f"the settings did not reach the broker at {broker.host}:{broker.port} ({error})",
            advice="Check that it runs",
        ) from error
    finally:
        client.disconnect()
        client.loop_stop()
