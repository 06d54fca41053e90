"""The present while the past is still being worked off: the newest records looked at ahead of their turn.

A fork of the patient's state takes them in, and only what it says of the present is used. Nothing is stored of it and
no record counts as seen: every record comes again in its turn, and the metrics are as if nobody had looked ahead.
"""

from __future__ import annotations

import logging
from typing import Final

from processing import pipeline, records
from processing.pipeline import PatientState
from spineclip.contract.live import Live
from spineclip.contract.wire import SampleBatch

_LOG = logging.getLogger(__name__)

BEGIN_NS: Final = 30 * 10**9
END_NS: Final = 10 * 10**9
"""So far ahead of those in order records begin, and end, to be looked at (our choice: what is nearer is there in a
moment anyway)."""


class Preview:
    """One patient's fork, as long as there is a past to work off."""

    def __init__(self) -> None:
        self._fork: PatientState | None = None
        self._shown_ns = 0

    def look(self, state: PatientState, record: SampleBatch) -> Live | None:
        """Look at one of the newest records.

        Parameters
        ----------
        state
            The patient as far as records have come in order.

        Returns
        -------
        The present, or None where the records in order have come as far, or nothing can be said.
        """
        worn = state.clips.get(record.device)
        if worn is not None and record.t0_ns - worn.last_ns <= (BEGIN_NS if self._fork is None else END_NS):
            self._fork, self._shown_ns = None, 0
            return None
        try:
            self._fork, result = pipeline.step(
                self._fork or state, record.device, record.placement, records.block(record),
                battery_pct=record.battery_pct,
            )  # fmt: skip
        except Exception:  # noqa: BLE001  a defect of ours must cost no more than this look; the record comes again
            _LOG.warning("a record could not be looked at ahead of its turn", exc_info=True)
            self._fork = None
            return None
        if result.live is not None:
            self._shown_ns = max(self._shown_ns, result.live.time_ns)
        return result.live

    def newer_than(self, time_ns: int) -> bool:
        """Tell whether something newer has been shown, so that the past is not shown as the present."""
        return self._shown_ns > time_ns
