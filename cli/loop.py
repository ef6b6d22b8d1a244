"""Runs a command's coroutine on the fastest event loop this machine has."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable, Coroutine
from typing import TypeVar

_T = TypeVar("_T")


def run(main: Coroutine[object, object, _T]) -> _T:
    """What `asyncio.run` does, on uvloop where it is installed."""
    with asyncio.Runner(loop_factory=_factory()) as runner:
        return runner.run(main)


def event_loop_policy() -> asyncio.AbstractEventLoopPolicy:
    """The policy of the fastest event loop, for programs whose libraries make loops of their own."""
    try:
        import uvloop
    except ImportError:
        return asyncio.DefaultEventLoopPolicy()
    policy: asyncio.AbstractEventLoopPolicy = uvloop.EventLoopPolicy()
    return policy


def settle_memory() -> None:
    """Takes what is loaded by now out of the garbage collector's sight: it stays for good, and scanning it costs."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


def _factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop
    except ImportError:
        return None
    factory: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop
    return factory
