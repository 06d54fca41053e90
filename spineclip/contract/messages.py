"""The small JSON messages beside the samples: ack, state, event, cmd.

All are objects with ``v`` (schema version, 1). Unknown keys are ignored, so that a newer sender can add some.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from spineclip.contract.errors import WireError
from spineclip.contract.ids import is_id

VERSION = 1
MAX_BYTES = 1 << 18


@dataclass(frozen=True, slots=True)
class Stored:
    """Everything of `boot` up to and including `through_seq` is stored."""

    boot: int
    through_seq: int


@dataclass(frozen=True, slots=True)
class Ack:
    """What the core has stored of a patient, by device (retained on the ``ack`` topic).

    Boots before the named one are closed: whatever of them the core could use is stored or given up as a gap.
    """

    stored: Mapping[str, Stored]

    def to_json(self) -> bytes:
        """Write the message."""
        rows = {d: {"boot": s.boot, "through_seq": s.through_seq} for d, s in sorted(self.stored.items())}
        return dump({"stored": rows})

    @classmethod
    def from_json(cls, payload: bytes) -> Ack:
        """Read the message.

        Raises
        ------
        WireError
            If it is not an ack.
        """
        rows = load(payload).get("stored")
        if not isinstance(rows, dict):
            raise WireError("field", "an ack without 'stored'")
        stored = {}
        for device, row in rows.items():
            if not is_id(device) or not isinstance(row, dict):
                raise WireError("field", "an ack whose 'stored' is not a map of devices")
            stored[device] = Stored(_u32(row, "boot"), _u32(row, "through_seq"))
        return cls(stored)


class CollectorState(StrEnum):
    """Whether a patient's collector is there (retained on ``state``; ``lost`` is the last will)."""

    READY = "ready"
    DISCONNECTED = "disconnected"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class CollectorReport:
    """A message on ``state``: what a collector is, and in which of its sessions (larger is later).

    A broker may publish the last will of an old session long after a new one has begun: a reader takes a report only
    if its session is not older than that of the newest it has seen (`supersedes`), and a collector that hears an old
    will in the place of its own report tells its own again.
    """

    state: CollectorState
    session: int = 0

    def supersedes(self, before: CollectorReport | None) -> bool:
        """Whether this report counts after `before`."""
        return before is None or self.session >= before.session

    def to_json(self) -> bytes:
        """Write the message."""
        return dump({"state": str(self.state), "session": self.session})

    @classmethod
    def from_json(cls, payload: bytes) -> CollectorReport:
        """Read the message.

        Raises
        ------
        WireError
            If it is not a report.
        """
        fields = load(payload)
        session = fields.get("session", 0)
        if not isinstance(session, int) or isinstance(session, bool) or session < 0:
            raise WireError("field", "a state without a session")
        try:
            return cls(CollectorState(str(fields.get("state"))), session)
        except ValueError as error:
            raise WireError("field", "an unknown state") from error


@dataclass(frozen=True, slots=True)
class Resend:
    """The core asks a collector for records ``[from_seq, through_seq]`` of a boot once more (on ``cmd``)."""

    device: str
    boot: int
    from_seq: int
    through_seq: int


@dataclass(frozen=True, slots=True)
class Buzz:
    """The core asks a wearable to make itself felt (on ``cmd``); a wearable that cannot ignores it."""

    device: str
    reason: str


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened (on ``event``): `kind` is ``nudge``, ``gap``, ``device`` or ``fault``."""

    kind: str
    time_ns: int
    device: str
    detail: Mapping[str, str | int | float | bool] = field(default_factory=dict)

    def to_json(self) -> bytes:
        """Write the message."""
        return dump({"kind": self.kind, "time_ns": self.time_ns, "device": self.device, "detail": dict(self.detail)})

    @classmethod
    def from_json(cls, payload: bytes) -> Event:
        """Read the message.

        Raises
        ------
        WireError
            If it is not an event.
        """
        fields = load(payload)
        kind, time_ns, device = fields.get("kind"), fields.get("time_ns"), fields.get("device")
        detail = fields.get("detail", {})
        if (
            kind not in ("nudge", "gap", "device", "fault")
            or not isinstance(time_ns, int)
            or isinstance(time_ns, bool)
            or not (device == "" or is_id(device))
            or not isinstance(detail, dict)
            or not all(isinstance(value, str | int | float | bool) for value in detail.values())
        ):
            raise WireError("field", "not an event")
        return cls(str(kind), time_ns, str(device), detail)


def command_to_json(command: Resend | Buzz) -> bytes:
    """Write a command."""
    if isinstance(command, Buzz):
        return dump({"cmd": "buzz", "device": command.device, "reason": command.reason})
    return dump(
        {
            "cmd": "resend",
            "device": command.device,
            "boot": command.boot,
            "from_seq": command.from_seq,
            "through_seq": command.through_seq,
        }
    )


def command_from_json(payload: bytes) -> Resend | Buzz:
    """Read a command.

    Raises
    ------
    WireError
        If it is not one that we know.
    """
    fields = load(payload)
    device = fields.get("device")
    if not isinstance(device, str) or not is_id(device):
        raise WireError("field", "a command without a device")
    match fields.get("cmd"):
        case "buzz":
            return Buzz(device, str(fields.get("reason", "")))
        case "resend":
            return Resend(device, _u32(fields, "boot"), _u32(fields, "from_seq"), _u32(fields, "through_seq"))
        case _:
            raise WireError("field", "an unknown command")


def dump(fields: Mapping[str, Any]) -> bytes:
    """Write an object as compact JSON with sorted keys and the schema version."""
    return json.dumps({"v": VERSION, **fields}, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


def load(payload: bytes) -> dict[str, Any]:
    """Read an object of our schema version.

    Raises
    ------
    WireError
        With reason ``size``, ``json`` or ``schema``.
    """
    if len(payload) > MAX_BYTES:
        raise WireError("size", f"a message of {len(payload)} bytes is over the limit of {MAX_BYTES}")
    try:
        fields = json.loads(payload)
    except (ValueError, RecursionError) as error:
        raise WireError("json", f"not readable as JSON ({type(error).__name__})") from error
    if not isinstance(fields, dict):
        raise WireError("json", "not a JSON object")
    if fields.get("v") != VERSION:
        raise WireError("schema", f"a message of schema version {str(fields.get('v'))[:20]!r}, not {VERSION}")
    return fields


def _u32(fields: Mapping[str, Any], key: str) -> int:
    value = fields.get(key)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 1 << 32:
        raise WireError("field", f"{key!r} is not a 32-bit number")
    return value
