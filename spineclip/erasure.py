"""Forgetting one patient: everything that is kept of them, wherever it is kept, so that nothing is overlooked."""

from __future__ import annotations

import asyncio
import glob
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from processing.stores.base import MetricStore
from spineclip.contract.connection import BrokerAccess, Connection
from spineclip.contract.errors import BrokerError
from spineclip.contract.topics import Channel, topic
from spineclip.enrolment import Passwords
from spineclip.links import Links
from spineclip.patients import Patients
from spineclip.settings import state_folder

RETAINED: Final = (Channel.CONFIG, Channel.ACK, Channel.STATE)
"""What a broker keeps of a patient for whoever subscribes later."""
_LOOK_S: Final = 2.0
"""Retained messages come right after a subscription is confirmed; so long is waited for the last of them."""


def erase_here(store: MetricStore | None, data: Path, patient: str) -> Iterator[str]:
    """Erase metrics, diary, goals, checkpoint, settings and the link of a published page; say what was there.

    Raises
    ------
    StoreError
        If the store cannot be written.
    """
    if Links(data).revoke(patient):  # first: whoever looks at the page sees nothing of what follows
        yield "the link of the published page"
    patients = Patients(data)
    if patient in patients.known():
        patients.erase(patient)
        yield "settings, goals and calibration"
    if store is not None:
        there = patient in store.patients() or store.checkpoint(patient) is not None or bool(store.aside(patient))
        store.erase(patient)
        if there:
            yield "measurements, diary and reminders"


def erase_access(secrets: Path, patient: str) -> Iterator[str]:
    """Take away a patient's access to the clinic's broker, and the credentials that were made for their collector."""
    passwords = Passwords(secrets / "passwords")
    if passwords.revoke(patient):
        yield f"the access to the broker ({passwords.path})"
    bundle = secrets / "collectors" / patient
    if bundle.is_dir():
        shutil.rmtree(bundle)
        yield f"the credentials of the collector ({bundle})"


def erase_outbox(patient: str, outbox: Path | None = None) -> Iterator[str]:
    """Delete what a collector on this machine keeps of a patient: the outbox, damaged ones moved aside, clip rates."""
    file = outbox or state_folder() / f"{patient}.sqlite"
    name, stem, ending = (glob.escape(part) for part in (file.name, file.stem, file.suffix))
    # no wider: settings may lie beside, called alike
    patterns = (f"{name}*", f"{stem}.damaged-*{ending}*", f"{stem}.rates.*")
    found = [part for pattern in patterns for part in file.parent.glob(pattern) if part.is_file()]
    for part in found:
        part.unlink()
    if found:
        yield f"what the collector kept ({file})"


async def erase_retained(access: BrokerAccess, patient: str) -> tuple[list[Channel], list[Channel]]:
    """Have the broker forget what it retains of a patient; return what is gone, and what it still has.

    Only looking again tells: MQTT 3.1.1 confirms even what a broker then throws away because the user may not write
    there. What this user may not read is taken for not there.

    Raises
    ------
    BrokerError
        If the broker cannot be reached.
    """
    before = await _retained(access, patient, clear=True)
    after = await _retained(access, patient) if before else set()
    return sorted(before - after), sorted(after)


async def _retained(access: BrokerAccess, patient: str, *, clear: bool = False) -> set[Channel]:
    names = {topic(patient, channel): channel for channel in RETAINED}
    there: set[Channel] = set()

    def hear(name: str, payload: bytes) -> None:
        if payload and name in names:
            there.add(names[name])

    session = Connection(access, client_id=f"erase-{patient}", on_message=hear)
    try:
        await session.open()
        for name in names:
            await _subscribe(session, name)
        await asyncio.sleep(_LOOK_S)
        if clear:
            for name, channel in names.items():
                if channel in there:
                    session.publish(name, b"", retain=True)
            await asyncio.sleep(_LOOK_S)
    finally:
        await session.close()
    return there


async def _subscribe(session: Connection, name: str) -> None:
    try:
        await session.subscribe(name)
    except BrokerError:
        return  # a topic that is closed to this user; the others are not
