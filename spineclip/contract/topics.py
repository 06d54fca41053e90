"""MQTT topics: ``spineclip/v1/<patient>/<channel>`` (MQTT 3.1.1, QoS 1)."""

from __future__ import annotations

from enum import StrEnum

from spineclip.contract.errors import WireError
from spineclip.contract.ids import check_id, is_id

ROOT = "spineclip/v1"


class Channel(StrEnum):
    """What a message is about: the last level of its topic."""

    SAMPLES = "samples"
    """All of a patient's records in order (collector to core, CBOR)."""
    NEWEST = "newest"
    """The newest records while older ones still wait their turn, for the present only (collector to core, QoS 0, CBOR);
    they come again among the samples."""
    ACK = "ack"
    """What the core has stored, by device (core to collector, retained, JSON)."""
    LIVE = "live"
    """The body now, for pages; not stored (core to page, JSON)."""
    CONFIG = "config"
    """Placement, calibration, goals, time zone (retained, JSON)."""
    EVENT = "event"
    """Nudge, gap, fault as they happen (JSON)."""
    STATE = "state"
    """Whether a patient's collector is there (retained, last will, JSON)."""
    CMD = "cmd"
    """What the core asks of a collector: resend, buzz (JSON)."""


def topic(patient: str, channel: Channel) -> str:
    """Name the topic of one patient's channel."""
    return f"{ROOT}/{check_id(patient, 'patient')}/{channel}"


def everyone(channel: Channel) -> str:
    """Name the subscription to one channel of all patients."""
    return f"{ROOT}/+/{channel}"


def parse(name: str) -> tuple[str, Channel]:
    """Split a topic into patient and channel.

    Raises
    ------
    WireError
        With reason ``topic`` if it is not one of ours.
    """
    parts = name.split("/")
    if len(parts) == 4 and "/".join(parts[:2]) == ROOT and is_id(parts[2]) and parts[3] in set(Channel):
        return parts[2], Channel(parts[3])
    raise WireError("topic", f"{name!r} is not a spineclip topic")
