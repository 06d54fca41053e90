"""Calibrating from the page: what the collector sends anyway is listened to while the wearer sits still."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from typing import Final

import numpy as np

from collector.wearing import stillness
from processing.epochs import Posture
from spineclip.contract.config import PatientConfig
from spineclip.contract.connection import BrokerAccess, Connection
from spineclip.contract.errors import PoseError, WireError
from spineclip.contract.ids import new_patient_id
from spineclip.contract.topics import Channel, topic
from spineclip.contract.wire import ANY_TIME_NS, SampleBatch, decode
from spineclip.patients import Patients
from spineclip.teaching import teach_neutral, teach_pose

_LEAST_HZ: Final = 8.0
"""Fewer samples a second than this do not tell whether somebody moved."""


class MqttCalibrator:
    """Calibrates one patient's trunk clip (a `Calibrator` for the page).

    Parameters
    ----------
    access
        The broker that the collector sends to.
    patients
        Where the settings are kept; whoever follows them tells the core.
    """

    def __init__(self, access: BrokerAccess, patients: Patients, patient: str) -> None:
        self._access = access
        self._patients = patients
        self._patient = patient

    def taught(self) -> frozenset[Posture]:
        """Return what the wearer has shown so far."""
        known = [clip.calibration for clip in self._patients.config(self._patient).clips.values()]
        shown = [Posture(name) for found in known if found for name in found.poses if name in set(Posture)]
        return frozenset([*shown, *(Posture.UPRIGHT for found in known if found and found.neutral)])

    async def calibrate(self, seconds: float, pose: Posture = Posture.UPRIGHT) -> str:
        """Listen for so long and keep what the wearer shows; see `dashboards.patient.desk.Calibrator`."""
        batches = {device: _newest(heard, seconds) for device, heard in (await self._heard(seconds)).items()}
        if not batches:
            return "silent"
        device = max(batches, key=lambda name: sum(batch.n for batch in batches[name]))
        mine = batches[device]
        found = stillness(np.concatenate([batch.xyz_g() for batch in mine]), least=round(seconds * _LEAST_HZ))
        if found.problem:
            return "moved"
        placement, since_ns = mine[-1].placement, mine[0].t0_ns
        forgotten = False

        def shown(config: PatientConfig) -> PatientConfig:
            nonlocal forgotten
            if pose is not Posture.UPRIGHT:
                return teach_pose(config, device, placement, pose, found.mean_g)
            changed, forgotten = teach_neutral(config, device, placement, found.mean_g, since_ns)
            return changed

        try:
            await asyncio.to_thread(self._patients.change, self._patient, shown)
        except PoseError as error:
            return error.reason
        return "forgotten" if forgotten else "done"

    async def _heard(self, seconds: float) -> dict[str, list[SampleBatch]]:
        """Listen to what comes in order, and to the newest records where many older ones come first."""
        found: dict[str, dict[tuple[int, int], SampleBatch]] = defaultdict(dict)

        def hear(_topic: str, payload: bytes) -> None:
            try:
                record = decode(payload, now_ns=ANY_TIME_NS)
            except WireError:
                return  # the core counts what cannot be read
            if isinstance(record, SampleBatch) and record.placement.sees_trunk:
                found[record.device][record.boot, record.seq] = record

        session = Connection(
            self._access,
            client_id=f"calibrate-{new_patient_id()}",
            on_message=hear,
        )
        try:
            await session.open()
            for channel in (Channel.SAMPLES, Channel.NEWEST):
                await session.subscribe(topic(self._patient, channel))
            await asyncio.sleep(seconds)
        finally:
            await session.close()
        return {device: list(batches.values()) for device, batches in found.items()}


def _newest(batches: list[SampleBatch], seconds: float) -> list[SampleBatch]:
    """Keep what was measured last, in order: after an outage hours come at once, in which nobody showed anything."""
    since_ns = max(batch.end_ns for batch in batches) - round(seconds * 1e9)
    return sorted((batch for batch in batches if batch.end_ns > since_ns), key=lambda batch: batch.t0_ns)
