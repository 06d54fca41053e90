"""A virtual radio for each test that asks for one."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from firmware_sim.radio import VirtualRadio
from tests.conformance.radio_world import QUICK


@pytest.fixture
async def radio() -> AsyncIterator[VirtualRadio]:
    """Open a radio with the quickest BlueZ."""
    async with VirtualRadio(timing=QUICK) as one:
        yield one
