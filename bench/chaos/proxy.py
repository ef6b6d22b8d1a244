"""A TCP proxy in a weather of its own: how a server outside goes down, hangs or loses its answers, and comes back."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from dataclasses import dataclass, field
from typing import Literal

#: hung: connections are taken and nothing passes; slow: everything comes late; deaf: what is asked is passed on, and
#: the connection breaks instead of the answer; busy: the proxy itself answers 429, overloaded: 503.
Weather = Literal["fair", "down", "hung", "slow", "deaf", "busy", "overloaded"]

_CHUNK = 64 * 1024
_LATE_S = 0.5
_ANSWERS: dict[str, bytes] = {
    name: b"HTTP/1.1 %s\r\nRetry-After: 1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n" % status
    for name, status in (("busy", b"429 Too Many Requests"), ("overloaded", b"503 Service Unavailable"))
}


@dataclass
class Proxy:
    """Listens on a port of its own, which it keeps, and passes everything on to `target` while the weather is fair."""

    target: tuple[str, int]
    port: int = 0
    weather: Weather = field(default="down", init=False)
    _server: asyncio.Server | None = field(default=None, init=False)
    _open: set[asyncio.Task[None]] = field(default_factory=set, init=False)
    _passes: asyncio.Event = field(default_factory=asyncio.Event, init=False)

    async def up(self) -> None:
        """Connections are taken from now on."""
        await self.turn("fair")

    async def down(self) -> None:
        """Whoever is connected is cut off, and whoever tries is refused."""
        await self.turn("down")

    async def turn(self, weather: Weather) -> None:
        """From now on it is like this."""
        self.weather = weather
        if weather == "down":
            await self._close()
            return
        if weather == "hung":
            self._passes.clear()
        else:
            self._passes.set()
        if self._server is None:
            self._server = await asyncio.start_server(self._taken, "127.0.0.1", self.port)
            self.port = self._server.sockets[0].getsockname()[1]

    async def _close(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        for task in list(self._open):
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)

    def _taken(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._pass_on(reader, writer))
        self._open.add(task)
        task.add_done_callback(self._open.discard)

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with contextlib.suppress(OSError):
                onward = await asyncio.open_connection(*self.target)
                try:
                    await asyncio.gather(self._ask(reader, onward[1], writer), self._answer(onward[0], writer))
                except _Broken:
                    pass
                finally:
                    onward[1].close()
        finally:
            _break(writer)

    async def _ask(
        self, reader: asyncio.StreamReader, onward: asyncio.StreamWriter, back: asyncio.StreamWriter
    ) -> None:
        """What the client says, to the server."""
        with contextlib.suppress(OSError):
            while data := await reader.read(_CHUNK):
                await self._passable()
                if said := _ANSWERS.get(self.weather):
                    back.write(said)
                    await back.drain()
                    back.close()
                    raise _Broken
                onward.write(data)
                await onward.drain()
        _finish(onward)

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """What the server says, to the client."""
        with contextlib.suppress(OSError):
            while data := await reader.read(_CHUNK):
                await self._passable()
                if self.weather == "deaf":
                    raise _Broken
                writer.write(data)
                await writer.drain()
        _finish(writer)

    async def _passable(self) -> None:
        await self._passes.wait()
        if self.weather == "slow":
            await asyncio.sleep(_LATE_S)


class _Broken(Exception):
    """The connection ends here."""


def _break(writer: asyncio.StreamWriter) -> None:
    """Ends a connection without a farewell: an outage is a connection that breaks."""
    if not writer.is_closing():
        taken = writer.get_extra_info("socket")
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()


def _finish(writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError, RuntimeError):
        writer.write_eof()
