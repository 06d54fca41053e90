"""What tests need to know of any broker, embedded or a program of its own."""

from __future__ import annotations

from typing import Protocol


class Address(Protocol):
    """Where a broker is, and a user who may write there."""

    @property
    def host(self) -> str: ...
    @property
    def port(self) -> int: ...
    @property
    def username(self) -> str: ...
    @property
    def password(self) -> str: ...
