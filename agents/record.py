"""The record service's agents: one decides records, one keeps up with the topics its group subscribes."""

from __future__ import annotations

from typing import Any

from agents.follow import follow
from agents.lazy import lazy_app
from agents.tools import Tools
from streams.app import ServiceApp
from streams.group import batches


def attach(record: ServiceApp, tools: Tools) -> None:
    """Attaches the agents to the record service's App."""

    @record.app.agent(record.topic(record.service.inbox), name="decide-records")
    async def decide_records(stream: Any) -> None:
        """Opens and changes the clinic's records, in the order of the inbox."""
        async for batch in batches(stream):
            await record.decide(batch)

    # Nothing to pass on: the gate lets in what other programs say of records.
    follow(record, tools, lambda news: ())


__getattr__ = lazy_app("record")
