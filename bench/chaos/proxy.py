"""A TCP proxy that can be cut: how a server outside goes down for the programs behind it, and comes back."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from dataclasses import dataclass, field

_CHUNK = 64 * 1024


@dataclass
class Proxy:
    """Listens on a port of its own, which it keeps, and passes everything on to `target` while it is up."""

    target: tuple[str, int]
    port: int = 0
    _server: asyncio.Server | None = field(default=None, init=False)
    _open: set[asyncio.Task[None]] = field(default_factory=set, init=False)

    async def up(self) -> None:
        """Connections are taken from now on."""
        if self._server is None:
            self._server = await asyncio.start_server(self._taken, "127.0.0.1", self.port)
            self.port = self._server.sockets[0].getsockname()[1]

    async def down(self) -> None:
        """Whoever is connected is cut off, and whoever tries is refused."""
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
                    await asyncio.gather(_pump(reader, onward[1]), _pump(onward[0], writer))
                finally:
                    onward[1].close()
        finally:
            _break(writer)


def _break(writer: asyncio.StreamWriter) -> None:
    """Ends a connection without a farewell: an outage is a connection that breaks."""
    if not writer.is_closing():
        taken = writer.get_extra_info("socket")
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(_CHUNK):
            writer.write(data)
            await writer.drain()
    with contextlib.suppress(OSError, RuntimeError):
        writer.write_eof()
