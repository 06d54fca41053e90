"""The tree of D-Bus objects that BlueZ shows, and the signals that tell of its changes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from dbus_fast import Variant

from firmware_sim.bus import Bus

PROPERTIES: Final = "org.freedesktop.DBus.Properties"
OBJECT_MANAGER: Final = "org.freedesktop.DBus.ObjectManager"

Fields = dict[str, Variant]


class Objects:
    """Objects by path, their interfaces, their properties. Every change is told to whom it concerns."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._objects: dict[str, dict[str, Fields]] = {}

    def __contains__(self, path: object) -> bool:
        return path in self._objects

    def add(self, path: str, interfaces: Mapping[str, Fields]) -> None:
        """Add an object, or interfaces to one that exists."""
        self._objects.setdefault(path, {}).update({name: dict(fields) for name, fields in interfaces.items()})
        self._bus.broadcast("/", OBJECT_MANAGER, "InterfacesAdded", "oa{sa{sv}}", path, dict(interfaces))

    def remove(self, path: str) -> None:
        """Remove an object and what lies below it, deepest first."""
        for one in sorted((p for p in self._objects if p == path or p.startswith(f"{path}/")), reverse=True):
            names = list(self._objects.pop(one))
            self._bus.broadcast("/", OBJECT_MANAGER, "InterfacesRemoved", "oas", one, names)

    def change(self, path: str, interface: str, changed: Fields, invalidated: tuple[str, ...] = ()) -> None:
        """Set and invalidate properties of one interface, told as a single signal."""
        fields = self._objects[path][interface]
        fields.update(changed)
        for name in invalidated:
            fields.pop(name, None)
        self._bus.broadcast(
            path, PROPERTIES, "PropertiesChanged", "sa{sv}as", interface, dict(changed), list(invalidated)
        )

    def fields(self, path: str, interface: str) -> Fields | None:
        """Return the properties of one interface, or None when there is none."""
        return self._objects.get(path, {}).get(interface)

    def managed(self) -> dict[str, Any]:
        """Return everything, as GetManagedObjects does."""
        return {path: {name: dict(fields) for name, fields in one.items()} for path, one in self._objects.items()}

    def clear(self) -> None:
        """Forget everything without a word, as a killed daemon does."""
        self._objects.clear()
