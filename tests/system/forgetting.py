"""What two patients leave behind, and who is asked to forget one of them: for the tests of erasing, on either store."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from typer.testing import CliRunner, Result

from processing.metrics import Point
from processing.stores.base import MetricStore
from spineclip.cli.main import app
from spineclip.contract.topics import topic
from spineclip.enrolment import Passwords, write_bundle
from spineclip.erasure import RETAINED
from spineclip.links import Links
from spineclip.patients import Patients
from spineclip.story import story, story_config
from tests.servers.address import Address

PATIENT, OTHER = "p-forgotten1", "p-remembered"
LAST = date(2026, 5, 12)


def spineclip(*arguments: str) -> Result:
    """Run a command in this process."""
    return CliRunner().invoke(app, list(arguments), env={"COLUMNS": "200"})


def fill(store: MetricStore, patient: str) -> None:
    """Keep all that a store can keep: days, diary, goals, nudges, the core's state, and a damaged record."""
    store.commit(patient, story(patient, LAST, story_config(LAST)), b"checkpoint")
    store.commit(patient, [Point("diary", 10**18, {"patient": patient}, {"note": f"<b>{patient}</b>"})], None)
    store.keep_aside(patient, 10**18, "schema", patient.encode())


def leave_files(data: Path, patient: str) -> Path:
    """Write the files of a patient: settings, link, access; return where a collector's outbox would be."""
    Patients(data).change(patient, lambda _: story_config(LAST))
    Links(data).make(patient)
    secrets = data / "secrets"
    password = Passwords(secrets / "passwords").admit(patient)
    write_bundle(secrets / "collectors", patient, password, host="localhost", port=8883, authority=secrets / "no")
    outbox = data / "state" / "spineclip" / f"{patient}.sqlite"
    outbox.parent.mkdir(parents=True, exist_ok=True)
    return outbox


def retain(broker: Address, patient: str) -> None:
    """Have a broker keep what it may keep of a patient."""
    client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv311)
    client.username_pw_set(broker.username, broker.password)
    client.connect(broker.host, broker.port)
    client.loop_start()
    for channel in RETAINED:
        client.publish(topic(patient, channel), b"{}", qos=1, retain=True).wait_for_publish(10)
    client.disconnect()
    client.loop_stop()
    if (left_open := client.socket()) is not None:
        left_open.close()
