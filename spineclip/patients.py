"""What is kept of each patient beside the metrics: one settings file each, in one folder.

::

    <data>/metrics.sqlite              the metric store of the embedded default
    <data>/patients/<patient>.json     time zone, clips, goals, nudging (as on the ``config`` topic)
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

from spineclip.contract.config import PatientConfig
from spineclip.contract.errors import SettingsError, WireError
from spineclip.contract.ids import check_id
from spineclip.here import zone_here
from spineclip.private_file import turn, write_private


def data_folder() -> Path:
    """Return where data are kept when nobody says otherwise.

    ``SPINECLIP_DATA``, else ``$XDG_DATA_HOME/spineclip``, else ``~/.local/share/spineclip`` (XDG base directories).
    """
    chosen = os.environ.get("SPINECLIP_DATA")
    if chosen:
        return Path(chosen)
    base = os.environ.get("XDG_DATA_HOME")
    return (Path(base) if base else Path.home() / ".local" / "share") / "spineclip"


def store_file(data: Path) -> Path:
    """Return the metric store's file in a data folder."""
    return data / "metrics.sqlite"


class Patients:
    """The settings files of all patients.

    Parameters
    ----------
    data
        The data folder; made when the first file is written, readable by its owner only.
    """

    def __init__(self, data: Path) -> None:
        self.folder = data / "patients"

    def known(self) -> list[str]:
        """Return all patients that have a settings file, sorted."""
        return sorted(file.stem for file in self.folder.glob("*.json"))

    def config(self, patient: str) -> PatientConfig:
        """Return a patient's settings; where there are none yet, the defaults, in this machine's time zone.

        Raises
        ------
        SettingsError
            If the id is not one, or the file cannot be used.
        """
        file = self._file(patient)
        try:
            return PatientConfig.from_json(file.read_bytes())
        except FileNotFoundError:
            return PatientConfig(time_zone=zone_here())
        except (OSError, WireError) as error:
            why = error.what if isinstance(error, WireError) else error.strerror
            raise SettingsError(f"{file} cannot be used: {why}", advice="Mend it or move it away") from error

    def change(self, patient: str, change: Callable[[PatientConfig], PatientConfig]) -> PatientConfig:
        """Change a patient's settings and return the new ones; a crash leaves the old or the new file, never half.

        Of several who change them at once (the patient's page, the therapist's view, a command) each finds what those
        before it have changed.

        Raises
        ------
        SettingsError
            If the id is not one, or the file cannot be used or written.
        """
        file = self._file(patient)
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            with turn(self.folder):
                new = change(self.config(patient))
                text = json.dumps(json.loads(new.to_json()), indent=2, sort_keys=True) + "\n"
                write_private(file, text.encode())
        except OSError as error:
            raise SettingsError(f"{file} cannot be written ({error.strerror})", advice="Check the folder") from error
        return new

    def erase(self, patient: str) -> None:
        """Delete a patient's settings."""
        self._file(patient).unlink(missing_ok=True)

    def _file(self, patient: str) -> Path:
        return self.folder / f"{check_id(patient, 'patient')}.json"
