"""The one place that sets up logging: a JSON object a line on standard error, with nothing of patients in it.

At INFO and above no id of a patient or wearable and no payload is written: our own messages do not hold any, and what
looks like one (a patient's pseudonym, a wearable's address or id, a topic) is masked, whoever wrote it. At DEBUG, which
a person has to ask for, they may appear.
"""

from __future__ import annotations

import datetime as dt
import json
import logging
import re
import sys
import traceback
from typing import Final, TextIO

_MASKED: Final = (
    (re.compile(r"\bp-[a-z0-9-]{1,34}\b"), "<patient>"),
    (re.compile(r"spineclip/v1/[^/\s]+/"), "spineclip/v1/<patient>/"),
    (re.compile(r"\b(?:[0-9A-Fa-f]{2}:){5}[0-9A-Fa-f]{2}\b"), "<address>"),
    (re.compile(r"\b[a-z]+-[0-9a-f]{12}\b"), "<wearable>"),
)
_LOUD: Final = ("amqtt", "transitions", "bleak", "dbus_fast", "paho", "urllib3", "asyncio")


def set_up(level: int = logging.INFO, stream: TextIO | None = None) -> None:
    """Log to standard error (or `stream`) from `level` on; libraries from WARNING on."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(_Line(masked=level >= logging.INFO))
    root = logging.getLogger()
    for old in root.handlers[:]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(level)
    for name in _LOUD:
        logging.getLogger(name).setLevel(max(level, logging.WARNING))
    hush_dead_bus()


def hush_dead_bus() -> None:
    """Leave out what asyncio says of D-Bus messages that could not be sent since the bus had died.

    For each call dbus-fast (5.2, `MessageBus._call`) makes a future that nobody can ask, and bleak still calls a bus
    that is gone, to hang up. The death itself is told by the link, once, in a sentence.
    """
    asyncio_logger = logging.getLogger("asyncio")
    if _is_no_dead_bus not in asyncio_logger.filters:
        asyncio_logger.addFilter(_is_no_dead_bus)


def _is_no_dead_bus(record: logging.LogRecord) -> bool:
    error = record.exc_info[1] if record.exc_info else None
    if not isinstance(error, OSError) or not record.getMessage().startswith("Future exception was never retrieved"):
        return True
    return not any("dbus_fast" in frame.filename for frame in traceback.extract_tb(error.__traceback__))


def mask(text: str) -> str:
    """Take out what names a patient or a wearable."""
    for pattern, word in _MASKED:
        text = pattern.sub(word, text)
    return text


class _Line(logging.Formatter):
    """One JSON object a line: time, level, where, what."""

    def __init__(self, *, masked: bool) -> None:
        super().__init__()
        self._masked = masked

    def format(self, record: logging.LogRecord) -> str:
        text = record.getMessage()
        if record.exc_info:
            text += "\n" + self.formatException(record.exc_info)
        row = {
            "time": dt.datetime.fromtimestamp(record.created, dt.UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "where": record.name,
            "what": mask(text) if self._masked else text,
        }
        return json.dumps(row, ensure_ascii=False)
