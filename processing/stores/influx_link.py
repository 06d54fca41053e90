"""The way to an InfluxDB: line protocol in, InfluxQL out, errors in words.

Only what InfluxDB 1.x (behind a front that knows ``/api/v2/write``), 2.x and 3.x have in common is used: writes to
``/api/v2/write``, reads through ``/query`` (https://docs.influxdata.com/influxdb/v2/api-guide/influxdb-1x/), where the
bucket is found under its own name as a database. No Flux: it does not exist in InfluxDB 3.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import urllib3
from influxdb_client.client.influxdb_client import InfluxDBClient
from influxdb_client.client.write_api import SYNCHRONOUS
from influxdb_client.rest import ApiException

from spineclip.contract.errors import StoreBusyError, StoreError, StoreRefusedError

BATCH_LINES: Final = 5000
"""Lines in one request: what InfluxData recommends
(https://docs.influxdata.com/influxdb/v2/write-data/best-practices/optimize-writes/)."""
_FORM: Final = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
_SETTINGS_STATUS: Final = frozenset({401, 403, 404})
_SETTINGS_WORDS: Final = ("not found", "not authorized", "insufficient permissions", "retention policy not set")
"""In errors of statements: a bucket that is not there or not ours, a right that is missing (1.x, then 2.x)."""
_TOO_LARGE: Final = 413


@dataclass(frozen=True, slots=True)
class Address:
    """Where an InfluxDB is and who we are there.

    Attributes
    ----------
    bucket
        Name of the bucket and, for InfluxQL, of the database.
    timeout_s
        Patience with one request.
    retries
        How often a request is repeated after 429, 5xx or a lost connection, each time after a longer pause.
    """

    url: str
    bucket: str
    token: str
    org: str = "spineclip"
    timeout_s: float = 10.0
    retries: int = 3


@dataclass(frozen=True, slots=True)
class Refused:
    """A line that the database will never take, and its reason: a word to count by and its own words."""

    line: str
    reason: str
    words: str


class InfluxLink:
    """Requests to one bucket; safe to share between threads.

    Parameters
    ----------
    address
        Where to.
    """

    def __init__(self, address: Address) -> None:
        self.address = address
        again = urllib3.Retry(
            total=address.retries,
            backoff_factor=0.2,
            status_forcelist=(429, 500, 502, 503, 504),
            allowed_methods=None,
            raise_on_status=False,
            retry_after_max=round(address.timeout_s),
        )
        self._client = InfluxDBClient(
            address.url,
            address.token,
            org=address.org,
            timeout=round(address.timeout_s * 1000),
            enable_gzip=True,
            retries=again,
        )
        self._write_api = self._client.write_api(write_options=SYNCHRONOUS)

    def close(self) -> None:
        """Let go of the connections."""
        self._client.close()

    def write(self, lines: Sequence[str]) -> list[Refused]:
        """Write lines of the line protocol; those that the database refuses are found and handed back.

        A refused batch is cut in halves until the lines at fault stand alone; the others are written (again, which
        changes nothing).

        Raises
        ------
        StoreBusyError
            If the database is away, overloaded, or our token or bucket is not accepted: all may change.
        """
        refused: list[Refused] = []
        waiting = [lines[at : at + BATCH_LINES] for at in range(0, len(lines), BATCH_LINES)][::-1]
        while waiting:
            batch = waiting.pop()
            problem = self._try(batch)
            if problem is None:
                continue
            if len(batch) == 1:
                refused.append(Refused(batch[0], *problem))
            else:
                half = len(batch) // 2
                waiting += [batch[half:], batch[:half]]
        return refused

    def query(self, query: str) -> list[dict[str, Any]]:
        """Run one InfluxQL statement and return its series, times in nanoseconds.

        Raises
        ------
        StoreBusyError
            If the database is away, overloaded, or our token or bucket is not accepted.
        StoreError
            If it does not take the statement.
        """
        parameters = {"db": self.address.bucket, "epoch": "ns", "q": query}
        try:
            response = self._client.api_client.call_api(
                "/query",
                "POST",
                header_params={**_FORM, "Authorization": f"Token {self.address.token}"},
                post_params=list(parameters.items()),
                _preload_content=False,
                _return_http_data_only=True,
            )
            answer = json.loads(response.data)
            if answer == {} and query.startswith("DELETE "):
                return []  # so InfluxDB 2 says that it has deleted (seen on 2.8.0); 1.x answers with an empty result
            result = answer["results"][0]
        except ApiException as error:
            raise self._told(error) from error
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise self._away(error) from error
        except (ValueError, LookupError, TypeError) as error:
            raise StoreError(
                f"{self.address.url} does not answer as an InfluxDB does",
                advice="Check the address and what runs there",
            ) from error
        if "error" in result:
            words = str(result["error"])
            if any(known in words for known in _SETTINGS_WORDS):
                raise self._settings(words)
            raise StoreError(
                f"InfluxDB at {self.address.url} does not take a query ({words})",
                advice="Check its version (docs/clinic.md) and its own log",
            )
        series: list[dict[str, Any]] = result.get("series", [])
        return series

    def check(self) -> None:
        """Ask once whether address, token and bucket are right.

        Raises
        ------
        StoreRefusedError
            With what to do, if they are not.
        StoreBusyError
            If nobody answers.
        """
        try:
            # a SELECT, since InfluxDB 2 shows no measurements of a bucket that does not exist, and no error (2.8.0)
            self.query('SELECT "name" FROM "core" LIMIT 1')
        except _SettingsError as error:
            raise StoreRefusedError(error.what, advice=error.advice) from error

    def _try(self, batch: Sequence[str]) -> tuple[str, str] | None:
        """Write a batch; return (reason, words) if some of its lines will never be taken."""
        try:
            self._write_api.write(self.address.bucket, record="\n".join(batch))
        except ApiException as error:
            if error.status == _TOO_LARGE and len(batch) > 1:
                return "size", "too large"
            if error.status in (400, _TOO_LARGE, 422):
                words = _words(error)
                return _reason(words), words
            raise self._told(error) from error
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise self._away(error) from error
        return None

    def _told(self, error: ApiException) -> StoreError:
        if error.status in _SETTINGS_STATUS:
            return self._settings(_words(error))
        return StoreBusyError(
            f"InfluxDB at {self.address.url} cannot be used now ({error.status}: {_words(error)})",
            advice="The same is tried again by itself; look at the database's own log if it stays",
        )

    def _away(self, error: Exception) -> StoreBusyError:
        return StoreBusyError(
            f"no InfluxDB answers at {self.address.url} ({type(error).__name__})",
            advice="Start it or correct the address; nothing is lost meanwhile, the collectors keep what is not stored",
        )

    def _settings(self, words: str) -> _SettingsError:
        return _SettingsError(
            f"InfluxDB at {self.address.url} does not let us use the bucket {self.address.bucket!r} ({words})",
            advice="Check that the bucket exists and that the token may read and write it",
        )


class _SettingsError(StoreBusyError):
    """A person has to mend the token or the bucket; until then everything waits, nothing is given up."""


def _words(error: ApiException) -> str:
    body = error.body if isinstance(error.body, str) else (error.body or b"").decode(errors="replace")
    try:
        fields = json.loads(body)
        return str(fields.get("message") or fields.get("error") or body)[:300]
    except (ValueError, AttributeError):
        return (body or str(error.reason))[:300]


def _reason(words: str) -> str:
    for pattern, reason in (
        ("field type conflict", "field-type"),
        ("retention policy", "retention"),
        ("parse", "parse"),
    ):
        if re.search(pattern, words):
            return f"store-{reason}"
    return "store-refused"
