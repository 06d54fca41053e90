"""The key of the therapist's view: asked for once, then kept by the browser; guessing is slow."""

from __future__ import annotations

import hmac
from typing import Final

from spineclip.contract.clock import Clock

COOKIE: Final = "spineclip_therapist"
TRIES: Final = 10
"""Wrong keys in `WINDOW_S` after which nobody is let in for that long."""
WINDOW_S: Final = 60.0


class Doorkeeper:
    """Lets in who has the key.

    Parameters
    ----------
    key
        The key, at least 16 characters.
    clock
        For counting wrong keys by the minute.
    """

    def __init__(self, key: str, clock: Clock) -> None:
        if len(key) < 16:
            raise ValueError("a key that short can be guessed")
        self._key = key
        self._clock = clock
        self._wrong_ns: list[int] = []

    def is_shut(self) -> bool:
        """Tell whether too many wrong keys were tried just now."""
        since_ns = self._clock.monotonic_ns() - round(WINDOW_S * 1e9)
        self._wrong_ns = [t_ns for t_ns in self._wrong_ns if t_ns > since_ns]
        return len(self._wrong_ns) >= TRIES

    def lets_in(self, offered: str | None) -> bool:
        """Tell whether an offered key is the right one; a wrong one is remembered."""
        if offered is None or self.is_shut():
            return False
        if hmac.compare_digest(offered.encode(), self._key.encode()):
            return True
        self._wrong_ns.append(self._clock.monotonic_ns())
        return False

    def form_token(self, patient: str) -> str:
        """Return what a form about a patient has to bring back (against forms that other sites send)."""
        return hmac.new(self._key.encode(), f"goals:{patient}".encode(), "sha256").hexdigest()

    def is_form_token(self, patient: str, token: str) -> bool:
        """Tell whether a form came from our own page about this patient."""
        return hmac.compare_digest(token.encode(), self.form_token(patient).encode())
