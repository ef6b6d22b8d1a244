"""How long a worker may believe that it owns its partitions."""

from __future__ import annotations

import asyncio
import time

import pytest

from streams.lease import Lease, LeaseLost


def test_a_heartbeat_counts_from_when_it_was_sent() -> None:
    """A process paused between a heartbeat and its answer reads an answer that was true once."""
    lease = Lease(10)
    lease._renewed = time.monotonic() - 60
    lease.renew(time.monotonic() - 30)
    assert not lease.fresh()
    lease.renew(time.monotonic())
    assert lease.fresh()
    lease.renew(time.monotonic() - 30)
    assert lease.fresh(), "an older answer takes nothing away"


async def test_a_stale_lease_waits_for_the_next_heartbeat() -> None:
    lease = Lease(0.1)
    await asyncio.sleep(0.08)
    assert not lease.fresh()
    holding = asyncio.create_task(lease.hold())
    await asyncio.sleep(0.03)
    assert not holding.done()
    lease.renew(time.monotonic())
    await asyncio.wait_for(holding, 5)


async def test_a_stale_lease_is_lost_when_the_group_moves_on() -> None:
    lease = Lease(0.1)
    await asyncio.sleep(0.08)
    lease.left()
    with pytest.raises(LeaseLost, match=r"gives its partitions out anew, .* after the last heartbeat"):
        await lease.hold()


async def test_a_lease_that_nobody_renews_is_lost() -> None:
    lease = Lease(0.02)
    lease.doubt()
    with pytest.raises(LeaseLost, match=r"no heartbeat is accepted, .* after this process was paused"):
        await lease.hold()
