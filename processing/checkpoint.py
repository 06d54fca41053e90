"""A patient's state as bytes: all that a core has to know to go on as if it had never stopped.

CBOR (RFC 8949), deflated (RFC 1950) from version 2 on. A dataclass is tag 27 (``[name, {field: value}]``), an array tag
40 (``[shape, typed array]``, RFC 8746), so that nothing in a checkpoint can run: only classes of the registry are made.
Fields that a newer version has added take their default, fields that it has dropped are left out. All versions are
read, the newest is written.
"""

from __future__ import annotations

import io
import zlib
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import StrEnum
from typing import Any, Final, get_args, get_type_hints

import cbor2
import numpy as np
from numpy.typing import NDArray

VERSION: Final = 2
_PLAIN_VERSION: Final = 1
_LARGEST: Final = 1 << 26
"""Bytes above which nothing is inflated: no state comes near, so that damage or mischief cannot fill the memory."""
_LEVEL: Final = 1
"""The quickest: more effort takes three times as long for the last twentieth."""
_WORTH_NARROWING: Final = 256
"""Numbers in an array from which on it is tried whether four bytes hold each without loss."""
_OBJECT_TAG: Final = 27
"""Serialised object with type name and arguments (IANA CBOR tag registry)."""
_SHAPED_TAG: Final = 40
"""Multi-dimensional array, row-major (RFC 8746, section 3.1)."""
_TYPED_TAGS: Final = {"<f8": 86, "<f4": 85, "<i8": 79, "<i4": 78, "<i2": 77, "|i1": 72, "|u1": 64}
"""RFC 8746, table 1, little endian; booleans are plain bytes."""
_DTYPES: Final = {tag: dtype for dtype, tag in _TYPED_TAGS.items()}


class CheckpointError(ValueError):
    """Bytes that are not a checkpoint that this version can read."""


class Registry:
    """Which classes a checkpoint may hold, by name: those that the fields of one class can hold, and no others.

    Parameters
    ----------
    root
        The frozen dataclass that a checkpoint is of.

    Raises
    ------
    ValueError
        If two of the classes have one name.
    """

    def __init__(self, root: type) -> None:
        kinds = _reachable(root)
        self._kinds = {kind.__name__: kind for kind in kinds}
        if len(self._kinds) != len(kinds):
            raise ValueError("two classes of one name")
        self._columns = {
            kind: tuple(column.name for column in fields(kind)) for kind in kinds if is_dataclass(kind)
        }  # fmt: skip

    def dumps(self, state: object) -> bytes:
        """Write a state.

        Raises
        ------
        CheckpointError
            If something in it is neither plain, an array, nor in the registry.
        """
        return cbor2.dumps({"v": VERSION, "z": zlib.compress(cbor2.dumps(self._pack(state)), _LEVEL)})

    def loads(self, payload: bytes) -> Any:
        """Read a state.

        Raises
        ------
        CheckpointError
            If the bytes are damaged, of a newer version, or hold what is not in the registry.
        """
        whole = _read(payload)
        if not isinstance(whole, dict) or not isinstance(whole.get("v"), int) or not 1 <= whole["v"] <= VERSION:
            raise CheckpointError("a checkpoint of another version")
        try:
            return self._unpack(whole["state"] if whole["v"] == _PLAIN_VERSION else _read(_inflated(whole["z"])))
        except (KeyError, TypeError, ValueError, AttributeError, zlib.error) as error:
            raise CheckpointError(f"a damaged checkpoint ({error})") from error

    def _pack(self, value: Any) -> Any:
        kind = type(value)
        columns = self._columns.get(kind)
        if columns is not None:
            content = {}
            for name in columns:
                item = getattr(value, name)
                content[name] = item if type(item) in _PLAIN else self._pack(item)
            return cbor2.CBORTag(_OBJECT_TAG, [kind.__name__, content])
        if kind in _PLAIN:
            return value
        return self._pack_rest(value, kind)

    def _pack_rest(self, value: Any, kind: type) -> Any:
        if kind is tuple:
            return [self._pack(item) for item in value]
        if kind is np.ndarray:
            return _packed(value)
        if isinstance(value, Mapping):
            return {self._pack(key): self._pack(item) for key, item in value.items()}
        if isinstance(value, StrEnum) and self._kinds.get(kind.__name__) is kind:
            return cbor2.CBORTag(_OBJECT_TAG, [kind.__name__, value.value])
        if isinstance(value, np.generic):
            return value.item()
        raise CheckpointError(f"{kind.__name__} cannot be in a checkpoint")

    def _unpack(self, value: Any) -> Any:
        if isinstance(value, cbor2.CBORTag):
            return _unpacked(value) if value.tag == _SHAPED_TAG else self._made(value)
        if isinstance(value, list | tuple):
            return tuple(self._unpack(item) for item in value)
        if isinstance(value, Mapping):
            return {key: self._unpack(item) for key, item in value.items()}
        return value

    def _made(self, tag: cbor2.CBORTag) -> Any:
        name, content = tag.value
        kind = self._kinds[name]
        columns = self._columns.get(kind)
        if columns is None:
            return kind(content)
        return kind(**{key: self._unpack(item) for key, item in content.items() if key in columns})


