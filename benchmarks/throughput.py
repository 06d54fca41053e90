"""Batches a second through mosquitto and one core, both held to two processor cores, from publishing to stored.

``python -m benchmarks.throughput [PATIENTS [SECONDS]]`` (needs mosquitto). The same batches are published three times:
to a subscriber that only counts them, to a core as the present (each second by itself), and to a core as an outage that
is worked off (seconds of the past together). The ratios are measured in one run; the seconds are this machine's. A
batch is a second of one wearable at 50 Hz: so many batches a second are so many patients at once.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from spineclip.contract.messages import Ack
from spineclip.contract.wire import encode
from tests.servers.mosquitto import Broker, mosquitto
from tests.system.collecting import day_of_somebody

PATIENTS, SECONDS = 100, 40
CORES = 2
_PATIENCE_S = 600.0


@dataclass
class Arrived:
    """What has come at the other end."""

    batches: int = 0
    stored: int = 0


@contextmanager
def _client(broker: Broker, topic: str, hear: Callable[[mqtt.MQTTMessage], None]) -> Iterator[mqtt.Client]:
    client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv311)
    client.username_pw_set(broker.username, broker.password)
    client.max_inflight_messages_set(2000)
    subscribed = threading.Event()
    client.on_subscribe = lambda *_: subscribed.set()
    client.on_message = lambda _client, _data, message: hear(message)
    client.connect(broker.host, broker.port)
    client.loop_start()
    client.subscribe(topic, qos=1)
    subscribed.wait(30)
    try:
        yield client
    finally:
        client.disconnect()
        client.loop_stop()


def _publish(client: mqtt.Client, messages: list[tuple[str, bytes]]) -> None:
    for topic, payload in messages:
        last = client.publish(topic, payload, qos=1)
    last.wait_for_publish(_PATIENCE_S)


def _until(done: Callable[[], bool]) -> None:
    deadline_s = time.monotonic() + _PATIENCE_S
    while not done():
        if time.monotonic() > deadline_s:
            raise TimeoutError("not all has arrived")
        time.sleep(0.01)


def messages(patients: int, seconds: int, first_ns: int, run: str) -> list[tuple[str, bytes]]:
    """Everybody's batches, second by second, as a clinic's collectors send them."""
    one = day_of_somebody(seconds)
    shift_ns = first_ns - one[0].t0_ns
    return [
        (f"spineclip/v1/p-{run}-{number}/samples", encode(replace(batch, t0_ns=batch.t0_ns + shift_ns)))
        for batch in one
        for number in range(patients)
    ]


def alone(broker: Broker, sent: list[tuple[str, bytes]]) -> float:
    """Batches a second to a subscriber that only counts."""
    arrived = Arrived()

    def hear(_message: Any) -> None:
        arrived.batches += 1

    with _client(broker, "spineclip/v1/+/samples", hear), _client(broker, "nothing", hear) as publisher:
        began_s = time.monotonic()
        _publish(publisher, sent)
        _until(lambda: arrived.batches >= len(sent))
        return len(sent) / (time.monotonic() - began_s)


def through_core(broker: Broker, folder: Path, sent: list[tuple[str, bytes]], seconds: int) -> tuple[float, float]:
    """Batches a second until all are stored, and the core's processor seconds for each."""
    folder.mkdir()
    secret, ready = folder / "password", folder / "alive"
    secret.write_text(broker.password)
    command = [
        sys.executable, "-m", "spineclip", "core", "--host", broker.host, "--port", str(broker.port), "--user",
        broker.username, "--password-file", str(secret), "--store", str(folder / "metrics.db"), "--alive", str(ready),
    ]  # fmt: skip
    stored: dict[str, int] = {}

    def hear(message: mqtt.MQTTMessage) -> None:
        for row in Ack.from_json(message.payload).stored.values():
            stored[message.topic] = row.through_seq

    with subprocess.Popen(  # noqa: S603 - our own program
        command, env={**os.environ, "OMP_NUM_THREADS": "1"}
    ) as core:
        try:
            os.sched_setaffinity(core.pid, _two())
            _until(ready.exists)
            with _client(broker, "spineclip/v1/+/ack", hear) as publisher:
                whose = {topic for topic, _ in sent}
                used_s, began_s = _processor_s(core.pid), time.monotonic()
                _publish(publisher, sent)
                _until(lambda: sum(through == seconds - 1 for through in stored.values()) == len(whose))
                took_s = time.monotonic() - began_s
                used_s = _processor_s(core.pid) - used_s
        finally:
            core.terminate()
    return len(sent) / took_s, used_s / len(sent)


def _processor_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _two() -> set[int]:
    return set(sorted(os.sched_getaffinity(0))[:CORES])


def main() -> None:
    """Print what was measured."""
    words = [int(word) for word in sys.argv[1:]]
    patients, seconds = (words + [PATIENTS, SECONDS][len(words) :])[:2]
    with tempfile.TemporaryDirectory() as name, mosquitto(Path(name)) as broker:
        os.sched_setaffinity(broker.pid, _two())
        present_ns = time.time_ns() // 10**9 * 10**9 - (seconds + 2) * 10**9
        n = patients * seconds
        print(f"{patients} patients, {seconds} s each: {n} batches at 50 Hz; mosquitto and core on {CORES} cores")
        counted = alone(broker, messages(patients, seconds, present_ns, "alone"))
        print(f"to a subscriber that counts: {counted:.0f} batches/s")
        for what, first_ns in (("the present", None), ("an outage worked off", present_ns - 86_400 * 10**9)):
            began_ns = time.time_ns() // 10**9 * 10**9 - (seconds + 2) * 10**9 if first_ns is None else first_ns
            run = what.split()[1]
            sent = messages(patients, seconds, began_ns, run)
            rate, cost_s = through_core(broker, Path(name) / run, sent, seconds)
            print(
                f"{what}, until stored: {rate:.0f} batches/s = {rate / counted:.2f} of the publisher alone, "
                f"{rate / patients:.1f} times real time for {patients} patients ({rate:.0f} patients at once); "
                f"{cost_s * 1e3:.2f} ms of the core's processor each"
            )


if __name__ == "__main__":
    main()
