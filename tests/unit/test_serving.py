"""Promise: where a page cannot be served, it is said what stands in the way."""

from __future__ import annotations

import pytest

from dashboards.serving import check_port, public_address
from spineclip.contract.errors import SettingsError

ELSEWHERE = "192.0.2.1"
"""An address of nobody (RFC 5737)."""


@pytest.mark.parametrize("port", [None, 0, 8642])
def test_an_address_that_is_not_this_machines_is_told(port: int | None) -> None:
    with pytest.raises(SettingsError, match=f"cannot listen on {ELSEWHERE}") as told:
        check_port(port, ELSEWHERE)
    assert "--listen" in told.value.advice


@pytest.mark.parametrize("url", ["https://[2001:db8::1]:8443", "https://back.example.org", "http://localhost:8642"])
def test_an_address_to_publish_at_stays_as_it_is(url: str) -> None:
    assert public_address(f"{url}/").url == url