def _read(payload: bytes) -> Any:
    try:
        return cbor2.load(io.BytesIO(payload))
    except Exception as error:  # a reader of bytes from a disk: whatever the library raises means damaged
        raise CheckpointError(f"a damaged checkpoint ({type(error).__name__})") from error


def _inflated(payload: bytes) -> bytes:
    reader = zlib.decompressobj()
    whole = reader.decompress(payload, _LARGEST)
    if not reader.eof:
        raise ValueError("cut short, or too large")
    return whole


def _reachable(root: object) -> set[type]:
    """Collect the dataclasses and string enumerations that a class's fields name, and theirs."""
    found: set[type] = set()
    waiting = [root]
    while waiting:
        kind = waiting.pop()
        if isinstance(kind, type) and kind not in found:
            if is_dataclass(kind):
                found.add(kind)
                waiting += get_type_hints(kind).values()
            elif issubclass(kind, StrEnum):
                found.add(kind)
        waiting += get_args(kind)
    return found


_PLAIN: Final = frozenset({int, float, str, bool, bytes, type(None)})


def _packed(array: NDArray[Any]) -> cbor2.CBORTag:
    if array.dtype == np.float64 and array.size >= _WORTH_NARROWING:
        narrow = array.astype(np.float32)
        if np.array_equal(narrow, array, equal_nan=True):
            # nothing is lost: many values come from a 16-bit sensor; the third item says that they were wider
            halved = cbor2.CBORTag(_TYPED_TAGS["<f4"], narrow.tobytes())
            return cbor2.CBORTag(_SHAPED_TAG, [list(array.shape), halved, "<f8"])
    if array.dtype == np.bool_:
        content: Any = array.tobytes()
    else:
        tag = _TYPED_TAGS.get(array.dtype.str)
        if tag is None:
            raise CheckpointError(f"an array of {array.dtype} cannot be in a checkpoint")
        content = cbor2.CBORTag(tag, array.tobytes())
    return cbor2.CBORTag(_SHAPED_TAG, [list(array.shape), content])


def _unpacked(tag: cbor2.CBORTag) -> NDArray[Any]:
    shape, content, *wider = tag.value
    if wider:
        return np.frombuffer(content.value, dtype=_DTYPES[content.tag]).reshape(shape).astype(wider[0])
    if isinstance(content, bytes):
        return np.frombuffer(content, dtype=np.bool_).reshape(shape).copy()
    return np.frombuffer(content.value, dtype=_DTYPES[content.tag]).reshape(shape).copy()
