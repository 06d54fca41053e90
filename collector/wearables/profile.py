"""A wearable described in a YAML file instead of in Python: what may stand in it, and errors that name the place.

See ``collector/wearables/profiles/*.yaml`` for examples; `diy.yaml` explains every key.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self

import yaml
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from collector.wearables.base import STANDARD_GRAVITY_MPS2
from spineclip.contract.errors import SettingsError
from spineclip.contract.ids import is_id

MAX_FILE_BYTES: Final = 65_536
BYTES: Final = {"u8": 1, "i8": 1, "u16": 2, "i16": 2, "u32": 4, "i32": 4, "u64": 8, "f32": 4}
UNITS_G: Final = {"g": 1.0, "mg": 1e-3, "m/s2": 1.0 / STANDARD_GRAVITY_MPS2}


def _uuid(value: str) -> str:
    lower = value.strip().lower()
    parts = lower.split("-")
    if [len(part) for part in parts] != [8, 4, 4, 4, 12] or not all(c in "0123456789abcdef-" for c in lower):
        raise ValueError("must be a full UUID such as 5b1c0001-7370-696e-6563-6c6970000000")
    return lower


def _hex(value: object) -> bytes:
    if isinstance(value, bytes):
        return value
    try:
        return bytes.fromhex(str(value)) if isinstance(value, str) else bytes.fromhex("not")
    except ValueError:
        raise ValueError("must be hexadecimal digits in quotes, such as '01 32 02'") from None


def _kind(value: str) -> str:
    if not is_id(value) or len(value) > 20:
        raise ValueError("must be 1 to 20 characters out of a-z, 0-9 and '-'")
    return value


Uuid = Annotated[str, AfterValidator(_uuid)]
Hex = Annotated[bytes, BeforeValidator(_hex), Field(max_length=64)]
Number = Literal["u8", "i8", "u16", "i16", "u32", "i32", "u64", "f32"]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Write(_Part):
    """Bytes to write, and where."""

    to: Uuid
    bytes_: Annotated[Hex, Field(alias="bytes")]
    response: bool = True


class Rate(_Part):
    """A rate that the wearable offers, and what must be written for it."""

    hz: Annotated[float, Field(ge=1, le=2000)]
    writes: tuple[Write, ...] = ()


class FieldSpec(_Part):
    """A number before the samples: what it is for, and how it is written.

    ``must_be`` refuses frames in which it has another value. ``key`` is its name in a JSON line.
    """

    name: Literal["counter", "time", "samples", "flags", "battery", "fixed", "unused"]
    type: Number
    must_be: int | None = None
    key: str = ""


class Samples(_Part):
    """The samples: three numbers each.

    `unit` and `scale`: one count is `scale` units. `scales` chooses the scale by the flags: ``flags & mask`` counts
    from zero. ``keys`` are their names in a JSON line: one for all three axes, or one for each. ``skip`` bytes follow
    each sample that are something else, such as its temperature and angular rate.
    """

    type: Number
    unit: Literal["g", "mg", "m/s2"] = "g"
    scale: Annotated[float, Field(gt=0, le=1e4)] = 1.0
    mask: Annotated[int, Field(ge=1, le=255)] | None = None
    scales: tuple[Annotated[float, Field(gt=0, le=1e4)], ...] = ()
    axes: Annotated[str, Field(pattern="^-?[xyz],-?[xyz],-?[xyz]$")] = "x,y,z"
    keys: tuple[Annotated[str, Field(min_length=1)], ...] = ()
    skip: Annotated[int, Field(ge=0, le=64)] = 0


class Time(_Part):
    """The time field: nanoseconds in a tick, and whose time it is."""

    tick_ns: Annotated[float, Field(gt=0, le=1e9)]
    of: Literal["first", "last"] = "first"


class Profile(_Part):
    """The whole file."""

    kind: Annotated[str, AfterValidator(_kind)]
    label: Annotated[str, Field(min_length=1, max_length=60)]
    names: tuple[Annotated[str, Field(min_length=2)], ...] = ()
    service: Uuid
    data: Uuid
    framing: Literal["packet", "stream", "lines"] = "packet"
    byte_order: Literal["little", "big"] = "little"
    head: Hex = b""
    text: Literal["csv", "json"] = "csv"
    line: str = ""
    fields: tuple[FieldSpec, ...] = ()
    samples: Samples
    time: Time | None = None
    rates: Annotated[tuple[Rate, ...], Field(min_length=1)]
    range_g: Annotated[float, Field(gt=0, le=64)] = 8.0
    packet_samples: Annotated[int, Field(ge=1, le=200)] = 1
    prepare: tuple[Write, ...] = ()
    start: tuple[Write, ...] = ()
    stop: tuple[Write, ...] = ()
    buzz: tuple[Write, ...] = ()
    battery: Literal["service", "none"] = "none"
    hardware_seen: bool = False

    @model_validator(mode="after")
    def _fits(self) -> Self:
        names = [field.name for field in self.fields if field.name not in ("unused", "fixed")]
        if len(names) != len(set(names)):
            raise ValueError("'fields' names something twice")
        if ("time" in names) != (self.time is not None):
            raise ValueError("a field 'time' needs a section 'time' that says what a tick is, and the other way round")
        if any(field.type == "f32" for field in self.fields):
            raise ValueError("'fields' are whole numbers; 'f32' is for samples")
        if self.samples.scales and ("flags" not in names or self.samples.mask is None):
            raise ValueError("'samples.scales' needs a field 'flags' and 'samples.mask'")
        if self.framing == "stream" and (not self.head or "samples" in names):
            raise ValueError("'framing: stream' needs a 'head', and frames of one length (no field 'samples')")
        self._check_text()
        if sorted(self.samples.axes.replace("-", "").split(",")) != ["x", "y", "z"]:
            raise ValueError("'samples.axes' must name x, y and z once each")
        if [rate.hz for rate in self.rates] != sorted({rate.hz for rate in self.rates}):
            raise ValueError("'rates' must rise")
        return self

    def _check_text(self) -> None:
        json = self.framing == "lines" and self.text == "json"
        if self.framing == "lines" and not json and not self.line:
            raise ValueError("'framing: lines' needs 'line': the word with which a line of samples begins")
        if self.framing == "lines" and (self.samples.skip or self.byte_order != "little"):
            raise ValueError("text has no bytes: 'samples.skip' and 'byte_order' need another framing")
        if self.framing != "lines" and (self.line or self.text != "csv"):
            raise ValueError("'line' and 'text' need 'framing: lines'")
        if json and self.line:
            raise ValueError("'text: json' has no 'line': each line is one object")
        if json and len(self.samples.keys) not in (1, 3):
            raise ValueError("'text: json' needs 'samples.keys': one name for all axes, or three, for x, y and z")
        keys = [field.key for field in self.fields] + list(self.samples.keys)
        if not json and any(keys):
            raise ValueError("'key' and 'keys' need 'framing: lines' and 'text: json'")
        if json and (not all(keys) or len(keys) != len(set(keys))):
            raise ValueError("'text: json' needs a 'key' for each of 'fields', and no key twice")


def read_profile(path: Path) -> Profile:
    """Read a profile file.

    Raises
    ------
    SettingsError
        That names file, place and remedy.
    """
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise SettingsError(
                f"{path} is over {MAX_FILE_BYTES >> 10} kB, too long for a profile",
                advice="Name the right file; diy.yaml is an example",
            )
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"the profile {path} cannot be read ({error})", advice="Check path and rights") from error
    return parse_profile(text, str(path))


def parse_profile(text: str, where: str) -> Profile:
    """Read a profile's text.

    Raises
    ------
    SettingsError
        That names the place and the remedy.
    """
    try:
        fields = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError, OverflowError) as error:
        mark = getattr(error, "problem_mark", None)
        place = f"{where}, line {mark.line + 1}, column {mark.column + 1}" if mark is not None else where
        problem = getattr(error, "problem", None) or type(error).__name__
        raise SettingsError(f"{place}: not readable as YAML ({problem})", advice="Mend that line") from error
    if not isinstance(fields, dict):
        raise SettingsError(f"{where}: not a profile", advice="It must begin like: kind: my-clip")
    try:
        return Profile.model_validate(fields)
    except ValidationError as error:
        raise _told(error, where, text) from error
    except RecursionError as error:
        raise SettingsError(
            f"{where}: nested too deeply for a profile", advice="See diy.yaml for an example"
        ) from error


def _told(error: ValidationError, where: str, text: str) -> SettingsError:
    first: Any = min(error.errors(), key=lambda one: one["type"] != "extra_forbidden")  # a misspelt key explains most
    place = ".".join(str(part) for part in first["loc"])
    message = str(first["msg"]).removeprefix("Value error, ")
    where = f"{where}, line {_line_of(text, first['loc'])}" if place else where
    if first["type"] == "extra_forbidden":
        return SettingsError(
            f"{where}: there is no key {place!r} in a profile", advice=f"Known: {_known(first['loc'])}"
        )
    if first["type"] == "missing":
        return SettingsError(f"{where}: the key {place!r} is missing", advice="Add it; see diy.yaml for an example")
    if not place:
        return SettingsError(f"{where}: {message}")
    shown = repr(first["input"])
    shown = shown if len(shown) <= 60 else f"{shown[:57]}..."
    return SettingsError(f"{where}: {place!r} cannot be {shown}", advice=message)


def _line_of(text: str, place: tuple[int | str, ...]) -> int:
    """Find the line of a place, or of what it is missing in."""
    node = yaml.compose(text, Loader=yaml.SafeLoader)
    line = 0
    for part in place:
        if isinstance(node, yaml.MappingNode):
            pairs = [(key, value) for key, value in node.value if key.value == str(part)]
            if not pairs:
                break
            line, node = pairs[-1][0].start_mark.line, pairs[-1][1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
            line = node.start_mark.line
        else:
            break
    return line + 1


def _known(place: tuple[int | str, ...]) -> str:
    model: type[BaseModel] = Profile
    inside: dict[str, type[BaseModel]] = {
        "samples": Samples, "time": Time, "rates": Rate, "fields": FieldSpec, "prepare": Write, "start": Write,
        "stop": Write, "writes": Write,
    }  # fmt: skip
    for part in place[:-1]:
        model = inside.get(str(part), model)
    return ", ".join(field.alias or name for name, field in model.model_fields.items())
