"""D-Bus match rules: which signals a connection wants (D-Bus specification, "Match Rules")."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

_PAIR = re.compile(r"\s*(?P<key>[a-z0-9_]+)=(?:'(?P<quoted>[^']*)'|(?P<bare>[^,']*))(?:,|$)")
_KEYS = frozenset({"type", "sender", "interface", "member", "path", "path_namespace", "destination", "arg0namespace"})
_ARG = re.compile(r"arg(\d+)(path)?$")


class RuleError(ValueError):
    """A match rule that cannot be read."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One match rule; what it does not name matches anything."""

    keys: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def parse(cls, text: str) -> Rule:
        """Read a rule. Values may be quoted, or bare as bleak writes them.

        Raises
        ------
        RuleError
            If it is not a rule, or has an unknown key.
        """
        keys: dict[str, str] = {}
        at = 0
        while at < len(text):
            pair = _PAIR.match(text, at)
            if pair is None:
                raise RuleError(f"a match rule that cannot be read at character {at}: {text!r}")
            key = pair["key"]
            if key not in _KEYS and not _ARG.match(key):
                raise RuleError(f"a match rule with the unknown key {key!r}: {text!r}")
            keys[key] = pair["bare"] if pair["quoted"] is None else pair["quoted"]
            at = pair.end()
        return cls(keys)

    def wants(self, *, path: str, interface: str, member: str, args: tuple[object, ...] = ()) -> bool:
        """Say whether a broadcast signal of the one service here matches; `args` are the signal's arguments."""
        plain = {"type": "signal", "interface": interface, "member": member, "path": path}
        for key, value in self.keys.items():
            if key in plain:
                holds = plain[key] == value
            elif key == "path_namespace":
                holds = _within(path, value, "/")
            elif key in {"sender", "destination"}:
                holds = key == "sender"  # a broadcast has no destination
            else:
                holds = _argument_holds(key, value, args)
            if not holds:
                return False
        return True


def _argument_holds(key: str, value: str, args: tuple[object, ...]) -> bool:
    match = _ARG.match(key)
    index = 0 if match is None else int(match[1])
    argument = args[index] if index < len(args) else None
    if not isinstance(argument, str):
        return False
    if match is None:
        return _within(argument, value, ".")
    if match[2] is None or argument == value:
        return argument == value
    return (value.endswith("/") and argument.startswith(value)) or (
        argument.endswith("/") and value.startswith(argument)
    )


def _within(name: str, namespace: str, separator: str) -> bool:
    return namespace in {separator, name} or name.startswith(namespace + separator)
