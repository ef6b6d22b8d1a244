"""Vacancy's availability service as the product runs it, asked by bookings on a documented topic.

The App, its agents, table, rows, voice and keyring are those of `vacancy worker availability`. The catalogue asks for
holds in the inbox itself; here one more agent of the same App does, with the product's intake, so that there are two
hops as everywhere else.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import faust
import mode

from bench.micro.envelopes import settings_of
from cli.compose import Workshop, compose
from cli.loop import settle_memory
from cli.slots import Slot
from cli.worker import new_loop
from streams.events import Envelope, Event
from streams.events.availability import Hold
from streams.events.booking_news import BookingCreated
from streams.group import batches
from streams.intake import Intake


def holds(news: Envelope) -> Sequence[Event]:
    created = news.data
    if not isinstance(created, BookingCreated):
        return ()
    return (
        Hold(
            provider_id=created.provider_id,
            product_id=created.product_id,
            booking_id=created.booking_id,
            revision=1,
            line=1,
            start=created.start_time,
            end=created.end_time,
            quantity=created.quantity,
        ),
    )


async def build(bootstrap: str, run: str, source: str, directory: Path, slot: Slot) -> tuple[faust.App, mode.Service]:
    workshop = Workshop(settings_of(bootstrap, run, directory), slot)
    [group] = compose(workshop, ["availability"])
    tools = workshop.tools
    intake = Intake(group, tools.runtime, tools.listener, tools.keyring, holds)

    @group.app.agent(group.topics([tools.runtime.layout.named[source]]), name="ask-for-holds")
    async def ask_for_holds(stream: Any) -> None:
        async for batch in batches(stream):
            await group.guarded(intake.apply(batch))

    return group.app, workshop


def main() -> None:
    bootstrap, run, source, _, _, given = sys.argv[1:7]
    directory = Path(given)
    loop = new_loop()
    asyncio.set_event_loop(loop)
    with Slot.take(directory / "state", None) as slot:
        app, workshop = loop.run_until_complete(build(bootstrap, run, source, directory, slot))
        settle_memory()
        worker = faust.Worker(app, workshop, loop=loop, quiet=True, redirect_stdouts=False, override_logging=False)
        worker.spinner = None
        worker.execute_from_commandline()


if __name__ == "__main__":
    main()
