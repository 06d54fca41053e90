"""Leaving a patient's config at the broker, and making sure that it has arrived."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Final

from spineclip.contract.config import PatientConfig
from spineclip.contract.connection import BrokerAccess, Connection
from spineclip.contract.errors import BrokerError
from spineclip.contract.topics import Channel, topic

_PATIENCE_S: Final = 5.0


async def publish_config(access: BrokerAccess, patient: str, config: PatientConfig) -> None:
    """Publish a patient's config, retained, and wait until the broker gives it back.

    MQTT 3.1.1 confirms even what a broker then throws away because the user may not write there; only reading it
    back tells.

    Raises
    ------
    BrokerError
        If the broker cannot be reached, or does not take it from this user.
    """
    name, payload = topic(patient, Channel.CONFIG), config.to_json()
    arrived = asyncio.Event()

    def hear(heard: str, content: bytes) -> None:
        if (heard, content) == (name, payload):
            arrived.set()

    session = Connection(
        access,
        client_id=f"config-{patient}",
        on_message=hear,
    )
    try:
        await session.open()
        await session.subscribe(name)
        session.publish(name, payload, retain=True)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_PATIENCE_S):
                await arrived.wait()
    finally:
        await session.close()
    if not arrived.is_set():
        raise BrokerError(
            f"the broker at {access.host}:{access.port} did not take the settings of {patient}",
            advice="Its collector may only read them: ask whoever runs the clinic's page to enter them there",
        )
