"""How long BlueZ takes for things, in real seconds: bleak's own time limits are real, so these are too."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class BluezTiming:
    """Durations. The defaults are quick, for tests and replay; `real` is what BlueZ 5.66 showed.

    Attributes
    ----------
    connect_s
        From Connect to the link.
    discover_s
        From the link to the services.
    disconnect_s
        From Disconnect to the end of the link; BlueZ waits two seconds before it hangs up.
    advert_s
        Between two advertisements of a wearable.
    forget_s
        A wearable that was seen but never connected is forgotten so long after the scan (TemporaryTimeout).
    """

    connect_s: float = 0.02
    discover_s: float = 0.02
    disconnect_s: float = 0.05
    advert_s: float = 0.05
    forget_s: float = 30.0

    @classmethod
    def real(cls) -> BluezTiming:
        """Return the durations of a real adapter."""
        return cls(connect_s=0.15, discover_s=0.9, disconnect_s=2.4, advert_s=0.15, forget_s=30.0)
