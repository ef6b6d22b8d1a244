"""The instance that the tests of one module share: its layout is the module's `LAYOUT`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import aiohttp
import pytest

from bench.chaos.instance import Instance
from cli import instance as files
from tests.layouts.world import World


@pytest.fixture(scope="module")
def running(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    """A real `vacancy up` of the module's layout with one worker."""
    layout = request.module.LAYOUT
    settings = {"VACANCY_SANDBOX_SLOW": "0.3"}
    instance = Instance(tmp_path_factory.mktemp(layout), workers=1, settings=settings, layout=layout)
    try:
        instance.start()
        yield instance
    finally:
        instance.stop()


@pytest.fixture
async def world(running: Instance) -> AsyncIterator[World]:
    found = files.find(running.data)
    headers = {"Authorization": f"Bearer {found.api_key}"}
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(found.url, headers=headers, connector=connector) as session:
        yield World(session, found.bootstrap_servers, running.data)
