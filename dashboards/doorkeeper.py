"""The key of a page: asked for once, then kept by the browser; guessing is slow."""

from __future__ import annotations

import hmac
from collections.abc import Callable
from typing import Final

from dashboards.pace import MOST_KNOWN
from spineclip.contract.clock import Clock

TRIES: Final = 10
"""Wrong keys from one address in `WINDOW_S` after which nobody from there is let in for that long."""
WINDOW_S: Final = 60.0
SHORTEST_KEY: Final = 16


class Doorkeeper:
    """Lets in who has the key.

    Parameters
    ----------
    key
        The key, at least 16 characters; or what returns the present one, None while nobody may come in.
    clock
        For counting wrong keys by the minute.

    Raises
    ------
    ValueError
        If the key is shorter.
    """

    def __init__(self, key: str | Callable[[], str | None], clock: Clock) -> None:
        if isinstance(key, str) and len(key) < SHORTEST_KEY:
            raise ValueError("a key that short can be guessed")
        self._key: Callable[[], str | None] = (lambda: key) if isinstance(key, str) else key
        self._clock = clock
        self._secret = self._key() or ""
        self._wrong: dict[str, dict[str, int]] = {}

    def is_shut(self, address: str = "") -> bool:
        """Tell whether too many wrong keys came from an address just now."""
        since_ns = self._clock.monotonic_ns() - round(WINDOW_S * 1e9)
        tried = {key: t_ns for key, t_ns in self._wrong.pop(address, {}).items() if t_ns > since_ns}
        if tried:
            self._wrong[address] = tried
        return len(tried) >= TRIES

    def lets_in(self, offered: str | None, address: str = "") -> bool:
        """Tell whether an offered key is the right one; a wrong one is remembered."""
        if offered is None or self.is_shut(address):
            return False
        if self.knows(offered):
            return True
        # The same wrong key again is no new guess: a browser that stays open goes on showing a key that was revoked.
        self._wrong.setdefault(address, {}).setdefault(_digest(offered), self._clock.monotonic_ns())
        while len(self._wrong) > MOST_KNOWN:
            del self._wrong[next(iter(self._wrong))]
        return False

    def knows(self, offered: str) -> bool:
        """Tell whether a key is the right one, and nothing else."""
        key = self._key()
        return key is not None and len(key) >= SHORTEST_KEY and hmac.compare_digest(offered.encode(), key.encode())

    def form_token(self, patient: str) -> str:
        """Return what a form about a patient has to bring back (against forms that other sites send)."""
        return self._sign(f"goals:{patient}")

    def is_form_token(self, patient: str, token: str) -> bool:
        """Tell whether a form came from our own page about this patient."""
        return hmac.compare_digest(token.encode(), self.form_token(patient).encode())

    def handle(self, patient: str) -> str:
        """Return what stands for a patient in addresses, which proxies and browsers write down."""
        return self._sign(f"patient:{patient}")[:20]

    def _sign(self, text: str) -> str:
        return hmac.new(self._secret.encode(), text.encode(), "sha256").hexdigest()


def _digest(text: str) -> str:
    return hmac.new(b"wrong key", text.encode(), "sha256").hexdigest()
