"""Ids that are safe everywhere they travel: MQTT level, routing key, database tag and file name."""

from __future__ import annotations

import re
import secrets

from spineclip.contract.errors import SettingsError

_ID = re.compile(r"[a-z0-9-]{1,36}")


def is_id(value: object) -> bool:
    """Tell whether `value` is 1 to 36 characters out of ``a-z 0-9 -`` (the id rule of the Homie convention)."""
    return isinstance(value, str) and _ID.fullmatch(value) is not None


def check_id(value: str, kind: str) -> str:
    """Hand `value` back if it is an id.

    Raises
    ------
    SettingsError
        If it is not; `kind` ("patient", "wearable", "site") names it for the reader.
    """
    if not is_id(value):
        raise SettingsError(
            f"{value!r} cannot be a {kind} id",
            advice="Use 1 to 36 characters out of a-z, 0-9 and '-'",
        )
    return value


def new_patient_id() -> str:
    """Make a random pseudonym: 10 hexadecimal digits (40 bits), never derived from a name."""
    return f"p-{secrets.token_hex(5)}"


def wearable_id(kind: str, address: str) -> str:
    """Make a wearable's id from its kind and its Bluetooth address, such as ``witmotion-c0ffee000001``.

    On systems that hide the address (macOS gives a UUID) the last twelve hexadecimal digits are used.
    """
    digits = re.sub(r"[^0-9a-f]", "", address.lower())
    return check_id(f"{kind}-{digits[-12:]}", "wearable")
