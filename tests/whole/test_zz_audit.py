"""After everything the tests of this folder did to the instance: rows are what the log says, and the auditor finds
nothing. (Runs last by its name.)
"""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.chaos.instance import Instance
from tests.layouts.closing import audited, in_time, killed_under_load, rebuilt

pytestmark = [pytest.mark.broker, pytest.mark.timeout(180)]


@in_time
async def test_a_killed_worker_loses_nothing(whole: Instance, tmp_path: Path) -> None:
    await killed_under_load(whole, tmp_path)


@pytest.mark.proves("CLN-04", "CLN-18")
async def test_the_log_says_what_the_rows_hold(whole: Instance, tmp_path: Path) -> None:
    services = ("booking", "availability", "payment", "user", "notification", "receipt", "rate", "analytics")
    await rebuilt(whole, tmp_path, *services)


async def test_the_audit_is_clean(whole: Instance) -> None:
    await audited(whole)
