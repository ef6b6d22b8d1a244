"""The instance that the tests of this folder share."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import aiohttp
import pytest

from bench.chaos.instance import Instance
from cli import instance as files
from tests.whole.api import Api


@pytest.fixture(scope="session")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    """A real `vacancy up` with two workers."""
    running = Instance(tmp_path_factory.mktemp("whole"), settings={"VACANCY_SANDBOX_SLOW": "0.5"})
    running.start()
    try:
        yield running
    finally:
        running.stop()


@pytest.fixture
async def api(whole: Instance) -> AsyncIterator[Api]:
    found = files.find(whole.data)
    headers = {"Authorization": f"Bearer {found.api_key}"}
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(found.url, headers=headers, connector=connector) as session:
        yield Api(session, found.bootstrap_servers)
