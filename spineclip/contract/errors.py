"""The errors that a person can meet, and where each one stands.

::

    SpineclipError                 anything that spineclip itself has to tell a person
    ├── SettingsError              a setting, option or settings file that cannot be used
    │   └── PoseError              a pose that cannot be taught (carries a reason)
    ├── DiaryError                 a diary entry that cannot be kept as it stands (carries a reason)
    ├── RecordingError             a recording that cannot be read as it stands
    ├── WireError                  a message that does not follow the contract (carries a reason)
    ├── WearableError              a wearable, or the way to it
    │   ├── RadioUnavailableError  no adapter, no D-Bus, Bluetooth switched off
    │   ├── WearableNotFoundError  nothing near answers to what was asked for
    │   └── LinkError              a connection that failed or was lost
    ├── BrokerError                the MQTT broker cannot be reached or refuses
    ├── OutboxError                the collector's disk store is full, damaged or in use
    ├── GrafanaError               a Grafana that cannot be reached, refuses, or is not as expected
    └── StoreError                 the metric store
        ├── StoreBusyError         worth trying again: slow, away, overloaded
        ├── StoreRefusedError      not worth trying again: the store will never take this
        └── TakenError             another core works on it (`processing.stores.lease`)

Every message says what happened, where, and what to do about it; `advice` holds the last part on its own
so that a page can show it beside the message.
"""

from __future__ import annotations


class SpineclipError(Exception):
    """Base of all errors that spineclip raises on purpose.

    Parameters
    ----------
    what
        What happened and where, as one sentence without a full stop.
    advice
        What the reader can do about it, as one sentence without a full stop.
    """

    def __init__(self, what: str, *, advice: str = "") -> None:
        super().__init__(f"{what}. {advice}." if advice else f"{what}.")
        self.what = what
        self.advice = advice


class SettingsError(SpineclipError):
    """A setting, an option or a settings file that cannot be used."""


class PoseError(SettingsError):
    """A pose that cannot be taught.

    Parameters
    ----------
    reason
        ``no_neutral``, ``near`` or ``far``: a stable word that a page can say in the reader's language.
    what, advice
        As in `SpineclipError`.
    """

    def __init__(self, reason: str, what: str, *, advice: str = "") -> None:
        super().__init__(what, advice=advice)
        self.reason = reason


class DiaryError(SpineclipError):
    """A diary entry that cannot be kept as it stands; nothing that was kept before has changed.

    Parameters
    ----------
    reason
        A short, stable word that a page can say in the reader's language, such as ``pain`` or ``future``.
    what, advice
        As in `SpineclipError`.
    """

    def __init__(self, reason: str, what: str, *, advice: str = "") -> None:
        super().__init__(what, advice=advice)
        self.reason = reason


class RecordingError(SpineclipError):
    """A recording that cannot be read as it stands."""


class WireError(SpineclipError):
    """A message that does not follow the contract.

    Parameters
    ----------
    reason
        A short, stable word to count by, such as ``schema`` or ``absurd-time``.
    what
        What happened and where.
    """

    def __init__(self, reason: str, what: str) -> None:
        super().__init__(what)
        self.reason = reason


class WearableError(SpineclipError):
    """A wearable, or the way to it."""


class RadioUnavailableError(WearableError):
    """There is no Bluetooth to use: no adapter, no D-Bus, or it is switched off."""


class WearableNotFoundError(WearableError):
    """Nothing near answers to what was asked for."""


class LinkError(WearableError):
    """A connection that failed or was lost."""


class BrokerError(SpineclipError):
    """The MQTT broker cannot be reached or refuses."""


class OutboxError(SpineclipError):
    """The collector's disk store is full, damaged or in use by somebody else."""


class GrafanaError(SpineclipError):
    """A Grafana that cannot be reached, refuses, or is not as expected."""


class StoreError(SpineclipError):
    """The metric store."""


class StoreBusyError(StoreError):
    """The store is slow, away or overloaded: the same call may succeed later."""


class StoreRefusedError(StoreError):
    """The store will never take this: repeating the call changes nothing."""
