"""The links by which patients open their published pages: a random token each, in a file that its owner alone reads."""

from __future__ import annotations

import secrets
from pathlib import Path

from spineclip.contract.errors import SettingsError
from spineclip.contract.ids import check_id
from spineclip.private_file import write_private


class Links:
    """The tokens of all patients, ``<data>/links/<patient>``.

    Parameters
    ----------
    data
        The data folder.
    """

    def __init__(self, data: Path) -> None:
        self._folder = data / "links"

    def token(self, patient: str) -> str | None:
        """Return a patient's token, None where there is none.

        Raises
        ------
        SettingsError
            If the id is not one.
        """
        try:
            return self._file(patient).read_text("ascii").strip() or None
        except (OSError, UnicodeDecodeError):
            return None  # what cannot be read opens nothing

    def make(self, patient: str) -> str:
        """Make a new token of 192 random bits; an older one counts no more.

        Raises
        ------
        SettingsError
            If the id is not one, or the file cannot be written.
        """
        file, token = self._file(patient), secrets.token_urlsafe(24)
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_private(file, token.encode())
        except OSError as error:
            raise SettingsError(f"{file} cannot be written ({error.strerror})", advice="Check the folder") from error
        return token

    def revoke(self, patient: str) -> bool:
        """Take a patient's token away; tell whether there was one."""
        there = self.token(patient) is not None
        self._file(patient).unlink(missing_ok=True)
        return there

    def _file(self, patient: str) -> Path:
        return self._folder / check_id(patient, "patient")
