"""Looks names up for webhooks, in threads of its own: a name server that hangs holds up nobody who asks for another
name, nor anything else of the process.
"""

from __future__ import annotations

import asyncio
import functools
import socket
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from aiohttp.abc import AbstractResolver, ResolveResult

#: Lookups that may be under way; of one name, and so of one endpoint, only one is.
_THREADS = 32
#: For so long an answer is used again, in seconds. A failure is not: the next attempt asks anew.
KEPT_S = 30.0
#: Names whose answers are kept.
_MOST_KEPT = 500

#: What the system answers: `socket.getaddrinfo`.
AskSystem = Callable[..., Sequence[tuple[int, int, int, str, tuple[object, ...]]]]
_Name = tuple[str, int, socket.AddressFamily]


class Lookups(AbstractResolver):
    """The system's resolver. Which addresses are allowed is looked at by who asks (`adapters.addresses`), each time."""

    def __init__(self, ask: AskSystem = socket.getaddrinfo) -> None:
        self._ask = ask
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="webhook-names")
        self._under_way: dict[_Name, asyncio.Future[list[ResolveResult]]] = {}
        #: With the loop's time until which each answer counts, the oldest first.
        self._kept: dict[_Name, tuple[float, list[ResolveResult]]] = {}

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Raises OSError where the name is not known."""
        name, now = (host, port, family), asyncio.get_running_loop().time()
        until, known = self._kept.get(name, (0.0, []))
        if now < until:
            return known
        under_way = self._under_way.get(name)
        if under_way is None:
            under_way = self._under_way[name] = asyncio.ensure_future(self._look_up(host, port, family))
            under_way.add_done_callback(functools.partial(self._keep, name))
        # Who gives up waiting does not end it for the others.
        return await asyncio.shield(under_way)

    async def _look_up(self, host: str, port: int, family: socket.AddressFamily) -> list[ResolveResult]:
        ask = functools.partial(
            self._ask, host, port, family=family, type=socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG
        )
        found = await asyncio.get_running_loop().run_in_executor(self._threads, ask)
        return [
            ResolveResult(
                hostname=host,
                host=str(address[0]),
                port=port,
                family=kind,
                proto=proto,
                flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
            )
            for kind, _, proto, _, address in found
        ]

    def _keep(self, name: _Name, done: asyncio.Future[list[ResolveResult]]) -> None:
        self._under_way.pop(name, None)
        self._kept.pop(name, None)
        if done.cancelled() or done.exception() is not None:
            return
        while len(self._kept) >= _MOST_KEPT:
            del self._kept[next(iter(self._kept))]
        self._kept[name] = done.get_loop().time() + KEPT_S, done.result()

    async def close(self) -> None:
        for under_way in list(self._under_way.values()):
            under_way.cancel()
        self._threads.shutdown(wait=False, cancel_futures=True)
