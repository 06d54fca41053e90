"""Where this machine is."""

from __future__ import annotations

import os
import zoneinfo
from pathlib import Path


def zone_here() -> str:
    """Return the name of this machine's time zone; UTC when it does not say.

    By ``TZ``, else by where ``/etc/localtime`` leads (``man 5 localtime``).
    """
    told = os.environ.get("TZ", "").removeprefix(":")
    name = told or str(Path("/etc/localtime").resolve()).rpartition("zoneinfo/")[2]
    return name if name in zoneinfo.available_timezones() else "UTC"
