"""The long form of the fault runs, by `make soak` only; its figures go to docs/."""

from __future__ import annotations

import pytest

from bench.chaos.soak import soak, write


@pytest.mark.soak
@pytest.mark.broker
@pytest.mark.timeout(1_800)
async def test_ten_kills_five_pauses_and_two_brokers_lose_nothing() -> None:
    report = await soak()

    write(report)
    assert [finding for verdict in report.verdicts for finding in verdict.findings] == []
    assert report.rest is not None
    assert report.demo["unresolved"] == 0
