"""Promise: placements and addresses are understood as people write them, and a wrong one says which there are."""

from __future__ import annotations

import pytest
import typer

from spineclip.cli.collect import _broker as broker_of
from spineclip.cli.options import place
from spineclip.contract.placement import Placement


@pytest.mark.parametrize("text", ["lower-back", "lower_back", "Lower Back", " LOWER_BACK "])
def test_a_placement_is_understood_as_people_write_it(text: str) -> None:
    assert place(text) is Placement.LOWER_BACK


def test_a_wrong_placement_names_all_there_are() -> None:
    with pytest.raises(typer.BadParameter) as refused:
        place("back")
    assert "back" in str(refused.value)
    assert all(str(one) in str(refused.value) for one in Placement)


@pytest.mark.parametrize(
    ("told", "host", "port"),
    [("here", "here", None), ("here:8883", "here", 8883), ("::1", "::1", None), ("[::1]:8883", "::1", 8883)],
)
def test_a_broker_is_named_as_addresses_are(told: str, host: str, port: int | None) -> None:
    fields = broker_of(told, None, None, None)
    assert (fields["host"], fields.get("port")) == (host, port)
