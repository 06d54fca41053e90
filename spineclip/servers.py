"""A clinic's servers, as the commands are told of them: secrets come in files, never as arguments."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from spineclip.contract.connection import BrokerAccess
from spineclip.contract.errors import SettingsError
from spineclip.patients import store_file

if TYPE_CHECKING:
    from processing.stores.base import MetricStore
    from processing.stores.influx import InfluxStore
    from processing.stores.sqlite import SqliteStore


def secret(file: Path | None) -> str:
    """Read a password or token; without a file it is empty.

    Raises
    ------
    SettingsError
        If the file cannot be read.
    """
    if file is None:
        return ""
    try:
        return file.read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(
            f"the secret in {file} cannot be read ({error})", advice="Check that the file is there and yours"
        ) from error


def to_broker(host: str, port: int, user: str, password_file: Path | None, ca_file: Path | None) -> BrokerAccess:
    """Return how to reach the clinic's broker.

    Raises
    ------
    SettingsError
        If the password's file cannot be read, or the authority's is not there.
    """
    if ca_file is not None and not ca_file.is_file():
        raise SettingsError(f"there is no authority's certificate at {ca_file}", advice="Name the right file with --ca")
    return BrokerAccess(host, port, user, secret(password_file), ca_file)


def broker_access(
    host: str | None, port: int, user: str, password_file: Path | None, ca_file: Path | None
) -> BrokerAccess | None:
    """Return how to reach the clinic's broker, as `to_broker` does; None where there is none."""
    return None if host is None else to_broker(host, port, user, password_file, ca_file)


def open_influx(url: str, bucket: str, token_file: Path | None, org: str) -> InfluxStore:
    """Open an InfluxDB as the metric store.

    Raises
    ------
    SettingsError
        If the token's file cannot be read.
    StoreError
        If the database is away, or refuses token or bucket.
    """
    from processing.stores.influx import InfluxStore  # noqa: PLC0415 - takes a second to load; most do without
    from processing.stores.influx_link import Address  # noqa: PLC0415

    return InfluxStore(Address(url, bucket, secret(token_file), org))


def open_here(data: Path) -> SqliteStore:
    """Open the metric store of a data folder; none is made.

    Raises
    ------
    SettingsError
        If there is none.
    """
    from processing.stores.sqlite import SqliteStore  # noqa: PLC0415 - a core on InfluxDB does without

    file = store_file(data)
    if not file.is_file():
        raise SettingsError(
            f"there is no metric store at {file}", advice="Record something first, or name its folder with --data"
        )
    return SqliteStore(file)


def open_store(data: Path, influx: str | None, bucket: str, token_file: Path | None, org: str) -> MetricStore:
    """Open the clinic's InfluxDB if one is named, as `open_influx` does, else the data folder's, as `open_here`."""
    return open_here(data) if influx is None else open_influx(influx, bucket, token_file, org)
