"""One service's App by itself, for Faust's own command: `VACANCY_DATA=.vacancy faust -A agents.payment worker`.

It is what `vacancy worker payment` runs, in a slot of its own, set up from the environment and DIR/vacancy.toml.
"""

from __future__ import annotations

import asyncio
import atexit
from contextlib import ExitStack
from functools import cache
from typing import Any, cast

import click
import faust

from cli import instance
from cli.aftermath import check_before
from cli.problem import Misuse, Problem
from cli.slots import Slot
from cli.worker import check_provider, composed, new_loop
from config.directories import private
from config.layers import load
from config.settings import Settings, SettingsError
from streams.layout import load_layout


@cache
def app_of(service: str) -> faust.App:
    """The App of a service of the instance in VACANCY_DATA, its slot taken until this process ends.

    Raises:
        ClickException: the instance, its broker or the service is not there. Faust prints it as one line.
    """
    try:
        return _built(instance.joined(load().settings), service)
    except (Problem, SettingsError) as error:
        raise click.ClickException(str(error)) from None


def _built(settings: Settings, service: str) -> faust.App:
    running = load_layout(settings).running
    if service not in running:
        raise Misuse(f"no service {service!r} in the layout {settings.layout}; there are: {', '.join(running)}")
    check_provider(settings, [service])
    held = ExitStack()
    atexit.register(held.close)
    slot = held.enter_context(Slot.take(private(settings.data / "state"), None))
    check_before(settings, slot, [service])
    # Built on the loop that Faust's command takes next: sessions and producers belong to the one they are made on.
    loop = new_loop()
    asyncio.set_event_loop(loop)
    [app], parts = loop.run_until_complete(composed(settings, slot, [service]))
    cast("Any", app).needs.append(parts)
    return app
