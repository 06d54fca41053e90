"""The collector's settings file (TOML): read with errors that name place and remedy, written for the user.

::

    patient = "p-0a1b2c3d4e"
    rate_hz = 50.0
    profiles = ["my-clip.yaml"]     # wearables of your own

    [broker]
    host = "clinic.example"
    port = 8883
    username = "p-0a1b2c3d4e"
    password_file = "password"      # paths are relative to this file
    ca_file = "ca.crt"

    [[clips]]
    wearable = "witmotion-c0ffee000001"
    placement = "sternum"
"""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Annotated, Any

import tomli_w
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from collector.outbox import DEFAULT_MAX_BYTES
from collector.service import CollectorSettings, WornClip
from collector.wearables import add_profile
from spineclip.contract.connection import BrokerAccess
from spineclip.contract.errors import SettingsError
from spineclip.contract.ids import is_id
from spineclip.contract.placement import Placement
from spineclip.private_file import write_private


def _id(value: str) -> str:
    if not is_id(value):
        raise ValueError("must be 1 to 36 characters out of a-z, 0-9 and '-'")
    return value


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class BrokerTable(_Table):
    """Where the broker is."""

    host: Annotated[str, Field(min_length=1)] = "localhost"
    port: Annotated[int, Field(ge=1, le=65535)] = 1883
    username: str = ""
    password_file: Path | None = None
    ca_file: Path | None = None


class OutboxTable(_Table):
    """Where records wait, and how many."""

    path: Path | None = None
    max_mb: Annotated[int, Field(ge=1)] = DEFAULT_MAX_BYTES >> 20


class ClipTable(_Table):
    """A wearable and where it is worn."""

    wearable: Annotated[str, Field(min_length=1)]
    placement: Placement


class Settings(_Table):
    """The whole file."""

    patient: Annotated[str, AfterValidator(_id)]
    rate_hz: Annotated[float, Field(gt=0, le=1666)] = 50.0
    range_g: Annotated[float, Field(gt=0, le=16)] = 8.0
    adapter: str | None = None
    profiles: tuple[Path, ...] = ()
    broker: BrokerTable = BrokerTable()
    outbox: OutboxTable = OutboxTable()
    clips: tuple[ClipTable, ...] = ()

    def for_collector(self, folder: Path) -> CollectorSettings:
        """Resolve files against the folder of the settings file, and read the password.

        Raises
        ------
        SettingsError
            If a file that is named is not there, or no clip is.
        """
        if not self.clips:
            raise SettingsError(
                "no wearable is named", advice="Give --wearable and --placement, or run: spineclip pair"
            )
        broker = self.broker
        return CollectorSettings(
            patient=self.patient,
            clips=tuple(WornClip(clip.wearable, clip.placement) for clip in self.clips),
            broker=BrokerAccess(
                broker.host,
                broker.port,
                broker.username,
                "" if broker.password_file is None else _secret(folder / broker.password_file),
                None if broker.ca_file is None else _existing(folder / broker.ca_file),
            ),
            outbox=state_folder() / f"{self.patient}.sqlite" if self.outbox.path is None else folder / self.outbox.path,
            outbox_max_bytes=self.outbox.max_mb << 20,
            rate_hz=self.rate_hz,
            range_g=self.range_g,
            adapter=self.adapter,
        )


def state_folder() -> Path:
    """Return where outboxes lie: ``$XDG_STATE_HOME/spineclip``, else ``~/.local/state/spineclip``."""
    base = os.environ.get("XDG_STATE_HOME")
    return (Path(base) if base else Path.home() / ".local" / "state") / "spineclip"


def read(path: Path) -> Settings:
    """Read a settings file; the wearables of the profiles that it names are known from then on.

    Raises
    ------
    SettingsError
        If it cannot be read, is no TOML, or says something that makes no sense; it names the place and the remedy.
    """
    try:
        fields = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(
            f"the settings file {path} cannot be read ({error.strerror})",
            advice="Name another with --settings, or write one with: spineclip pair",
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path} is not TOML: {error}", advice="Mend that line") from error
    settings = check(fields, str(path))
    for profile in settings.profiles:
        add_profile(path.resolve().parent / profile)
    return settings


def check(fields: dict[str, Any], where: str) -> Settings:
    """Check settings, from a file or from options.

    Raises
    ------
    SettingsError
        With the first thing that makes no sense.
    """
    try:
        return Settings.model_validate(fields)
    except ValidationError as error:
        first = min(error.errors(), key=lambda one: one["type"] != "extra_forbidden")  # a misspelt key explains most
        place = ".".join(str(part) for part in first["loc"]) or "the file"
        if first["type"] == "extra_forbidden":
            raise SettingsError(
                f"{where}: there is no setting {place!r}", advice=f"Known here: {_known(first['loc'])}"
            ) from error
        if first["type"] == "missing":
            raise SettingsError(f"{where}: {place!r} is missing", advice="Add it") from error
        message = str(first["msg"]).removeprefix("Value error, ")
        raise SettingsError(f"{where}: {place!r} cannot be {first['input']!r}", advice=message) from error


def write(path: Path, settings: Settings) -> None:
    """Write a settings file, readable by its owner only, whole or not at all.

    Raises
    ------
    SettingsError
        If it cannot be written.
    """
    text = tomli_w.dumps(settings.model_dump(mode="json", exclude_none=True, exclude_defaults=True))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_private(path, text.encode())
    except OSError as error:
        raise SettingsError(
            f"the settings file {path} cannot be written ({error.strerror})", advice="Choose another place"
        ) from error


def _known(place: tuple[int | str, ...]) -> str:
    tables: dict[str, type[BaseModel]] = {"broker": BrokerTable, "outbox": OutboxTable, "clips": ClipTable}
    table: type[BaseModel] = tables.get(str(place[0]), Settings) if len(place) > 1 else Settings
    return ", ".join(table.model_fields)


def _existing(path: Path) -> Path:
    if not path.is_file():
        raise SettingsError(f"the file {path}, which the settings name, is not there", advice="Bring it there")
    return path


def _secret(path: Path) -> str:
    try:
        return _existing(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"the password file {path} cannot be read", advice="Check who owns it") from error
