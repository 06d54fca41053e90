"""Where a patient is at home: their time zone, also after they have moved while a page was open."""

from __future__ import annotations

import zoneinfo

from spineclip.contract.config import zone
from spineclip.contract.errors import SettingsError
from spineclip.patients import Patients


class Home:
    """Tells a patient's time zone whenever it is asked.

    Parameters
    ----------
    patients
        Where the settings are kept.
    patient
        Whose.

    Raises
    ------
    SettingsError
        If the settings cannot be used at the start. Later, what was known last goes on.
    """

    def __init__(self, patients: Patients, patient: str) -> None:
        self._patients = patients
        self._patient = patient
        self._known = zone(patients.config(patient).time_zone)

    def __call__(self) -> zoneinfo.ZoneInfo:
        """Return the zone as the settings have it now."""
        try:
            name = self._patients.config(self._patient).time_zone
        except SettingsError:
            return self._known
        if name != self._known.key:
            self._known = zone(name)
        return self._known
