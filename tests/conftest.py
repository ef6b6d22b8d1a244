"""What tests of several packages share: one real Kafka for the whole session."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from streams import ports
from streams.broker import EmbeddedBroker

# A busy machine is no finding: how long it takes to draw examples says nothing of the code.
# What a change has to pass is the same each time; who works on it, and `make soak`, draw anew.
settings.register_profile(
    "vacancy", suppress_health_check=[HealthCheck.too_slow], derandomize=os.environ.get("CI") == "true"
)
settings.load_profile("vacancy")

# A shell that runs us in the background has us ignore Ctrl-C, and whatever we start would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The bootstrap servers of an embedded broker that all tests marked `broker` share; name your own topics."""
    broker = EmbeddedBroker(tmp_path_factory.mktemp("kafka"), port=ports.any_free())
    asyncio.run(broker.start())
    try:
        yield broker.bootstrap
    finally:
        asyncio.run(broker.stop())
