"""The way to a running Grafana: grafana-api behind one small class, errors in words.

Only its generic calls are used, with paths that name things by uid: those by numeric id are switched off in Grafana 13.
(The better kept grafana-client cannot be installed beside influxdb-client: it brings a library that takes the place of
urllib3.)
"""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Any, Final
from urllib.parse import urlsplit

import requests
from grafana_api.grafana_api import GrafanaClientError, GrafanaException
from grafana_api.grafana_face import GrafanaFace

from spineclip.contract.errors import GrafanaError

TIMEOUT_S: Final = 15.0
_NOT_FOUND: Final = 404
Auth = str | tuple[str, str]
"""A service account's token, or user and password."""


class Grafana:
    """Requests to one Grafana; a context manager.

    Parameters
    ----------
    url
        Such as ``https://grafana.example`` or ``http://localhost:3000/grafana``.
    auth
        Who we are there.
    ca_file
        Authority of its certificate, where it is none of the public ones.

    Raises
    ------
    GrafanaError
        If the address makes no sense.
    """

    def __init__(self, url: str, auth: Auth, *, ca_file: Path | None = None) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise GrafanaError(f"{url!r} is no address of a Grafana", advice="Write it as https://grafana.example")
        self.url = url.rstrip("/")
        self.org_id: int | None = None
        """The organisation that requests are for; None is the one of whoever we are."""
        prefix = parts.path.strip("/")
        self._face = GrafanaFace(
            auth=auth,
            host=parts.hostname,
            port=parts.port,
            url_path_prefix=f"{prefix}/" if prefix else "",
            protocol=parts.scheme,
            verify=True if ca_file is None else str(ca_file),
            timeout=TIMEOUT_S,
        )

    def __enter__(self) -> Grafana:
        """Hand itself out."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let go of the connections."""
        self._face.api.s.close()

    def find(self, path: str) -> Any | None:
        """Get something, or None if it is not there."""
        try:
            return self._call("GET", path)
        except GrafanaClientError as error:
            if error.status_code == _NOT_FOUND:
                return None
            raise self._refused(path, error) from error

    def get(self, path: str) -> Any:
        """Get something that has to be there."""
        found = self.find(path)
        if found is None:
            raise GrafanaError(f"{self.url} knows no {path}", advice="Check the address; it may be no Grafana")
        return found

    def post(self, path: str, content: dict[str, Any]) -> Any:
        """Make something."""
        return self._send("POST", path, content)

    def put(self, path: str, content: dict[str, Any]) -> Any:
        """Replace something."""
        return self._send("PUT", path, content)

    def _send(self, method: str, path: str, content: dict[str, Any]) -> Any:
        try:
            return self._call(method, path, content)
        except GrafanaClientError as error:
            raise self._refused(path, error) from error

    def _call(self, method: str, path: str, content: dict[str, Any] | None = None) -> Any:
        # what we deploy stays editable: whoever changes it is asked before it is replaced
        headers = {"X-Disable-Provenance": "true"}
        if self.org_id is not None:
            headers["X-Grafana-Org-Id"] = str(self.org_id)
        try:
            return getattr(self._face.api, method)(path, json=content, headers=headers)
        except GrafanaClientError:
            raise
        except GrafanaException as error:
            raise GrafanaError(f"the Grafana at {self.url} is in trouble ({error.message})") from error
        except (requests.RequestException, ValueError) as error:
            raise GrafanaError(
                f"no Grafana answers at {self.url} ({type(error).__name__})",
                advice="Check the address and that it runs",
            ) from error

    def _refused(self, path: str, error: GrafanaClientError) -> GrafanaError:
        advice = "Use an administrator of that organisation" if error.status_code in (401, 403) else ""
        return GrafanaError(f"the Grafana at {self.url} refuses {path} ({error.message})", advice=advice)
