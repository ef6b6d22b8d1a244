"""A service's App as its module's attribute `app`, for `faust -A agents.payment worker`: importing builds nothing."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any


def app_of(service: str) -> Any:
    """The service's App with its agents, built at the first call; the same one at every later call.

    What it is made of is known to the composition root alone. That stands above the agents and imports them, so it is
    looked for here, when somebody asks, and not imported.
    """
    return import_module("cli.standalone").app_of(service)


def lazy_app(service: str) -> Callable[[str], Any]:
    """A module's `__getattr__` (PEP 562) that knows `app` and nothing else."""

    def attribute(name: str) -> Any:
        if name == "app":
            return app_of(service)
        raise AttributeError(f"there is no {name!r} in the agents of {service}")

    return attribute
